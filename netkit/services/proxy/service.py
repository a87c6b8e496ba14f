"""The forward proxy as a service: each request let in, judged, and passed on or refused.

Rule: whatever becomes of a request, its client has an answer and the log one line that says which rule
decided.
"""

from collections.abc import Awaitable, Iterator
from http import HTTPStatus
from secrets import token_hex
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorPluggableNameResolver
from twisted.python.failure import Failure

from netkit.http import accesstable
from netkit.http.accesslog import Exchange
from netkit.http.asking import Answer, AskError, Asks, Problem
from netkit.http.messages import Request, Response
from netkit.http.pool import Pool
from netkit.http.server import HandlerFactory
from netkit.net.connect import Connector
from netkit.net.limits import source
from netkit.net.logins import Logins, in_threads
from netkit.net.names import Names
from netkit.net.policy import ANYWHERE, Policy
from netkit.net.tunnel import Tunnels
from netkit.net.users import passwords
from netkit.services.kind import Complaint, Kind, NoOptions, References, Running, World
from netkit.services.proxy import chaining, upstream
from netkit.services.proxy import settings as keys
from netkit.services.proxy.access import Access
from netkit.services.proxy.admission import Admission
from netkit.services.proxy.connecting import Connecting
from netkit.services.proxy.decisions import Decision, Decisions, DeniedError
from netkit.services.proxy.passing import last_hop
from netkit.services.proxy.relay import Relay
from netkit.services.proxy.routing import Routing
from netkit.services.proxy.settings import Settings
from netkit.services.proxy.targets import NotForProxyError
from netkit.services.proxy.words import counting
from netkit.services.proxy.words import mount as words

_CHALLENGE = HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
_NO_SITE = "This is a proxy and no web site: give it to a program as that, as in curl --proxy."


class Proxy(Running[NoOptions]):
    """A running proxy; `asks` is who asks servers, a pool of its own where there is none."""

    def __init__(self, settings: Settings, world: World, asks: Asks | None = None) -> None:
        self._settings = settings
        self._world = world
        self._pool = Pool(settings.upstream, world.clock)
        self._tunnels = Tunnels(settings.tunnel, world.clock)
        self._access_log = accesstable.built(settings.access_log, world.clock, world.log)
        self._counting = counting.built(settings.count_words, world.clock, world.log)
        self.words = self._counting.tally if self._counting else None
        name = settings.name or f"netkit-{token_hex(4)}"
        self._decisions = Decisions(name, world.log)
        self._admission = Admission(settings, self._logins())
        self._routing = self._routed(name)
        self._relay = Relay(asks or self._pool, self._tunnels, name)
        self._connecting = Connecting(
            asks=asks or self._pool,
            tunnels=self._tunnels,
            decisions=self._decisions,
            clock=world.clock,
            at_once=settings.tunnels_per_client,
            through_parent=settings.parent is not None,
        )

    def _logins(self) -> Logins | None:
        settings, world = self._settings, self._world
        if not settings.wants_login:
            return None
        known = passwords(settings.users, settings.passwords)
        return Logins(known, in_threads(world.network), world.clock, world.log)

    def _routed(self, name: str) -> Routing:
        settings, world = self._settings, self._world
        names = Names(cast("IReactorPluggableNameResolver", world.network).nameResolver)

        def connector(policy: Policy) -> Connector:
            seconds = settings.connect_timeout
            return Connector(world.clock, world.network, names, policy, seconds)

        access = Access.of(settings.connect_ports, settings.ports, settings.destination)
        behind = chaining.parent(settings, connector(ANYWHERE))
        return Routing(access, connector, world.listening, name, behind)

    def factory(self, options: NoOptions) -> HandlerFactory:  # noqa: ARG002 (a proxy has none)
        """Return what serves one listener's connections."""
        world = self._world
        return HandlerFactory(
            self.answer,
            clock=world.clock,
            log=world.log,
            limits=self._settings.http,
            served=self._served,
        )

    def startService(self) -> None:
        """Open the access log, as who the process is by now."""
        super().startService()
        self._access_log.start()
        self._routing.forget()

    def stopService(self) -> None:
        """End all tunnels, and keep no connections to servers; answers under way go on."""
        super().stopService()
        self._tunnels.abort()
        self._access_log.stop()
        self._pool.stop()
        if self._counting is not None:
            self._counting.stop()

    def answer(self, request: Request) -> Response | Awaitable[Response]:
        """Return the origin's answer, or a page that says why there is none."""
        decision = self._decisions.begin(request, self._world.clock.seconds())
        try:
            user = self._admission.user(request, decision.client)
            if isinstance(user, str):  # which is seen sooner than that it is no Deferred
                return self._known(user, request, decision)
            known: Deferred[Any] = user.addCallback(self._known, request, decision)
            return known.addErrback(self._failed, decision)
        except (AskError, DeniedError) as error:
            return self._decisions.page(error, decision)

    def _known(
        self, user: str, request: Request, decision: Decision
    ) -> Response | Deferred[Response]:
        """Go on with a request of somebody who may use the proxy."""
        decision.user = user
        head = request.head
        try:
            plan = self._routing.plan(head)
        except NotForProxyError:
            return self._own(request, decision)
        decision.target = plan.target
        decision.rule = plan.rule
        if head.method == b"CONNECT":
            who = f"user {user}" if user else source(request.client.peer)
            connecting = self._connecting.connect(plan, who, decision)
            return connecting.addErrback(self._failed, decision)
        if plan.is_last:
            return last_hop(head)
        return self._relay.pass_on(request, plan.errand).addCallbacks(
            self._answered,
            self._failed,
            callbackArgs=(request, decision),
            errbackArgs=(decision,),
        )

    def _answered(self, answer: Answer, request: Request, decision: Decision) -> Response:
        response = self._relay.response(answer, request.head)
        if self._settings.parent is not None and response.status == _CHALLENGE:
            # That the parent wants another login is nothing that a client can help.
            response.close()
            error = AskError(Problem.HTTP_PROTOCOL_ERROR, "the next proxy answered 407")
            return self._decisions.page(error, decision)
        return self._counting.watched(request, response) if self._counting else response

    def _own(self, request: Request, decision: Decision) -> Response:
        """Answer what was asked of the proxy itself."""
        if request.target == b"*":
            decision.rule = "the proxy itself"
            return Response(HTTPStatus.NO_CONTENT)
        error = DeniedError("the target", _NO_SITE, HTTPStatus.BAD_REQUEST)
        return self._decisions.page(error, decision)

    def _failed(self, failure: Failure, decision: Decision) -> Response:
        failure.trap(AskError, DeniedError)
        assert isinstance(failure.value, Exception)  # noqa: S101 (for mypy)
        return self._decisions.page(failure.value, decision)

    def _served(self, exchange: Exchange) -> None:
        self._decisions.served(exchange)
        if self._access_log.served is not None:
            self._access_log.served(exchange)


def complaints(settings: Settings) -> Iterator[Complaint]:
    """Yield what is wrong with `settings`; raise ConfigError for what is wrong with their files."""
    yield from chaining.complaints(settings)
    yield from keys.complaints(settings)


def _built(settings: Settings, _: References, world: World) -> Proxy:
    return Proxy(settings, world)


KIND: Kind[Settings, NoOptions] = Kind(
    name="proxy",
    settings=Settings,
    options=NoOptions,
    build=_built,
    complaints=complaints,
    mounts=(upstream.KIND, words.KIND),
    limits={"idle_timeout": 0.0},  # HTTP and tunnels have times of their own
    alpn=(b"http/1.1",),
)
