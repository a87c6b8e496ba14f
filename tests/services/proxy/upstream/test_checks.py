"""Checks of servers: begun by the clock, bounded, and told to the log when they change something."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netkit.http.asking import Answer
from netkit.http.messages import CHUNKED, ResponseHead
from netkit.services.proxy.upstream.settings import HealthTable, ProxyHeader
from tests.http.fakes import content, field
from tests.services.proxy.fakes import Slow
from tests.services.proxy.upstream.mounted import Mounted


class Checks(SynchronousTestCase):
    def test_checks(self) -> None:
        """Each server is checked at once and then by its interval; where all are down the answer is 503."""
        mounted = Mounted(
            "ab", health=HealthTable(path="/up", host="h", interval=10, fall=1, rise=1)
        )
        mounted.mount.startService()
        self.assertEqual(mounted.ways, "ab")
        self.assertEqual(mounted.opening[:2], [b"GET /up HTTP/1.1", b"Host: h"])
        for each in mounted.asked:
            each.answer(500)
        self.assertEqual(
            mounted.lines, [f"{name} is down: answered a check with 500" for name in "ab"]
        )
        response = self.successResultOf(mounted.ask())
        self.assertEqual(response.status, 503)
        self.assertEqual(field(response, b"Proxy-Status"), b"us; error=destination_unavailable")
        self.assertLess(len(content(response)), 4000)
        mounted.reactor.pump([1] * 10)
        self.assertEqual(mounted.ways, "abab")
        mounted.last.answer(204)
        self.assertEqual(mounted.lines[-1], "b is back")
        mounted.ask()
        self.assertEqual(mounted.ways, "ababb")
        mounted.mount.stopService()
        self.assertTrue(mounted.pool.stopped)
        self.assertTrue(mounted.asked[2].left)
        self.assertEqual(mounted.reactor.getDelayedCalls(), [])

    def test_announced(self) -> None:
        """A check of a server that wants PROXY headers has one of its own."""
        for version, start in (
            (ProxyHeader.V1, b"PROXY UNKNOWN\r\n"),
            (ProxyHeader.V2, b"\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"),
        ):
            mounted = Mounted("a", health=HealthTable(path="/up"), proxy_header=version)
            mounted.mount.startService()
            self.addCleanup(mounted.mount.stopService)
            way: Any = mounted.last.way
            self.assertEqual(way.header, start)

    def test_check_hangs(self) -> None:
        """A check that is not answered in time is given up, and no other begins before that."""
        mounted = Mounted("a", health=HealthTable(path="/up", interval=1, timeout=5, fall=2))
        mounted.mount.startService()
        self.addCleanup(mounted.mount.stopService)
        self.assertEqual(mounted.opening[1], b"Host: a")
        mounted.reactor.pump([1] * 4)
        self.assertEqual(mounted.ways, "a")
        mounted.reactor.advance(1)
        self.assertTrue(mounted.asked[0].left)
        self.assertEqual(mounted.ways, "aa")
        mounted.reactor.pump([1] * 5)
        self.assertEqual(mounted.lines, ["a is down: did not answer a check in time"])
        mounted.reactor.advance(1)
        mounted.fail()
        self.assertEqual(len(mounted.lines), 1)

    def test_endless_check(self) -> None:
        """The body of an answer to a check is not read."""
        mounted = Mounted("a", health=HealthTable(path="/up"))
        mounted.mount.startService()
        self.addCleanup(mounted.mount.stopService)
        slow = Slow()
        head = ResponseHead(status=200, headers=(), length=CHUNKED)
        mounted.last.coming.callback(Answer(head=head, body=slow))
        self.assertTrue(slow.closed)
        self.assertEqual(mounted.lines, [])

    def test_no_checks(self) -> None:
        """Without a path nobody is checked."""
        mounted = Mounted("ab")
        mounted.mount.startService()
        mounted.reactor.pump([1] * 100)
        self.assertEqual(mounted.asked, [])
        mounted.mount.stopService()
        mounted.mount.stopService()
