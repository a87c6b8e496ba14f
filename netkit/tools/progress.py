"""How far something is, shown to a person: one line on a terminal, and nothing anywhere else.

Rule: it goes to the standard error, so that the standard output has nothing but data, and it costs
whoever does the work an addition: what is shown is worked out a few times a second.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from typing import Protocol

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

_REFRESH = 0.2  # seconds


class Unit(Enum):
    """What is counted."""

    BYTES = "bytes"
    PIECES = "pieces"
    """Ports, pages, files."""


class Meter(Protocol):
    """Is told how far something is."""

    def begin(self, what: str, total: int | None = None, done: int = 0) -> None:
        """Hear what is being done, how much there is if that is known, and how much is done."""

    def advance(self, amount: int) -> None:
        """Hear that so much more is done."""


class Silent:
    """Shows nothing."""

    def begin(self, what: str, total: int | None = None, done: int = 0) -> None:
        """See Meter."""

    def advance(self, amount: int) -> None:
        """See Meter."""


def is_shown() -> bool:
    """Return whether the standard error is a terminal that can draw a line anew."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


@contextmanager
def meter(unit: Unit, clock: IReactorTime, *, shown: bool | None = None) -> Iterator[Meter]:
    """Have what is counted in `unit` shown while the work goes on, by default if that is of use."""
    if not (is_shown() if shown is None else shown):
        yield Silent()
        return
    from netkit.tools.progressline import drawn  # noqa: PLC0415 (not for nothing: it takes a while)

    with drawn(of_bytes=unit is Unit.BYTES) as line:
        drawing = LoopingCall(line.show)
        drawing.clock = clock
        drawing.start(_REFRESH, now=False)
        try:
            yield line
        finally:
            drawing.stop()
            line.show()
