"""Ways to a server: values, which make a connection on their terms or say in one line why not."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from attrs import field, frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL
from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, IProtocolFactory
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.test import iosim
from twisted.trial.unittest import SynchronousTestCase, TestCase
from zope.interface import implementer

from netkit.net.connect import Connector
from netkit.net.dial import AnnouncedWay, TcpWay, TlsWay, UnixWay
from netkit.net.failures import CertificateError, NoConnectionError, TlsError
from netkit.net.names import Names
from netkit.net.policy import ANYWHERE
from netkit.net.proxyprotocol import Header, to_v1
from netkit.net.tlsclient import TlsTerms, trusted
from netkit.tools.certificate import Issued, issue
from tests.net.resolver import Resolver

NAME = "server.example"
NOBODY = IPv4Address("TCP", "192.0.2.1", 443)
HEADER = to_v1(Header())


def issued(*names: str, since: int = 1, days: int = 1, **more: Any) -> Issued:
    """Return a certificate that is, as OpenSSL sees it, valid today if nothing else is said."""
    now, day = datetime.now(UTC), timedelta(days=1)
    return issue(names, now - since * day, now + days * day, **more)


ROOT = issued(subject="Root", authority=True)
TRUSTING = TlsTerms(authorities=(ROOT.certificate,))
SERVER = issued(NAME, "192.0.2.7", issuer=ROOT)


@implementer(IHalfCloseableProtocol)
class Talk(Protocol):
    """Greets, and keeps all that it hears."""

    def __init__(self, greeting: bytes = b"") -> None:
        self.greeting = greeting
        self.heard = b""
        self.events = ""

    def connectionMade(self) -> None:
        cast("Any", self.transport).write(self.greeting)

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def readConnectionLost(self) -> None:
        self.events += "r"

    def writeConnectionLost(self) -> None:
        self.events += "w"

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.events += "l"


class Hearing(Talk):
    """Says when it has heard something, and when it is over."""

    transport: Any

    def __init__(self, greeting: bytes = b"") -> None:
        super().__init__(greeting)
        self.first: Deferred[None] = Deferred()
        self.lost: Deferred[None] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        self.first.callback(None)

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.lost.callback(None)


class Eager(StringTransport):
    """Is told what netkit's own transports are."""

    gathers = False

    def gather_writes(self) -> None:
        self.gathers = True


class Making(Factory[Any]):
    """Has one protocol, or none."""

    def __init__(self, protocol: IProtocol | None) -> None:
        self.protocol = protocol  # type: ignore[assignment]
        self.asked = 0

    def buildProtocol(self, addr: object) -> Any:
        self.asked += 1
        return self.protocol


@frozen
class MemoryWay:
    """A way to nothing but memory: the connection is made when the test says so."""

    made: list[IProtocol] = field(factory=list, eq=False)
    cancelled: list[bool] = field(factory=list, eq=False)
    done: list[Deferred[IProtocol]] = field(factory=list, eq=False)

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        self.made.append(cast("IProtocol", factory.buildProtocol(NOBODY)))
        self.done.append(Deferred(lambda _: self.cancelled.append(True)))
        return self.done[-1]

    def __str__(self) -> str:
        return "memory"


def contexts(shown: Issued) -> CertificateOptions:
    """Return what a server of Twisted's needs for TLS."""
    return CertificateOptions(
        privateKey=cast("Any", shown.key), certificate=cast("Any", shown.certificate)
    )


def server(shown: Issued, inner: Protocol, clock: Clock, protocol: bytes = b"") -> IProtocol:
    """Return the server's end of TLS that shows a certificate, and agrees to one protocol."""
    options = contexts(shown)
    options.getContext().set_alpn_select_callback(lambda *_: protocol)
    over = TLSMemoryBIOFactory(options, isClient=False, wrappedFactory=Making(inner), clock=clock)
    return cast("IProtocol", over.buildProtocol(NOBODY))


class TlsTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.below = MemoryWay()
        self.talk = Talk(b"from the client")
        self.factory = Making(self.talk)
        self.peer = Talk(b"from the server")

    def dial(self, name: str = NAME, terms: TlsTerms = TRUSTING) -> Deferred[IProtocol]:
        return TlsWay(self.below, name, cast("Any", self.clock), terms).connect(self.factory)

    def meet(self, far: Any) -> Any:
        """Connect what the way below has made with `far`."""
        near = self.below.made[0]
        self.near_transport = iosim.FakeTransport(near, isServer=False)
        pump = iosim.connect(
            far, iosim.FakeTransport(far, isServer=True), near, self.near_transport
        )
        self.below.done[0].callback(near)
        for _ in range(30):
            pump.pump()
            self.clock.advance(0)
        return pump

    def fails(self, dialled: Deferred[IProtocol], kind: type[NoConnectionError]) -> str:
        """Return the words of a failure, after which nothing is left."""
        failure = self.failureResultOf(dialled, kind)
        self.assertIs(failure.type, kind)
        self.assertEqual(self.factory.asked, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertTrue(self.near_transport.disconnected or self.near_transport.disconnecting)
        return str(failure.value)


class GoodServers(TlsTestCase):
    """A server that can prove its name is spoken to."""

    def test_both_are_heard(self) -> None:
        """The protocol is connected once the handshake is done, and then speaks and hears."""
        dialled = self.dial()
        self.assertEqual(self.factory.asked, 0)
        self.meet(server(SERVER, self.peer, self.clock))
        self.assertIs(self.successResultOf(dialled), self.talk)
        self.assertEqual(
            (self.talk.heard, self.peer.heard), (b"from the server", b"from the client")
        )
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_byte_by_byte(self) -> None:
        """It does not matter in which pieces the handshake comes."""
        dialled = self.dial()
        near, far = StringTransport(), StringTransport()
        ends = ((self.below.made[0], near), (server(SERVER, self.peer, self.clock), far))
        for end, transport in reversed(ends):
            end.makeConnection(transport)
        for _ in range(9):
            for (_, transport), (other, _) in (ends, ends[::-1]):
                said = transport.value()
                transport.clear()
                for byte in said:
                    other.dataReceived(bytes((byte,)))
            self.clock.advance(0)
        self.assertIs(self.successResultOf(dialled), self.talk)
        self.assertEqual(
            (self.talk.heard, self.peer.heard), (b"from the server", b"from the client")
        )

    def test_address(self) -> None:
        """A server may be named by an address, which its certificate has."""
        dialled = self.dial("192.0.2.7")
        self.meet(server(SERVER, self.peer, self.clock))
        self.successResultOf(dialled)

    def test_pinned(self) -> None:
        """A self-signed certificate is good where it is the very one that is trusted."""
        own = issued(NAME)
        dialled = self.dial(terms=TlsTerms(authorities=(own.certificate,)))
        self.meet(server(own, self.peer, self.clock))
        self.successResultOf(dialled)

    def test_anybody(self) -> None:
        """Without verification any certificate does."""
        dialled = self.dial("other.example", TlsTerms(verify=False))
        self.meet(server(issued(NAME, since=9, days=-2), self.peer, self.clock))
        self.successResultOf(dialled)

    def test_application_protocol(self) -> None:
        """What the terms offer by ALPN is agreed on, and TLS is 1.2 at least."""
        dialled = self.dial(terms=TlsTerms((ROOT.certificate,), protocols=(b"http/1.1",)))
        self.meet(server(SERVER, self.peer, self.clock, b"http/1.1"))
        self.successResultOf(dialled)
        transport: Any = self.talk.transport
        self.assertEqual(transport.negotiatedProtocol, b"http/1.1")
        self.assertGreaterEqual(transport.getHandle().get_protocol_version(), SSL.TLS1_2_VERSION)

    def test_server_name(self) -> None:
        """The server is told the name that is asked for."""
        self.dial()
        far: Any = server(SERVER, self.peer, self.clock)
        self.meet(far)
        self.assertEqual(far.getHandle().get_servername(), NAME.encode())

    def test_gathers(self) -> None:
        """A connection that sends at once does so no more, lest a cut look like an end."""
        self.dial()
        transport = Eager()
        self.below.made[0].makeConnection(transport)
        self.assertTrue(transport.gathers)

    def test_header_first(self) -> None:
        """An announcement below TLS goes in the clear, before the handshake."""
        way = TlsWay(AnnouncedWay(self.below, HEADER), NAME, cast("Any", self.clock), TRUSTING)
        way.connect(self.factory)
        transport = StringTransport()
        self.below.made[0].makeConnection(transport)
        self.assertTrue(transport.value().startswith(HEADER + b"\x16\x03"))

    def test_header_inside(self) -> None:
        """An announcement on top of TLS is sent within it, before all else."""
        way = AnnouncedWay(TlsWay(self.below, NAME, cast("Any", self.clock), TRUSTING), HEADER)
        dialled = way.connect(self.factory)
        self.meet(server(SERVER, self.peer, self.clock))
        self.assertIs(self.successResultOf(dialled), self.talk)
        self.assertEqual(self.peer.heard, HEADER + b"from the client")


class BadServers(TlsTestCase):
    """Any other is not: one line says why, and nothing has been sent to it."""

    def refuse(self, shown: Issued, terms: TlsTerms = TRUSTING, name: str = NAME) -> str:
        dialled = self.dial(name, terms)
        self.meet(server(shown, self.peer, self.clock))
        self.assertEqual((self.talk.heard, self.peer.heard), (b"", b""))
        return self.fails(dialled, CertificateError)

    def test_wrong_name(self) -> None:
        """A certificate for another name is not enough."""
        words = self.refuse(SERVER, name="other.example")
        self.assertEqual(words, 'memory: its certificate is not for "other.example"')

    def test_wrong_address(self) -> None:
        """Nor is one for another address."""
        words = self.refuse(SERVER, name="192.0.2.8")
        self.assertEqual(words, 'memory: its certificate is not for "192.0.2.8"')

    def test_nameless(self) -> None:
        """Nor one that has no alternative names: the common name counts for nothing."""
        words = self.refuse(issued(subject=NAME, issuer=ROOT))
        self.assertEqual(words, "memory: its certificate has no names")

    def test_expired(self) -> None:
        """Nor one whose time is over."""
        words = self.refuse(issued(NAME, since=9, days=-2, issuer=ROOT))
        self.assertEqual(words, "memory: its certificate has expired")

    def test_not_yet_valid(self) -> None:
        """Nor one whose time has not come."""
        words = self.refuse(issued(NAME, since=-2, days=9, issuer=ROOT))
        self.assertEqual(words, "memory: its certificate is not valid yet")

    def test_self_signed(self) -> None:
        """Nor one that nobody has issued, by the system's roots either."""
        words = "memory: its certificate is self-signed"
        self.assertEqual(self.refuse(issued(NAME)), words)

    def test_self_signed_system(self) -> None:
        """The system's roots are what is trusted where the operator names no file."""
        words = self.refuse(issued(NAME), TlsTerms())
        self.assertEqual(words, "memory: its certificate is self-signed")

    def test_unknown_issuer(self) -> None:
        """Nor one whose issuer is not trusted."""
        words = self.refuse(issued(NAME, issuer=issued(subject="Else", authority=True)))
        self.assertEqual(words, "memory: its certificate comes from an issuer that is not trusted")

    def test_no_tls(self) -> None:
        """A server without TLS is none to speak to."""
        dialled = self.dial()
        self.meet(Talk(b"220 mail.example ESMTP\r\n"))
        words = self.fails(dialled, TlsError)
        self.assertTrue(words.startswith("memory: no TLS: "), words)

    @settings(deadline=None, max_examples=60)
    @given(st.binary(min_size=6) | st.binary(min_size=1).map(b"\x16\x03\x03\x00\x40".__add__))
    def test_rubbish(self, rubbish: bytes) -> None:
        """Whatever a server sends that is no TLS, what comes of it is one failure, in time."""
        self.setUp()
        dialled = self.dial()
        self.meet(Talk(rubbish))
        self.clock.advance(10)
        self.fails(dialled, TlsError)

    def test_stalled(self) -> None:
        """A server that does not go on with the handshake has the time that the terms say."""
        dialled = self.dial()
        self.meet(Talk())
        self.clock.advance(9.9)
        self.assertNoResult(dialled)
        self.clock.advance(0.2)
        self.assertEqual(self.fails(dialled, TlsError), "memory: no TLS handshake within 10 s")

    def test_closed(self) -> None:
        """A server that leaves within the handshake is no server."""
        dialled = self.dial()
        pump = self.meet(Talk())
        pump.serverIO.loseConnection()
        pump.flush()
        words = self.fails(dialled, TlsError)
        self.assertEqual(words, "memory: closed the connection within the TLS handshake")

    def test_below(self) -> None:
        """What stands in the way of the connection below is told as it is."""
        dialled = self.dial()
        self.below.done[0].errback(NoConnectionError("no way"))
        self.assertEqual(str(self.failureResultOf(dialled).value), "no way")


class Cancelled(TlsTestCase):
    """Whoever cancels is left without a connection."""

    def test_while_connecting(self) -> None:
        """What is being made below is cancelled too."""
        dialled = self.dial()
        dialled.cancel()
        self.failureResultOf(dialled, CancelledError)
        self.assertEqual(self.below.cancelled, [True])

    def test_in_handshake(self) -> None:
        """A handshake under way ends with its connection."""
        dialled = self.dial()
        self.meet(Talk())
        dialled.cancel()
        self.failureResultOf(dialled, CancelledError)
        self.assertTrue(self.near_transport.disconnecting or self.near_transport.disconnected)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class Announcements(SynchronousTestCase):
    """A header goes before all that a protocol says; nothing else is changed."""

    def setUp(self) -> None:
        self.below = MemoryWay()
        self.talk = Talk(b"hello")
        self.dialled = AnnouncedWay(self.below, HEADER).connect(Making(self.talk))
        self.transport = StringTransport()
        self.announced: Any = self.below.made[0]
        self.announced.makeConnection(self.transport)
        self.below.done[0].callback(self.announced)

    def test_first(self) -> None:
        """The header is first, and the protocol that was asked for is returned."""
        self.assertEqual(self.transport.value(), HEADER + b"hello")
        self.assertIs(self.successResultOf(self.dialled), self.talk)

    def test_events(self) -> None:
        """What comes, and how it ends, is heard by the protocol."""
        self.announced.dataReceived(b"x")
        self.announced.readConnectionLost()
        self.announced.writeConnectionLost()
        self.announced.connectionLost(Failure(NoConnectionError()))
        self.assertEqual((self.talk.heard, self.talk.events), (b"x", "rwl"))

    def test_half_close(self) -> None:
        """A protocol that knows no half-close is closed, as the reactor would."""
        AnnouncedWay(self.below, HEADER).connect(Making(Protocol()))
        announced: Any = self.below.made[1]
        transport = StringTransport()
        announced.makeConnection(transport)
        announced.writeConnectionLost()
        announced.readConnectionLost()
        self.assertTrue(transport.disconnecting)

    def test_nobody(self) -> None:
        """A factory that makes nothing makes nothing."""
        AnnouncedWay(self.below, HEADER).connect(Making(None))
        self.assertIsNone(self.below.made[1])


class Values(SynchronousTestCase):
    """Ways are equal where they lead to the same place on the same terms."""

    def setUp(self) -> None:
        clock: Any = Clock()
        self.connector = Connector(clock, clock, Names(Resolver()), ANYWHERE)

    def ways(self, connector: Connector) -> list[Any]:
        """Return ways that all differ."""
        clock = self.connector.clock
        tcp = TcpWay("::1", 80, connector)
        return [
            tcp,
            TcpWay("::1", 81, connector),
            UnixWay("/a", connector),
            UnixWay("/b", connector),
            TlsWay(tcp, NAME, clock),
            TlsWay(tcp, NAME, clock, TlsTerms(verify=False)),
            TlsWay(tcp, NAME, clock, TRUSTING),
            TlsWay(tcp, "b.example", clock),
            AnnouncedWay(tcp, HEADER),
            AnnouncedWay(tcp, b"x"),
            AnnouncedWay(TlsWay(tcp, NAME, clock), HEADER),
            TlsWay(AnnouncedWay(tcp, HEADER), NAME, clock),
        ]

    def test_equal(self) -> None:
        """The same said twice is one; anything else is another."""
        ways = self.ways(self.connector)
        self.assertEqual(ways, self.ways(self.connector))
        self.assertEqual(len({*ways, *self.ways(self.connector)}), len(ways))

    def test_other_connector(self) -> None:
        """What goes by another connector goes on other terms."""
        clock: Any = self.connector.clock
        other = Connector(clock, clock, self.connector.names, ANYWHERE)
        self.assertEqual(len({*self.ways(self.connector)[:4], *self.ways(other)[:4]}), 8)

    def test_words(self) -> None:
        """A way is written as the server is, whatever is put on its connection."""
        words = [str(way) for way in self.ways(self.connector)]
        self.assertEqual(words[:3], ["[::1]:80", "[::1]:81", "unix:/a"])
        self.assertEqual({words[4], words[8], words[10]}, {"[::1]:80"})


class Trust(TestCase):
    """The file of certificates that an operator trusts is read, or found wanting."""

    def read(self, content: bytes) -> Any:
        path = Path(self.mktemp())
        path.write_bytes(content)
        return trusted(path)

    def test_good(self) -> None:
        """Every certificate in it counts, be it an authority's or a server's own."""
        found = self.read(ROOT.certificate_pem + SERVER.certificate_pem)
        self.assertEqual(found.certificates, (ROOT.certificate, SERVER.certificate))
        self.assertEqual(found.faults, ())

    def test_bad(self) -> None:
        """A file without any, a damaged one and none at all are faults with words."""
        damaged = ROOT.certificate_pem.replace(b"M", b"N", 3)
        for content in (b"", damaged, ROOT.certificate_pem[:100]):
            with self.subTest(content=content):
                self.assertTrue(self.read(content).faults)
        self.assertIn("does not exist", trusted(Path("/nowhere/x.pem")).faults[0].text)
