"""A cluster in memory: netkit's own NATS servers, nodes linked to them, and clients of all."""

from typing import Any, cast

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.interfaces import IProtocol, IProtocolFactory
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver, MemoryReactor
from twisted.logger import Logger, LogPublisher, formatEvent
from twisted.test.iosim import FakeTransport, IOPump

from netkit.net.failures import NoConnectionError
from netkit.services.kind import World
from netkit.services.pubsub.fabric.settings import Fabric
from netkit.services.pubsub.nats.servers import Server
from netkit.services.pubsub.service import PubSub
from netkit.services.pubsub.settings import Options, Settings
from netkit.services.pubsub.settings import Protocol as Spoken

_HERE = IPv4Address("TCP", "192.0.2.1", 4222)
_THERE = IPv4Address("TCP", "192.0.2.2", 1234)


class Client(Protocol):
    """A client that keeps what it hears."""

    def __init__(self) -> None:
        self.output = b""

    def dataReceived(self, data: bytes) -> None:
        """Keep."""
        self.output += data

    def say(self, data: bytes) -> None:
        """Send `data`."""
        cast("Any", self.transport).write(data)

    def heard(self) -> bytes:
        """Return what has come since the last time."""
        output, self.output = self.output, b""
        return output


class Cluster:
    """Servers by their host names, and whatever is connected to them or to a node.

    A server of netkit's is one of a cluster alone; where there are two, they know nothing of each other.
    """

    def __init__(self, *servers: str) -> None:
        self.clock = Clock()
        self.events = EventLoggingObserver()
        log = Logger(namespace="pubsub", observer=LogPublisher(self.events))
        self.world = World(self.clock, MemoryReactor(), log)
        self.asked: list[str] = []
        self.servers: dict[str, PubSub] = {}
        self.pumps: dict[IOPump, str] = {}
        for name in servers:
            self.start(name)

    def start(self, name: str) -> None:
        """Start a server."""
        self.servers[name] = PubSub(Settings(), self.world)

    def logged(self) -> list[str]:
        """Return the lines of the log about the fabric."""
        lines = [formatEvent(event) for event in self.events]
        return [line.removeprefix("fabric: ") for line in lines if line.startswith("fabric: ")]

    def node(self, **fabric: Any) -> PubSub:
        """Return a node, linked to the first server unless `fabric` says otherwise."""
        fabric.setdefault("servers", tuple(f"nats://{name}" for name in self.servers))
        node = PubSub(Settings(fabric=Fabric(**fabric)), self.world, ways=lambda to: _Way(self, to))
        node.startService()
        self.run()
        return node

    def client(self, of: PubSub | str, *said: bytes) -> Client:
        """Return a client of a node or a server, which has greeted it and said so much."""
        service = self.servers[of] if isinstance(of, str) else of
        client = Client()
        factory = service.factory(Options(Spoken.NATS))
        self.join(client, factory.buildProtocol(_THERE), of if isinstance(of, str) else "")
        client.say(b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n')
        client.say(b"".join(said))
        self.run()
        client.heard()
        return client

    def join(self, client: IProtocol, server: IProtocol, name: str) -> None:
        """Connect two protocols."""
        ends = (
            FakeTransport(client, False, _THERE, _HERE),
            FakeTransport(server, True, _HERE, _THERE),
        )
        self.pumps[IOPump(client, server, *ends, debug=False, clock=self.clock)] = name
        server.makeConnection(cast("Any", ends[1]))
        client.makeConnection(cast("Any", ends[0]))

    def run(self, seconds: float = 0) -> None:
        """Let so much time pass, and everything happen that comes of it."""
        self.clock.advance(seconds)
        while any([pump.pump() for pump in tuple(self.pumps)]):  # noqa: C419 (each of them)
            pass

    def kill(self, name: str) -> None:
        """End a server, and all connections to it."""
        del self.servers[name]
        for pump, to in tuple(self.pumps.items()):
            if to == name:
                pump.clientIO.disconnecting = True
        self.run()

    def freeze(self, name: str) -> None:
        """Let nothing get to a server or from it any more."""
        for pump, to in tuple(self.pumps.items()):
            if to == name:
                del self.pumps[pump]


class _Way:
    """Leads to a server of the cluster."""

    def __init__(self, cluster: Cluster, to: Server) -> None:
        self._cluster = cluster
        self._to = to

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """See Way."""
        self._cluster.asked.append(str(self._to))
        service = self._cluster.servers.get(self._to.host)
        if service is None:
            return fail(NoConnectionError("nobody is there"))
        protocol = cast("IProtocol", factory.buildProtocol(_HERE))
        server = service.factory(Options(Spoken.NATS)).buildProtocol(_THERE)
        self._cluster.join(protocol, server, self._to.host)
        return succeed(protocol)
