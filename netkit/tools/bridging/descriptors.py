"""The standard input and output as the reactor can use them, and as they were found afterwards.

A flag such as O_NONBLOCK belongs to whatever else holds the same terminal or pipe, the shell above
all: one that is left set breaks it. Rule: no flag of a descriptor is ever changed. A pipe or a
terminal is opened anew, which gives flags of its own; a socket is asked call by call; what cannot be
opened anew is asked only for what it does not block for.
"""

import os
import socket
import stat
from collections.abc import Callable
from contextlib import suppress
from enum import Enum
from select import PIPE_BUF
from typing import TypeAlias

from attrs import field, frozen

STDIN, STDOUT, STDERR = 0, 1, 2

_ANY = 1 << 30  # bytes
_PTMX = os.makedev(5, 2)  # opened anew it is another terminal


class Sort(Enum):
    """What is behind a descriptor, as far as its end and its patience go."""

    TERMINAL = "terminal"
    FILE = "file"
    STREAM = "stream"


Read: TypeAlias = Callable[[int], bytes]
Write: TypeAlias = Callable[["bytes | memoryview[int]"], int]


@frozen
class Source:
    """What can be read: `read` returns so many bytes at most, b"" at the end, and raises OSError.

    It raises BlockingIOError where it would have to wait; `fileno` is what a poll looks at.
    """

    fileno: int
    sort: Sort
    read: Read = field(repr=False)
    close: Callable[[], None] = field(repr=False)


@frozen
class Sink:
    """What can be written: `write` returns how many bytes it took, and raises OSError.

    Where `waits` is false it raises BlockingIOError rather than wait. Where it is true it has to be
    given at most `at_once` bytes, right after a poll of `fileno` has said that it takes some.
    """

    fileno: int
    waits: bool
    at_once: int
    write: Write = field(repr=False)
    close: Callable[[], None] = field(repr=False)


def source(fileno: int = STDIN) -> Source:
    """Return the descriptor as something to read."""
    mode = os.fstat(fileno).st_mode
    if stat.S_ISSOCK(mode):
        duplicate = socket.socket(fileno=os.dup(fileno))
        return Source(
            duplicate.fileno(),
            Sort.STREAM,
            lambda size: duplicate.recv(size, socket.MSG_DONTWAIT),
            duplicate.close,
        )
    own = opened_anew(fileno, os.O_RDONLY)
    used = fileno if own is None else own
    return Source(used, _sort(fileno), lambda size: os.read(used, size), _closing(own))


def sink(fileno: int = STDOUT) -> Sink:
    """Return the descriptor as something to write."""
    mode = os.fstat(fileno).st_mode
    if stat.S_ISSOCK(mode):
        duplicate = socket.socket(fileno=os.dup(fileno))
        return Sink(
            duplicate.fileno(),
            waits=False,
            at_once=_ANY,
            write=lambda data: duplicate.send(data, socket.MSG_DONTWAIT),
            close=duplicate.close,
        )
    may_wait = stat.S_ISFIFO(mode) or os.isatty(fileno)
    own = opened_anew(fileno, os.O_WRONLY)
    used = fileno if own is None else own
    waits = may_wait and own is None
    at_once = PIPE_BUF if waits else _ANY
    return Sink(used, waits, at_once, lambda data: os.write(used, data), _closing(own))


def hold_places() -> None:
    """Have something behind each of the three descriptors that somebody has closed.

    Else the next file or socket to be opened would be taken for the standard input or output. The
    input is at its end then, and who writes to the others is told that they are not for writing.
    """
    for fileno in (STDIN, STDOUT, STDERR):
        try:
            os.fstat(fileno)
        except OSError:
            os.open(os.devnull, os.O_RDONLY)


def _sort(fileno: int) -> Sort:
    if os.isatty(fileno):
        return Sort.TERMINAL
    return Sort.FILE if stat.S_ISREG(os.fstat(fileno).st_mode) else Sort.STREAM


def opened_anew(fileno: int, access: int) -> int | None:
    """Return a descriptor with flags of its own for the pipe or terminal at `fileno`, or None."""
    state = os.fstat(fileno)
    if not stat.S_ISFIFO(state.st_mode) and (not os.isatty(fileno) or state.st_rdev == _PTMX):
        return None
    with suppress(OSError):  # as without /proc, or where it is somebody else's
        flags = access | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        return os.open(f"/proc/self/fd/{fileno}", flags)
    return None


def _closing(own: int | None) -> Callable[[], None]:
    return (lambda: None) if own is None else (lambda: os.close(own))
