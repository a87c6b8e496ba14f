"""Who comes is led to the server, or let go; and one line in the log says how it went."""

from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, cast

from attrs import evolve
from OpenSSL import SSL
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, Logger, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.addresses import SocketAddress
from netkit.net.destination import parse
from netkit.net.dial import AnnouncedWay, TlsWay
from netkit.net.failures import NoConnectionError
from netkit.net.proxyprotocol import Header, to_v1, to_v2
from netkit.net.tunnel import TunnelLimits, Tunnels
from netkit.services.kind import NoOptions, World
from netkit.services.tunnel import KIND, Settings
from netkit.services.tunnel.protocol import Entrance, Entrances
from netkit.services.tunnel.service import Tunnel
from netkit.services.tunnel.settings import ProxyHeader
from tests.net.test_dial import ROOT, MemoryWay
from tests.net.transports import PeerTransport

CLIENT = IPv4Address("TCP", "192.0.2.1", 4321)
HERE = IPv4Address("TCP", "192.0.2.9", 80)


class Here(PeerTransport):
    """Has an address of its own."""

    def getHost(self) -> Any:
        return HERE


class Secured(PeerTransport):
    """Has TLS, the handshake of which is not done."""

    def getHandle(self) -> SSL.Connection:
        return SSL.Connection(SSL.Context(SSL.TLS_METHOD))


class EntranceTests(SynchronousTestCase):
    """A connection from its beginning to its end, with a server in memory."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.events: list[LogEvent] = []
        self.below = MemoryWay()
        self.tunnels = Tunnels(TunnelLimits(), self.clock)
        self.entrances = Entrances(
            to="server",
            way=lambda _: self.below,
            tunnels=self.tunnels,
            clients=(ip_network("192.0.2.0/24"),),
            clock=self.clock,
            log=Logger(observer=self.events.append),  # type: ignore[arg-type]
        )

    @property
    def lines(self) -> list[str]:
        """What the log has."""
        return [formatEvent(event) for event in self.events]

    def enter(self) -> PeerTransport:
        """Return the connection of a client that has just come."""
        self.entrance = self.entrances.buildProtocol(CLIENT)
        assert self.entrance is not None
        return PeerTransport(self.entrance)

    def reach(self) -> PeerTransport:
        """Return the connection to the server, which there is now."""
        transport = PeerTransport(self.below.made[0])
        self.below.done[0].callback(self.below.made[0])
        return transport

    def test_through(self) -> None:
        """What either says the other hears, what came early too; the line counts it."""
        near = self.enter()
        near.send(b"early ")
        far = self.reach()
        near.send(b"late")
        far.send(b"yes")
        self.assertEqual((near.take(), far.take()), (b"yes", b"early late"))
        self.clock.advance(2)
        near.finish()
        far.take()
        far.finish()
        near.take()
        line = "192.0.2.1:4321 to server: 10 bytes there, 3 back, 2.000 s; both sides ended"
        self.assertEqual(self.lines, [line])
        self.assertEqual(self.entrances.waiting, set())

    def test_refused(self) -> None:
        """Where there is no server, the client is let go at once."""
        near = self.enter()
        self.below.done[0].errback(NoConnectionError("server: connection refused"))
        self.assertTrue(near.aborted)
        words = "no connection: server: connection refused"
        line = f"192.0.2.1:4321 to server: 0 bytes there, 0 back, 0.000 s; {words}"
        self.assertEqual(self.lines, [line])
        self.assertEqual(self.entrances.waiting, set())

    def test_leaves(self) -> None:
        """A client that leaves meanwhile takes the attempt with it."""
        near = self.enter()
        near.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(self.below.cancelled, [True])
        self.assertEqual(len(self.lines), 1)
        self.assertTrue(self.lines[0].endswith("; it left before it was connected"))
        self.assertEqual(self.entrances.waiting, set())

    def test_forbidden(self) -> None:
        """Who may not use it is not let in; who comes by a UNIX socket is."""
        self.assertIsNone(self.entrances.buildProtocol(IPv4Address("TCP", "198.51.100.1", 1)))
        self.assertEqual(self.lines, ["198.51.100.1:1 may not use the tunnel to server"])
        self.assertIsInstance(self.entrances.buildProtocol(UNIXAddress(None)), Entrance)

    def test_tls(self) -> None:
        """With TLS the server is called once the handshake is done, and not before."""
        entrance = self.entrances.buildProtocol(CLIENT)
        assert entrance is not None
        Secured(entrance)
        self.assertEqual(self.below.made, [])
        entrance.handshakeCompleted()
        self.assertEqual(len(self.below.made), 1)

    def test_tls_not_finished(self) -> None:
        """A client whose handshake comes to nothing is nobody the server hears of."""
        entrance = self.entrances.buildProtocol(CLIENT)
        assert entrance is not None
        near = Secured(entrance)
        near.connectionLost(Failure(ConnectionDone()))
        self.assertEqual((self.below.made, self.lines), ([], []))
        self.assertEqual(self.entrances.waiting, set())

    def test_stopped(self) -> None:
        """At the end tunnels end, and so do those that are not open yet."""
        near = self.enter()
        far = self.reach()
        waiting = self.enter()
        self.entrances.abort()
        self.assertTrue(near.aborted and far.aborted and waiting.aborted)
        self.assertEqual(self.below.cancelled, [True])
        self.assertEqual(len(self.lines), 2)
        self.assertEqual(len(self.tunnels), 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_mistake(self) -> None:
        """A mistake of ours leaves nobody waiting, and is told as one."""
        near = self.enter()
        self.below.done[0].errback(ZeroDivisionError())
        self.assertTrue(near.aborted)
        self.assertIs(self.events[0]["log_failure"].type, ZeroDivisionError)


class ServiceTests(SynchronousTestCase):
    """The service makes of its settings what leads to the server."""

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()

    def build(self, settings: Settings) -> Tunnel:
        network = cast("Any", self.reactor)
        built = KIND.build(settings, {}, World(network, network, Logger()))
        assert isinstance(built, Tunnel)
        self.near = cast("Any", Here(Entrance(built.factory(NoOptions()), "")))
        return built

    def test_plain(self) -> None:
        """Without a header every connection goes the same way."""
        built = self.build(Settings(to=parse("tcp:a.example:80")))
        way: Any = built.way(self.near)
        self.assertEqual((way.host, way.port), ("a.example", 80))
        self.assertIs(way, built.way(self.near))

    def test_header(self) -> None:
        """With one it says who the client is, and where it came to."""
        header = Header(
            SocketAddress(ip_address("192.0.2.1"), 4321), SocketAddress(ip_address("192.0.2.9"), 80)
        )
        for version, written in ((ProxyHeader.V1, to_v1), (ProxyHeader.V2, to_v2)):
            built = self.build(Settings(to=parse("tcp:a.example:80"), proxy_header=version))
            way = built.way(self.near)
            assert isinstance(way, AnnouncedWay)
            self.assertEqual(way.header, written(header))

    def test_nobody(self) -> None:
        """A client without an address is announced as one of whom nothing is known."""
        settings = Settings(to=parse("tcp:a.example:80"), proxy_header=ProxyHeader.V1)
        built = self.build(settings)
        entrance = Entrance(built.factory(NoOptions()), "")
        way = built.way(cast("Any", Here(entrance, UNIXAddress(None))))
        assert isinstance(way, AnnouncedWay)
        self.assertEqual(way.header, b"PROXY UNKNOWN\r\n")

    def test_tls(self) -> None:
        """With TLS the header goes before it; the terms are those of the table."""
        path = Path(self.mktemp())
        path.write_bytes(ROOT.certificate_pem)
        settings = Settings(to=parse("tls:a.example:443:name=b"), ca=path)
        settings = evolve(settings, proxy_header=ProxyHeader.V1, connect_timeout=3.0)
        way = self.build(settings).way(self.near)
        assert isinstance(way, TlsWay)
        self.assertIsInstance(way.below, AnnouncedWay)
        self.assertEqual((way.server_name, way.terms.handshake_timeout), ("b", 3.0))
        self.assertEqual(way.terms.authorities, (ROOT.certificate,))

    def test_connected(self) -> None:
        """A client's connection is followed by one to the server; both end with the service."""
        built = self.build(Settings(to=parse("tcp:127.0.0.1:80")))
        self.assertEqual(self.reactor.tcpClients[0][:2], ("127.0.0.1", 80))
        built.startService()
        built.stopService()
        self.assertTrue(self.near.aborted)
        self.assertTrue(vars(self.reactor.connectors[0])["_disconnected"])
