"""A pub/sub service of netkit's on loopback, and a command's place beside it."""

from collections.abc import AsyncIterator
from typing import Any

from twisted.internet import reactor
from twisted.logger import Logger, LogPublisher
from twisted.trial.unittest import TestCase

from netkit.services.kind import World
from netkit.services.pubsub.service import PubSub
from netkit.services.pubsub.settings import Options, Protocol, Settings
from netkit.tools.running import Here
from tests.listening import listening

ANY_REACTOR: Any = reactor


def here(timeout: float = 5.0) -> Here:
    """Return what a command works with."""
    return Here(ANY_REACTOR, timeout)


def netkit_serves(test: TestCase, settings: Settings | None = None) -> int:
    """Return the port where a service of netkit's speaks NATS until `test` is over."""
    world = World(ANY_REACTOR, ANY_REACTOR, Logger(namespace="pubsub", observer=LogPublisher()))
    service = PubSub(settings or Settings(), world)
    test.addCleanup(service.stopService)
    return listening(test, service.factory(Options(protocol=Protocol.NATS)))


async def some(*payloads: bytes) -> AsyncIterator[bytes]:
    """Yield the payloads."""
    for payload in payloads:
        yield payload
