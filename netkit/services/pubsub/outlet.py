"""Where pieces leave for one client: at once while it keeps up, through a backlog while not.

A client is behind from the moment its transport's write buffer is full until that buffer and the
backlog are empty. Rule: it is let go when more than `pending_bytes` wait behind that buffer, or
when something has waited for `pending_seconds`. Messages that it may go without are left out before
that, and it is told how many. Nothing is read from it meanwhile, so that a
client which says more than it takes is slowed down by its own connection and not cut for it.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from zope.interface import implementer

from netkit.net.progress import progress
from netkit.net.stream import IStream
from netkit.services.pubsub.backlog import Backlog
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.policies import Policy
from netkit.services.pubsub.settings import Settings


class Owner(Protocol):
    """Whose way out it is."""

    def send_by(self, deliver: Callable[[bytes], None]) -> None:
        """Hand what there is to `deliver` from now on, which sends or keeps it."""

    def let_go_slow(self, pending: int, seconds: float) -> None:
        """End the connection: so many bytes, which are dropped, have waited for so many seconds."""

    def caught_up(self, missed: Mapping[bytes, int]) -> None:
        """Hear that all is sent again, but so many messages to these subjects were left out."""


def nowhere(piece: bytes) -> None:
    """Drop `piece`: whom it is for is not there, or not any more."""


@implementer(IPushProducer)
class Outlet:
    """The way out to the client at `transport`, whose `owner` hears of it when the client is slow."""

    __slots__ = (
        "_backlog",
        "_behind_since",
        "_clock",
        "_deadline",
        "_full",
        "_owner",
        "_settings",
        "_transport",
    )

    def __init__(
        self, transport: IStream, settings: Settings, clock: IReactorTime, owner: Owner
    ) -> None:
        self._transport = transport
        self._settings = settings
        self._clock = clock
        self._owner = owner
        self._backlog: Backlog | None = None  # until there is one
        self._full = False
        self._behind_since: float | None = None
        self._deadline: IDelayedCall | None = None
        owner.send_by(transport.write)
        transport.registerProducer(self, streaming=True)

    @property
    def pending(self) -> int:
        """How many bytes wait here, and as far as that can be seen behind the transport too."""
        kept = 0 if self._backlog is None else self._backlog.size
        return kept + max(0, progress(self._transport).unsent)

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
            self._owner.send_by(self._keep)
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
            self._owner.send_by(self._transport.write)
            self._transport.resumeProducing()
            if backlog is not None and (missed := backlog.missed()):
                self._owner.caught_up(missed)

    def stopProducing(self) -> None:
        """Watch the time no longer: the connection ends."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _keep(self, piece: bytes) -> None:
        """Send `piece` after what waits already."""
        backlog, now = self._some_backlog(), self._clock.seconds()
        backlog.add(piece, now)
        most = self._settings.pending_bytes
        if backlog.size > most:
            backlog.make_room(most)
            if backlog.size > most:
                self._let_go(now if self._behind_since is None else self._behind_since)

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
        self._owner.let_go_slow(pending, self._clock.seconds() - since)
