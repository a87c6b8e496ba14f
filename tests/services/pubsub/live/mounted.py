"""A site with the mount `pubsub`, in memory, and visitors of it."""

from collections.abc import Iterator
from typing import Any

from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.logger import LogEvent, formatEvent
from twisted.trial.unittest import SynchronousTestCase
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event, Message

from netkit.http.chunked import ChunkedReader
from netkit.services.kind import Mount, World
from netkit.services.pubsub import settings as service
from netkit.services.pubsub.live.mount import KIND
from netkit.services.pubsub.live.settings import Settings
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.service import PubSub
from netkit.services.site.service import Settings as SiteSettings
from netkit.services.site.service import Site
from tests.http.eventsource import EventSource
from tests.http.fakes import Answer, Visit, recorded
from tests.http.sockets import KEY

_DEFAULTS = Settings()
_SERVICE = service.Settings()


class LiveCase(SynchronousTestCase):
    """Tests of the mount at `/live`."""

    def setUp(self) -> None:
        """Show a service with the defaults."""
        self.serve()

    def serve(
        self,
        settings: Settings = _DEFAULTS,
        shown: service.Settings = _SERVICE,
        **site: Any,
    ) -> None:
        """Show a service by these settings."""
        self.clock = MemoryReactorClock()
        self.events: list[LogEvent] = []
        world = World(self.clock, self.clock, recorded(self.events))
        self.pubsub = PubSub(shown, world)
        mount = Mount("/live", KIND, settings, "pubsub")
        self.site = Site(SiteSettings((mount,), **site), {"pubsub": self.pubsub}, world)
        self.site.startService()

    @property
    def lines(self) -> list[str]:
        """The log as text."""
        return [formatEvent(event) for event in self.events]

    def visit(self, transport: StringTransport | None = None) -> Visit:
        """Return a new connection to the site."""
        return Visit(self.site.answer, transport)

    def ask(
        self, target: str, *fields: str, method: str = "GET", body: bytes | None = None
    ) -> Answer:
        """Return the answer to one request."""
        visit = self.visit()
        length = () if body is None else (f"Content-Length: {len(body)}",)
        visit.send(head(method, target, *fields, *length) + (body or b""))
        return visit.answer(method)

    def publish(self, *payloads: bytes, subject: bytes = b"a.b") -> None:
        """Publish, as another client of the service."""
        broker = self.pubsub.house.broker
        broker.publish(Published(subject, list(payloads), source="another"))
        broker.settle()

    def listen(self, query: str, *fields: str, transport: Any = None) -> Visit:
        """Return the connection of a client that has asked for events."""
        visit = self.visit(transport)
        visit.send(head("GET", f"/live/events?{query}", *fields))
        return visit


def head(method: str, target: str, *fields: str) -> bytes:
    """Return the header section of a request."""
    return "\r\n".join((f"{method} {target} HTTP/1.1", "Host: test", *fields, "", "")).encode()


def streamed(visit: Visit) -> bytes:
    """Return the body that has come so far."""
    answer = visit.transport.value()
    section, _, rest = answer.partition(b"\r\n\r\n")
    assert section.startswith(b"HTTP/1.1 200 "), section
    return b"".join(ChunkedReader().feed(rest))


def heard(visit: Visit) -> EventSource:
    """Return what a browser understands of the stream."""
    return EventSource().read(streamed(visit))


class Browser:
    """A WebSocket in a visitor's browser; `status` is that of the answer to its request."""

    def __init__(self, visit: Visit, target: str = "/live/ws", *fields: str) -> None:
        self.visit = visit
        self.client = Connection(ConnectionType.CLIENT)
        visit.send(
            head(
                "GET",
                target,
                "Connection: Upgrade",
                "Upgrade: websocket",
                f"Sec-WebSocket-Key: {KEY.decode()}",
                "Sec-WebSocket-Version: 13",
                *fields,
            )
        )
        section, _, self._rest = visit.transport.value().partition(b"\r\n\r\n")
        visit.transport.clear()
        self.status = int(section.split()[1])

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self.visit.send(data)

    def say(self, *pieces: bytes) -> None:
        """Send messages."""
        for piece in pieces:
            self.send(self.client.send(Message(data=piece)))

    def take(self) -> list[Event]:
        """Return what wsproto understands of what has come."""
        self.client.receive_data(self._rest + self.visit.transport.value())
        self._rest = b""
        self.visit.transport.clear()
        return list(self.client.events())

    def heard(self) -> bytes:
        """Return what the messages that have come hold."""
        return b"".join(bytes(each.data) for each in self.take() if isinstance(each, BytesMessage))

    def ended(self) -> int | None:
        """Return the code that the server has closed with, if it has."""
        return next((each.code for each in self._ends()), None)

    def _ends(self) -> Iterator[CloseConnection]:
        return (each for each in self.take() if isinstance(each, CloseConnection))
