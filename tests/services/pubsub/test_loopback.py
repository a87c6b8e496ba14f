"""Pub/sub over real sockets: two of other people's clients, and one that never reads."""

import socket

from twisted.internet.defer import Deferred, gatherResults
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.testing import EventLoggingObserver, MemoryReactor
from twisted.logger import Logger, LogPublisher, formatEvent
from twisted.trial.unittest import TestCase

from netkit.services.kind import World
from netkit.services.pubsub import KIND
from netkit.services.pubsub.settings import Options, Settings
from tests.listening import listening
from tests.services.loopback import NO_NC, netcat

_LINE = b"x" * 999 + b"\n"


class _Reader(Protocol):
    """A client that counts the lines it gets."""

    def __init__(self) -> None:
        self.lines = 0
        self._enough: tuple[int, Deferred[None]] = (0, Deferred())

    def has(self, lines: int) -> Deferred[None]:
        """Return a Deferred that fires when there have been `lines`."""
        enough: Deferred[None] = Deferred()
        self._enough = (lines, enough)
        return enough

    def dataReceived(self, data: bytes) -> None:
        """Count."""
        self.lines += data.count(b"\n")
        if self.lines == self._enough[0]:
            self._enough[1].callback(None)


class LoopbackTests(TestCase):
    timeout = 30

    def setUp(self) -> None:
        """Start with an empty log."""
        self.events = EventLoggingObserver()

    async def _serve(self, settings: Settings) -> int:
        from twisted.internet import reactor  # noqa: PLC0415 (installed by whoever runs the tests)

        log = Logger(namespace="pubsub", observer=LogPublisher(self.events))
        service = KIND.build(settings, {}, World(reactor, MemoryReactor(), log))
        self.addCleanup(service.stopService)
        return listening(self, service.factory(Options()))

    async def _reader(self, port: int) -> _Reader:
        from twisted.internet import reactor  # noqa: PLC0415 (installed by whoever runs the tests)

        reader = _Reader()
        await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), reader)
        assert reader.transport is not None
        self.addCleanup(reader.transport.loseConnection)
        return reader

    async def test_two_netcats(self) -> None:
        """Two `nc` see each other's lines, and end when they have hung up."""
        port = await self._serve(Settings())
        one = netcat(self, port)
        one.say(b"first\n")
        await one.shows(b"> first\n")
        two = netcat(self, port)
        two.say(b"second\n")
        await gatherResults([one.shows(b"> second\n"), two.shows(b"> second\n")])
        one.say(b"third\n")
        await gatherResults([one.shows(b"> third\n"), two.shows(b"> third\n")])
        one.hang_up()
        two.hang_up()
        heard_by_one, heard_by_two = await one.ended, await two.ended
        first, second, third = (line.split(b"> ") for line in heard_by_one.splitlines())
        self.assertEqual([first[1], second[1], third[1]], [b"first", b"second", b"third"])
        self.assertRegex(first[0], rb"\A<127\.0\.0\.1:\d+\Z")
        self.assertEqual(first[0], third[0])
        self.assertNotEqual(first[0], second[0])
        self.assertTrue(heard_by_one.endswith(heard_by_two))

    test_two_netcats.skip = NO_NC  # type: ignore[attr-defined]  # trial's way to skip one test

    async def test_one_that_never_reads(self) -> None:
        """It is let go and named, while another client gets every line."""
        port = await self._serve(Settings(pending_bytes=500_000))
        stalled = socket.create_connection(("127.0.0.1", port))
        self.addCleanup(stalled.close)
        talker, reader = await self._reader(port), await self._reader(port)
        said = 0
        while not self._let_go() and said < 100_000:
            assert talker.transport is not None
            said += 100
            heard = gatherResults([talker.has(said), reader.has(said)])
            talker.transport.write(_LINE * 100)
            await heard
        (line,) = self._let_go()
        self.assertTrue(
            line.startswith(f"127.0.0.1:{stalled.getsockname()[1]} is let go: it is slow")
        )
        self.assertEqual(reader.lines, said)

    def _let_go(self) -> list[str]:
        lines = [formatEvent(event) for event in self.events]
        return [line for line in lines if "is let go" in line]
