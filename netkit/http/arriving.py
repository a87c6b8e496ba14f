"""The body of an answer on its way to whoever asked.

Rule: no more than one read is ahead of whoever wants it; a body that is cut short or malformed never
ends as a whole one does.
"""

from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from twisted.internet.defer import Deferred

from netkit.http.chunked import ChunkedReader
from netkit.http.messages import CHUNKED, BodyCutError, ResponseHead


class Source(Protocol):
    """What a body comes from."""

    def go_on(self) -> None:
        """Somebody waits for more of the body: let it come."""

    def let_go(self) -> None:
        """Nobody wants the rest of the body."""


class Arriving:
    """The body of the answer with `head`. It is a `messages.Stream`.

    `finished`: all of it has come. `wanted`: somebody waits for more. `received` grows with what the
    server sends. `unread`: something has come that nobody has taken yet.
    """

    __slots__ = (
        "_chunks",
        "_failure",
        "_length",
        "_more",
        "_pieces",
        "_source",
        "finished",
        "head",
        "received",
        "until_close",
    )

    def __init__(self, head: ResponseHead, source: Source) -> None:
        self.finished = False
        self.received = 0
        self.head = head
        self.until_close = head.until_close
        self._length = head.length
        self._source = source
        self._chunks = ChunkedReader() if head.length is CHUNKED and not head.until_close else None
        self._pieces: deque[bytes] = deque()
        self._failure: Exception | None = None
        self._more: Deferred[None] | None = None

    @property
    def length(self) -> int | None:
        """See `messages.Stream`."""
        return self._length

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for more of it."""
        return self._more is not None

    @property
    def unread(self) -> bool:
        """Whether something has come that nobody has taken."""
        return bool(self._pieces)

    def feed(self, data: bytes) -> bytes:
        """Take what belongs to the body from `data`, and return the rest; raise ChunkedError.

        Whoever waits hears of it by `tell`.
        """
        before = self.received
        self.received += len(data)
        if self._chunks is not None:
            piece = b"".join(self._chunks.feed(data))  # one read is one piece, however it is cut up
            if piece:
                self._pieces.append(piece)
            self.finished = self._chunks.finished
            return self._chunks.rest
        if self._length is None:
            self._pieces.append(data)
            return b""
        left = self._length - before
        self.finished = len(data) >= left
        if data:
            self._pieces.append(data[:left])
        return data[left:]

    def tell(self) -> None:
        """Tell whoever waits that there is something."""
        if self._more is not None and (self._pieces or self.finished or self._failure):
            more, self._more = self._more, None
            more.callback(None)

    def cut(self, why: str) -> None:
        """Note that the rest will never come."""
        if not self.finished and self._failure is None:
            self._failure = BodyCutError(why)
            self.tell()

    def whole(self) -> bytes:
        """Take all that has come."""
        pieces, self._pieces = self._pieces, deque()
        return b"".join(pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces as they come; see `messages.Stream`."""
        while True:
            while self._pieces:
                yield self._pieces.popleft()
            if self._failure is not None:
                raise self._failure
            if self.finished:
                return
            self._more = Deferred(self._forget)
            self._source.go_on()
            if self._more is not None:
                await self._more

    def _forget(self, _: Deferred[None]) -> None:
        """Nobody waits any longer: whoever did was cancelled."""
        self._more = None

    def close(self) -> None:
        """Take no more of it, which ends the connection where there is more."""
        self._pieces.clear()
        if not self.finished and self._failure is None:
            self._failure = BodyCutError("nobody wanted the rest")
            self._source.let_go()
