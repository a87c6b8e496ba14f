"""How long one HTTP connection may be as it is. Pure; looked at once a second, never once an event.

A client has to send its header section whole in a fixed time, whatever it trickles, but bodies and
answers at a rate: a slow client that is honest stays, one that only holds the connection goes.
Whoever waits for a handler waits as long as that takes.
"""

from enum import Enum, auto

from netkit.http.limits import Limits


class Doing(Enum):
    """What a connection is waiting for."""

    REST = auto()
    """For the next request."""
    HEAD = auto()
    """For the rest of a header section."""
    BODY = auto()
    """For more of a body that somebody wants."""
    ANSWER = auto()
    """For a handler."""
    SENDING = auto()
    """For the client to take what was sent."""


class Pace:
    """What was seen of one connection, and when."""

    __slots__ = ("_amount", "_doing", "_since", "_turn")

    def __init__(self, now: float) -> None:
        self._doing = Doing.REST
        self._turn = 0
        self._since = now
        self._amount = 0

    def reason_to_go(self, limits: Limits, now: float, doing: Doing, turn: int, amount: int) -> str:
        """Return why the connection has to end, or the empty string.

        `turn` is another number for each request, `amount` grows with the bytes that the client has
        sent of its body, or taken of its answer.
        """
        if doing is not self._doing or turn != self._turn:
            self._doing, self._turn, self._since, self._amount = doing, turn, now, amount
            return ""
        waited = now - self._since
        match doing:
            case Doing.REST:
                never = limits.keep_alive_timeout == 0
                return "" if never or waited < limits.keep_alive_timeout else "asked nothing more"
            case Doing.HEAD:
                return "" if waited < limits.header_timeout else "did not finish its header"
            case Doing.BODY | Doing.SENDING if waited >= limits.rate_window:
                return self._too_slow(limits, now, amount)
        return ""

    def _too_slow(self, limits: Limits, now: float, amount: int) -> str:
        moved, waited = amount - self._amount, now - self._since
        self._since, self._amount = now, amount
        if moved >= limits.least_rate * waited:
            return ""
        did = "sent" if self._doing is Doing.BODY else "took"
        return f"{did} only {max(moved, 0)} bytes in {waited:.0f} s"
