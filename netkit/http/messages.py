"""Requests and responses as frozen values (RFC 9110), whoever parsed them and whoever sends them.

A handler knows nothing else of the server under it. Header names are compared without case and kept
as they came; values are bytes, since HTTP gives them no charset.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import cached_property
from typing import BinaryIO, Protocol, TypeAlias

from attrs import field
from twisted.internet.interfaces import IAddress, IProtocol

from netkit.values import frozen

Headers: TypeAlias = tuple[tuple[bytes, bytes], ...]

PIECE_BYTES = 64 * 1024

CHUNKED = None
"""The length of a body whose end its own coding says (RFC 9112 7.1)."""


class BodyTooLargeError(Exception):
    """The request's body is longer than the handler wants; the answer to it is 413."""


class BodyCutError(Exception):
    """The rest of a body will never come, so that nothing may take what there is for the whole."""


def joined(headers: Headers) -> dict[bytes, bytes]:
    """Return the fields by their names in lower case, repeated ones joined (RFC 9110 5.3)."""
    fields: dict[bytes, bytes] = {}
    for name, value in headers:
        key = name.lower()
        fields[key] = fields[key] + b", " + value if key in fields else value
    return fields


@frozen(kw_only=True, cache_hash=True)
class RequestHead:
    """A request up to its body, found valid. Requests with the same bytes share one.

    `target` is as received. `authority` is the host, and the port where it was said, that the
    request is for: from the target, or else from Host (RFC 9110 7.2); it is empty only in HTTP/1.0.
    `length` is that of the body in bytes, or CHUNKED. `persists` says whether the client expects
    another answer on this connection, `expects` whether it waits for a 100 before it sends its body,
    `upgrade` what it would rather speak (RFC 9110 7.8; empty for nothing).
    """

    method: bytes
    target: bytes
    version: bytes = b"HTTP/1.1"
    headers: Headers = ()
    authority: bytes = b""
    length: int | None = 0
    persists: bool = True
    expects: bool = False
    upgrade: bytes = b""

    @cached_property
    def fields(self) -> dict[bytes, bytes]:
        """The fields by their names in lower case, repeated ones joined (RFC 9110 5.3)."""
        return joined(self.headers)


@frozen(kw_only=True, cache_hash=True)
class ResponseHead:
    """A response up to its body, as received from a server and found valid (RFC 9112 6.3).

    `length` is that of the body in bytes, or CHUNKED; where `until_close` it has none, and the body
    ends with the connection. `persists` says whether the server takes another request.
    """

    status: int
    reason: bytes = b""
    version: bytes = b"HTTP/1.1"
    headers: Headers = ()
    length: int | None = 0
    until_close: bool = False
    persists: bool = True

    @cached_property
    def fields(self) -> dict[bytes, bytes]:
        """The fields by their names in lower case, repeated ones joined (RFC 9110 5.3)."""
        return joined(self.headers)


class Body(Protocol):
    """The body of a request, which may still be on its way. It can be had once.

    A client that waits for a 100 is told to go on when the first piece is asked for; a client that
    sends faster than its pieces are asked for has to wait. BodyCutError: the client has left.
    """

    async def read(self, at_most: int) -> bytes:
        """Return the whole body; raise BodyTooLargeError where it has more than `at_most` bytes."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return the pieces of the body; BodyTooLargeError: there are more than the server takes."""


class Client(Protocol):
    """Whose request it is: what is known of the connection that it came on."""

    @property
    def peer(self) -> IAddress:
        """Return the address of the client, from the PROXY header where there was one."""

    @property
    def here(self) -> IAddress:
        """Return the address that the client has connected to, as `peer` says."""

    @property
    def secure(self) -> bool:
        """Return whether the connection has TLS."""

    @property
    def server_name(self) -> str | None:
        """Return the name that the client asked for by SNI (RFC 6066 3), or None."""

    def inform(self, status: int, headers: Headers) -> None:
        """Send an interim response, a 1xx, while the answer has not begun (RFC 9110 15.2).

        Not for a 100, which the client gets as its body is asked for, nor for a client of HTTP/1.0.
        """


@frozen(kw_only=True)
class Request:
    """One request, as a handler is given it.

    A site adds `path`, the decoded path below the mount, and `base`, the path of the mount without
    a slash at its end (empty for a mount at `/`), so that `base + path` is what the visitor sees.
    `path` starts with a slash, or is empty where the visitor asked for the mount itself without one.
    """

    head: RequestHead
    body: Body
    client: Client
    path: str = ""
    base: str = ""

    @property
    def method(self) -> bytes:
        """Return the method, which is case-sensitive."""
        return self.head.method

    @property
    def target(self) -> bytes:
        """Return the request-target as received."""
        return self.head.target

    @property
    def headers(self) -> Headers:
        """Return the fields as received."""
        return self.head.headers

    @property
    def query(self) -> bytes:
        """Return what stands behind the target's first question mark, as received."""
        return self.head.target.partition(b"?")[2]

    def header(self, name: bytes) -> bytes | None:
        """Return the values of the fields `name` (in lower case), joined as RFC 9110 5.3 says."""
        return self.head.fields.get(name)


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
class Pieces:
    """The stream that an async iterator yields; `length` is that of the whole, if it is known.

    `ending` is called once, when the pieces are no longer wanted.
    """

    source: AsyncIterator[bytes]
    length: int | None = None
    ending: Callable[[], None] | None = None

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return the iterator."""
        return self.source

    def close(self) -> None:
        """Call `ending`."""
        if self.ending is not None:
            self.ending()


@frozen
class Takeover:
    """What follows the header section is no HTTP: from there on the connection is the protocol's.

    For a 101 (RFC 9110 15.2.2) and for the 2xx of a CONNECT (9.3.6). The protocol is given the
    transport once the header section is written, and first of all the bytes that have come already.
    It may have IHalfCloseableProtocol; an exchange ends when its connection does. `ending` is called
    when the header section was written, or could not be: what was connected by then is the protocol's.
    """

    protocol: IProtocol
    ending: Callable[[], None] | None = None

    def close(self) -> None:
        """Call `ending`."""
        if self.ending is not None:
            self.ending()


@frozen
class Response:
    """An answer: `headers` without the fields that frame the message, which are the server's.

    `status` is a number rather than an HTTPStatus, since a proxy passes on any. `repeatable` allows
    the server to give the same answer, for up to a second and without asking again, to whoever sends
    a request of the same bytes over such a connection (TLS or not, the same server name): it depends
    on nothing else, and its body is bytes.
    """

    status: int
    headers: Headers = ()
    body: bytes | Stream | Takeover = field(default=b"", repr=False)
    repeatable: bool = False

    def close(self) -> None:
        """Let go of the body."""
        if not isinstance(self.body, bytes):
            self.body.close()


Handler: TypeAlias = Callable[[Request], Response | Awaitable[Response]]
