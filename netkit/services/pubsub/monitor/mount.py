"""The mount `monitor`: what a NATS server shows on its monitoring port, of a service of ours.

    GET /monitor             a page with the main figures
    GET /monitor/varz        the server, its limits and its figures
    GET /monitor/connz       connections: ?sort= &limit= &offset= &cid= &auth=1 &subs=1
    GET /monitor/subsz       subscriptions
    GET /monitor/leafz       the cluster that the node is an edge of
    GET /monitor/healthz     whether the server takes connections: 200 or 503

Rule: it is read and changes nothing; no page of another site may read it, and nothing is kept of it.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from http import HTTPStatus
from time import time
from typing import Annotated

from attrs import frozen

from netkit.document.values import Between
from netkit.http.messages import Handler, Request, Response
from netkit.http.pages import NOSNIFF, READING, error_page, method_not_allowed
from netkit.services.kind import MountKind, World
from netkit.services.pubsub.monitor import shapes
from netkit.services.pubsub.monitor.asked import AskedError, asked
from netkit.services.pubsub.monitor.choosing import chosen
from netkit.services.pubsub.monitor.page import monitor_page
from netkit.services.pubsub.monitor.process import Load, cores, memory
from netkit.services.pubsub.monitor.shapes import Moment, Server
from netkit.services.pubsub.monitor.writing import Shape, line, written
from netkit.services.pubsub.service import PubSub

_UNKEPT = (b"Cache-Control", b"no-store")
_JSON = ((b"Content-Type", b"application/json"), NOSNIFF, _UNKEPT)


@frozen(kw_only=True)
class Settings:
    """At most so many `subscriptions` are listed in one answer."""

    subscriptions: Annotated[int, Between(1, 1_000_000, "")] = 10_000


class Monitor:
    """Shows the service `shown`; `wall` is the time of day, in seconds since 1970."""

    def __init__(
        self,
        settings: Settings,
        shown: PubSub,
        world: World,
        wall: Callable[[], float] = time,
    ) -> None:
        self._settings = settings
        self._shown = shown
        self._clock = world.clock.seconds
        self._wall = wall
        self._load = Load(self._clock)
        self._asked: Counter[str] = Counter()
        self._shapes: Mapping[str, Callable[[Request, Moment], Shape]] = {
            "/varz": lambda request, moment: shapes.varz(self._server(request), moment),
            "/connz": self._connz,
            "/subsz": lambda _, moment: self._subsz(moment),
            "/leafz": lambda _, moment: self._leafz(moment),
        }

    def answer(self, request: Request) -> Response:
        """Answer a request."""
        path = request.path or "/"
        if path not in self._shapes and path not in {"/", "/healthz"}:
            return error_page(HTTPStatus.NOT_FOUND)
        if request.method not in READING:
            return method_not_allowed(*READING)
        self._asked[path] += 1
        moment = Moment(server_id=self._shown.terms.server, wall=self._wall(), clock=self._clock())
        if path == "/":
            return monitor_page(self._server(request), moment, (_UNKEPT,))
        if path == "/healthz":
            return self._healthz()
        try:
            shape = self._shapes[path](request, moment)
        except AskedError as error:
            return error_page(HTTPStatus.BAD_REQUEST, f"{error}.".capitalize(), (_UNKEPT,))
        return Response(HTTPStatus.OK, _JSON, written(shape))

    def _server(self, request: Request) -> Server:
        shown = self._shown
        return Server(
            info=shown.terms.info,
            settings=shown.house.settings,
            figures=shown.figures(),
            fabric=shown.fabric_figures(),
            since=shown.since,
            listening=shown.listening,
            requires_tls=shown.requires_tls,
            base=request.base,
            memory=memory(),
            load=self._load.percent(),
            cores=cores(),
            asked=self._asked,
        )

    def _connz(self, request: Request, moment: Moment) -> Shape:
        wanted = asked(request.query)
        house = self._shown.house
        house.broker.add_up()
        most = self._settings.subscriptions
        return shapes.connz(
            chosen(house.crowd, wanted),
            len(house.crowd),
            wanted,
            moment,
            most,
        )

    def _subsz(self, moment: Moment) -> Shape:
        interest = self._shown.house.broker.interest
        return shapes.subsz(len(interest), interest.remembered, interest.inserted, moment)

    def _leafz(self, moment: Moment) -> Shape:
        return shapes.leafz(self._shown.fabric_figures(), moment)

    def _healthz(self) -> Response:
        crowd = self._shown.house.crowd
        ready = self._shown.running and not crowd.closing
        shape = shapes.healthz("" if ready else "server is not ready for connections")
        status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
        return Response(status, _JSON, line(shape))


def build(settings: Settings, shown: PubSub, world: World) -> Handler:
    """Return what shows the values of `shown`."""
    return Monitor(settings, shown, world).answer


KIND = MountKind(name="monitor", settings=Settings, build=build, shows="pubsub")
