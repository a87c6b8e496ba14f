"""The body of an answer on its way to whoever asked.

Rule: no more than one read is ahead of whoever wants it; a body that is cut short or malformed never
ends as a whole one does.
"""

from typing import Protocol

from netkit.http import coming
from netkit.http.chunked import ChunkedReader
from netkit.http.messages import CHUNKED, BodyCutError, ResponseHead


class Source(coming.Source, Protocol):
    """What a body comes from."""

    def let_go(self) -> None:
        """Nobody wants the rest of the body."""


class Arriving(coming.Coming):
    """The body of the answer with `head`. It is a `messages.Stream`.

    `received` grows with what the server sends.
    """

    __slots__ = ("_chunks", "_length", "_server", "head", "received", "until_close")

    def __init__(self, head: ResponseHead, source: Source) -> None:
        super().__init__(source)
        self.received = 0
        self.head = head
        self.until_close = head.until_close
        self._length = head.length
        self._server = source
        self._chunks = ChunkedReader() if head.length is CHUNKED and not head.until_close else None

    @property
    def length(self) -> int | None:
        """See `messages.Stream`."""
        return self._length

    def feed(self, data: bytes) -> bytes:
        """Take what belongs to the body from `data`, and return the rest; raise ChunkedError.

        Whoever waits hears of it by `tell`.
        """
        before = self.received
        self.received += len(data)
        if self._chunks is not None:
            self._put(b"".join(self._chunks.feed(data)))  # one read is one piece, however cut up
            self.finished = self._chunks.finished
            return self._chunks.rest
        if self._length is None:
            self._put(data)
            return b""
        left = self._length - before
        self.finished = len(data) >= left
        self._put(data[:left])
        return data[left:]

    def tell(self) -> None:
        """Tell whoever waits that there is something."""
        if self._pieces or self.finished or self._failure:
            self._wake()

    def cut(self, why: str) -> None:
        """Note that the rest will never come."""
        if not self.finished and self._failure is None:
            self._failure = BodyCutError(why)
            self.tell()

    def whole(self) -> bytes:
        """Take all that has come."""
        pieces = b"".join(self._pieces)
        self._clear()
        return pieces

    def close(self) -> None:
        """Take no more of it, which ends the connection where there is more."""
        self._clear()
        if not self.finished and self._failure is None:
            self._failure = BodyCutError("nobody wanted the rest")
            self._server.let_go()
