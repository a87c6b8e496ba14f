"""Answers whose end is noticed, once, whatever way they end."""

from typing import Any

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Protocol
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netkit.http.messages import Response, Takeover
from netkit.services.proxy.upstream.counted import counted
from tests.services.proxy.fakes import Slow


class Plain(Protocol):
    """A protocol that notes what it hears, and knows no half-closes."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def dataReceived(self, data: bytes) -> None:
        self.heard.append(data)

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.heard.append("lost")


@implementer(IHalfCloseableProtocol)
class HalfClosing(Plain):
    """One that knows them."""

    def readConnectionLost(self) -> None:
        self.heard.append("no more to read")

    def writeConnectionLost(self) -> None:
        self.heard.append("no more to write")


class Counted(SynchronousTestCase):
    def setUp(self) -> None:
        """Count ends."""
        self.ends: list[None] = []

    def end(self) -> None:
        """Count one."""
        self.ends.append(None)

    def successor(self, protocol: Protocol) -> tuple[Any, Any]:
        """Return what takes a connection over for `protocol`, and the body that it came in."""
        body: Any = counted(Response(101, (), Takeover(protocol)), self.end).body
        return body.protocol, body

    def test_stream(self) -> None:
        """A stream is over when it is closed; the rest of the response stays as it is."""
        slow = Slow(5)
        response = counted(Response(299, ((b"X", b"y"),), slow), self.end)
        self.assertEqual((response.status, response.headers), (299, ((b"X", b"y"),)))
        body: Any = response.body
        self.assertEqual(body.length, 5)
        response.close()
        response.close()
        self.assertTrue(slow.closed)
        self.assertEqual(len(self.ends), 1)

    def test_taken_over(self) -> None:
        """A connection that is taken over is over when it is lost; the protocol hears it all."""
        protocol = HalfClosing()
        successor, body = self.successor(protocol)
        successor.makeConnection(StringTransport())
        body.close()
        self.assertEqual(self.ends, [])
        successor.dataReceived(b"x")
        successor.readConnectionLost()
        successor.writeConnectionLost()
        successor.connectionLost(Failure(ConnectionDone()))
        self.assertEqual(protocol.heard, [b"x", "no more to read", "no more to write", "lost"])
        self.assertEqual(len(self.ends), 1)

    def test_never_taken_over(self) -> None:
        """One that never is, is over at once, and what holds the other side is told."""
        ended: list[str] = []
        takeover = Takeover(Plain(), lambda: ended.append("told"))
        response = counted(Response(101, (), takeover), self.end)
        response.close()
        self.assertEqual(ended, ["told"])
        self.assertEqual(len(self.ends), 1)

    def test_no_half_closes(self) -> None:
        """A protocol that knows no half-closes has its connection closed by one."""
        successor, _ = self.successor(Plain())
        transport = StringTransport()
        successor.makeConnection(transport)
        successor.connectionMade()
        successor.writeConnectionLost()
        self.assertFalse(transport.disconnecting)
        successor.readConnectionLost()
        self.assertTrue(transport.disconnecting)
