"""Sockets for a schedule, on loopback."""

import errno
import socket
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import skipIf

from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import TestCase

from netkit.tools.scanning.prober import BANNER_BYTES, Prober, _is_with_itself
from netkit.tools.scanning.schedule import HostScan, Schedule
from netkit.tools.scanning.verdicts import OPEN, REFUSED, SILENT, local
from tests.listening import listening as serving
from tests.tools.scanning.hosts import by_port, closed, listening, silent, sockets

CLOCK: Any = reactor


async def tried(
    *ports: int, host: str = "127.0.0.1", longest: float = 0.4, listens: float = 0.0
) -> HostScan:
    """Return what has become of `ports`."""
    scan = HostScan(0, host, ports, longest)
    await Prober(CLOCK, Schedule([scan], 100), listens=listens).run()
    return scan


def open_sockets() -> int:
    """Return how many sockets this process has."""
    return sum(
        str(link.readlink()).startswith("socket:")
        for link in Path("/proc/self/fd").iterdir()
        if link.is_symlink()
    )


class StateTests(TestCase):
    async def test_each(self) -> None:
        """An open port, a closed one and one that says nothing are told apart."""
        stack = sockets(self)
        open_, shut, mute = listening(stack), closed(stack), silent(stack)
        scan = await tried(open_, shut, mute)
        self.assertEqual(by_port(scan.results()), {open_: OPEN, shut: REFUSED, mute: SILENT})
        self.assertTrue(0 < scan.opened[open_].seconds < 1)

    async def test_v6(self) -> None:
        """IPv6 is scanned as IPv4 is."""
        stack = sockets(self)
        try:
            port = listening(stack, host="::1")
        except OSError:
            self.skipTest("this system has no ::1")
        self.assertEqual(by_port((await tried(port, host="::1")).results()), {port: OPEN})

    async def test_two_families(self) -> None:
        """Hosts of both families are scanned at once."""
        four = HostScan(0, "127.0.0.1", range(1, 40), 1.0)
        six = HostScan(1, "::1", range(1, 40), 1.0)
        await Prober(CLOCK, Schedule([four, six], 10)).run()
        self.assertEqual(four.is_done, six.is_done)

    async def test_no_such_zone(self) -> None:
        """An address with a zone that is none of this host's is not known, and why is said."""
        scan = await tried(80, host="fe80::1%nosuch")
        self.assertEqual(by_port(scan.results()), {80: local(errno.ENODEV)})

    @skipIf(not Path("/proc/self/fd").exists(), "this system has no /proc")
    async def test_nothing_left(self) -> None:
        """Nothing stays open, neither when all is done nor when it is cancelled."""
        stack = sockets(self)
        ports = (listening(stack), closed(stack), silent(stack))
        before = open_sockets()
        await tried(*ports, listens=0.1, longest=0.1)
        self.assertEqual(open_sockets(), before)
        running = Prober(
            CLOCK, Schedule([HostScan(0, "127.0.0.1", ports, 60.0)], 10), listens=5.0
        ).run()
        CLOCK.callLater(0.05, running.cancel)
        await self.assertFailure(running, CancelledError)
        self.assertEqual(open_sockets(), before)

    async def test_no_port_waits(self) -> None:
        """A connection is reset: the server gets an error, and no local port waits for what may come."""
        with ExitStack() as stack:
            server = stack.enter_context(socket.socket())
            server.bind(("127.0.0.1", 0))
            server.listen()
            await tried(server.getsockname()[1])
            accepted = stack.enter_context(server.accept()[0])
            self.assertRaises(ConnectionResetError, accepted.recv, 1)

    async def test_a_mistake(self) -> None:
        """What goes wrong in whoever hears of progress ends the scan, and is told."""

        def broken() -> None:
            raise BrokenPipeError

        scan = HostScan(0, "127.0.0.1", range(1, 5), 1.0)
        running = Prober(CLOCK, Schedule([scan], 10), progressed=broken).run()
        await self.assertFailure(running, BrokenPipeError)

    def test_with_itself(self) -> None:
        """A socket that has met itself is seen; one that has met another is not."""
        with socket.socket() as own, socket.socket() as server, socket.socket() as client:
            own.bind(("127.0.0.1", 0))
            own.connect(own.getsockname())
            self.assertTrue(_is_with_itself(own))
            server.bind(("127.0.0.1", 0))
            server.listen()
            client.connect(server.getsockname())
            self.assertFalse(_is_with_itself(client))
            self.assertFalse(_is_with_itself(server))


class Greeting(Protocol):
    """Says what its factory has to say, and does what it does then."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.factory.greet(self.transport)


class BannerTests(TestCase):
    """What servers say first."""

    async def heard(self, *parts: bytes, ends: bool = False) -> bytes:
        """Return what is heard of a server that says `parts` one after another."""

        def greet(transport: Any) -> None:
            for number, part in enumerate(parts):
                CLOCK.callLater(0.03 * number, transport.write, part)
            if ends:
                CLOCK.callLater(0.03 * len(parts), transport.loseConnection)

        factory: Any = Factory.forProtocol(Greeting)
        factory.greet = greet
        port = serving(self, factory)
        return (await tried(port, listens=5.0)).opened[port].banner

    async def test_a_line(self) -> None:
        """A line ends it, in whatever pieces it comes."""
        self.assertEqual(await self.heard(b"SSH-2.0-", b"x\r\n"), b"SSH-2.0-x\r\n")

    async def test_too_much(self) -> None:
        """No more than 256 bytes are read."""
        self.assertEqual(await self.heard(b"x" * 5000), b"x" * BANNER_BYTES)

    async def test_the_end(self) -> None:
        """What was said before the server ended is kept."""
        self.assertEqual(await self.heard(b"bye", ends=True), b"bye")
        self.assertEqual(await self.heard(ends=True), b"")

    async def test_nothing(self) -> None:
        """A server that says nothing is left after a while."""
        with ExitStack() as stack:
            port = listening(stack)
            begun = CLOCK.seconds()
            self.assertEqual((await tried(port, listens=0.2)).opened[port].banner, b"")
            self.assertTrue(0.2 <= CLOCK.seconds() - begun < 10)
