"""A tunnel made of netkit's own parts, from each connection here to one origin on loopback.

Stands for the service that will offer tunnels: reactor, gate and tunnel are those of netkit.
"""

import sys
from functools import partial
from typing import Any

from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger

from netkit.net import reactor as netkit_reactor
from netkit.net.connect import Connector
from netkit.net.dial import TcpWay
from netkit.net.limits import Limits
from netkit.net.listener import Gate
from netkit.net.names import Names
from netkit.net.policy import ANYWHERE
from netkit.net.sides import Side, join, reach
from netkit.net.tunnel import TunnelLimits, Tunnels


class Forward(ServerFactory):
    """Makes a tunnel to `origin` for each connection."""

    def __init__(self, origin: TcpWay, tunnels: Tunnels) -> None:
        self._origin = origin
        self._tunnels = tunnels

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ANN401, ARG002, N802 (Twisted's)
        """Return a side that is joined as soon as the other is connected."""
        near = Side()
        reach(self._origin).addCallbacks(partial(self._join, near), lambda _: near.close())
        return near

    def _join(self, near: Side, far: Side) -> None:
        join(self._tunnels, near, far)


def main(port: int, origin: int) -> None:
    """Serve until told to stop."""
    netkit_reactor.install()
    from twisted.internet import reactor  # noqa: PLC0415 (installed just now)

    clock: Any = reactor
    connector = Connector(clock, clock, Names(clock.nameResolver), ANYWHERE)
    forward = Forward(TcpWay("127.0.0.1", origin, connector), Tunnels(TunnelLimits(), clock))
    gate: Any = Gate(forward, Limits(connections_per_address=10_000), clock, Logger())
    clock.listenTCP(port, gate, backlog=4096, interface="127.0.0.1")
    clock.run()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
