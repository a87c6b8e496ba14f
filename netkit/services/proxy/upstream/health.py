"""Whether a server is fit to be asked, by what became of earlier requests and of checks. Pure.

A server is up until it has failed too often. It comes back by checks where there are any; else its
time out is over after a while, and then it is tried with one request. Times come in as an argument.
"""

from collections import deque
from enum import Enum

from attrs import frozen

_LEAST_SHARE = 0.01


class State(Enum):
    """What may be sent to a server."""

    UP = "up"
    TRYING = "trying"  # one request at a time
    DOWN = "down"


@frozen
class Terms:
    """When a server goes down and when it comes back; times are in seconds.

    With `max_fails` failed requests within `fail_timeout` it is down (0: never, for that). With
    `checked` it comes back after `rise` checks that went well in a row, and `fall` of them that did
    not put it down; else it is tried again after `fail_timeout`. What comes back gets its full share
    after `slow_start`.
    """

    max_fails: int = 3
    fail_timeout: float = 10.0
    checked: bool = False
    rise: int = 2
    fall: int = 3
    slow_start: float = 0.0


class Health:
    """The health of one server. Whatever changes its state says so by True."""

    __slots__ = ("_back_since", "_checks", "_failed_at", "_terms", "_until", "state")

    def __init__(self, terms: Terms) -> None:
        self.state = State.UP
        self._terms = terms
        self._failed_at: deque[float] = deque(maxlen=terms.max_fails)
        self._checks = 0  # in a row: well above 0, ill below
        self._until = 0.0
        self._back_since: float | None = None

    @property
    def fails(self) -> int:
        """How many requests failed lately; at most as many as put the server down."""
        return len(self._failed_at)

    def failed(self, now: float, *, last: bool = False) -> bool:
        """Note that a request failed because of the server, which does not go down as the `last`."""
        self._failed_at.append(now)
        if last:
            return False
        if self.state is State.TRYING:
            return self._fall(now)
        if self.state is State.DOWN or not self._terms.max_fails:
            return False
        lately = now - self._failed_at[0] <= self._terms.fail_timeout
        return len(self._failed_at) == self._terms.max_fails and lately and self._fall(now)

    def answered(self, now: float) -> bool:
        """Note that a request was answered."""
        return self.state is State.TRYING and self._rise(now)

    def checked(self, now: float, *, well: bool) -> bool:
        """Note how a check went."""
        self._checks = max(self._checks, 0) + 1 if well else min(self._checks, 0) - 1
        if self.state is State.DOWN:
            return self._checks >= self._terms.rise and self._rise(now)
        return self._checks <= -self._terms.fall and self._fall(now)

    def look(self, now: float) -> bool:
        """Begin to try a server whose time out is over."""
        if self.state is not State.DOWN or self._terms.checked or now < self._until:
            return False
        self.state = State.TRYING
        return True

    def share(self, now: float) -> float:
        """Return how much of its weight the server has, above 0 and at most 1."""
        since = self._back_since
        if since is None:
            return 1.0
        share = (now - since) / self._terms.slow_start
        if share >= 1.0:
            self._back_since = None
        return min(max(share, _LEAST_SHARE), 1.0)

    def _fall(self, now: float) -> bool:
        self.state = State.DOWN
        self._until = now + self._terms.fail_timeout
        self._checks = min(self._checks, 0)
        self._back_since = None
        return True

    def _rise(self, now: float) -> bool:
        self.state = State.UP
        self._failed_at.clear()
        self._back_since = now if self._terms.slow_start else None
        return True
