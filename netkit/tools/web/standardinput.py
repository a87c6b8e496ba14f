"""A file of a form that is read from a pipe, as the standard input is.

Rule: its beginning is held, up to a limit, so that a short one has a length and can be sent again; a
longer one is sent as it comes, once.
"""

import os
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.http.messages import PIECE_BYTES, Pieces, Stream
from netkit.tools.outcome import TroubleError
from netkit.tools.web.formdata import Content, Held

HELD_BYTES = 8 * 1024 * 1024


async def pieces(descriptor: int, reactor: IReactorFDSet) -> AsyncGenerator[bytes]:
    """Yield what can be read from `descriptor` as it comes, to its end; OSError as it is read."""
    while True:
        await _readable(descriptor, reactor)
        piece = os.read(descriptor, PIECE_BYTES)
        if not piece:
            return
        yield piece


async def content(source: AsyncIterator[bytes], held_bytes: int = HELD_BYTES) -> Content:
    """Return what `source` yields: once it has ended, or once there is more than can be held."""
    held = bytearray()
    async for piece in source:
        held += piece
        if len(held) > held_bytes:
            return _Once(bytes(held), source)
    return Held(bytes(held))


class _Once:
    """A content of unknown length that can be had once: what is held, and the rest."""

    length = None

    def __init__(self, held: bytes, rest: AsyncIterator[bytes]) -> None:
        self._held = held
        self._rest: AsyncIterator[bytes] | None = rest

    def open(self) -> Stream:
        """See Content."""
        rest, self._rest = self._rest, None
        if rest is None:
            raise TroubleError("the standard input is too long to be sent once more; name a file")
        held, self._held = self._held, b""
        return Pieces(_both(held, rest))


async def _both(held: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield held
    async for piece in rest:
        yield piece


def _readable(descriptor: int, reactor: IReactorFDSet) -> Deferred[None]:
    """Return what fires when a read will not wait; whoever cancels waits no longer."""
    waiting = _Waiting(descriptor, reactor)
    reactor.addReader(waiting)
    return waiting.ended


@implementer(IReadDescriptor)
class _Waiting:
    """Waits for one moment at which there is something to read."""

    def __init__(self, descriptor: int, reactor: IReactorFDSet) -> None:
        self.ended: Deferred[None] = Deferred(lambda _: reactor.removeReader(self))
        self._descriptor = descriptor
        self._reactor = reactor

    def fileno(self) -> int:
        """See IFileDescriptor."""
        return self._descriptor

    def logPrefix(self) -> str:
        """See ILoggingContext."""
        return "standard input"

    def doRead(self) -> None:
        """See IReadDescriptor."""
        self._end()

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002 (the read says what happened)
        """See IFileDescriptor."""
        self._end()

    def _end(self) -> None:
        waiter: Any = self
        self._reactor.removeReader(waiter)
        if not self.ended.called:
            self.ended.callback(None)
