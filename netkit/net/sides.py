"""The protocols of two connections that are to become one tunnel.

A side may have its connection long before the other has. Rule: until the two are joined a side
remembers what it hears, its connection's end included; it reads on, so as to hear of that, until it
has `RESTING_BYTES`.
"""

from collections.abc import Callable, Iterable
from typing import Any, Protocol, cast

from twisted.internet.address import UNIXAddress
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IProducer,
    IProtocol,
    ITransport,
)
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.net.dial import Way
from netkit.net.stream import IStream
from netkit.net.tunnel import Tunnel, Tunnels

RESTING_BYTES = 16_384
"""Where a side that is not joined has heard as much, it reads no more: one read may go beyond it."""


class Ear(Protocol):
    """What a side that is joined passes on all that it hears to."""

    def dataReceived(self, data: bytes) -> None:
        """Hear `data`."""

    def readConnectionLost(self) -> None:
        """Hear that the peer has said its last."""

    def writeConnectionLost(self) -> None:
        """Hear that our own half is closed."""

    def connectionLost(self, reason: Failure) -> None:
        """Hear that the connection is lost."""


@implementer(IProtocol, IHalfCloseableProtocol)
class Side:
    """The protocol of one side, on a transport that reads and has no producer.

    `connected` fires once there is a connection. `left` is called where that is lost before `join`.
    """

    factory = None
    transport: IStream

    def __init__(self, left: Callable[[], None] | None = None) -> None:
        self.connected: Deferred[None] = Deferred()
        self._left = left
        self._heard = bytearray()
        self._hear: Callable[[bytes], object] = self._keep
        self._end: Ear | None = None
        self._silent = False
        self._reason: Failure | None = None
        self._unwanted = False

    @property
    def gone(self) -> bool:
        """Whether there was a connection and is none any more."""
        return self._reason is not None

    def close(self) -> None:
        """Close at once a connection that is not joined, the one to come included."""
        self._unwanted = True
        if self.connected.called and self._end is None and not self.gone:
            self.transport.abortConnection()

    def makeConnection(self, transport: ITransport) -> None:
        """Rest."""
        self.transport = cast("IStream", transport)
        if self._unwanted:
            self.transport.abortConnection()
        self.connected.callback(None)

    def connectionMade(self) -> None:
        """Do nothing: `makeConnection` did."""

    def dataReceived(self, data: bytes) -> None:
        """Pass `data` on, or keep it."""
        self._hear(data)

    def _keep(self, data: bytes) -> None:
        self._heard += data
        if len(self._heard) >= RESTING_BYTES:
            self.transport.pauseProducing()

    def readConnectionLost(self) -> None:
        """Pass on that the peer has said its last, once: a transport that reads again says it again."""
        if not self._silent:
            self._silent = True
            if self._end is not None:
                self._end.readConnectionLost()

    def writeConnectionLost(self) -> None:
        """Pass on that our own half is closed."""
        if self._end is not None:
            self._end.writeConnectionLost()

    def connectionLost(self, reason: Failure) -> None:
        """Pass on that the connection is lost."""
        self._reason = reason
        if self._end is not None:
            self._end.connectionLost(reason)
        elif self._left is not None:
            self._left()

    @property
    def heard(self) -> bytes:
        """What has come in before the side was joined."""
        return bytes(self._heard)

    def begin(self, end: Ear) -> None:
        """Be heard by `end`, which has been given `heard`, and tell it what it could not hear."""
        self._end = end
        self._hear = end.dataReceived
        self._heard.clear()
        if self._reason is not None:
            end.connectionLost(self._reason)
        elif self._silent:
            end.readConnectionLost()


class _Sides(Factory[Any]):
    """Makes sides."""

    noisy = False

    def __init__(self, left: Callable[[], None] | None) -> None:
        self._left = left

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ANN401, ARG002 (as Twisted's)
        """Return a side."""
        return Side(self._left)


def reach(way: Way, left: Callable[[], None] | None = None) -> Deferred[Side]:
    """Return the side, not joined yet, of a connection made by `way`.

    Fails as the way does; whoever cancels is left without a connection. `left` is as for a Side.
    """
    reached: Deferred[Any] = way.connect(_Sides(left))
    return reached


def join(tunnels: Tunnels, near: Side, far: Side) -> Tunnel:
    """Return the tunnel of two sides, both of which have been connected.

    What each has heard goes to the other first. One that is lost by now, or has said its last, counts
    as if that came right after.
    """
    # What a lost side can read no more are no bytes of the tunnel's.
    from_near, from_far = _heard(near, far), _heard(far, near)
    tunnel = tunnels.join(_stream(near), _stream(far), from_near=from_near, from_far=from_far)
    near.begin(tunnel.near)
    far.begin(tunnel.far)
    return tunnel


def _heard(side: Side, other: Side) -> bytes:
    return b"" if other.gone else side.heard


def _stream(side: Side) -> IStream:
    return _LOST if side.gone else side.transport


@implementer(IStream)
class _LostStream:
    """What stands for a transport whose connection is lost."""

    def write(self, data: bytes) -> None:
        """Drop it."""

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Drop them."""

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:  # noqa: FBT001 (Twisted's)
        """Ask nobody for anything."""

    def _nothing(self) -> None:
        """Do nothing."""

    unregisterProducer = pauseProducing = resumeProducing = stopProducing = _nothing
    loseConnection = loseWriteConnection = abortConnection = _nothing

    def getPeer(self) -> IAddress:
        """Return nobody's address."""
        return UNIXAddress(None)

    getHost = getPeer


_LOST = _LostStream()
