"""A connection ends so that the peer can read the last words, in bounded time."""

from typing import cast

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netkit.net.farewell import LINGER_SECONDS, Farewell
from netkit.net.stream import IStream
from tests.net.transports import PeerTransport


@implementer(IHalfCloseableProtocol)
class _Parting(Protocol):
    """Drops everything once it has said goodbye."""

    transport: IStream

    def __init__(self) -> None:
        self.clock = Clock()

    def part(self) -> None:
        self.transport.write(b"goodbye\n")
        self.farewell = Farewell(self.transport, self.clock)

    def readConnectionLost(self) -> None:
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        self.farewell.sent()

    def connectionLost(self, _reason: Failure | None = None) -> None:
        self.farewell.over()


class FarewellTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Part with a peer."""
        self.protocol = _Parting()
        self.peer = PeerTransport(self.protocol)
        self.protocol.part()
        self.clock = self.protocol.clock

    def test_fin_after_the_last_words(self) -> None:
        """The peer gets the last words and a FIN."""
        self.assertFalse(self.peer.finished)
        self.assertEqual(self.peer.take(), b"goodbye\n")
        self.assertTrue(self.peer.finished)
        self.assertFalse(self.peer.disconnected)

    def test_peer_that_answers(self) -> None:
        """The connection closes as the peer sends its FIN, and leaves no delayed call."""
        self.peer.take()
        self.assertTrue(self.peer.send(b"still talking"))
        self.peer.finish()
        self.assertTrue(self.peer.disconnected)
        self.assertFalse(self.peer.aborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_peer_that_talks_on(self) -> None:
        """A peer that never ends is let go after a while."""
        self.peer.take()
        self.clock.advance(LINGER_SECONDS - 0.1)
        self.assertTrue(self.peer.send(b"still talking"))
        self.clock.advance(0.2)
        self.assertTrue(self.peer.aborted)

    def test_peer_that_does_not_read(self) -> None:
        """Nothing is read from a peer before it has taken the last words."""
        self.assertFalse(self.peer.send(b"still talking"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_tls(self) -> None:
        """TLS over memory BIOs has no half of a connection: it is closed as a whole."""
        stream = _OverMemory()
        Farewell(cast("IStream", stream), Clock())
        self.assertTrue(stream.closed)

    def test_tls_begun_later(self) -> None:
        """So does a connection on which TLS was begun after its first words."""
        protocol = _Parting()
        peer = PeerTransport(protocol)
        peer.TLS = True  # type: ignore[attr-defined] # as TCP connections have it
        protocol.part()
        peer.take()
        self.assertTrue(peer.disconnected)


class _OverMemory(TLSMemoryBIOProtocol):
    closed = False

    def __init__(self) -> None:
        """Need no factory: nothing is said."""

    def loseConnection(self) -> None:
        self.closed = True
