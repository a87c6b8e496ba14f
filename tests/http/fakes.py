"""Requests made by hand, and both ends of a connection in memory."""

from collections.abc import AsyncIterator, Callable, Iterator
from http.client import HTTPMessage, HTTPResponse
from io import BytesIO
from typing import TYPE_CHECKING, Any

from attrs import frozen
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.logger import ILogObserver, LogEvent, Logger, formatEvent
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.http.messages import (
    BodyTooLargeError,
    Client,
    Handler,
    Headers,
    Request,
    RequestHead,
    Response,
)
from netkit.http.server import HandlerFactory

if TYPE_CHECKING:
    from netkit.http.accesslog import Exchange

PEER = IPv4Address("TCP", "192.0.2.7", 40000)
HERE = IPv4Address("TCP", "192.0.2.1", 80)


@frozen
class GivenBody:
    """A body that is at hand."""

    content: bytes = b""

    async def read(self, at_most: int) -> bytes:
        """Return it, within the limit."""
        if len(self.content) > at_most:
            raise BodyTooLargeError
        return self.content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield it whole."""
        yield self.content


@frozen
class Visitor:
    """A client that is known by an address alone, unless a test says more."""

    peer: IAddress = PEER
    secure: bool = False
    server_name: str | None = None
    here: IAddress = HERE

    def inform(self, status: int, headers: Headers) -> None:
        """Let the interim response go."""


def asked(  # noqa: PLR0913 (a request has many parts)
    path: str = "/",
    method: bytes = b"GET",
    *,
    base: str = "",
    target: bytes | None = None,
    headers: Headers = (),
    body: bytes = b"",
    client: Client = Visitor(),
) -> Request:
    """Return a request for `path` below the mount at `base`."""
    head = RequestHead(
        method=method,
        target=(base + path).encode() if target is None else target,
        headers=headers,
        authority=b"test",
        length=len(body),
    )
    return Request(head=head, body=GivenBody(body), client=client, path=path, base=base)


def field(response: Response, name: bytes) -> bytes | None:
    """Return the value of a response's field, or None."""
    return dict(response.headers).get(name)


def content(response: Response) -> bytes:
    """Return the body of a response that is not a stream."""
    assert isinstance(response.body, bytes)
    return response.body


class ClosingTransport(StringTransport):
    """A transport that can close one half, and is quiet about being told so twice."""

    half_closed = False

    def loseWriteConnection(self) -> None:
        """Note it."""
        self.half_closed = True


class NarrowTransport(ClosingTransport):
    """A transport whose peer reads nothing until `drain` is called."""

    high_water = 64 * 1024

    def write(self, data: bytes) -> None:
        """Take the data, and pause the producer where it is more than the buffer holds."""
        super().write(data)
        if self.producer is not None and len(self.value()) > self.high_water:
            self.producer.pauseProducing()

    def writeSequence(self, data: Any) -> None:
        """Write the pieces."""
        self.write(b"".join(data))

    def drain(self) -> bytes:
        """Read all that was written."""
        taken: bytes = self.value()
        self.clear()
        if self.producer is not None:
            self.producer.resumeProducing()
        return taken


@frozen
class Answer:
    """A response as the standard library's client understands it."""

    status: int
    headers: HTTPMessage
    body: bytes


def recorded(events: list[LogEvent]) -> Logger:
    """Return a logger whose events are put into `events`."""

    @implementer(ILogObserver)
    def observe(event: LogEvent) -> None:
        events.append(event)

    return Logger("test", observer=observe)


class Visit:
    """A client's connection to a handler, all in memory, with the clock and the log at hand."""

    def __init__(
        self, handler: Handler, transport: StringTransport | None = None, **kw: Any
    ) -> None:
        self.clock = Clock()
        self.events: list[LogEvent] = []
        self.exchanges: list[Exchange] = []
        self.factory = HandlerFactory(
            handler,
            clock=self.clock,
            log=recorded(self.events),
            served=self.exchanges.append,
            **kw,
        )
        self.transport = transport or ClosingTransport(peerAddress=PEER)
        protocol = self.factory.buildProtocol(PEER)
        assert protocol is not None
        self.protocol: Any = protocol
        self.protocol.makeConnection(self.transport)

    def send(self, data: bytes) -> None:
        """Let the server receive `data`."""
        self.protocol.dataReceived(data)

    def leave(self, *, cleanly: bool = True) -> None:
        """Let the connection be lost."""
        if self.transport.producer is not None:
            self.transport.producer.stopProducing()
        self.protocol.connectionLost(Failure(ConnectionDone() if cleanly else ConnectionLost()))

    def get(self, target: str = "/", *fields: str) -> Answer:
        """Send a GET and return its answer."""
        self.transport.clear()
        lines = (f"GET {target} HTTP/1.1", "Host: test", *fields, "", "")
        self.send("\r\n".join(lines).encode())
        return self.answer()

    def answer(self, method: str = "GET") -> Answer:
        """Return the first answer that was written."""
        return next(answers(self.transport.value(), lambda: method))

    @property
    def lines(self) -> list[str]:
        """Return the log as text."""
        return [formatEvent(event) for event in self.events]


def answers(data: bytes, method: Callable[[], str] = lambda: "GET") -> Iterator[Answer]:
    """Yield the responses that `data` consists of."""
    source = BytesIO(data)
    while source.tell() < len(data):
        response = HTTPResponse(_Socket(source), method=method())  # type: ignore[arg-type]
        response.begin()
        yield Answer(response.status, response.msg, response.read())


@frozen
class _Socket:
    source: BytesIO

    def makefile(self, _: str) -> "_Unclosed":
        return _Unclosed(self.source)


class _Unclosed:
    """What HTTPResponse reads from, left open where it would close it."""

    def __init__(self, source: BytesIO) -> None:
        self.read = source.read
        self.readline = source.readline
        self.readinto = source.readinto

    def close(self) -> None:
        """Stay open."""

    def flush(self) -> None:
        """There is nothing to flush."""
