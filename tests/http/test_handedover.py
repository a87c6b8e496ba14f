"""A connection that is HTTP no longer, until somebody takes it, and afterwards."""

from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netkit.http.handedover import HandedOver
from tests.net.transports import PeerTransport


class Plain(Protocol):
    """Notes what it is told; `rests` has it stop reading at once."""

    def __init__(self, *, rests: bool = False) -> None:
        self.rests = rests
        self.news: list[object] = []

    def connectionMade(self) -> None:
        self.news.append("made")
        if self.rests:
            assert isinstance(self.transport, PeerTransport)
            self.transport.pauseProducing()

    def dataReceived(self, data: bytes) -> None:
        self.news.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.news.append("lost")


@implementer(IHalfCloseableProtocol)
class Halves(Plain):
    """Knows halves of connections."""

    def readConnectionLost(self) -> None:
        self.news.append("read")

    def writeConnectionLost(self) -> None:
        self.news.append("write")


class HandedOverTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Have a connection."""
        self.transport = PeerTransport(Protocol())
        self.handed = HandedOver(self.transport, b"early")

    def test_order(self) -> None:
        """The transport comes first, then what has come, and it reads unless that is not wanted."""
        self.assertFalse(self.transport.reading)
        self.handed.receive(b", too")
        successor = Plain()
        self.handed.hand_over(successor)
        self.assertEqual(successor.news, ["made", b"early, too"])
        self.assertTrue(self.transport.reading)
        self.setUp()
        self.handed.hand_over(Plain(rests=True))
        self.assertFalse(self.transport.reading)

    def test_halves(self) -> None:
        """Who knows halves is told of each, also of what happened before."""
        for before in (True, False):
            self.setUp()
            successor = Halves()
            if before:
                self.handed.end()
            self.handed.hand_over(successor)
            if not before:
                self.handed.end()
            self.handed.end_of_writing()
            self.handed.lose(connectionDone)
            self.assertEqual(successor.news, ["made", b"early", "read", "write", "lost"])

    def test_no_halves(self) -> None:
        """For who knows none the connection ends with its first half."""
        for before in (True, False):
            self.setUp()
            if before:
                self.handed.end()
            self.handed.hand_over(Plain())
            if not before:
                self.handed.end()
            self.handed.end_of_writing()
            self.assertTrue(self.transport.disconnecting)

    def test_closed(self) -> None:
        """Closed is closed, unless somebody has it."""
        self.handed.close()
        self.handed.receive(b"late")
        self.assertTrue(self.transport.aborted)
        self.setUp()
        self.handed.hand_over(Plain())
        self.handed.close()
        self.assertFalse(self.transport.aborted)
