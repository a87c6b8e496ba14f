"""What may happen for every message of a client, and what the log shall say once a minute."""

from twisted.internet.interfaces import IReactorTime

QUIET = 60.0
"""Seconds between two lines of the log about the same."""


class Seldom:
    """Counts, and tells the sum from time to time."""

    def __init__(self, clock: IReactorTime) -> None:
        self._clock = clock
        self._untold = 0
        self._next = 0.0  # when the sum may be told

    def sum(self, more: int = 1) -> int:
        """Count `more`; return what has not been told yet if it is time for that, or else 0."""
        self._untold += more
        now = self._clock.seconds()
        if now < self._next:
            return 0
        self._next = now + QUIET
        told, self._untold = self._untold, 0
        return told
