"""What the process itself costs: memory, and its share of the processors."""

import os
import time
from collections.abc import Callable
from pathlib import Path

_STATM = Path("/proc/self/statm")
_STEP = 1.0  # seconds


def cores() -> int:
    """Return how many processors the process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory(statm: Path = _STATM) -> int | None:
    """Return the bytes that the process has in memory (its resident set), where the system tells."""
    try:
        pages = int(statm.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return None
    return pages * os.sysconf("SC_PAGE_SIZE")


class Load:
    """The share of a processor that the process has had; `clock` and `used` are in seconds.

    100 is all of one processor.
    """

    def __init__(
        self, clock: Callable[[], float], used: Callable[[], float] = time.process_time
    ) -> None:
        self._clock = clock
        self._used = used
        self._at, self._before = clock(), used()
        self._percent: float | None = None

    def percent(self) -> float | None:
        """Return it between the last two questions that were a second apart, at least; None: not yet."""
        now, used = self._clock(), self._used()
        if now - self._at >= _STEP:
            self._percent = round(100 * (used - self._before) / (now - self._at), 1)
            self._at, self._before = now, used
        return self._percent
