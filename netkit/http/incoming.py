"""The body of a request on its way to whoever wants it.

Rule: what has come and is not wanted yet has a limit, at which its source rests; a body that is too
long, malformed or cut short is never taken for a whole one.
"""

from collections import deque
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Protocol

from twisted.internet.defer import Deferred

from netkit.http.chunked import ChunkedError, ChunkedReader
from netkit.http.messages import CHUNKED, BodyCutError, BodyTooLargeError
from netkit.http.sections import RefusedError

AHEAD_BYTES = 64 * 1024
"""How much of a body is read before it is asked for."""


class Source(Protocol):
    """What a body comes from."""

    def go_on(self) -> None:
        """Somebody waits for more of the body: let it come."""


class NoBody:
    """The body of a request that has none."""

    finished = True

    async def read(self, at_most: int) -> bytes:  # noqa: ARG002 (a Body's)
        """Return nothing."""
        return b""

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield nothing."""
        if not self.finished:
            yield b""


NO_BODY = NoBody()


class Incoming:
    """One body of `length` bytes, or CHUNKED, and of `limit` bytes at most. See `messages.Body`.

    `finished`: all of it has come. `wanted`: somebody waits for more. `begun`: somebody has asked for
    it. `received` counts its bytes. `refusal` says what is wrong with it, once that is seen.
    """

    def __init__(self, length: int | None, limit: int, source: Source) -> None:
        self.finished = self.begun = False
        self.received = 0
        self.refusal: RefusedError | None = None
        self._length = length
        self._limit = limit
        self._source = source
        self._chunks = ChunkedReader() if length is CHUNKED else None
        self._pieces: deque[bytes] = deque()
        self._unread = 0
        self._dropping = False
        self._failure: Exception | None = None
        self._more: Deferred[None] | None = None

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for more of it."""
        return self._more is not None or (self._dropping and not self.finished)

    @property
    def full(self) -> bool:
        """Whether so much has come that its source has to rest."""
        return self._unread >= AHEAD_BYTES

    def left(self) -> int | None:
        """Return how many bytes are still to come, or None where nobody knows."""
        return None if self._length is None else self._length - self.received

    def feed(self, data: bytes) -> bytes:
        """Take what belongs to the body from `data`, and return the rest."""
        if self._failure is not None:
            return b""
        if self._chunks is None:
            left = self._length - self.received if self._length is not None else 0
            self._take(data[:left])
            self.finished = self.received == self._length
            rest = data[left:]
        else:
            rest = self._feed_chunks(self._chunks, data)
        self._tell()
        return rest

    def _feed_chunks(self, chunks: ChunkedReader, data: bytes) -> bytes:
        try:
            for piece in chunks.feed(data):
                self._take(piece)
        except ChunkedError as error:
            self.refusal = RefusedError(HTTPStatus.BAD_REQUEST, str(error))
            self._failure = BodyCutError(str(error))
        if self.received > self._limit:
            self.refusal = RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too long")
            self._failure = BodyTooLargeError()
        self.finished = chunks.finished and self._failure is None
        return chunks.rest

    def _take(self, piece: bytes) -> None:
        self.received += len(piece)
        if piece and not self._dropping:
            self._pieces.append(piece)
            self._unread += len(piece)

    def _tell(self) -> None:
        more, self._more = self._more, None
        if more is not None:
            more.callback(None)

    def cut(self) -> None:
        """Note that the rest will never come."""
        if not self.finished and self._failure is None:
            self._failure = BodyCutError("the client has left")
            self._tell()

    def fail(self, why: RefusedError) -> None:
        """Wait no longer for the rest."""
        self.refusal = why
        self.cut()

    def drop(self) -> None:
        """Throw away what has come and what still will."""
        self._dropping = True
        self._pieces.clear()
        self._unread = 0

    async def read(self, at_most: int) -> bytes:
        """See `messages.Body`."""
        if self._length is not None and self._length > at_most:
            raise BodyTooLargeError
        pieces: list[bytes] = []
        size = 0
        async for piece in self:
            size += len(piece)
            if size > at_most:
                raise BodyTooLargeError
            pieces.append(piece)
        return b"".join(pieces)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces as they come; see `messages.Body`."""
        self.begun = True
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self._unread -= len(piece)
                yield piece
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
