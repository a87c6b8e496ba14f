"""Connections with a PROXY header: who may send one, and what the protocol inside sees."""

from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IHalfCloseableProtocol,
    IPushProducer,
    ISystemHandle,
    ITCPTransport,
    ITLSTransport,
)
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.test.iosim import FakeTransport, connect
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer
from zope.interface.verify import verifyObject

from netkit.net.proxied import ProxiedConnection, ProxiedFactory, ProxiedTransport
from netkit.net.proxyprotocol import V2_LONGEST, Header, Tlv, TlvType, to_v1, to_v2
from tests.net.headers import CLIENT, CLIENT6, LINE, SERVER, SERVER6, block, headers

PROXY = IPv4Address("TCP", "10.0.0.1", 4000)
HERE = IPv4Address("TCP", "10.0.0.2", 443)
GONE = Failure(ConnectionDone())
TRUSTED = (ip_network("10.0.0.0/24"), ip_network("fd00::/64"))


class Seer(Protocol):
    """Keeps what it saw, and what it was told."""

    def __init__(self) -> None:
        self.seen: list[object] = []
        self.heard = b""
        self.lost = 0

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.seen = [self.transport.getPeer(), self.transport.getHost()]

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def connectionLost(self, reason: Failure = GONE) -> None:
        self.lost += 1


@implementer(IHalfCloseableProtocol)
class HalfCloser(Seer):
    halves = ""

    def readConnectionLost(self) -> None:
        self.halves += "r"

    def writeConnectionLost(self) -> None:
        self.halves += "w"


class Leaver(Seer):
    """Ends the connection as soon as it is made."""

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()


class Aborter(Seer):
    """Aborts the connection as soon as it is made."""

    def connectionMade(self) -> None:
        cast("ITCPTransport", self.transport).abortConnection()


class Transport(StringTransport):
    """A transport in memory that keeps what was done to it."""

    def __init__(self) -> None:
        super().__init__(hostAddress=HERE, peerAddress=PROXY)
        self.done: list[object] = []

    def abortConnection(self) -> None:
        self.done.append("abort")

    def loseWriteConnection(self) -> None:
        self.done.append("lose write")

    def getHandle(self) -> str:
        return "socket"

    def getTcpNoDelay(self) -> bool:
        return True

    def setTcpNoDelay(self, enabled: bool) -> None:
        self.done.append(("no delay", enabled))

    def getTcpKeepAlive(self) -> bool:
        return True

    def setTcpKeepAlive(self, enabled: bool) -> None:
        self.done.append(("keep alive", enabled))


class Inside(Factory[Seer]):
    """Makes what is inside, and keeps whom it was made for."""

    def __init__(self) -> None:
        self.kind: type[Seer] | None = Seer
        self.asked: list[object] = []
        self.made: list[Seer] = []

    def buildProtocol(self, addr: object) -> Seer | None:
        if self.kind is None:
            return None
        self.asked.append(addr)
        self.made.append(self.kind())
        return self.made[-1]


class ProxiedTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.inside = Inside()
        self.refused: list[tuple[IAddress, str]] = []
        self.factory = ProxiedFactory(
            self.inside, TRUSTED, lambda *refusal: self.refused.append(refusal)
        )

    def connect(self, *pieces: bytes) -> tuple[ProxiedConnection, Transport]:
        connection = self.factory.buildProtocol(PROXY)
        assert connection is not None
        transport = Transport()
        connection.makeConnection(transport)
        for piece in pieces:
            connection.dataReceived(piece)
        return connection, transport


class TrustTests(ProxiedTestCase):
    def test_stranger(self) -> None:
        """Who is no trusted proxy gets no protocol at all, so that nothing of it is read."""
        for stranger in (
            IPv4Address("TCP", "10.0.1.1", 1),
            IPv4Address("TCP", "127.0.0.1", 1),
            IPv6Address("TCP", "fd00:0:0:1::1", 1),
            IPv6Address("TCP", "::ffff:10.0.1.1", 1),
        ):
            with self.subTest(stranger.host):
                self.assertIsNone(self.factory.buildProtocol(stranger))
                self.assertEqual(
                    self.refused.pop(), (stranger, "is none of the proxies that are trusted")
                )

    def test_trusted(self) -> None:
        """A trusted proxy is let in, in each way in which its address may be seen."""
        for proxy in (
            PROXY,
            IPv6Address("TCP", "fd00::1", 1),
            IPv6Address("TCP", "fd00::1%eth0", 1),
            IPv6Address("TCP", "::ffff:10.0.0.9", 1),
            UNIXAddress(None),
            UNIXAddress("/run/proxy.sock"),
        ):
            with self.subTest(str(proxy)):
                self.assertIsNotNone(self.factory.buildProtocol(proxy))
        self.assertEqual(self.refused, [])

    def test_started(self) -> None:
        """The factory inside hears that a port listens for it, and that it no longer does."""
        self.factory.doStart()
        self.assertEqual(self.inside.numPorts, 1)
        self.factory.doStop()
        self.assertEqual(self.inside.numPorts, 0)


class HeaderTests(ProxiedTestCase):
    def test_addresses(self) -> None:
        """The protocol is made for the client, and sees its addresses from the beginning on."""
        self.connect(LINE)
        client, server = (
            IPv4Address("TCP", "192.0.2.7", 50000),
            IPv4Address("TCP", "192.0.2.1", 443),
        )
        self.assertEqual(self.inside.asked, [client])
        self.assertEqual(self.inside.made[0].seen, [client, server])

    def test_addresses_of_ipv6(self) -> None:
        """IPv6 addresses are as they are; a mapped one is the IPv4 address."""
        self.connect(to_v2(Header(CLIENT6, SERVER6)))
        self.connect(to_v2(Header(CLIENT, SERVER6)))
        six = IPv6Address("TCP", "2001:db8::1", 443)
        self.assertEqual(self.inside.made[0].seen, [IPv6Address("TCP", "2001:db8::7", 50000), six])
        self.assertEqual(self.inside.made[1].seen, [IPv4Address("TCP", "192.0.2.7", 50000), six])

    def test_real_ends(self) -> None:
        """Where the header names nobody the real ends are seen."""
        for said in (to_v1(Header()), to_v2(Header()), to_v2(Header(local=True))):
            self.connect(said)
            self.assertEqual(self.inside.made[-1].seen, [PROXY, HERE])

    def test_nothing_before(self) -> None:
        """Before the header is complete there is no protocol, and the connection is not greeted."""
        connection, transport = self.connect(*(LINE[at : at + 1] for at in range(len(LINE) - 1)))
        self.assertEqual(
            (connection.greeted, connection.inner, self.inside.made), (False, None, [])
        )
        connection.dataReceived(LINE[-1:])
        self.assertEqual((connection.greeted, connection.inner), (True, self.inside.made[0]))
        self.assertEqual((transport.done, transport.disconnecting), ([], False))

    def test_rest(self) -> None:
        """What comes behind the header, and after it, reaches the protocol."""
        connection, _ = self.connect(LINE[:20], LINE[20:] + b"first ")
        self.assertEqual(self.inside.made[0].heard, b"first ")
        connection.dataReceived(b"second")
        self.assertEqual(self.inside.made[0].heard, b"first second")

    @settings(deadline=None, max_examples=100)
    @given(headers, st.binary(max_size=50), st.lists(st.integers(1, 60)))
    def test_any_pieces(self, header: Header, rest: bytes, sizes: list[int]) -> None:
        """In whatever pieces it comes, the protocol hears exactly what is not the header."""
        self.setUp()
        data, at = to_v2(header) + rest, 0
        connection, _ = self.connect()
        for size in [*sizes, len(data)]:
            connection.dataReceived(data[at : at + size])
            at += size
        self.assertEqual(len(self.inside.made), 1)
        self.assertEqual(self.inside.made[0].heard, rest)

    def test_header_is_kept(self) -> None:
        """What else the proxy says can be had from the transport."""
        known = Header(CLIENT, SERVER, (Tlv(TlvType.AUTHORITY, b"a.example"),))
        self.connect(to_v2(known))
        transport = self.inside.made[0].transport
        assert isinstance(transport, ProxiedTransport)
        self.assertEqual(transport.header, known)


class RefusalTests(ProxiedTestCase):
    def test_no_header(self) -> None:
        """A proxy that sends something else is let go at once, and who and why is told."""
        for said, why in (
            (b"GET / HTTP/1.1\r\n", "sent no PROXY header"),
            (b"\x16\x03\x01\x02\x00", "sent no PROXY header"),
            (block(first=0x31), "sent a PROXY header of version 3"),
            (b"PROXY " + b"x" * 200, "sent a PROXY line without an end within 107 bytes"),
        ):
            with self.subTest(said):
                connection, transport = self.connect(said)
                self.assertEqual(transport.done, ["abort"])
                self.assertEqual(self.refused.pop(), (PROXY, why))
                connection.connectionLost(GONE)
        self.assertEqual(self.inside.made, [])

    def test_bounded(self) -> None:
        """However it goes on, no more than the longest header is kept of what has none."""
        connection, transport = self.connect(block(bytes(V2_LONGEST - 16), family=0)[:-1])
        self.assertEqual(len(connection._received), V2_LONGEST - 1)
        connection.dataReceived(b"\0")
        self.assertEqual((connection._received, connection.greeted), (b"", True))
        self.assertEqual(transport.done, [])

    def test_declined(self) -> None:
        """Where the factory inside declines the client the connection is aborted."""
        self.inside.kind = None
        connection, transport = self.connect(LINE + b"more")
        self.assertEqual(transport.done, ["abort"])
        connection.connectionLost(GONE)

    def test_leaves_early(self) -> None:
        """A proxy that leaves, or says that it is done, before its header disturbs nobody."""
        connection, transport = self.connect(LINE[:10])
        connection.readConnectionLost()
        self.assertTrue(transport.disconnecting)
        connection.writeConnectionLost()
        connection.connectionLost(GONE)
        self.assertEqual((self.inside.made, self.refused), ([], []))


class EndTests(ProxiedTestCase):
    def test_lost(self) -> None:
        """The protocol hears once that the connection is lost."""
        connection, _ = self.connect(LINE)
        connection.connectionLost(GONE)
        self.assertEqual(self.inside.made[0].lost, 1)

    def test_half_close_unknown(self) -> None:
        """Where the protocol knows no half-close, the peer's end is the end."""
        connection, transport = self.connect(LINE)
        connection.readConnectionLost()
        self.assertTrue(transport.disconnecting)

    def test_half_close(self) -> None:
        """A protocol that knows half-closes hears of them."""
        self.inside.kind = HalfCloser
        connection, transport = self.connect(LINE)
        connection.readConnectionLost()
        connection.writeConnectionLost()
        inner = self.inside.made[0]
        assert isinstance(inner, HalfCloser)
        self.assertEqual((inner.halves, transport.disconnecting), ("rw", False))

    def test_leaves_at_once(self) -> None:
        """A protocol that lets go as soon as it is connected hears nothing more."""
        for self.inside.kind in (Leaver, Aborter):
            self.connect(LINE + b"more")
            self.assertEqual(self.inside.made[-1].heard, b"")


class TransportTests(ProxiedTestCase):
    def setUp(self) -> None:
        super().setUp()
        _, self.real = self.connect(LINE)
        transport = self.inside.made[0].transport
        assert isinstance(transport, ProxiedTransport)
        self.transport: ProxiedTransport = transport

    def test_interfaces(self) -> None:
        """It is a TCP transport, complete, on which TLS cannot be started."""
        for interface in (ITCPTransport, IConsumer, IPushProducer, ISystemHandle):
            verifyObject(interface, self.transport)
        self.assertFalse(ITLSTransport.providedBy(self.transport))
        self.assertFalse(hasattr(self.transport, "startTLS"))

    def test_writes(self) -> None:
        """Writes reach the socket."""
        self.transport.write(b"one ")
        self.transport.writeSequence([b"two ", b"three"])
        self.assertEqual(self.real.value(), b"one two three")

    def test_producers(self) -> None:
        """Producers are registered with the socket, and it can be paused."""
        producer = object()
        self.transport.registerProducer(producer, True)
        self.assertIs(self.real.producer, producer)
        self.transport.unregisterProducer()
        self.assertIsNone(self.real.producer)
        self.transport.pauseProducing()
        self.assertEqual(self.real.producerState, "paused")
        self.transport.resumeProducing()
        self.assertEqual(self.real.producerState, "producing")
        self.transport.stopProducing()
        self.assertEqual(self.real.producerState, "stopped")

    def test_ends(self) -> None:
        """Every way to end reaches the socket."""
        self.transport.loseWriteConnection()
        self.transport.abortConnection()
        self.assertEqual(self.real.done, ["lose write", "abort"])
        self.assertFalse(self.transport.disconnecting)
        self.transport.loseConnection()
        self.assertTrue(self.transport.disconnecting)

    def test_socket(self) -> None:
        """Options are the socket's, and the socket can be had."""
        self.transport.setTcpNoDelay(True)
        self.transport.setTcpKeepAlive(False)
        self.assertEqual(self.real.done, [("no delay", True), ("keep alive", False)])
        self.assertTrue(self.transport.getTcpNoDelay())
        self.assertTrue(self.transport.getTcpKeepAlive())
        self.assertEqual(self.transport.getHandle(), "socket")
        self.assertIs(self.transport.original, self.real)


def server_options() -> CertificateOptions:
    """Return TLS for a server, with a key of its own."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), 1, now, now + timedelta(days=1))
    certificate = builder.sign(key, hashes.SHA256())
    # pyOpenSSL's own types, which the annotations still ask for, are deprecated.
    return CertificateOptions(privateKey=cast("Any", key), certificate=cast("Any", certificate))


class TlsTests(ProxiedTestCase):
    def test_inside(self) -> None:
        """TLS begins behind the header, and the service inside it sees the client's address."""
        client_side, clock = Seer(), Clock()
        client = TLSMemoryBIOFactory(
            CertificateOptions(), True, Factory.forProtocol(lambda: client_side), clock
        )
        self.factory.factory = TLSMemoryBIOFactory(server_options(), False, self.inside, clock)
        server = self.factory.buildProtocol(PROXY)
        assert server is not None
        at_server = FakeTransport(server, isServer=True)
        at_client = FakeTransport(client.buildProtocol(None), isServer=False)
        at_client.write(LINE)
        pump = connect(server, at_server, at_client.protocol, at_client)
        pump.flush()
        service = self.inside.made[0]
        self.assertEqual(service.seen[0], IPv4Address("TCP", "192.0.2.7", 50000))
        assert service.transport is not None
        assert client_side.transport is not None
        client_side.transport.write(b"question")
        service.transport.write(b"answer")
        clock.advance(0)  # TLS gathers small writes
        pump.flush()
        self.assertEqual((service.heard, client_side.heard), (b"question", b"answer"))
        service.transport.loseConnection()
        pump.flush()
        self.assertEqual((service.lost, client_side.lost), (1, 1))
