"""WebSockets in memory: an endpoint that notes what it is told, and a client of wsproto's."""

import struct
from collections.abc import Callable
from typing import Any

from twisted.internet.task import Clock
from twisted.logger import LogEvent, formatEvent
from wsproto.connection import Connection, ConnectionType
from wsproto.events import CloseConnection, Event

from netkit.http.messages import Headers, Request, RequestHead, Response, Takeover
from netkit.http.sockets import DEFAULTS, Socket, SocketLimits
from netkit.http.websocket import WebSockets
from tests.http.fakes import GivenBody, Visitor, recorded
from tests.net.transports import PeerTransport

KEY = b"dGhlIHNhbXBsZSBub25jZQ=="  # of RFC 6455 1.3
FIELDS: Headers = (
    (b"Host", b"test"),
    (b"Connection", b"keep-alive, Upgrade"),
    (b"Upgrade", b"websocket"),
    (b"Sec-WebSocket-Key", KEY),
    (b"Sec-WebSocket-Version", b"13"),
)

MASK = b"\x01\x02\x03\x04"


def opening(  # noqa: PLR0913 (a request has many parts)
    *more: tuple[bytes, bytes],
    without: bytes = b"",
    method: bytes = b"GET",
    version: bytes = b"HTTP/1.1",
    upgrade: bytes = b"websocket",
    authority: bytes = b"test",
    length: int | None = 0,
    secure: bool = False,
) -> Request:
    """Return a request that opens a WebSocket, with `more` fields and `without` one."""
    fields = tuple(each for each in FIELDS if each[0].lower() != without)
    head = RequestHead(
        method=method,
        target=b"/live",
        version=version,
        headers=(*fields, *more),
        authority=authority,
        upgrade=upgrade,
        length=length,
    )
    return Request(head=head, body=GivenBody(), client=Visitor(secure=secure))


def masked(payload: bytes, mask: bytes = MASK) -> bytes:
    """Return `payload` as a client sends it (RFC 6455 5.3)."""
    return bytes(each ^ mask[place % 4] for place, each in enumerate(payload))


def frame(first: int, payload: bytes = b"", *, mask: bytes | None = MASK) -> bytes:
    """Return a client's frame whose first byte is `first`, right or wrong; not masked for None."""
    bit = 0x80 if mask is not None else 0
    if len(payload) < 126:
        header = bytes((first, bit | len(payload)))
    elif len(payload) < 1 << 16:
        header = struct.pack("!BBH", first, bit | 126, len(payload))
    else:
        header = struct.pack("!BBQ", first, bit | 127, len(payload))
    return header + (payload if mask is None else mask + masked(payload, mask))


class Echo:
    """Sends back every message; `news` has what it was told."""

    socket: Socket

    def __init__(self) -> None:
        self.news: list[Any] = []

    def opened(self, socket: Socket) -> None:
        """Note the socket."""
        self.socket = socket
        self.news.append("opened")

    def received(self, message: str | bytes) -> None:
        """Send the message back."""
        self.news.append(message)
        self.socket.send(message)

    def paused(self) -> None:
        """Note it."""
        self.news.append("paused")

    def resumed(self) -> None:
        """Note it."""
        self.news.append("resumed")

    def closed(self, code: int, reason: str) -> None:
        """Note how it ended."""
        self.news.append((code, reason))


class Listens(Echo):
    """Sends nothing by itself."""

    def received(self, message: str | bytes) -> None:
        """Note the message."""
        self.news.append(message)


class Talk:
    """One open WebSocket: the server's endpoint, and a client that sends what a test says."""

    def __init__(
        self, endpoint: Callable[[], Echo] = Echo, limits: SocketLimits = DEFAULTS
    ) -> None:
        self.clock = Clock()
        self.events: list[LogEvent] = []
        self.sockets = WebSockets(self.clock, recorded(self.events), limits=limits)
        self.endpoint = endpoint()
        self.client = Connection(ConnectionType.CLIENT)
        self.transport = PeerTransport(taken_over(self.sockets.upgrade(opening(), self._given)))

    def _given(self) -> Echo:
        return self.endpoint

    @property
    def socket(self) -> Socket:
        """The socket that the endpoint has."""
        return self.endpoint.socket

    @property
    def news(self) -> list[Any]:
        """What the endpoint was told after it was opened."""
        assert self.endpoint.news[0] == "opened"
        return self.endpoint.news[1:]

    @property
    def lines(self) -> list[str]:
        """The log as text."""
        return [formatEvent(event) for event in self.events]

    def send(self, data: bytes) -> bool:
        """Let the client send `data`; return whether it was read."""
        return self.transport.send(data)

    def say(self, *events: Event) -> None:
        """Let wsproto's client send `events`."""
        for event in events:
            self.send(self.client.send(event))

    def heard(self) -> list[Event]:
        """Let wsproto's client take what is there for it, and return what it understands."""
        self.client.receive_data(self.transport.take())
        return list(self.client.events())

    def wait(self, seconds: int) -> None:
        """Let so many seconds pass."""
        self.clock.pump([1] * seconds)


def taken_over(response: Response) -> Any:
    """Return the protocol that a 101 gives the connection to."""
    assert response.status == 101, response
    assert isinstance(response.body, Takeover)
    return response.body.protocol


def ended(events: list[Event]) -> int | None:
    """Return the code of the Close frame that `events` end with, or None."""
    last = events[-1] if events else None
    return last.code if isinstance(last, CloseConnection) else None
