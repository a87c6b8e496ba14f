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

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall

from netkit.document.values import printable

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


class _Line:
    """Shows it on one line of a terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("", total=None, start=False)
        self._done = 0

    def begin(self, what: str, total: int | None = None, done: int = 0) -> None:
        """See Meter."""
        self._done = done
        self._progress.reset(
            self._task, description=printable(what), total=total, completed=done, start=True
        )

    def advance(self, amount: int) -> None:
        """See Meter."""
        self._done += amount

    def show(self) -> None:
        """Draw it anew."""
        self._progress.update(self._task, completed=self._done, refresh=True)


def is_shown() -> bool:
    """Return whether the standard error is a terminal that can draw a line anew."""
    return sys.stderr.isatty() and os.environ.get("TERM", "dumb") != "dumb"


@contextmanager
def meter(unit: Unit, clock: IReactorTime, *, shown: bool | None = None) -> Iterator[Meter]:
    """Have what is counted in `unit` shown while the work goes on, by default if that is of use."""
    if not (is_shown() if shown is None else shown):
        yield Silent()
        return
    columns = _COLUMNS[unit]
    with Progress(
        *columns,
        console=Console(stderr=True),
        auto_refresh=False,
        redirect_stdout=False,  # what is data stays on its way
        redirect_stderr=False,
    ) as progress:
        line = _Line(progress)
        drawing = LoopingCall(line.show)
        drawing.clock = clock
        drawing.start(_REFRESH, now=False)
        try:
            yield line
        finally:
            drawing.stop()
            line.show()


_COLUMNS: dict[Unit, tuple[ProgressColumn, ...]] = {
    Unit.BYTES: (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        TaskProgressColumn(),
        DownloadColumn(binary_units=True),
        TransferSpeedColumn(),
        TimeRemainingColumn(compact=True),
    ),
    Unit.PIECES: (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        MofNCompleteColumn(),
        TimeRemainingColumn(compact=True),
    ),
}
