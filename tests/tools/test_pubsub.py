"""`netkit pub` and `netkit sub`, as a user calls them."""

import contextlib
import json
from functools import partial

from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from netkit.passwords import Cost, hashed
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats.servers import parse
from netkit.services.pubsub.settings import Settings
from netkit.tools.messaging.client import Access
from netkit.tools.messaging.listening import Listening, Wanted
from netkit.tools.messaging.publishing import Said, publish, request
from netkit.tools.outcome import TroubleError
from tests.services.pubsub.fabric.program import NO_PROGRAM, nats_server
from tests.tools.commanded import Ran, called, spawned
from tests.tools.messaging.served import here, netkit_serves, some


class Base(TestCase):
    """A server, and the commands."""

    port: int

    async def netkit(self, *line: str, stdin: bytes = b"") -> Ran:
        """Call a command with the server's URL."""
        return await spawned(*line, "-s", f"nats://127.0.0.1:{self.port}", stdin=stdin)

    def heard(self, pattern: bytes, most: int) -> tuple["Deferred[None]", list[Published]]:
        """Listen; return what fires when that has begun, and the list of what is heard."""
        begun: Deferred[None] = Deferred()
        runs: list[Published] = []
        listening = Listening(
            Wanted(pattern, most=most),
            runs.append,
            lambda _: begun.callback(None),
            lambda _: None,
        )
        to = (parse(f"nats://127.0.0.1:{self.port}"),)
        self.over = Deferred.fromCoroutine(listening.listen(here(20), to, Access()))
        return begun, runs


class NetkitTests(Base):
    """With netkit's own service."""

    def setUp(self) -> "Deferred[None]":  # type: ignore[override]  # trial waits for it
        """Start it."""
        return Deferred.fromCoroutine(self.server()).addCallback(partial(setattr, self, "port"))

    async def server(self) -> int:
        """Return the port of a server."""
        return netkit_serves(self)

    async def test_pub(self) -> None:
        """What stands on the line is published, with its headers, once."""
        begun, runs = self.heard(b"a.>", 1)
        await begun
        ran = await self.netkit("pub", "a.b", "hello", "-H", "K: v", "--reply", "x.y")
        self.assertEqual(ran, Ran(0, "", ""))
        await self.over
        (run,) = runs
        self.assertEqual((run.subject, run.reply), (b"a.b", b"x.y"))
        self.assertEqual(run.payloads, [b"NATS/1.0\r\nK: v\r\n\r\nhello"])

    async def test_input(self) -> None:
        """Without DATA the standard input is the message, whatever is in it; or each line is one."""
        whole = bytes(range(256)) + b"\n"
        begun, runs = self.heard(b"a", 4)
        await begun
        self.assertEqual(await self.netkit("pub", "a", stdin=whole), Ran(0, "", ""))
        ran = await self.netkit("pub", "a", "--lines", stdin=b"one\r\ntwo\nthree")
        self.assertEqual(ran, Ran(0, "", ""))
        await self.over
        heard = [payload for run in runs for payload in run.payloads]
        self.assertEqual(heard, [whole, b"one", b"two", b"three"])

    async def test_nobody_answers(self) -> None:
        """A request that nobody is there to answer is a no, and told so."""
        ran = await self.netkit("pub", "--request", "time", "?")
        self.assertEqual(ran, Ran(1, "", "netkit: nobody is there to answer time\n"))

    async def shown(self, *arguments: str) -> str:
        """Return what `sub` shows of a probe and of two messages."""
        listening = Deferred.fromCoroutine(self.netkit("sub", "a.*", "-n", "3", *arguments))
        to = (parse(f"nats://127.0.0.1:{self.port}"),)
        with contextlib.suppress(TroubleError):  # once somebody is there, who does not answer
            while await request(here(0.5), to, Access(), Said(b"a.probe"), b"") is None:
                pass
        for payload in (b"one\nand \xff", b"two"):
            await publish(here(), to, Access(), Said(b"a.b"), some(payload))
        ran = await listening
        self.assertEqual((ran.status, ran.errors), (0, ""))
        return ran.out

    async def test_sub(self) -> None:
        """Messages are shown a line each, and what is in them does nothing to a terminal."""
        shown = await self.shown()
        self.assertEqual(shown, "a.probe: \na.b: one\\nand \\xff\na.b: two\n")

    async def test_json(self) -> None:
        """As JSON nothing of them is lost."""
        _, one, two = map(json.loads, (await self.shown("--json")).splitlines())
        self.assertEqual(one, {"subject": "a.b", "base64": "b25lCmFuZCD/"})
        self.assertEqual(two, {"subject": "a.b", "data": "two"})


class NatsServerTests(NetkitTests):
    """The same with nats-server."""

    skip = NO_PROGRAM

    async def server(self) -> int:
        """Return the port of a server."""
        return (await nats_server(self)).port


class LineTests(TestCase):
    """What is no right line, and who may not."""

    def test_wrong(self) -> None:
        """What is no subject, or goes with nothing else, is told before anything is done."""
        for line, said in (
            ("pub a..b x", '"a..b" is no subject; words with dots between, as in a.b'),
            ("pub a.* x", '"a.*" is no subject; words with dots between, as in a.b'),
            ("sub a..b", "subjects and queues are words with dots between, as in a.b"),
            ("pub a x --lines", "--lines goes neither with DATA nor with --request"),
            (
                "pub a x -H nocolon\x01",
                "a header is not as it should be: a field cannot be written",
            ),
            (
                "pub a x -s http://h",
                'a server is not written as it should be; as in "nats://10.0.0.2:4222"',
            ),
            ("sub a --cacert /nowhere", "/nowhere"),
        ):
            with self.subTest(line):
                ran = called(*line.split(" "))
                self.assertEqual((ran.status, ran.out), (2, ""))
                self.assertIn(said, ran.errors)
                self.assertEqual(ran.errors.count("\n"), 1)

    async def test_login(self) -> None:
        """The password comes from the environment, and is in no error."""
        port = netkit_serves(self, Settings(users={"bob": str(hashed("sesame", Cost(9, 8, 1)))}))
        line = ("pub", "a", "x", "-s", f"127.0.0.1:{port}", "--user", "bob")
        ran = await spawned(*line, environment={"NETKIT_NATS_PASSWORD": "sesame"})
        self.assertEqual(ran, Ran(0, "", ""))
        ran = await spawned(*line, environment={"NETKIT_NATS_PASSWORD": "mellon"})
        self.assertEqual(ran, Ran(2, "", "netkit: the server says: Authorization Violation\n"))
        ran = await spawned(*line)
        self.assertEqual(ran, Ran(2, "", "netkit: nobody is there to be asked for the password\n"))

    async def test_nobody(self) -> None:
        """Where no server is, that is one line."""
        ran = await spawned("sub", "a", "-s", "127.0.0.1:1")
        self.assertEqual(ran, Ran(2, "", "netkit: 127.0.0.1:1: connection refused\n"))
