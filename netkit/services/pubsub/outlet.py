"""Where pieces leave for one client: at once while it keeps up, through a backlog while not.

A client is behind from the moment its transport's write buffer is full until that buffer and the
backlog are empty. Rule: it is let go when more than `pending_bytes` wait behind that buffer, or
when something has waited for `pending_seconds`. Messages that it may go without are left out before
that, and it is told how many. Nothing is read from it meanwhile, so that a
client which says more than it takes is slowed down by its own connection and not cut for it.
"""

from collections.abc import Callable, Mapping
from typing import TypeAlias

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from zope.interface import implementer

from netkit.net.stream import IStream
from netkit.services.pubsub.backlog import Backlog
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.policies import Policy
from netkit.services.pubsub.settings import Settings

OnSlow: TypeAlias = Callable[[int, float], None]
OnMissed: TypeAlias = Callable[[Mapping[bytes, int]], None]


def nowhere(piece: bytes) -> None:
    """Drop `piece`: whom it is for is not there, or not any more."""


def _untold(missed: Mapping[bytes, int]) -> None:
    """Tell nobody."""


@implementer(IPushProducer)
class Outlet:
    """The way out to the client at `transport`.

    `on_slow` is called once, to end the connection of a slow client, with the bytes that waited behind
    the write buffer and are dropped, and the seconds that the oldest has waited. `on_missed` is called
    when a client has caught up, with the subjects of messages that were left out, and how many.
    """

    def __init__(
        self,
        transport: IStream,
        settings: Settings,
        clock: IReactorTime,
        on_slow: OnSlow,
        on_missed: OnMissed = _untold,
    ) -> None:
        self._transport = transport
        self._settings = settings
        self._clock = clock
        self._on_slow = on_slow
        self._on_missed = on_missed
        self._backlog: Backlog | None = None  # until there is one
        self._full = False
        self._behind_since: float | None = None
        self._deadline: IDelayedCall | None = None
        transport.registerProducer(self, streaming=True)

    def deliver(self, piece: bytes) -> None:
        """Send `piece`, after what waits already."""
        if self._behind_since is None:
            self._transport.write(piece)
            return
        backlog = self._some_backlog()
        backlog.add(piece, self._clock.seconds())
        most = self._settings.pending_bytes
        if backlog.size > most:
            backlog.make_room(most)
            if backlog.size > most:
                self._let_go(self._behind_since)

    @property
    def behind(self) -> bool:
        """Whether the client does not keep up."""
        return self._behind_since is not None

    def deliver_spare(self, piece: bytes, run: Published, policy: Policy) -> None:
        """Send `piece`, which is `run`, after what waits already, or leave out some by `policy`."""
        if self._behind_since is None:
            self._transport.write(piece)
            return
        backlog, messages = self._some_backlog(), len(run.payloads)
        most = self._settings.pending_bytes - len(piece)
        if policy is Policy.DROP_OLDEST:
            backlog.make_room(most)
        if backlog.size > most:
            backlog.miss(run.subject, messages)
        else:
            backlog.add_spare(piece, self._clock.seconds(), run.subject, messages)

    def close(self) -> None:
        """Close the connection once everything is sent."""
        self.flush()
        self._transport.loseConnection()

    def flush(self, last: bytes = b"") -> None:
        """Give everything to the transport, `last` behind what waits, and be its producer no more."""
        self.stopProducing()
        self._transport.unregisterProducer()  # a close waits for a producer
        while self._backlog is not None and self._backlog.size:
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
        backlog = self._backlog
        while backlog is not None and backlog.size and not self._full:
            self._behind_since, chunk = backlog.take()
            self._transport.write(chunk)
        if not self._full:
            self._behind_since = None
            self._backlog = None
            self._transport.resumeProducing()
            if backlog is not None and (missed := backlog.missed()):
                self._on_missed(missed)

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

    def _some_backlog(self) -> Backlog:
        if self._backlog is None:
            self._backlog = Backlog()
        return self._backlog

    def _let_go(self, since: float) -> None:
        self.stopProducing()
        pending = 0 if self._backlog is None else self._backlog.size
        self._backlog = None
        self._on_slow(pending, self._clock.seconds() - since)
