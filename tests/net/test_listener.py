"""What every connection passes through: counts, deadlines, half-closes."""

from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver, StringTransport
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netkit.net.limits import Limits
from netkit.net.listener import Connection, Gate

PEER = IPv4Address("TCP", "192.0.2.1", 4000)
GONE = Failure(ConnectionDone())


class Speaker(Protocol):
    """Keeps what it heard and how it ended."""

    def __init__(self) -> None:
        self.heard = b""
        self.lost = False

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = GONE) -> None:
        self.lost = True


@implementer(IHalfCloseableProtocol)
class HalfCloser(Speaker):
    """Knows half-closes."""

    halves = ""

    def readConnectionLost(self) -> None:
        self.halves += "r"

    def writeConnectionLost(self) -> None:
        self.halves += "w"


class Transport(StringTransport):
    """A transport in memory whose peer takes nothing, when told so."""

    dataBuffer = b""
    offset = 0
    _tempDataLen = 0
    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True


class GateTestCase(SynchronousTestCase):
    limits = Limits(connections=3, connections_per_address=2, idle_timeout=60, write_timeout=30)
    protocol: type[Speaker] = Speaker

    def setUp(self) -> None:
        self.clock = Clock()
        self.events = EventLoggingObserver()
        log = Logger("test", observer=self.events)
        self.gate = Gate(Factory.forProtocol(self.protocol), self.limits, self.clock, log)

    def connect(self, peer: IPv4Address = PEER) -> tuple[Connection, Transport]:
        connection = self.gate.buildProtocol(peer)
        assert isinstance(connection, Connection)
        transport = Transport(peerAddress=peer)
        connection.makeConnection(transport)
        return connection, transport

    def said(self) -> list[str]:
        return [event["log_format"].format(**event) for event in self.events]


class GateTests(GateTestCase):
    def test_transparent(self) -> None:
        """The protocol inside has the real transport, gets the bytes, and hears of the end."""
        connection, transport = self.connect()
        inner = connection.inner
        assert isinstance(inner, Speaker)
        connection.dataReceived(b"hello")
        connection.connectionLost(GONE)
        self.assertIs(inner.transport, transport)
        self.assertEqual((inner.heard, inner.lost), (b"hello", True))

    def test_one_too_many(self) -> None:
        """The connection over the limit gets no protocol, and one log line tells of them all."""
        self.connect()
        self.connect()
        self.assertIsNone(self.gate.buildProtocol(PEER))
        self.assertIsNone(self.gate.buildProtocol(PEER))
        self.clock.advance(1)
        self.assertEqual(self.said(), ["refused connections: 2; 192.0.2.1 has 2 open"])

    def test_others_are_served(self) -> None:
        """While one address is at its limit another gets in, and who leaves makes room."""
        connection, _ = self.connect()
        self.connect()
        self.connect(IPv4Address("TCP", "192.0.2.2", 1))
        connection.connectionLost(GONE)
        self.connect()

    def test_not_accepted(self) -> None:
        """Connections that the kernel had no room for are one line a second, however many they are."""
        for _ in range(1000):
            self.gate.not_accepted("EMFILE")
        self.clock.advance(1)
        (line,) = self.said()
        self.assertEqual(line, "refused connections: 1000; no more can be accepted (EMFILE)")

    def test_idle(self) -> None:
        """Who says nothing is let go, at its time and not before; who speaks is not."""
        once, quiet = self.connect()
        once.dataReceived(b"x")
        speaking, loud = self.connect()
        speaking.dataReceived(b"x")
        self.clock.pump([1] * 30)
        speaking.dataReceived(b"x")
        self.clock.pump([1] * 29)
        self.assertFalse(quiet.aborted)
        self.clock.pump([1] * 3)
        self.assertEqual((quiet.aborted, loud.aborted), (True, False))
        self.assertIn("said nothing for 60 s", self.said()[0])

    def test_never_reads(self) -> None:
        """A peer that takes nothing is let go although it goes on sending and we are closing."""
        connection, transport = self.connect()
        transport.dataBuffer = b"x" * 1000
        transport.loseConnection()
        for _ in range(32):
            connection.dataReceived(b"more")
            self.clock.advance(1)
        self.assertTrue(transport.aborted)

    def test_no_protocol(self) -> None:
        """A factory that declines a peer leaves no count behind."""

        class Declining(Factory):
            def buildProtocol(self, addr: object) -> None:
                return None

        self.gate.factory = Declining()
        self.assertIsNone(self.gate.buildProtocol(PEER))
        self.assertEqual(self.gate.census.total, 0)

    def test_sweep_rests(self) -> None:
        """Nothing is scheduled while nobody is connected."""
        self.assertEqual(self.clock.getDelayedCalls(), [])
        connection, _ = self.connect()
        connection.connectionLost(GONE)
        self.clock.advance(1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_exchange(self) -> None:
        """The factory can be exchanged: new connections get the new one, old ones keep theirs."""
        old, _ = self.connect()
        self.gate.factory = Factory.forProtocol(HalfCloser)
        new, _ = self.connect()
        self.assertIs(type(old.inner), Speaker)
        self.assertIs(type(new.inner), HalfCloser)

    def test_half_close_unknown(self) -> None:
        """Where the protocol knows no half-close, the peer's end is the end."""
        connection, transport = self.connect()
        connection.readConnectionLost()
        self.assertTrue(transport.disconnecting)


class HalfCloseTests(GateTestCase):
    protocol = HalfCloser

    def test_passed_on(self) -> None:
        """A protocol that knows half-closes hears of them."""
        connection, transport = self.connect()
        connection.readConnectionLost()
        connection.writeConnectionLost()
        assert isinstance(connection.inner, HalfCloser)
        self.assertEqual(connection.inner.halves, "rw")
        self.assertFalse(transport.disconnecting)
