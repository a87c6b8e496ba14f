"""How long to wait for an answer, and how much to ask at once: by what a host has shown.

Pure. Rule: both follow TCP's own ways, the retransmission timer of RFC 6298 and the congestion
window of RFC 5681, so that a scan is no worse a guest on a network than a download.
"""

INITIAL = 1.0  # seconds (RFC 6298 2.1)
SHORTEST = 0.1  # seconds; a busy host on the same wire may take so long
ALPHA, BETA = 1 / 8, 1 / 4  # RFC 6298 2.3

START = 32  # attempts; a host that is asked for the first time can be as near as it likes
MOST = 1000  # attempts
FEWEST = 2


class Timer:
    """How long to wait for a host, of which nothing is known at first; `longest` in seconds.

    A port that is tried twice has waited for `longest` at most.
    """

    __slots__ = ("_first", "_smoothed", "_variation", "longest")

    def __init__(self, longest: float) -> None:
        self.longest = longest
        self._first = longest / 3
        self._smoothed = 0.0
        self._variation = 0.0

    @property
    def knows(self) -> bool:
        """Whether the host has answered."""
        return self._smoothed > 0

    def sample(self, seconds: float) -> None:
        """Learn from an answer after `seconds`.

        Every attempt has a port of its own on this side: what an answer is to is never in doubt.
        """
        if self._smoothed:
            error = seconds - self._smoothed
            self._variation += BETA * (abs(error) - self._variation)
            self._smoothed += ALPHA * error
        else:
            self._smoothed = seconds or 1e-9
            self._variation = seconds / 2

    def patience(self, number: int) -> float:
        """Return how many seconds the attempt of that number, from 1, waits for an answer."""
        if not self.knows:
            first = min(INITIAL, self._first)
            return first if number == 1 else self.longest - first
        timeout = max(SHORTEST, self._smoothed + 4 * self._variation)
        if number == 1:
            return min(timeout, self._first)
        return min(timeout * 2.0 ** (number - 1), self.longest - self._first)


class Window:
    """How many attempts may be under way at once: `size`, of which `most` is the highest."""

    __slots__ = ("_cut_at", "_gone_well", "_most", "_threshold", "size")

    def __init__(self, start: int = START, most: int = MOST) -> None:
        self.size = min(start, most)
        self._most = most
        self._threshold = most
        self._gone_well = 0
        self._cut_at = float("-inf")

    def grow(self) -> None:
        """Hear that one went well: twice as many a round trip at first, one more when that was too many."""
        if self.size >= self._most:
            return
        self._gone_well += 1
        if self.size < self._threshold or self._gone_well >= self.size:
            self.size += 1
            self._gone_well = 0

    def cut(self, begun: float, now: float) -> None:
        """Hear that one that had `begun` then was lost; what was lost together counts once."""
        if begun >= self._cut_at:
            self._cut_at = now
            self.shrink(max(FEWEST, self.size // 2))

    def shrink(self, size: int) -> None:
        """Hear that more than `size` is too many."""
        self.size = self._threshold = max(1, min(self.size, size))
        self._gone_well = 0
