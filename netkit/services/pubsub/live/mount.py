"""The mount `pubsub`: which request asks for what.

    GET  /live                   a page that listens and publishes
    GET  /live/events?subject=a.>    server-sent events
    POST /live/publish/a.b       the body is published
    GET  /live/ws, or /live      NATS, over a WebSocket

Rule: whoever may not do something hears so before a byte of a body is asked for, and a foreign page
does nothing in the name of its visitor unless its origin is let in.
"""

from collections.abc import Awaitable
from http import HTTPStatus
from time import time

from attrs import evolve
from twisted.application.service import Service

from netkit.http.events import Event, event_response, last_event_id
from netkit.http.messages import Handler, Request, Response
from netkit.http.origins import let_in
from netkit.http.pages import READING, error_page, method_not_allowed
from netkit.http.sockets import DEFAULTS, Endpoint
from netkit.http.websocket import WebSockets
from netkit.net.peer import host_and_port
from netkit.services.kind import MountKind, World
from netkit.services.pubsub.live import writing
from netkit.services.pubsub.live.asked import Asked, AskedError, asked, text_subject
from netkit.services.pubsub.live.listener import Listener, Numbered
from netkit.services.pubsub.live.page import live_page
from netkit.services.pubsub.live.poster import Poster
from netkit.services.pubsub.live.ring import Keeping, Rings
from netkit.services.pubsub.live.settings import Settings
from netkit.services.pubsub.live.sharing import preflight, shared
from netkit.services.pubsub.live.socketstream import Framing, SocketStream
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.service import PubSub
from netkit.services.pubsub.subjects import covers, is_subject

RETRY = 2000
"""After so many milliseconds a browser shall come back."""

_PUBLISH = "/publish/"
_INBOXES = b"_INBOX.>"
_MICROSECONDS = 1_000_000
_SPARE = 64 * 1024  # bytes
_FOREIGN = "Pages of other sites may do nothing here."
_WAIT = ((b"Retry-After", b"10"),)


class Live(Service):
    """The mount: a handler that shows the service `shown`; messages are numbered behind `begun`."""

    def __init__(self, settings: Settings, shown: PubSub, world: World, begun: int = 0) -> None:
        house = shown.house
        self._settings = settings
        self._house = house
        self._visitors = settings.visitors(
            locked=house.door.locked, anybody=house.door.permissions()
        )
        keeping = Keeping(settings.keep, settings.keep_subjects, settings.keep_bytes)
        self._rings = Rings(keeping, begun, self._is_kept)
        self._as_json = Numbered(self._rings, writing.as_json)
        self._as_text = Numbered(self._rings, writing.as_text)
        self._forms = (self._as_json, self._as_text)
        self._listeners: set[Listener] = set()
        self._nats = shown.nats_within(settings.limit)
        self._framing = Framing()
        self._sockets = WebSockets(
            world.clock,
            world.log,
            limits=evolve(
                DEFAULTS,
                message_bytes=None,  # clients put any number of NATS messages into one
                # Beyond what the service itself lets wait for a client.
                unsent_bytes=2 * house.settings.pending_bytes + _SPARE,
            ),
            origins=settings.origins,
        )

    def startService(self) -> None:
        """Begin to keep what is published."""
        super().startService()
        self._house.broker.witnesses.append(self._rings.add)
        self._house.broker.numbered.update(self._forms)

    def stopService(self) -> None:
        """End all streams and WebSockets."""
        super().stopService()
        self._house.broker.witnesses.remove(self._rings.add)
        self._house.broker.numbered.difference_update(self._forms)
        self._sockets.stop()
        for listener in tuple(self._listeners):
            listener.close()

    def __call__(self, request: Request) -> Response | Awaitable[Response]:
        """Answer a request."""
        path = request.path
        if path in {"", "/"}:
            return self._home(request)
        if path == "/events":
            return self._shared(request, self._events(request))
        if path == "/ws":
            return self._socket(request)
        if path.startswith(_PUBLISH):
            return self._published(request, path.removeprefix(_PUBLISH))
        return error_page(HTTPStatus.NOT_FOUND)

    # The page, and NATS.

    def _home(self, request: Request) -> Response:
        if b"websocket" in request.head.upgrade.lower():
            return self._socket(request)
        if request.method not in READING:
            return method_not_allowed(*READING)
        listen = self._permitted_pattern()
        return live_page(request, listen, self._permitted_subject())

    def _permitted_pattern(self) -> str:
        """Return what the page listens to at first, all if it may."""
        patterns = (">", *(self._settings.subscribe.allow or ()))
        permits = self._visitors.subscribe.permit
        return next((each for each in patterns if permits(each.encode())), "")

    def _permitted_subject(self) -> str:
        """Return where the page publishes at first, to line clients if it may."""
        subjects = (self._house.settings.lines, *(self._settings.publish.allow or ()))
        permits = self._visitors.publish.permit
        right = (each for each in subjects if is_subject(each.encode()) and permits(each.encode()))
        return next(right, "")

    def _socket(self, request: Request) -> Response:
        if not self._settings.websocket:
            return error_page(HTTPStatus.NOT_FOUND)
        return self._sockets.upgrade(request, lambda: self._endpoint(request))

    def _endpoint(self, request: Request) -> Endpoint:
        return SocketStream(self._nats.buildProtocol(request.client.peer), self._framing)

    # Events.

    def _events(self, request: Request) -> Response:
        if request.method != b"GET":
            return self._other_method(request, b"GET")
        if not let_in(request, self._settings.origins):
            return error_page(HTTPStatus.FORBIDDEN, _FOREIGN)
        try:
            wanted = asked(request.query, last_event_id(request), self._settings.subjects)
        except AskedError as error:
            return _wrong(error)
        if not all(map(self._visitors.subscribe.permit, wanted.patterns)):
            return error_page(HTTPStatus.FORBIDDEN)
        return self._stream(request, wanted)

    def _stream(self, request: Request, wanted: Asked) -> Response:
        if not self._house.room.has(len(wanted.patterns)):
            return error_page(HTTPStatus.SERVICE_UNAVAILABLE, headers=_WAIT)
        listener = Listener(
            self._house, request.client.peer, self._settings, self._listeners.discard
        )
        if not self.running or not self._house.crowd.join(listener):
            return error_page(HTTPStatus.SERVICE_UNAVAILABLE, headers=_WAIT)
        self._house.broker.counters.connections += 1
        self._listeners.add(listener)
        listener.stream.push(Event(retry=RETRY).encode() + self._caught_up(wanted))
        form = self._as_text if wanted.text else self._as_json
        listener.listen(wanted.patterns, form, self._visitors.subscribe)
        return event_response(listener.stream)

    def _caught_up(self, wanted: Asked) -> bytes:
        """Return the events that the client has missed, as far as they are kept and not too many."""
        since = wanted.since
        if since is None:
            return b""
        if (
            since > self._rings.last
        ):  # of a message that is still to come: made up, or of who knows when
            return writing.MISSED
        events, whole = writing.latest(
            self._rings.later(wanted.patterns, since),
            writing.as_text if wanted.text else writing.as_json,
            self._settings.pending_bytes,
        )
        whole = whole and (not since or self._rings.complete(wanted.patterns, since))
        return b"".join(events if whole else (writing.MISSED, *events))

    def _is_kept(self, subject: bytes) -> bool:
        """Return whether a visitor could ever ask for it; answers to requests are for one alone."""
        return self._visitors.subscribe.permit(subject) and not covers(_INBOXES, subject)

    # Publishing.

    def _published(self, request: Request, written: str) -> Response | Awaitable[Response]:
        if request.method != b"POST":
            return self._shared(request, self._other_method(request, b"POST"))
        if not let_in(request, self._settings.origins):
            return error_page(HTTPStatus.FORBIDDEN, _FOREIGN)
        try:
            subject = text_subject(written)
        except AskedError as error:
            return _wrong(error)
        if not is_subject(subject):
            return _wrong("a subject is words with dots between, as in a.b")
        if not self._visitors.publish.permit(subject):
            return self._shared(request, error_page(HTTPStatus.FORBIDDEN))
        return self._publish(request, subject)

    async def _publish(self, request: Request, subject: bytes) -> Response:
        payload = await request.body.read(self._house.settings.nats.max_payload)
        run = Published(subject, [payload], source=host_and_port(request.client.peer))
        self._house.broker.now = self._house.world.clock.seconds()
        await Poster(self._house.broker).publish(run)
        return self._shared(request, Response(HTTPStatus.NO_CONTENT))

    def _other_method(self, request: Request, right: bytes) -> Response:
        if request.method == b"OPTIONS":
            return preflight(request, self._settings.origins, right)
        return method_not_allowed(right)

    def _shared(self, request: Request, response: Response) -> Response:
        """Return `response`, readable to the pages that are let in."""
        fields = shared(request, self._settings.origins)
        if not fields or request.method == b"OPTIONS":
            return response
        return evolve(response, headers=(*response.headers, *fields))


def _wrong(words: object) -> Response:
    return error_page(HTTPStatus.BAD_REQUEST, f"{words}.".capitalize())


def build(settings: Settings, shown: PubSub, world: World) -> Handler:
    """Return what shows `shown` to browsers and curl.

    Its numbers begin with the time of day, so that they go on growing when the daemon starts again.
    """
    return Live(settings, shown, world, int(time() * _MICROSECONDS))


KIND = MountKind(name="pubsub", settings=Settings, build=build, shows="pubsub")
