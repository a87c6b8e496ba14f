"""A pub/sub service as it runs: one broker for the clients of all its listeners."""

from itertools import count
from random import randrange

from attrs import evolve
from twisted.internet.defer import Deferred

from netkit.net.logins import Elsewhere
from netkit.services.kind import References, Running, World
from netkit.services.pubsub.broker import Broker
from netkit.services.pubsub.client import House
from netkit.services.pubsub.counters import Figures
from netkit.services.pubsub.crowd import Crowd
from netkit.services.pubsub.door import Door
from netkit.services.pubsub.nats.protocol import NatsFactory, Terms
from netkit.services.pubsub.permissions import Permissions
from netkit.services.pubsub.protocol import LineFactory
from netkit.services.pubsub.settings import Options, Protocol, Settings


class PubSub(Running[Options]):
    """One pub/sub service; passwords are looked into `elsewhere`, by default in threads."""

    def __init__(
        self, settings: Settings, world: World, elsewhere: Elsewhere | None = None
    ) -> None:
        self._house = House(
            Broker(randrange, settings.policies),
            Crowd(world.clock, settings.clients),
            settings,
            world,
            Door(settings, world, elsewhere),
        )
        self._terms = Terms(settings.nats)
        self._numbers = count(1)

    def figures(self) -> Figures:
        """Return what goes on, and what has gone on, in figures."""
        return self._house.broker.counters.figures(
            connections=len(self._house.crowd), subscriptions=len(self._house.broker.interest)
        )

    def factory(self, options: Options) -> LineFactory | NatsFactory:
        """Return what serves the clients of one listener, in the protocol it speaks."""
        if options.protocol is Protocol.NATS:
            return NatsFactory(self._house, self._numbers, self._terms, options)
        return LineFactory(self._house, self._numbers)

    @property
    def house(self) -> House:
        """What all clients share, for those that come by a mount."""
        return self._house

    def nats_within(self, limit: Permissions) -> NatsFactory:
        """Return what serves NATS clients that may do no more than `limit` says."""
        house = evolve(self._house, door=self._house.door.within(limit))
        return NatsFactory(house, self._numbers, self._terms, Options(Protocol.NATS))

    def stopService(self) -> Deferred[None]:
        """Let the clients go, once what was said has reached them; NATS clients one by one."""
        super().stopService()
        return self._house.crowd.close(self._terms.limits.lame_duck)


def build(settings: Settings, _references: References, world: World) -> PubSub:
    """Return a pub/sub service, which needs no other."""
    return PubSub(settings, world)
