"""A pub/sub service as it runs: one broker for the clients of all its listeners."""

from collections.abc import Callable
from random import random, randrange

from attrs import evolve
from twisted.internet.defer import Deferred

from netkit.net.addresses import SocketAddress
from netkit.net.dial import Way
from netkit.net.logins import Elsewhere
from netkit.services.kind import References, Running, World
from netkit.services.pubsub.broker import Broker
from netkit.services.pubsub.client import House
from netkit.services.pubsub.counters import Figures
from netkit.services.pubsub.crowd import Crowd
from netkit.services.pubsub.door import Door
from netkit.services.pubsub.fabric.counters import FabricFigures
from netkit.services.pubsub.fabric.link import Link
from netkit.services.pubsub.nats.protocol import NatsFactory, Terms
from netkit.services.pubsub.nats.servers import Server
from netkit.services.pubsub.permissions import Permissions
from netkit.services.pubsub.protocol import LineFactory
from netkit.services.pubsub.room import Room
from netkit.services.pubsub.settings import Options, Protocol, Settings


class PubSub(Running[Options]):
    """One pub/sub service, which runs `since` then, in the clock's seconds.

    Passwords are looked into `elsewhere`, by default in threads. `ways` lead to the servers of a fabric,
    by default as their URLs say.
    """

    def __init__(
        self,
        settings: Settings,
        world: World,
        elsewhere: Elsewhere | None = None,
        ways: Callable[[Server], Way] | None = None,
    ) -> None:
        broker = Broker(randrange, settings.policies)
        self._house = House(
            broker,
            Crowd(world.clock, settings.clients),
            settings,
            world,
            Door(settings, world, elsewhere),
            Room(broker.interest, settings.subscriptions, world.clock, world.log),
        )
        self._terms = Terms(settings.nats, self._house.room.has, edge=bool(settings.fabric.servers))
        self._factories: list[LineFactory | NatsFactory] = []
        self.since = world.clock.seconds()
        self._link: Link | None = None
        if settings.fabric.servers:
            self._link = Link(self._house.broker, settings.fabric, world, chance=random, ways=ways)

    def figures(self) -> Figures:
        """Return what goes on, and what has gone on, in figures."""
        return self._house.broker.counters.figures(
            connections=len(self._house.crowd), subscriptions=len(self._house.broker.interest)
        )

    def fabric_figures(self) -> FabricFigures | None:
        """Return the same of the fabric, where there is one."""
        return None if self._link is None else self._link.figures()

    def factory(self, options: Options) -> LineFactory | NatsFactory:
        """Return what serves the clients of one listener, in the protocol it speaks."""
        factory: LineFactory | NatsFactory
        if options.protocol is Protocol.NATS:
            factory = NatsFactory(self._house, self._terms, options)
        else:
            factory = LineFactory(self._house)
        self._factories.append(factory)
        return factory

    @property
    def listening(self) -> SocketAddress | None:
        """Where NATS clients connect, if all listeners are for them and one is on IP."""
        if not all(isinstance(each, NatsFactory) for each in self._factories):
            return None
        return min(self._house.world.listening(), key=str, default=None)

    @property
    def requires_tls(self) -> bool:
        """Whether all NATS clients that come by a listener have TLS."""
        doors = [each for each in self._factories if isinstance(each, NatsFactory)]
        return bool(doors) and all(each.secure for each in doors)

    @property
    def terms(self) -> Terms:
        """What all NATS clients share."""
        return self._terms

    @property
    def house(self) -> House:
        """What all clients share, for those that come by a mount."""
        return self._house

    def nats_within(self, limit: Permissions) -> NatsFactory:
        """Return what serves NATS clients that may do no more than `limit` says."""
        house = evolve(self._house, door=self._house.door.within(limit))
        return NatsFactory(house, self._terms, Options(Protocol.NATS))

    def startService(self) -> None:
        """Connect to the cluster, where there is one."""
        super().startService()
        self.since = self._house.world.clock.seconds()
        if self._link is not None:
            self._link.start()

    def stopService(self) -> Deferred[None]:
        """Let the clients go, once what was said has reached them; NATS clients one by one.

        Then the node leaves its cluster.
        """
        super().stopService()
        gone = self._house.crowd.close(self._terms.limits.lame_duck)
        return gone.addCallback(self._leave)

    def _leave(self, _: None) -> None:
        if self._link is not None:
            self._link.stop()


def build(settings: Settings, _references: References, world: World) -> PubSub:
    """Return a pub/sub service, which needs no other."""
    return PubSub(settings, world)
