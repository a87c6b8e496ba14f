"""A tunnel made of netkit's own parts, from each connection here to one origin on loopback.

Stands for the service that will offer tunnels: reactor, gate and tunnel are those of netkit.
"""

import sys
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import Factory, Protocol, ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.net import reactor as netkit_reactor
from netkit.net.limits import Limits
from netkit.net.listener import Gate
from netkit.net.stream import IStream
from netkit.net.tunnel import End, TunnelLimits, Tunnels


@implementer(IHalfCloseableProtocol)
class Side(Protocol):
    """The protocol of one connection, which passes all it hears on to its end of the tunnel."""

    transport: IStream
    end: End | None = None

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Pass it on."""
        assert self.end is not None  # noqa: S101 (nothing is read before)
        self.end.dataReceived(data)

    def readConnectionLost(self) -> None:  # noqa: N802 (Twisted's name)
        """Pass it on."""
        if self.end is not None:
            self.end.readConnectionLost()

    def writeConnectionLost(self) -> None:  # noqa: N802 (Twisted's name)
        """Pass it on."""
        if self.end is not None:
            self.end.writeConnectionLost()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: N802 (Twisted's name)
        """Pass it on."""
        if self.end is not None:
            self.end.connectionLost(reason)


class Near(Side):
    """A client's connection: nothing is read from it before the origin is there."""

    def connectionMade(self) -> None:  # noqa: N802 (Twisted's name)
        """Connect to the origin."""
        assert isinstance(self.factory, Forward)  # noqa: S101 (nobody else makes one)
        self._tunnels = self.factory.tunnels
        self.transport.pauseProducing()
        connecting: Deferred[Any] = self.factory.origin.connect(Factory.forProtocol(Side))
        connecting.addCallbacks(self._join, lambda _: self.transport.abortConnection())

    def _join(self, far: Side) -> None:
        tunnel = self._tunnels.join(self.transport, far.transport)
        self.end, far.end = tunnel.near, tunnel.far


class Forward(ServerFactory):
    """Makes a tunnel to `origin` for each connection."""

    protocol = Near

    def __init__(self, origin: TCP4ClientEndpoint, tunnels: Tunnels) -> None:
        self.origin = origin
        self.tunnels = tunnels


def main(port: int, origin: int) -> None:
    """Serve until told to stop."""
    netkit_reactor.install()
    from twisted.internet import reactor  # noqa: PLC0415 (installed just now)

    clock = reactor
    forward = Forward(
        TCP4ClientEndpoint(reactor, "127.0.0.1", origin), Tunnels(TunnelLimits(), clock)
    )
    gate: Any = Gate(forward, Limits(connections_per_address=10_000), clock, Logger())
    reactor.listenTCP(port, gate, backlog=4096, interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
