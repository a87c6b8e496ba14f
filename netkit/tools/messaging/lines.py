"""The lines of an input, as they come. Pure.

Rule: a line is no longer than a message may be.
"""

from collections.abc import AsyncIterable, AsyncIterator

from netkit.net.lines import LineSplitter
from netkit.tools.outcome import TroubleError


async def lines(source: AsyncIterable[bytes], longest: int) -> AsyncIterator[bytes]:
    """Yield the lines in the pieces of `source` without their ends; the last one needs none.

    TroubleError: one has more than `longest` bytes.
    """
    splitter = LineSplitter(longest)
    ended = True
    async for data in source:
        for line in splitter.feed(data):
            yield line
        _check(splitter)
        ended = data.endswith(b"\n")
    for line in () if ended else splitter.feed(b"\n"):
        yield line


def _check(splitter: LineSplitter) -> None:
    if splitter.too_long:
        raise TroubleError(f"a line is longer than {splitter.limit} bytes")
