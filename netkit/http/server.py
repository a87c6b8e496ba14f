"""HTTP/1.1 to handlers: the factory of connections, and what they share.

Rule: whatever takes time is looked at once a second, for all connections together.
"""

from collections.abc import Callable
from time import time

from twisted.internet.interfaces import (
    IAddress,
    IProtocolFactory,
    IProtocolNegotiationFactory,
    IReactorTime,
)
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from zope.interface import implementer

from netkit.http.accesslog import Exchange
from netkit.http.channel import Channel
from netkit.http.limits import DEFAULTS, Limits
from netkit.http.messages import Handler
from netkit.http.remembered import Remembered

_SECOND = 1.0


@implementer(IProtocolFactory, IProtocolNegotiationFactory)
class HandlerFactory:
    """Serves connections by `handler`.

    `served` is told of every exchange that got as far as the handler; `log` has refusals, and the
    cause of each 500 beside the number that the page shows. `wall` tells the seconds since 1970 for
    the field Date: `clock` may have begun at any time.
    """

    def __init__(  # noqa: PLR0913 (all but one by keyword)
        self,
        handler: Handler,
        *,
        clock: IReactorTime,
        log: Logger,
        limits: Limits = DEFAULTS,
        served: Callable[[Exchange], None] | None = None,
        wall: Callable[[], float] = time,
    ) -> None:
        self.handler = handler
        self.clock = clock
        self.log = log
        self.limits = limits
        self.served = served
        self.remembered = Remembered(limits)
        self._wall = wall
        self._channels: set[Channel] = set()
        self._ticking = LoopingCall(self.tick)
        self._ticking.clock = clock

    def acceptableProtocols(self) -> list[bytes]:
        """Return what a TLS listener may offer (RFC 7301); of nothing Twisted makes an alert."""
        return [b"http/1.1"]

    def doStart(self) -> None:
        """Do nothing: there is nothing to open."""

    def doStop(self) -> None:
        """Do nothing: connections go on."""

    def buildProtocol(self, addr: IAddress) -> Channel:  # noqa: ARG002 (the transport knows it)
        """Return a connection to the handler."""
        if not self._ticking.running:
            self.remembered.begin(self._wall())
            self._ticking.start(_SECOND, now=False)
        channel = Channel(self)
        self._channels.add(channel)
        return channel

    def left(self, channel: Channel) -> None:
        """Forget `channel`, whose connection is lost."""
        self._channels.discard(channel)
        if not self._channels and self._ticking.running:
            self._ticking.stop()

    def tick(self) -> None:
        """Begin a second: forget what was remembered, let go of connections whose time is up."""
        self.remembered.begin(self._wall())
        now = self.clock.seconds()
        for channel in list(self._channels):
            channel.look(now)
