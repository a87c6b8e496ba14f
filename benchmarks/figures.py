"""What one run gave, and the figures made of it: medians, ratios and how they are written.

Pure: numbers in, numbers and texts out.
"""

from collections.abc import Callable, Sequence
from statistics import median

from attrs import frozen

FULL = 0.9  # of a core; a server that used less could have done more

_PREFIXES = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


@frozen(kw_only=True)
class Counted:
    """What a load program counted in `seconds`; `memory` is in bytes a connection."""

    seconds: float
    count: int = 0
    bytes: int = 0
    errors: int = 0
    memory: float = 0


@frozen
class Run:
    """One run: the counts, and the seconds of processor the server used for them in `elapsed`."""

    counted: Counted
    processor: float
    elapsed: float

    @property
    def share(self) -> float:
        """How much of its core the server used, 1 being all of it."""
        return self.processor / self.elapsed


@frozen
class Figure:
    """A number made of a run, in `unit`; `limited` where a busier server would have shown more."""

    of: Callable[[Run], float]
    unit: str
    limited: bool = True


def _per_second(run: Run) -> float:
    return run.counted.count / run.counted.seconds


def _bytes_per_second(run: Run) -> float:
    return run.counted.bytes / run.counted.seconds


def _processor_per_gigabyte(run: Run) -> float:
    return run.processor / (run.counted.bytes / 1e9) if run.counted.bytes else 0.0


def _memory(run: Run) -> float:
    return run.counted.memory


PER_SECOND = Figure(_per_second, "/s")
BYTES_PER_SECOND = Figure(_bytes_per_second, "B/s")
PROCESSOR = Figure(_processor_per_gigabyte, "s/GB", limited=False)
MEMORY = Figure(_memory, "B", limited=False)


def middle(figure: Figure, runs: Sequence[Run]) -> float:
    """Return the median of the figure over `runs`, of which there must be one."""
    return median(figure.of(run) for run in runs)


def ratios(figure: Figure, ours: Sequence[Run], theirs: Sequence[Run]) -> list[float]:
    """Return ours ÷ theirs, round by round, in rising order; a round in which theirs is 0 has none."""
    pairs = [(figure.of(our), figure.of(their)) for our, their in zip(ours, theirs, strict=True)]
    return sorted(our / their for our, their in pairs if their)


def shown(value: float, unit: str) -> str:
    """Return `value` with three digits and a prefix: `166 k/s`, `4.1 GB/s`, `0.78 s/GB`."""
    for factor, prefix in _PREFIXES:
        if value >= factor * 0.9995:
            return f"{value / factor:.3g} {prefix}{unit}"
    return f"{value:.2g} {unit}"
