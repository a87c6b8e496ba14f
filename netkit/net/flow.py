"""One direction of a tunnel: what one connection receives, another sends.

`Flow` is what a tunnel asks of a direction; `CopiedFlow` is the one that goes over connections of
every sort, by their own writing and pausing. Rule: while the target is full the source is not read.
"""

from collections.abc import Callable
from typing import Protocol as Structure

from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from netkit.net.progress import acknowledged, progress
from netkit.net.stream import IStream


class Flow(Structure):
    """One direction. `received` counts the bytes that came from the source and were not dropped."""

    received: int

    @property
    def waiting(self) -> int:
        """How many bytes the target's kernel has not taken."""

    @property
    def acknowledged(self) -> int:
        """A number that grows as the target's peer takes bytes; it costs system calls."""

    def start(self) -> None:
        """Begin to read the source."""

    def pass_on(self, data: bytes) -> None:
        """Send `data`, which the source has received."""

    def end(self) -> None:
        """Read no more: the source has said its last; call `ended` once all of it is passed on."""

    def stop(self) -> None:
        """Drop what waits: the target is lost, or the source was reset; this may come again."""


def half_close(target: IStream) -> None:
    """Tell the peer of `target` that nothing more comes, and go on reading.

    Twisted's TLS has no half-close. Its loseConnection says the same, with a close_notify, and what
    the peer still sends comes in until that one closes too.
    """
    if isinstance(target, TLSMemoryBIOProtocol):
        target.loseConnection()
    else:
        target.loseWriteConnection()


@implementer(IPushProducer)
class CopiedFlow:
    """A flow from whatever can be paused to whatever pauses: each piece is written as it comes."""

    __slots__ = (
        "_ended",
        "_over",
        "_paused",
        "_queue",
        "_source",
        "_stopped",
        "_target",
        "received",
    )

    def __init__(self, source: IPushProducer, target: IConsumer, ended: Callable[[], None]) -> None:
        self.received = 0
        self._source = source
        self._target = target
        self._queue = progress(target)
        self._ended = ended
        self._paused = False
        self._over = False
        self._stopped = False

    @property
    def waiting(self) -> int:
        """See Flow."""
        return 0 if self._stopped else self._queue.unsent

    @property
    def acknowledged(self) -> int:
        """See Flow."""
        return acknowledged(self._target)

    def start(self) -> None:
        """See Flow."""
        self._target.registerProducer(self, True)  # noqa: FBT003
        self._source.resumeProducing()

    def pass_on(self, data: bytes) -> None:
        """See Flow."""
        if not self._over:
            self.received += len(data)
            self._target.write(data)

    def end(self) -> None:
        """See Flow; the target closes when all is sent, so there is nothing to wait for."""
        if not self._over:
            self._release()
            self._ended()

    def stop(self) -> None:
        """See Flow."""
        self.received -= self.waiting
        self._stopped = True
        if not self._over:
            self._release()
            if self._paused:
                self._source.resumeProducing()  # so that TLS can hear its peer's close_notify

    def _release(self) -> None:
        self._over = True
        self._target.unregisterProducer()

    def pauseProducing(self) -> None:
        """Read no more: the target is full."""
        self._paused = True
        self._source.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again: the target has taken what it had."""
        self._paused = False
        self._source.resumeProducing()

    def stopProducing(self) -> None:
        """Do nothing: the target is lost, which the tunnel hears by itself."""
