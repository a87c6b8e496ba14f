"""One query, in memory: however a server behaves, it costs little and is said to have ended how."""

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.failures import UnresolvedError
from netkit.tools.inquiry.asking import Answer, Ending, Limits, ask
from tests.net.test_dial import MemoryWay

LIMITS = Limits(bytes=100, total=60.0, silence=10.0)


class Transport(StringTransport):
    """Knows whether it was aborted."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


class AskTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.way = MemoryWay()
        self.asking = Deferred.fromCoroutine(ask(self.way, b"moshez\r\n", self.clock, LIMITS))
        self.server = Transport()

    def connect(self) -> None:
        (self.protocol,) = self.way.made
        self.protocol.makeConnection(self.server)
        self.way.done[0].callback(self.protocol)

    def lose(self, why: Exception) -> None:
        self.protocol.connectionLost(Failure(why))

    def ended(self, data: bytes, ending: Ending) -> None:
        """Check the answer, and that nothing is left."""
        self.assertEqual(self.successResultOf(self.asking), Answer(data, ending))
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.server.aborted, ending not in {Ending.WHOLE, Ending.BROKEN})

    def test_whole(self) -> None:
        """The query is sent, and what comes until the server's end is the answer."""
        self.connect()
        self.assertEqual(self.server.value(), b"moshez\r\n")
        for piece in (b"Login: mo", b"shez\r\n"):
            self.protocol.dataReceived(piece)
        self.assertNoResult(self.asking)
        self.lose(ConnectionDone())
        self.ended(b"Login: moshez\r\n", Ending.WHOLE)

    def test_broken(self) -> None:
        """A connection that breaks off says that something may be missing."""
        self.connect()
        self.protocol.dataReceived(b"Login: mo")
        self.lose(ConnectionLost())
        self.ended(b"Login: mo", Ending.BROKEN)

    def test_endless(self) -> None:
        """An endless answer is cut behind its last whole line."""
        self.connect()
        self.protocol.dataReceived(b"line\n" * 3 + b"x" * 1000)
        self.ended(b"line\n" * 3, Ending.TOO_LONG)

    def test_endless_line(self) -> None:
        """One without a line's end is cut at the limit."""
        self.connect()
        self.protocol.dataReceived(b"x" * 100)
        self.assertNoResult(self.asking)
        self.protocol.dataReceived(b"x" * 65536)
        self.protocol.dataReceived(b"late")
        self.ended(b"x" * 100, Ending.TOO_LONG)

    def test_silent(self) -> None:
        """A server that falls silent is left; each piece puts that off."""
        self.connect()
        for _ in range(3):
            self.clock.advance(9)
            self.protocol.dataReceived(b"x")
        self.clock.advance(10)
        self.ended(b"xxx", Ending.SILENT)

    def test_slow(self) -> None:
        """A server that never ends is left after the whole time."""
        self.connect()
        for _ in range(12):
            self.protocol.dataReceived(b"x")
            self.clock.advance(5)
        self.ended(b"x" * 12, Ending.TOO_SLOW)
        self.lose(ConnectionLost())

    def test_no_connection(self) -> None:
        """Where there is no connection it fails as the way does."""
        self.way.done[0].errback(UnresolvedError("nowhere: no address is known"))
        self.failureResultOf(self.asking, UnresolvedError)

    def test_cancelled(self) -> None:
        """Who cancels is left without a connection."""
        self.connect()
        self.asking.cancel()
        self.failureResultOf(self.asking, CancelledError)
        self.assertTrue(self.server.aborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])
