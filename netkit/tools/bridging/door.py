"""A door: somebody comes in, and the next one when that one has left.

Rule: whoever comes meanwhile waits with the kernel, as many as its queue has room for; one that
greets by no TLS, or too slowly, holds nobody up.
"""

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHandshakeListener,
    IListeningPort,
    IOpenSSLServerConnectionCreator,
    IReactorTime,
    ITransport,
)
from twisted.internet.protocol import ServerFactory
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from netkit.net.sides import Side

Listen = Callable[[Any], IListeningPort]
"""Begins to listen, for a factory."""


@implementer(IHandshakeListener)
class Guest(Side):
    """The side of somebody who came in."""

    def __init__(self, door: "Door") -> None:
        super().__init__(self._leave)
        self._door = door

    def makeConnection(self, transport: ITransport) -> None:
        """Come in, or be greeted first."""
        super().makeConnection(transport)
        self._door.entered(self)

    def handshakeCompleted(self) -> None:
        """Come in."""
        self._door.greeted(self)

    def _leave(self) -> None:
        self._door.left(self)


class Door(ServerFactory):
    """Listens by `listen`; with `tls` a guest is greeted, within `timeout` seconds, before it counts.

    Raises what `listen` does.
    """

    noisy = False

    def __init__(
        self,
        listen: Listen,
        clock: IReactorTime,
        tls: IOpenSSLServerConnectionCreator | None = None,
        timeout: float = 30.0,
    ) -> None:
        self._clock = clock
        self._greets = tls is not None
        self._timeout = timeout
        self._awaited: Deferred[Guest] | None = None
        self._deadline: IDelayedCall | None = None
        over: Any = TLSMemoryBIOFactory(tls, False, self, clock) if tls else self  # noqa: FBT003
        self._port: Any = listen(over)
        self._rest()

    @property
    def address(self) -> IAddress:
        """Where the door is."""
        found: IAddress = self._port.getHost()
        return found

    def next(self) -> Deferred[Guest]:
        """Return the next guest, connected and not joined yet; it may be gone already."""
        self._awaited = Deferred()
        self._accept()
        return self._awaited

    async def close(self) -> None:
        """Listen no more; a guest who is in stays."""
        self._stop_clock()
        await maybeDeferred(self._port.stopListening)

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ANN401, ARG002 (as Twisted's)
        """Return the side of the one guest."""
        self._rest()
        return Guest(self)

    def entered(self, guest: Guest) -> None:
        """Begin with the greeting of `guest`, or take it as it is."""
        if self._greets:
            self._deadline = self._clock.callLater(self._timeout, guest.close)
        else:
            self.greeted(guest)

    def greeted(self, guest: Guest) -> None:
        """Hand `guest` over."""
        self._stop_clock()
        awaited, self._awaited = self._awaited, None
        if awaited is not None and not awaited.called:
            awaited.callback(guest)

    def left(self, guest: Guest) -> None:  # noqa: ARG002 (there is one at a time)
        """Wait for somebody else, where `guest` left before it was handed over."""
        self._stop_clock()
        if self._awaited is not None and not self._awaited.called:
            self._accept()

    def _accept(self) -> None:
        self._port.numberAccepts = 1  # of those that Twisted would accept at once
        self._port.startReading()

    def _rest(self) -> None:
        self._port.stopReading()

    def _stop_clock(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None
