"""The chunked transfer coding, both ways (RFC 9112 7.1). Pure.

llhttp reads it too, but does not tell its caller where the body ended, which decides where the next
message begins. Rule: a chunk's size is hexadecimal digits and nothing else, lines end in CR LF, and
what is no data has a limit of its own; extensions and trailers are checked and dropped.
"""

import re

OVERHEAD_BYTES = 16 * 1024
"""How much of extensions and trailers one body may have."""

LAST = b"0\r\n\r\n"

_LINE_BYTES = 4 * 1024
_SIZE = re.compile(rb"([0-9A-Fa-f]{1,16})(?:;[\t\x20-\x7e\x80-\xff]*)?")
_TRAILER = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+:[\t\x20-\x7e\x80-\xff]*")
_SIZE_BYTES = 16


class ChunkedError(ValueError):
    """The bytes are no chunked body."""


def chunk(data: bytes) -> bytes:
    """Return `data`, of which there is some, as one chunk."""
    return b"%x\r\n%b\r\n" % (len(data), data)


class ChunkedReader:
    """Reads one body. `finished` says whether it has ended, `rest` then has what came behind it."""

    __slots__ = ("_buffer", "_left", "_overhead", "_trailers", "finished", "rest")

    def __init__(self) -> None:
        self.finished = False
        self.rest = b""
        self._buffer = b""
        self._left = 0  # of the chunk's data and the CR LF behind it
        self._overhead = 0
        self._trailers = False

    def feed(self, data: bytes) -> list[bytes]:
        """Return what of the body comes with `data`, in one piece at most; raise ChunkedError.

        Else a body in tiny chunks would cost whoever passes it on a step for each of its bytes.
        """
        pieces: list[bytes] = []
        data, self._buffer = self._buffer + data, b""
        at = 0
        while not self.finished:
            if self._left:
                at = self._data(data, at, pieces)
                if self._left:
                    break
            end = data.find(b"\n", at)
            if end < 0:
                break
            self._line(data[at : end + 1])
            at = end + 1
        self._keep(data[at:])
        return [b"".join(pieces)] if len(pieces) > 1 else pieces

    def _data(self, data: bytes, at: int, pieces: list[bytes]) -> int:
        """Take the data of a chunk from `data`, and the CR LF behind it; return where it ends."""
        if self._left > 2:  # noqa: PLR2004 (CR LF)
            piece = data[at : at + self._left - 2]
            if piece:
                pieces.append(piece)
            at += len(piece)
            self._left -= len(piece)
        if self._left <= 2:  # noqa: PLR2004 (as above)
            ending = data[at : at + self._left]
            if ending != b"\r\n"[2 - self._left :][: len(ending)]:
                raise ChunkedError("a chunk is longer than it says")
            self._left -= len(ending)
            at += len(ending)
        return at

    def _line(self, line: bytes) -> None:
        """Take a line that is no data: a size, a trailer, or the empty one at the end."""
        if not line.endswith(b"\r\n") or len(line) > _LINE_BYTES:
            raise ChunkedError("a line does not end where it should")
        if not self._trailers:
            self._size(line[:-2])
        elif line == b"\r\n":
            self.finished = True
        elif _TRAILER.fullmatch(line[:-2]):
            self._count(len(line))
        else:
            raise ChunkedError("a trailer is no field")

    def _size(self, line: bytes) -> None:
        match = _SIZE.fullmatch(line)
        if match is None:
            raise ChunkedError("a chunk's size is no hexadecimal number")
        self._count(len(line) - len(match[1]))
        size = int(match[1], 16)
        self._trailers = not size
        self._left = size + 2 if size else 0

    def _count(self, overhead: int) -> None:
        self._overhead += overhead
        if self._overhead > OVERHEAD_BYTES:
            raise ChunkedError("there is more beside the body than is read")

    def _keep(self, rest: bytes) -> None:
        if self.finished:
            self.rest = rest
        elif len(rest) > _LINE_BYTES:
            raise ChunkedError("a line does not end")
        elif rest and not self._trailers and not re.match(rb"[0-9A-Fa-f]{1,16}(?:[;\r]|$)", rest):
            raise ChunkedError("a chunk's size is no hexadecimal number")
        else:
            self._buffer = rest
