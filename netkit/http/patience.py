"""How long a connection to a server may be as it is. Pure; looked at once a second.

Rule: a server is given a time for what it has to do itself; while somebody else keeps it waiting, no
time runs.
"""

from enum import Enum, auto

from netkit.http.clientlimits import ClientLimits

CLOSE_SECONDS = 5.0
"""How long the other side may take to agree that a connection ends."""


class Doing(Enum):
    """What a connection is waiting for."""

    REST = auto()
    """For the next question."""
    SENDING = auto()
    """For the server to take what was sent."""
    HEAD = auto()
    """For the answer's header section."""
    BODY = auto()
    """For more of a body that somebody wants."""
    OTHERS = auto()
    """For somebody else than the server."""
    CLOSING = auto()
    """For the end."""


class Patience:
    """What was seen of one connection, and when."""

    __slots__ = ("_mark", "_since")

    def __init__(self, now: float) -> None:
        self._mark: tuple[Doing, int, int] = (Doing.REST, 0, 0)
        self._since = now

    def is_over(self, limits: ClientLimits, now: float, mark: tuple[Doing, int, int]) -> bool:
        """Return whether the connection has been too long as it is.

        `mark` is what it is doing, a number that is another one for each question, and one that
        changes as the server does something.
        """
        if mark != self._mark:
            self._mark, self._since = mark, now
            return False
        return now - self._since >= _allowed(limits, mark[0])


def _allowed(limits: ClientLimits, doing: Doing) -> float:
    match doing:
        case Doing.REST:
            return limits.idle_timeout
        case Doing.SENDING:
            return limits.write_timeout
        case Doing.HEAD:
            return limits.header_timeout
        case Doing.BODY:
            return limits.read_timeout
        case Doing.CLOSING:
            return CLOSE_SECONDS
    return float("inf")
