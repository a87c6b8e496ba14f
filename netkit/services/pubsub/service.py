"""A pub/sub service as it runs: one broker for the clients of all its listeners."""

from itertools import count
from random import randrange

from netkit.services.kind import References, Running, World
from netkit.services.pubsub.broker import Broker
from netkit.services.pubsub.client import House
from netkit.services.pubsub.counters import Figures
from netkit.services.pubsub.crowd import Crowd
from netkit.services.pubsub.nats.protocol import NatsFactory, Terms
from netkit.services.pubsub.protocol import LineFactory
from netkit.services.pubsub.settings import Options, Protocol, Settings


class PubSub(Running[Options]):
    """One pub/sub service."""

    def __init__(self, settings: Settings, world: World) -> None:
        self._house = House(
            Broker(randrange), Crowd(world.clock, settings.clients), settings, world
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
            return NatsFactory(self._house, self._numbers, self._terms)
        return LineFactory(self._house, self._numbers)

    def stopService(self) -> None:
        """Let the clients go, once what was said has reached them."""
        self._house.crowd.close()
        super().stopService()


def build(settings: Settings, _references: References, world: World) -> PubSub:
    """Return a pub/sub service, which needs no other."""
    return PubSub(settings, world)
