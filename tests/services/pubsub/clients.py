"""A pub/sub service in memory, and clients of both protocols."""

from collections.abc import Callable

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver, MemoryReactor
from twisted.logger import Logger, LogPublisher, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.kind import World
from netkit.services.pubsub.service import PubSub
from netkit.services.pubsub.settings import Options, Protocol, Settings
from tests.net.transports import PeerTransport

CONNECT = b'CONNECT {"verbose":false,"pedantic":false,"headers":true,"no_responders":true}\r\n'


class PubSubTestCase(SynchronousTestCase):
    protocol = Protocol.LINE

    def setUp(self) -> None:
        """Start with an empty log and nobody connected."""
        self.clock = Clock()
        self.looks: list[tuple[Callable[[], bool], Deferred[bool]]] = []
        self.events = EventLoggingObserver()
        log = Logger(namespace="pubsub", observer=LogPublisher(self.events))
        self.world = World(self.clock, MemoryReactor(), log)
        self.serve(Settings())

    def serve(self, settings: Settings) -> None:
        """Serve anew, by `settings`."""
        self.service = PubSub(settings, self.world, self.elsewhere)
        self.listener = self.service.factory(Options(protocol=self.protocol))
        self.others = self.service.factory(Options(protocol=Protocol.LINE))

    def elsewhere(self, work: Callable[[], bool]) -> Deferred[bool]:
        """Look into a password at `look`, as a thread would in its time."""
        looked: Deferred[bool] = Deferred()
        self.looks.append((work, looked))
        return looked

    def look(self) -> None:
        """Look into all passwords that wait for it."""
        looks, self.looks = self.looks, []
        for work, looked in looks:
            looked.callback(work())

    def connect(self, peer: int | IAddress) -> PeerTransport:
        """Return a client; a number is its port at 192.0.2.1."""
        address = IPv4Address("TCP", "192.0.2.1", peer) if isinstance(peer, int) else peer
        protocol = self.listener.buildProtocol(address)
        assert protocol is not None
        return PeerTransport(protocol, address)

    def logged(self) -> list[str]:
        """Return what has been logged, with the level in front."""
        return [f"{event['log_level'].name}: {formatEvent(event)}" for event in self.events]


class NatsTestCase(PubSubTestCase):
    protocol = Protocol.NATS

    def client(self, port: int, said: bytes = b"", connect: bytes = CONNECT) -> PeerTransport:
        """Return a client that is welcome, and has `said` something."""
        peer = self.connect(port)
        assert peer.take().startswith(b"INFO {")
        peer.send(connect + said)
        return peer

    def line_client(self, port: int) -> PeerTransport:
        """Return a client of the line protocol."""
        address = IPv4Address("TCP", "192.0.2.1", port)
        protocol = self.others.buildProtocol(address)
        assert protocol is not None
        return PeerTransport(protocol, address)
