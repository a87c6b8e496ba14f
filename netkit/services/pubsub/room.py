"""Room for subscriptions, of all clients of a service together.

Rule: whoever finds none is told so, but the log says it once a minute, however often that is.
"""

from collections.abc import Sized

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from netkit.services.pubsub.seldom import Seldom


class Room:
    """Says whether there is room in `taken`, which may have `most`."""

    def __init__(self, taken: Sized, most: int, clock: IReactorTime, log: Logger) -> None:
        self._taken = taken
        self._most = most
        self._log = log
        self._refused = Seldom(clock)

    def has(self, more: int = 1) -> bool:
        """Return whether there is room for so many more."""
        if len(self._taken) + more <= self._most:
            return True
        refused = self._refused.sum(more)
        if refused:
            self._log.warn(
                "{most} subscriptions are the most for all clients together; refused: {refused}",
                most=self._most,
                refused=refused,
            )
        return False
