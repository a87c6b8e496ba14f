"""Requests and responses as frozen values (RFC 9110), whoever parsed them and whoever sends them.

A handler knows nothing else of the server under it. Header names are compared without case and kept
as they came; values are bytes, since HTTP gives them no charset.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import BinaryIO, Protocol, TypeAlias

from attrs import field, frozen
from twisted.internet.interfaces import IAddress

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

PIECE_BYTES = 64 * 1024


class BodyTooLargeError(Exception):
    """The request's body is longer than the handler wants; the answer to it is 413."""


class BodyCutError(Exception):
    """The rest of a response's body will never come, so that the response must not look whole."""


class Body(Protocol):
    """The body of a request, which may still be on its way."""

    async def read(self, at_most: int) -> bytes:
        """Return the whole body; raise BodyTooLargeError where it has more than `at_most` bytes."""


@frozen(kw_only=True)
class Request:
    """One request whose header section has been read and found valid.

    `target` is as received. A site adds `path`, the decoded path below the mount, and `base`, the
    path of the mount without a slash at its end (empty for a mount at `/`), so that `base + path`
    is what the visitor sees. `path` starts with a slash, or is empty where the visitor asked for
    the mount itself without one.
    """

    method: bytes
    target: bytes
    version: bytes
    headers: Headers
    body: Body
    peer: IAddress
    path: str = ""
    base: str = ""

    @property
    def query(self) -> bytes:
        """Return what stands behind the target's first question mark, as received."""
        return self.target.partition(b"?")[2]

    def header(self, name: bytes) -> bytes | None:
        """Return the values of the fields `name` (in lower case), joined as RFC 9110 5.3 says."""
        values = [value for key, value in self.headers if key.lower() == name]
        return b", ".join(values) if values else None


class Stream(Protocol):
    """A body that comes in pieces, as fast as they are asked for.

    Iterating raises BodyCutError where the rest will never come. Whoever sends the response closes
    the stream, however much of it was sent.
    """

    @property
    def length(self) -> int | None:
        """Return the number of bytes of the whole, or None where nobody knows it yet."""

    def __aiter__(self) -> AsyncIterator[bytes]: ...

    def close(self) -> None:
        """Let go of what the pieces come from; harmless when repeated."""


@frozen
class FileRange:
    """The stream of `length` bytes of an open file from `offset`."""

    file: BinaryIO
    offset: int
    length: int

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Read pieces of at most PIECE_BYTES; a file that has shrunk meanwhile is cut."""
        left = self.length
        self.file.seek(self.offset)
        while left:
            piece = self.file.read(min(left, PIECE_BYTES))
            if not piece:
                raise BodyCutError("the file has become shorter")
            left -= len(piece)
            yield piece

    def close(self) -> None:
        """Close the file."""
        self.file.close()


@frozen
class Response:
    """An answer: `headers` without the fields that frame the message, which are the server's.

    `status` is a number rather than an HTTPStatus, since a proxy passes on any.
    """

    status: int
    headers: Headers = ()
    body: bytes | Stream = field(default=b"", repr=False)

    def close(self) -> None:
        """Let go of the body."""
        if not isinstance(self.body, bytes):
            self.body.close()


Handler: TypeAlias = Callable[[Request], Response | Awaitable[Response]]
