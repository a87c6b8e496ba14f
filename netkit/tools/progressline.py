"""The line that a terminal shows of how far something is. See `progress`."""

from collections.abc import Iterator
from contextlib import contextmanager

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
from rich.table import Column

from netkit.document.values import printable


class Line:
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


@contextmanager
def drawn(*, of_bytes: bool) -> Iterator[Line]:
    """Have a line on the standard error, of bytes or of whatever else is counted."""
    console = Console(stderr=True)
    columns = _columns(console.width // _SHARE, of_bytes=of_bytes)
    # The standard output may be a pipe, which is to get all that is written to it.
    with Progress(*columns, console=console, auto_refresh=False, redirect_stdout=False) as progress:
        yield Line(progress)


_SHARE = 3
"""What is being done takes no more than one part in so many of the line."""


def _columns(width: int, *, of_bytes: bool) -> Iterator[ProgressColumn]:
    """Yield what the line shows, none of which goes on in a second one."""
    name = Column(max_width=width, no_wrap=True, overflow="ellipsis")
    yield TextColumn("{task.description}", markup=False, table_column=name)
    yield BarColumn(bar_width=None, table_column=Column(ratio=1))
    if of_bytes:
        yield TaskProgressColumn(table_column=_unwrapped())
        yield DownloadColumn(binary_units=True, table_column=_unwrapped())
        yield TransferSpeedColumn(table_column=_unwrapped())
    else:
        yield MofNCompleteColumn(table_column=_unwrapped())
    yield TimeRemainingColumn(compact=True, table_column=_unwrapped())


def _unwrapped() -> Column:
    return Column(no_wrap=True)
