"""Where pieces leave for one client: at once while it keeps up, through a backlog while not.

A client is behind from the moment its transport's write buffer is full until that buffer and the
backlog are empty. Rule: it is let go when more than `pending_bytes` wait behind that buffer, or
when something has waited for `pending_seconds`. Nothing is read from it meanwhile, so that a
client which says more than it takes is slowed down by its own connection and not cut for it.
"""

from collections.abc import Callable
from typing import TypeAlias

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from zope.interface import implementer

from netkit.net.stream import IStream
from netkit.services.pubsub.backlog import Backlog
from netkit.services.pubsub.settings import Settings

OnSlow: TypeAlias = Callable[[int, float], None]


def nowhere(piece: bytes) -> None:
    """Drop `piece`: whom it is for is not there, or not any more."""


@implementer(IPushProducer)
class Outlet:
    """The way out to the client at `transport`.

    Just before a slow client's connection is aborted, `on_slow` is called with the bytes that wait
    behind the write buffer, and the seconds that the oldest has waited.
    """

    def __init__(
        self, transport: IStream, settings: Settings, clock: IReactorTime, on_slow: OnSlow
    ) -> None:
        self._transport = transport
        self._settings = settings
        self._clock = clock
        self._on_slow = on_slow
        self._backlog = Backlog()
        self._full = False
        self._behind_since: float | None = None
        self._deadline: IDelayedCall | None = None
        transport.registerProducer(self, streaming=True)

    def deliver(self, piece: bytes) -> None:
        """Send `piece`, after what waits already."""
        if self._behind_since is None:
            self._transport.write(piece)
            return
        self._backlog.add(piece, self._clock.seconds())
        if self._backlog.size > self._settings.pending_bytes:
            self._let_go(self._behind_since)

    def close(self) -> None:
        """Close the connection once everything is sent."""
        self.flush()
        self._transport.loseConnection()

    def flush(self, last: bytes = b"") -> None:
        """Give everything to the transport, `last` behind what waits, and be its producer no more."""
        self.stopProducing()
        self._transport.unregisterProducer()  # a close waits for a producer
        while self._backlog.size:
            self._transport.write(self._backlog.take()[1])
        self._transport.write(last)

    def pauseProducing(self) -> None:
        """Keep what comes: the transport's write buffer is full."""
        self._full = True
        if self._behind_since is None:
            self._behind_since = self._clock.seconds()
            self._transport.pauseProducing()
            if self._deadline is None:
                self._look_in(self._settings.pending_seconds)

    def resumeProducing(self) -> None:
        """Send what waits: the transport's write buffer is empty."""
        self._full = False
        while self._backlog.size and not self._full:
            self._behind_since, chunk = self._backlog.take()
            self._transport.write(chunk)
        if not self._full:
            self._behind_since = None
            self._transport.resumeProducing()

    def stopProducing(self) -> None:
        """Watch the time no longer: the connection ends."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _look_in(self, seconds: float) -> None:
        self._deadline = self._clock.callLater(seconds, self._look)

    def _look(self) -> None:
        # The call outlives the client's catching up: one that falls behind a thousand times a
        # second costs one call in `pending_seconds`, not a thousand.
        self._deadline = None
        if self._behind_since is None:
            return
        left = self._behind_since + self._settings.pending_seconds - self._clock.seconds()
        if left > 0:
            self._look_in(left)
        else:
            self._let_go(self._behind_since)

    def _let_go(self, since: float) -> None:
        self.stopProducing()
        self._on_slow(self._backlog.size, self._clock.seconds() - since)
        self._transport.abortConnection()
