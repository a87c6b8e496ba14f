"""Room for subscriptions, of all clients of a service together.

Rule: whoever finds none is told so, but the log says it once a minute, however often that is.
"""

from collections.abc import Sized

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

QUIET = 60.0
"""Seconds between two lines of the log."""


class Room:
    """Says whether there is room in `taken`, which may have `most`."""

    def __init__(self, taken: Sized, most: int, clock: IReactorTime, log: Logger) -> None:
        self._taken = taken
        self._most = most
        self._clock = clock
        self._log = log
        self._refused = 0
        self._next = 0.0  # when the log may say something

    def has(self, more: int = 1) -> bool:
        """Return whether there is room for so many more."""
        if len(self._taken) + more <= self._most:
            return True
        self._refuse(more)
        return False

    def _refuse(self, more: int) -> None:
        self._refused += more
        now = self._clock.seconds()
        if now < self._next:
            return
        self._next = now + QUIET
        self._log.warn(
            "{most} subscriptions are the most for all clients together; refused: {refused}",
            most=self._most,
            refused=self._refused,
        )
        self._refused = 0
