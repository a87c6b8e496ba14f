"""A file that lines are added to: gathered, written together, and never in anybody's way.

Rule: whatever becomes of the file, adding a line raises nothing and does not wait. Lines that cannot be
written are held up to HELD_BYTES; further ones are dropped and counted. The daemon's log is told
once when trouble begins, and once when it is over.

Whoever rotates the file just renames it, and need not say so: before each write the path is looked at,
and what no longer stands there is left. No line is in two files or, short of a crash, in none.
"""

import os
from contextlib import suppress
from errno import ENXIO
from pathlib import Path

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

WRITE_SECONDS = 1.0
"""No line waits longer than that to be written."""

WRITE_BYTES = 64 * 1024
"""With so many bytes more, lines are written at once."""

HELD_BYTES = 1024 * 1024
"""More than that is not held for a file that cannot be written."""

MODE = 0o640
"""Of a new file, less what the umask takes away."""

# O_NONBLOCK is for pipes, which nobody may be reading. Links are followed: the path is the operator's
# word, /dev/stdout is a link, and root has been shed by the time that a file is opened.
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY


class LogFile:
    """The file at `path`; `clock` times the writes, `log` has what is wrong with them.

    It is opened by `start`, or by the first write. Lines are ASCII and have their own end.
    """

    def __init__(self, path: Path, clock: IReactorTime, log: Logger) -> None:
        self._path = path
        self._clock = clock
        self._log = log
        self._descriptor: int | None = None
        self._place: tuple[int, int] | None = None
        self._lines: list[str] = []
        self._left = b""
        self._torn = False
        self._held = 0
        self._fresh = 0
        self._dropped = 0
        self._in_trouble = False
        self._started = True
        self._timer: IDelayedCall | None = None

    def start(self) -> None:
        """Open the file now, so that what is wrong with it is told before the first request."""
        self._started = True
        self.write()

    def stop(self) -> None:
        """Write what is there and close the file; from now on each line is written by itself."""
        self._started = False
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._finish()
        if self._dropped:
            self._log.warn(
                "{file} is closed; lines dropped: {count}",
                file=str(self._path),
                count=self._dropped,
            )
            self._dropped = 0

    def reopen(self) -> None:
        """Open the file anew, and write to that what is there."""
        self._close()
        self.write()

    def add(self, line: str) -> None:
        """Take `line`, to be written soon."""
        size = len(line)
        if self._held + size > HELD_BYTES:
            self._drop(1, "it takes nothing")
            return
        self._lines.append(line)
        self._held += size
        self._fresh += size
        if not self._started:
            self._finish()
            return
        if self._fresh >= WRITE_BYTES:
            self.write()
        if self._timer is None:
            self._timer = self._clock.callLater(WRITE_SECONDS, self._tick)

    def write(self) -> None:
        """Write what there is, or as much of it as the file takes now."""
        self._fresh = 0
        try:
            self._open()
            if self._held:
                self._put()
        except BlockingIOError:  # a pipe that is read too slowly
            return
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                self._place = None
            self._close()
            self._tell(_why(error))

    def _tick(self) -> None:
        self._timer = None
        self.write()
        if self._held:
            self._timer = self._clock.callLater(WRITE_SECONDS, self._tick)

    def _open(self) -> None:
        """Have the file open that stands at the path by now."""
        if self._descriptor is not None and not self._stands():
            self._close()
        if self._descriptor is None:
            self._descriptor = os.open(self._path, _FLAGS, MODE)
            status = os.fstat(self._descriptor)
            place, self._place = self._place, (status.st_dev, status.st_ino)
            if self._torn and place != self._place:
                self._mend()

    def _stands(self) -> bool:
        try:
            status = os.stat(self._path)  # noqa: PTH116 (cheaper, and called for every write)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._place

    def _mend(self) -> None:
        """Forget the rest of a line whose beginning stands in another file."""
        self._left = self._left.partition(b"\n")[2]
        self._held = len(self._left) + sum(map(len, self._lines))
        self._torn = False
        self._drop(1, "it was exchanged in the middle of a line")

    def _put(self) -> None:
        self._left += "".join(self._lines).encode("ascii", "backslashreplace")
        self._lines.clear()
        assert self._descriptor is not None  # noqa: S101 (for the type)
        count = os.write(self._descriptor, self._left)
        if count:
            self._torn = self._left[count - 1 : count] != b"\n"
        self._left = self._left[count:]
        self._held = len(self._left)
        if self._in_trouble and not self._held:
            self._recover()

    def _recover(self) -> None:
        self._log.info(
            "{file} is written again; lines dropped: {count}",
            file=str(self._path),
            count=self._dropped,
        )
        self._in_trouble, self._dropped = False, 0

    def _drop(self, count: int, why: str) -> None:
        self._tell(why)
        self._dropped += count

    def _tell(self, why: str) -> None:
        if self._in_trouble:
            return
        self._in_trouble = True
        self._log.warn(
            "{file} cannot be written by user {user}: {why}; lines are held, at most {held} bytes,"
            " and then dropped, until it can",
            file=str(self._path),
            user=os.geteuid(),
            why=why,
            held=HELD_BYTES,
        )

    def _finish(self) -> None:
        """Write what there is and close the file; what it does not take is dropped."""
        self.write()
        if self._held:
            count = self._left.count(b"\n") + len(self._lines)
            self._lines.clear()
            self._left, self._held, self._torn = b"", 0, False
            self._drop(count, "it takes nothing")
        self._close()

    def _close(self) -> None:
        if self._descriptor is not None:
            descriptor, self._descriptor = self._descriptor, None
            with suppress(OSError):  # the last chance of a file system to say that it is full
                os.close(descriptor)


def _why(error: OSError) -> str:
    if error.errno == ENXIO:
        return "nobody reads the pipe"
    return (error.strerror or str(error)).lower()
