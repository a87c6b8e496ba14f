"""Lines out of a stream of bytes, for every protocol of lines.

Lines end in CRLF or in LF and are no longer than a limit. Rule: any split of the same bytes gives
the same lines. The work is done a read at a time by the methods of bytes, never byte by byte.
"""

from itertools import takewhile

from attrs import define, field


@define
class LineSplitter:
    """The lines of one stream, each of at most `limit` bytes without its end.

    `too_long` becomes true at a line that is longer, whether its end has come or not; no line is
    given out after that. What has no end yet is kept, so at most `limit` + 1 bytes are.
    """

    limit: int
    too_long: bool = field(default=False, init=False)
    _rest: bytearray = field(factory=bytearray, init=False)

    def feed(self, data: bytes) -> tuple[bytes, ...]:
        """Return the lines that `data`, the next bytes of the stream, ends; without their ends."""
        if self.too_long:
            return ()
        end = data.rfind(b"\n") + 1
        lines = self._lines(data[:end]) if end else ()
        if end < len(data) and not self.too_long:
            self._keep(data[end:])
        return lines

    def _lines(self, block: bytes) -> tuple[bytes, ...]:
        if self._rest:
            block = b"".join((self._rest, block))
            self._rest = bytearray()
        lines = block.replace(b"\r\n", b"\n").split(b"\n")
        lines.pop()  # what follows the last newline: nothing
        if len(block) > self.limit and max(map(len, lines)) > self.limit:
            self.too_long = True
            return tuple(takewhile(lambda line: len(line) <= self.limit, lines))
        return tuple(lines)

    def _keep(self, data: bytes) -> None:
        self._rest += data
        # A CR at the end may be half of the line's end, which does not count.
        if len(self._rest) - self._rest.endswith(b"\r") > self.limit:
            self.too_long = True
            self._rest = bytearray()
