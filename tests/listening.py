"""Servers on a port of 127.0.0.1 that leave nothing behind when their test ends."""

from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase


def listening(test: TestCase, factory: IProtocolFactory) -> int:
    """Return the loopback port where `factory` serves until `test` ends, connections and all."""
    network: Any = reactor
    tracking = _Tracking(factory)
    port = network.listenTCP(0, tracking, interface="127.0.0.1")
    test.addCleanup(tracking.abort_all)
    test.addCleanup(port.stopListening)
    return int(port.getHost().port)


class _Tracking(Factory):
    """Knows the connections of another factory."""

    noisy = False

    def __init__(self, factory: IProtocolFactory) -> None:
        self._factory = factory
        self.transport = getattr(factory, "transport", None)
        self._protocols: list[Any] = []

    def buildProtocol(self, addr: Any) -> Any:
        """Build a protocol of the other factory."""
        protocol = self._factory.buildProtocol(addr)
        self._protocols.append(protocol)
        return protocol

    def abort_all(self) -> "Deferred[None]":
        """End all connections, at the next turn of the reactor."""
        for protocol in self._protocols:
            protocol.transport.abortConnection()
        clock: Any = reactor
        return deferLater(clock, 0)
