"""The input and the output of a bridge on a reactor.

Rule: nothing is read that nobody has room for, and what the output does not take keeps whoever
produces it waiting; so neither holds more than what is read at once.
"""

import os
from collections.abc import Callable
from errno import EPIPE

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IConsumer,
    IProducer,
    IPushProducer,
    IReactorFDSet,
    IReadDescriptor,
    IWriteDescriptor,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.tools.bridging.descriptors import Sink, Sort, Source

PIECE = 128 * 1024
"""So many bytes are read at once."""


@implementer(IReadDescriptor, IPushProducer)
class Input:
    """Reads `source` while somebody listens to it; to begin with, nobody does."""

    def __init__(self, reactor: IReactorFDSet, source: Source) -> None:
        self.sort = source.sort
        self.ended = False
        self._reactor = reactor
        self._source = source
        self._hear: Callable[[bytes], object] = lambda _: None
        self._end: Callable[[], object] = lambda: None
        self._fail: Callable[[OSError], object] = lambda _: None

    def listen(
        self,
        hear: Callable[[bytes], object],
        end: Callable[[], object],
        fail: Callable[[OSError], object],
    ) -> None:
        """Say to whom to give what is read, and whom to tell of the end or of what went wrong."""
        self._hear, self._end, self._fail = hear, end, fail

    def resumeProducing(self) -> None:
        """Read; at the end, do nothing."""
        if not self.ended:
            self._reactor.addReader(self)

    def pauseProducing(self) -> None:
        """Read no more for now."""
        self._reactor.removeReader(self)

    stopProducing = pauseProducing

    def close(self) -> None:
        """Read no more at all."""
        self.ended = True
        self._reactor.removeReader(self)
        self._source.close()

    def fileno(self) -> int:
        """Return what a poll looks at."""
        return self._source.fileno

    def logPrefix(self) -> str:
        """Return the name of this in a log."""
        return "input"

    def doRead(self) -> None:
        """Give on what is there."""
        try:
            data = self._source.read(PIECE)
        except BlockingIOError:
            return
        except OSError as error:
            self._over(error)
        else:
            if data:
                self._hear(data)
            else:
                self._over()

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002 (a poll knows no more)
        """Take it that whoever wrote has gone, and that nothing is left to read."""
        self._over()

    def _over(self, error: OSError | None = None) -> None:
        if self.ended:
            return
        self.ended = True
        self._reactor.removeReader(self)
        if error is None or self.sort is Sort.TERMINAL:  # one that was hung up has an error
            self._end()
        else:
            error.filename = "standard input"
            self._fail(error)


@implementer(IConsumer, IWriteDescriptor)
class Output:
    """Writes to `sink`, at once where that may be; a producer is paused while anything waits."""

    def __init__(self, reactor: IReactorFDSet, sink: Sink) -> None:
        self.error: OSError | None = None
        self._reactor = reactor
        self._sink = sink
        self._rest = memoryview(b"")
        self._producer: IPushProducer | None = None
        self._fail: Callable[[OSError], object] = lambda _: None
        self._drained: Deferred[None] | None = None

    def tell(self, fail: Callable[[OSError], object]) -> None:
        """Say whom to tell, once, that nothing can be written any more."""
        self._fail = fail

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:  # noqa: ARG002, FBT001
        """Pause `producer`, which pushes, while what it has written waits."""
        self._producer = IPushProducer(producer)
        if self._rest:
            self._producer.pauseProducing()

    def unregisterProducer(self) -> None:
        """Pause nobody."""
        self._producer = None

    def write(self, data: bytes) -> None:
        """Write all of `data`, in time; drop it where nothing can be written any more."""
        if self.error is not None or not data:
            return
        if self._rest:
            self._rest = memoryview(b"".join((self._rest, data)))
            return
        self._rest = memoryview(data)
        if not self._sink.waits:
            self._send()
        if self._rest and self.error is None:
            self._reactor.addWriter(self)
            if self._producer is not None:
                self._producer.pauseProducing()

    async def drained(self) -> None:
        """Wait until all is written; raise OSError where that cannot be."""
        if self._rest and self.error is None:
            self._drained = Deferred()
            await self._drained
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        """Write no more."""
        self._reactor.removeWriter(self)
        self._rest = memoryview(b"")
        self._sink.close()

    def fileno(self) -> int:
        """Return what a poll looks at."""
        return self._sink.fileno

    def logPrefix(self) -> str:
        """Return the name of this in a log."""
        return "output"

    def doWrite(self) -> None:
        """Write what waits, as far as it goes."""
        self._send()
        if self._rest and self.error is None:
            return
        self._reactor.removeWriter(self)
        if self._producer is not None and self.error is None:
            self._producer.resumeProducing()
        self._settle()

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002 (a poll knows no more)
        """Find out what is the matter: nobody reads any more, as a rule."""
        self._send()
        if self.error is None:
            self._break(BrokenPipeError(EPIPE, os.strerror(EPIPE)))
        self._settle()

    def _send(self) -> None:
        """Write until the sink wants no more, or a poll is needed again."""
        try:
            while self._rest:
                taken = self._sink.write(self._rest[: self._sink.at_once])
                self._rest = self._rest[taken:]
                if self._sink.waits:
                    return
        except BlockingIOError:
            return
        except OSError as error:
            self._break(error)

    def _break(self, error: OSError) -> None:
        error.filename = "standard output"
        self.error = error
        self._rest = memoryview(b"")
        self._reactor.removeWriter(self)
        self._fail(error)

    def _settle(self) -> None:
        drained, self._drained = self._drained, None
        if drained is not None:
            drained.callback(None)
