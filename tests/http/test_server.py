"""What the connections of a server share: the second, and the handler."""

from twisted.internet.interfaces import IProtocolFactory, IProtocolNegotiationFactory
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netkit.http.limits import Limits
from netkit.http.messages import Request, Response
from netkit.http.pages import text
from netkit.http.server import HandlerFactory
from tests.http.fakes import PEER, ClosingTransport, Visit, recorded


def _hello(_: Request) -> Response:
    """Answer every request alike."""
    return text(b"hello")


class Factories(SynchronousTestCase):
    """A factory and its connections."""

    def test_interfaces(self) -> None:
        """It is a factory, which offers HTTP/1.1 and nothing else by ALPN."""
        factory = HandlerFactory(_hello, clock=Clock(), log=recorded([]))
        verifyObject(IProtocolFactory, factory)
        verifyObject(IProtocolNegotiationFactory, factory)
        self.assertEqual(factory.acceptableProtocols(), [b"http/1.1"])
        factory.doStart()
        factory.doStop()

    def test_clock_runs_while_there_are_connections(self) -> None:
        """Without connections nothing is called; with many, one call a second for all of them."""
        visit = Visit(_hello)
        other = visit.factory.buildProtocol(PEER)
        other.makeConnection(ClosingTransport(peerAddress=PEER))
        self.assertEqual(len(visit.clock.getDelayedCalls()), 1)
        visit.leave()
        self.assertEqual(len(visit.clock.getDelayedCalls()), 1)
        visit.factory.left(other)
        self.assertEqual(visit.clock.getDelayedCalls(), [])
        visit.factory.left(other)
        visit.factory.buildProtocol(PEER)
        self.assertEqual(len(visit.clock.getDelayedCalls()), 1)

    def test_date(self) -> None:
        """The field Date is that of the second, by the wall's time and not the clock's."""
        wall = [0.0]
        visit = Visit(_hello, wall=lambda: wall[0])
        self.assertEqual(visit.get().headers["Date"], "Thu, 01 Jan 1970 00:00:00 GMT")
        wall[0] = 3600.0
        self.assertEqual(visit.get().headers["Date"], "Thu, 01 Jan 1970 00:00:00 GMT")
        visit.clock.advance(1)
        self.assertEqual(visit.get().headers["Date"], "Thu, 01 Jan 1970 01:00:00 GMT")

    def test_date_after_a_pause(self) -> None:
        """The first connection after a time without any has the date of then."""
        wall = [0.0]
        visit = Visit(_hello, wall=lambda: wall[0])
        visit.get()
        visit.leave()
        wall[0] = 86400.0
        protocol = visit.factory.buildProtocol(PEER)
        transport = ClosingTransport(peerAddress=PEER)
        protocol.makeConnection(transport)
        protocol.dataReceived(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        self.assertIn(b"Date: Fri, 02 Jan 1970 00:00:00 GMT\r\n", transport.value())

    def test_time_is_up(self) -> None:
        """All whose time is up are let go of in the same second, the others stay."""
        visit = Visit(_hello, limits=Limits(keep_alive_timeout=3.0))
        visit.clock.advance(2)
        late = ClosingTransport(peerAddress=PEER)
        visit.factory.buildProtocol(PEER).makeConnection(late)
        visit.clock.advance(1)
        self.assertTrue(visit.transport.disconnecting)
        self.assertFalse(late.disconnecting)
        visit.clock.pump([1, 1])
        self.assertTrue(late.disconnecting)

    def test_one_byte_at_a_time(self) -> None:
        """Requests behind an empty line, of which each byte comes alone, are those that were sent."""
        visit = Visit(_hello)
        for byte in b"\r\nGET /a HTTP/1.1\r\nHost: h\r\n\r\nGET /b HTTP/1.1\r\nHost: h\r\n\r\n":
            visit.send(bytes([byte]))
        self.assertEqual([each.request.target for each in visit.exchanges], [b"/a", b"/b"])
