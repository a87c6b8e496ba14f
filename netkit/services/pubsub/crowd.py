"""Everybody who is connected to a pub/sub service, by whichever of its listeners.

Rule: there are no more than `most`, and their times are looked at together, once a second: a client
costs no delayed call of its own.
"""

from collections.abc import Iterator
from typing import Protocol

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from netkit.services.pubsub.connected import Connected

SWEEP = 1.0  # seconds
_STEP = 0.1


class Member(Connected, Protocol):
    """One client."""

    def warn(self) -> bool:
        """Hear that the service stops; return whether that helps, and a while to go is of use."""

    def close(self) -> None:
        """End, once what has been delivered is sent."""


class Watched(Protocol):
    """One client that has deadlines."""

    def look(self, now: float) -> None:
        """Do what is due."""


class Crowd:
    """The clients, at most `most`, and what wants to be called every second."""

    def __init__(self, clock: IReactorTime, most: int) -> None:
        self.most = most
        self._members: dict[Member, None] = {}
        self._watched: set[Watched] = set()
        self._closing = False
        self._clock = clock
        self._sweep = LoopingCall(self._look)
        self._sweep.clock = clock

    def __len__(self) -> int:
        """Return the number of clients."""
        return len(self._members)

    def __iter__(self) -> Iterator[Member]:
        """Return the clients in the order in which they have come."""
        return iter(tuple(self._members))

    @property
    def closing(self) -> bool:
        """Whether everybody is let go, and nobody comes in any more."""
        return self._closing

    def join(self, member: Member) -> bool:
        """Count `member` in; return whether there was room."""
        if self._closing or len(self._members) >= self.most:
            return False
        self._members[member] = None
        return True

    def leave(self, member: Member) -> None:
        """Count `member` out; it need not have joined."""
        self._members.pop(member, None)

    def watch(self, member: Watched) -> None:
        """Have `member` look every second what is due, until it is ignored."""
        self._watched.add(member)
        if not self._sweep.running:
            self._sweep.start(SWEEP, now=False)

    def ignore(self, member: Watched) -> None:
        """Watch `member` no longer; it need not be watched."""
        self._watched.discard(member)
        if not self._watched and self._sweep.running:
            self._sweep.stop()

    def close(self, seconds: float) -> Deferred[None]:
        """Let everybody go, within `seconds`; fire when that is done.

        Those who can be warned go one after the other, so that they do not all come to the next server
        at once, and may go before by themselves. Nobody comes in any more.
        """
        self._closing = True
        staying = []
        for member in tuple(self._members):
            if member.warn():
                staying.append(member)
            else:
                member.close()
        return self._spread(staying, seconds) if staying else succeed(None)

    def _spread(self, staying: list[Member], seconds: float) -> Deferred[None]:
        begun, count = self._clock.seconds(), len(staying)

        def step() -> None:
            due = (self._clock.seconds() - begun) / seconds * count
            while staying and (count - len(staying) < due or staying[-1] not in self._members):
                staying.pop().close()
            if not staying:
                steps.stop()

        steps = LoopingCall(step)
        steps.clock = self._clock
        done: Deferred[None] = steps.start(_STEP, now=False).addCallback(lambda _: None)
        return done

    def _look(self) -> None:
        now = self._clock.seconds()
        for member in tuple(self._watched):
            member.look(now)
