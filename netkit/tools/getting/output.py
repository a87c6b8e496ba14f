"""The standard output, written no faster than it is read.

Rule: nobody who reads slowly keeps the command from being interrupted, and whoever shares the terminal
or the pipe finds it as it was.
"""

import fcntl
import os
from contextlib import suppress
from errno import EPIPE
from stat import S_ISFIFO, S_ISREG
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.tools.bridging.descriptors import opened_anew

PIPE_BYTES = 1024 * 1024
"""What a pipe shall hold, if the system lets it."""


@implementer(IWriteDescriptor)
class Output:
    """Writes to `descriptor`, which stays open. `size` counts the bytes."""

    def __init__(self, reactor: Any, descriptor: int) -> None:  # noqa: ANN401 (a reactor)
        self.size = 0
        self._reactor = reactor
        self._mode = os.fstat(descriptor).st_mode
        self._given = descriptor
        self._descriptor = _unblocked(descriptor, self._mode)
        self._room: Deferred[None] | None = None

    @property
    def is_file(self) -> bool:
        """Whether it is a file."""
        return S_ISREG(self._mode)

    @property
    def is_terminal(self) -> bool:
        """Whether it is a terminal."""
        return os.isatty(self._given)

    async def write(self, piece: bytes) -> None:
        """Write all of `piece`; raise BrokenPipeError where nobody reads."""
        rest = memoryview(piece)
        while rest:
            try:
                rest = rest[os.write(self._descriptor, rest) :]
            except BlockingIOError:
                await self._writable()
        self.size += len(piece)

    def close(self) -> None:
        """Leave off."""
        self._reactor.removeWriter(self)
        if self._descriptor not in {self._given, -1}:
            os.close(self._descriptor)
        self._descriptor = -1

    def _writable(self) -> "Deferred[None]":
        self._room = room = Deferred[None](self._cancelled)
        self._reactor.addWriter(self)
        return room

    def _cancelled(self, _: object) -> None:
        self._forget()

    def _forget(self) -> "Deferred[None] | None":
        self._reactor.removeWriter(self)
        room, self._room = self._room, None
        return room

    # What the reactor says.

    def fileno(self) -> int:
        """See IWriteDescriptor."""
        return self._descriptor

    def logPrefix(self) -> str:
        """See ILoggingContext."""
        return "output"

    def doWrite(self) -> None:
        """There is room."""
        room = self._forget()
        if room is not None:
            room.callback(None)

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002 (one is like the other)
        """Nobody reads any more."""
        room = self._forget()
        if room is not None:
            room.errback(BrokenPipeError(EPIPE, os.strerror(EPIPE)))


def _unblocked(descriptor: int, mode: int) -> int:
    """Return a descriptor of the same pipe or terminal that never blocks, or `descriptor` itself.

    It is opened anew, since the flag is shared with everybody who has the old one, as a shell.
    """
    if S_ISFIFO(mode):
        with suppress(OSError):
            fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
    own = opened_anew(descriptor, os.O_WRONLY)
    return descriptor if own is None else own
