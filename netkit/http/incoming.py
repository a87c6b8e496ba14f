"""The body of a request on its way to whoever wants it.

Rule: what has come and is not wanted yet has a limit, at which its source rests; a body that is too
long, malformed or cut short is never taken for a whole one.
"""

from collections.abc import AsyncIterator
from http import HTTPStatus

from netkit.http.chunked import ChunkedError, ChunkedReader
from netkit.http.coming import Coming, Source
from netkit.http.messages import CHUNKED, BodyCutError, BodyTooLargeError
from netkit.http.sections import RefusedError

AHEAD_BYTES = 64 * 1024
"""How much of a body is read before it is asked for."""


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


class Incoming(Coming):
    """One body of `length` bytes, or CHUNKED, and of `limit` bytes at most. See `messages.Body`.

    `received` counts its bytes. `refusal` says what is wrong with it, once that is seen.
    """

    def __init__(self, length: int | None, limit: int, source: Source) -> None:
        super().__init__(source)
        self.received = 0
        self.refusal: RefusedError | None = None
        self._length = length
        self._limit = limit
        self._chunks = ChunkedReader() if length is CHUNKED else None
        self._dropping = False

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for more of it."""
        return super().wanted or (self._dropping and not self.finished)

    @property
    def full(self) -> bool:
        """Whether so much has come that its source has to rest."""
        return self.unread >= AHEAD_BYTES

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
        self._wake()
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
        if not self._dropping:
            self._put(piece)

    def cut(self) -> None:
        """Note that the rest will never come."""
        if not self.finished and self._failure is None:
            self._failure = BodyCutError("the client has left")
            self._wake()

    def fail(self, why: RefusedError) -> None:
        """Wait no longer for the rest."""
        self.refusal = why
        self.cut()

    def drop(self) -> None:
        """Throw away what has come and what still will."""
        self._dropping = True
        self._clear()

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
