"""Everybody who is connected to a pub/sub service, by whichever of its listeners.

Rule: there are no more than `most`, and their times are looked at together, once a second: a client
costs no delayed call of its own.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

SWEEP = 1.0  # seconds

Look: TypeAlias = Callable[[float], None]


class Member(Protocol):
    """One client."""

    def close(self) -> None:
        """End, once what has been delivered is sent: the service stops."""


class Crowd:
    """The clients, at most `most`, and what wants to be called every second."""

    def __init__(self, clock: IReactorTime, most: int) -> None:
        self.most = most
        self._members: dict[Member, None] = {}
        self._watched: dict[Member, Look] = {}
        self._clock = clock
        self._sweep = LoopingCall(self._look)
        self._sweep.clock = clock

    def __len__(self) -> int:
        """Return the number of clients."""
        return len(self._members)

    def join(self, member: Member) -> bool:
        """Count `member` in; return whether there was room."""
        if len(self._members) >= self.most:
            return False
        self._members[member] = None
        return True

    def leave(self, member: Member) -> None:
        """Count `member` out; it need not have joined."""
        self._members.pop(member, None)

    def watch(self, member: Member, look: Look) -> None:
        """Have `look` called every second with the time, until `member` is ignored."""
        self._watched[member] = look
        if not self._sweep.running:
            self._sweep.start(SWEEP, now=False)

    def ignore(self, member: Member) -> None:
        """Watch `member` no longer; it need not be watched."""
        self._watched.pop(member, None)
        if not self._watched and self._sweep.running:
            self._sweep.stop()

    def close(self) -> None:
        """Let everybody go."""
        for member in tuple(self._members):
            member.close()
        self._members.clear()

    def _look(self) -> None:
        now = self._clock.seconds()
        for look in tuple(self._watched.values()):
            look(now)
