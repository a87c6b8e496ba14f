"""What a descriptor has to read, a piece at a time.

Rule: nothing is read that nobody has asked for, and while nothing is there everything else goes on.
"""

import os
from collections.abc import AsyncGenerator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.http.messages import PIECE_BYTES


async def pieces(descriptor: int, reactor: IReactorFDSet) -> AsyncGenerator[bytes]:
    """Yield what can be read from `descriptor` as it comes, to its end; OSError as it is read."""
    while True:
        await _readable(descriptor, reactor)
        piece = os.read(descriptor, PIECE_BYTES)
        if not piece:
            return
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
