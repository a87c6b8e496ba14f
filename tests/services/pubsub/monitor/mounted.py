"""A site with the mount `monitor`, in memory, and clients of the service that it shows."""

import json
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IAddress
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import Request, Response
from netkit.net.addresses import SocketAddress
from netkit.services.kind import Mount, World
from netkit.services.pubsub import settings as service
from netkit.services.pubsub.live.mount import KIND as LIVE
from netkit.services.pubsub.live.settings import Settings as LiveSettings
from netkit.services.pubsub.monitor.mount import KIND, Settings
from netkit.services.pubsub.service import PubSub
from netkit.services.pubsub.settings import Options, Protocol
from netkit.services.site.service import Settings as SiteSettings
from netkit.services.site.service import Site
from tests.http.fakes import Answer, Visit, recorded
from tests.net.transports import PeerTransport
from tests.services.pubsub.live.mounted import head

_SERVICE = service.Settings()
_DEFAULTS = Settings()


class MonitorCase(SynchronousTestCase):
    """Tests of the mount at `/monitor`."""

    protocols: tuple[Protocol, ...] = (Protocol.NATS,)

    def setUp(self) -> None:
        """Show a service with the defaults."""
        self.serve()

    def serve(
        self, shown: service.Settings = _SERVICE, settings: Settings = _DEFAULTS, **site: Any
    ) -> None:
        """Show a service by these settings."""
        self.clock = MemoryReactorClock()
        self.events: list[LogEvent] = []
        self.addresses: frozenset[SocketAddress] = frozenset()
        world = World(self.clock, self.clock, recorded(self.events), lambda: self.addresses)
        self.pubsub = PubSub(shown, world, maybeDeferred)
        self.factories = [self.pubsub.factory(Options(protocol=each)) for each in self.protocols]
        mounts = (
            Mount("/monitor", KIND, settings, "pubsub"),
            Mount("/live", LIVE, LiveSettings(), "pubsub"),
        )
        self.site = Site(SiteSettings(mounts, **site), {"pubsub": self.pubsub}, world)
        self.pubsub.startService()
        self.site.startService()

    def visit(self) -> Visit:
        """Return a new connection to the site."""
        return Visit(self._answered)

    def ask(self, path: str, *fields: str, method: str = "GET") -> Answer:
        """Return the answer to a request for `path` below the mount."""
        visit = self.visit()
        visit.send(head(method, f"/monitor{path}", *fields))
        return visit.answer(method)

    def shape(self, path: str) -> Any:
        """Return the JSON at `path`."""
        answer = self.ask(path)
        self.assertEqual(answer.status, 200, answer.body)
        return json.loads(answer.body)

    def connections(self, query: str = "") -> list[dict[str, Any]]:
        """Return what `/connz` shows of each connection."""
        found: list[dict[str, Any]] = self.shape(f"/connz{query}")["connections"]
        return found

    def connect(self, peer: int | IAddress, said: bytes = b"", listener: int = 0) -> PeerTransport:
        """Return a client of a listener that has `said` something; a number is its port."""
        address = IPv4Address("TCP", "192.0.2.1", peer) if isinstance(peer, int) else peer
        protocol = self.factories[listener].buildProtocol(address)
        assert protocol is not None
        transport = PeerTransport(protocol, address)
        transport.send(said)
        return transport

    def _answered(self, request: Request) -> Any:
        answer: Response | Any = self.site.answer(request)
        return answer
