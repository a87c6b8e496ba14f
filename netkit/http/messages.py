"""Requests and responses as frozen values (RFC 9110), whoever parsed them and whoever sends them.

A handler knows nothing else of the server under it. Header names are compared without case and kept
as they came; values are bytes, since HTTP gives them no charset.
"""

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import BinaryIO, Protocol, TypeAlias

from attrs import field, frozen
from twisted.internet.interfaces import IAddress

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]


class BodyTooLargeError(Exception):
    """The request's body is longer than the handler wants; the answer to it is 413."""


class Body(Protocol):
    """The body of a request, which may still be on its way."""

    async def read(self, at_most: int) -> bytes:
        """Return the whole body; raise BodyTooLargeError where it has more than `at_most` bytes."""


@frozen(kw_only=True)
class Request:
    """One request whose header section has been read and found valid.

    `target` is as received; `path` is its decoded path below the mount and starts with a slash,
    `base` the path of the mount, without a slash at its end (empty for a mount at `/`), so that
    `base + path` is what the visitor sees. `query` is as received, without the question mark.
    """

    method: bytes
    target: bytes
    version: bytes
    headers: Headers
    path: str
    query: bytes
    body: Body
    peer: IAddress
    base: str = ""

    def header(self, name: bytes) -> bytes | None:
        """Return the values of the fields `name` (in lower case), joined as RFC 9110 5.3 says."""
        values = [value for key, value in self.headers if key.lower() == name]
        return b", ".join(values) if values else None


@frozen
class FileRange:
    """`length` bytes of an open file from `offset`; whoever sends the response closes the file."""

    file: BinaryIO
    offset: int
    length: int

    def close(self) -> None:
        """Close the file."""
        self.file.close()


@frozen
class Response:
    """An answer: `headers` without the fields that frame the message, which are the server's."""

    status: HTTPStatus
    headers: Headers = ()
    body: bytes | FileRange = field(default=b"", repr=False)


Handler: TypeAlias = Callable[[Request], Response | Awaitable[Response]]
