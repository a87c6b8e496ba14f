"""A proxy in memory: its client's connection, its resolver, and the connections that it makes."""

from typing import Any

from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.interfaces import IAddress
from twisted.logger import LogEvent, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.asking import Asks
from netkit.net.addresses import SocketAddress
from netkit.services.kind import NoOptions, World
from netkit.services.proxy.service import Proxy
from netkit.services.proxy.settings import Settings
from tests.http.fakes import Answer, ClosingTransport, NarrowTransport, answers, recorded
from tests.net.resolver import Resolver
from tests.services.site.sites import ThreadedReactor

CLIENT = IPv4Address("TCP", "127.0.0.1", 40000)
ORIGIN = IPv4Address("TCP", "8.8.8.8", 80)
GET = b"GET http://origin/path?q HTTP/1.1\r\nHost: other\r\n\r\n"
CONNECT = b"CONNECT origin:443 HTTP/1.1\r\nHost: origin:443\r\n\r\n"


class ProxyCase(SynchronousTestCase):
    """Clients of a proxy; the name `origin` is of 8.8.8.8."""

    asks: Asks | None = None

    def setUp(self) -> None:
        self.memory = ThreadedReactor()
        self.resolver = Resolver({"origin": [ORIGIN]})
        self.memory.installNameResolver(self.resolver)
        self.events: list[LogEvent] = []
        self.own: frozenset[SocketAddress] = frozenset()
        self.serve()

    def serve(self, **kw: Any) -> None:
        """Serve by these settings from now on."""
        world = World(self.memory, self.memory, recorded(self.events), lambda: self.own)
        self.proxy = Proxy(Settings(**kw), world, self.asks)
        self.factory: Any = self.proxy.factory(NoOptions())

    def send(self, data: bytes, peer: IAddress = CLIENT) -> None:
        """Let a client connect and send `data`."""
        self.transport = NarrowTransport(peerAddress=peer)
        self.client: Any = self.factory.buildProtocol(peer)
        self.client.makeConnection(self.transport)
        self.client.dataReceived(data)

    def leave(self) -> None:
        """Let the client's connection be lost."""
        self.client.connectionLost(Failure(error.ConnectionLost()))

    @property
    def dialled(self) -> list[tuple[str, int]]:
        """Where the proxy has tried to connect to."""
        return [(host, port) for host, port, *_ in self.memory.tcpClients]

    def accept(self) -> tuple[Any, ClosingTransport]:
        """Let the last connection be made; return its protocol and transport."""
        factory: Any = self.memory.tcpClients[-1][2]
        protocol = factory.buildProtocol(ORIGIN)
        transport = ClosingTransport(peerAddress=ORIGIN)
        protocol.makeConnection(transport)
        self.memory.advance(0)
        return protocol, transport

    def refuse(self) -> None:
        """Let the last connection be refused."""
        factory: Any = self.memory.tcpClients[-1][2]
        factory.clientConnectionFailed(
            self.memory.connectors[-1], Failure(error.ConnectionRefusedError())
        )

    def answer(self, method: str = "GET") -> Answer:
        """Return what the client was answered, and forget it."""
        [answer] = answers(self.transport.value(), lambda: method)
        self.transport.clear()
        return answer

    def status(self, data: bytes, peer: IAddress = CLIENT) -> int:
        """Return the status that a request gets at once."""
        self.send(data, peer)
        return self.answer().status

    @property
    def lines(self) -> list[str]:
        """Return the log as text, and forget it."""
        lines = [formatEvent(event) for event in self.events]
        self.events.clear()
        return lines

    def assert_line(self, *parts: str) -> None:
        """Assert that the log has one line, with all `parts`."""
        [line] = self.lines
        for part in parts:
            self.assertIn(part, line)

    def finish(self, protocol: Any) -> None:
        """Let a connection be lost in good order."""
        protocol.connectionLost(Failure(error.ConnectionDone()))
