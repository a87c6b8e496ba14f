"""Pipes on loan, through which bytes go from socket to socket inside the kernel.

Rule: no more pipes are open than the limit says, and none that nobody needs.
"""

import fcntl
import os

from attrs import frozen

PIPE_BYTES = 256 * 1024
_SPARE = 16  # pipes


@frozen
class Pipe:
    """A pipe by its two descriptors."""

    reader: int
    writer: int

    def close(self) -> None:
        """Close both."""
        os.close(self.reader)
        os.close(self.writer)


class Pipes:
    """Empty pipes on loan: at most `limit` are open, and a few are kept when they come back.

    A flow has one for the length of a read, and longer only while its target is full; so a few
    serve any number of flows. Who gets none copies.
    """

    def __init__(self, limit: int) -> None:
        self.open = 0
        self._limit = limit
        self._spare: list[Pipe] = []

    def take(self) -> Pipe | None:
        """Return an empty pipe, or None where none can be had."""
        if self._spare:
            return self._spare.pop()
        if self.open >= self._limit:
            return None
        try:
            pipe = Pipe(*os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC))
        except OSError:
            return None
        self.open += 1
        _widen(pipe)
        return pipe

    def give_back(self, pipe: Pipe) -> None:
        """Take back `pipe`, which is empty."""
        if len(self._spare) < _SPARE:
            self._spare.append(pipe)
        else:
            self.discard(pipe)

    def discard(self, pipe: Pipe) -> None:
        """Close `pipe`, which may hold bytes."""
        self.open -= 1
        pipe.close()

    def clear(self) -> None:
        """Close the pipes that are not on loan."""
        while self._spare:
            self.discard(self._spare.pop())

    def give_up(self) -> None:
        """Lend no more: this system does not splice."""
        self._limit = 0
        self.clear()


def _widen(pipe: Pipe) -> None:
    """Make room for a whole read; an unprivileged user has an allowance, and less room will do."""
    try:
        fcntl.fcntl(pipe.writer, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    except OSError:
        return
