"""The lines of an input, as they come.

Rule: while nobody asks for a line nothing is read, and a line is no longer than a message may be.
"""

from collections.abc import AsyncIterator

from twisted.internet.defer import Deferred

from netkit.net.lines import LineSplitter
from netkit.tools.bridging.standard import Input
from netkit.tools.outcome import TroubleError


class Lines:
    """The lines of `source`, without their ends; each has `longest` bytes at most."""

    def __init__(self, source: Input, longest: int) -> None:
        self._source = source
        self._longest = longest
        self._splitter = LineSplitter(longest)
        self._heard: Deferred[bytes] | None = None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield them; the last one needs no end. TroubleError: one is too long."""
        self._source.listen(self._hear, lambda: self._hear(b""), self._fail)
        ended = True
        while data := await self._read() or (b"" if ended else b"\n"):
            for line in self._splitter.feed(data):
                yield line
            if self._splitter.too_long:
                raise TroubleError(f"a line is longer than {self._longest} bytes")
            ended = data.endswith(b"\n")

    async def _read(self) -> bytes:
        if self._source.ended:
            return b""
        self._heard = Deferred()
        self._source.resumeProducing()
        return await self._heard

    def _hear(self, data: bytes) -> None:
        self._source.pauseProducing()
        heard, self._heard = self._heard, None
        if heard is not None:
            heard.callback(data)

    def _fail(self, error: OSError) -> None:
        heard, self._heard = self._heard, None
        if heard is not None:
            heard.errback(error)
