"""A request to the mount `upstream`: a server is chosen and asked, and where that fails perhaps another.

Rule: a request goes out again only where no server can have acted on it, or where it may be repeated
and its body is at hand. To choose a server among those that are well costs a look at them and no more.
"""

from collections.abc import AsyncIterator, Callable
from secrets import token_hex
from typing import Protocol

from attrs import evolve
from twisted.application.service import Service
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from netkit.http.accesslog import shown_url
from netkit.http.asking import IDEMPOTENT, Answer, AskError, Asks, Problem
from netkit.http.forwarded import client, listed
from netkit.http.messages import Body, Request, Response
from netkit.http.pages import link
from netkit.net.dial import Way
from netkit.net.peer import host
from netkit.net.tunnel import Tunnels
from netkit.services.kind import World
from netkit.services.proxy.passing import last_hop, refusal
from netkit.services.proxy.relay import Relay
from netkit.services.proxy.upstream.balancing import Policy
from netkit.services.proxy.upstream.checks import Checks
from netkit.services.proxy.upstream.counted import counted
from netkit.services.proxy.upstream.errands import Errands, LastHopError, address_of
from netkit.services.proxy.upstream.health import State
from netkit.services.proxy.upstream.servers import Server, Servers, Shown
from netkit.services.proxy.upstream.settings import HEADER, Settings
from netkit.services.proxy.upstream.sticky import cookie, set_cookie

_SECOND = 1.0

_NO_OTHER_HELPS = frozenset(
    (
        Problem.HTTP_REQUEST_DENIED,
        Problem.HTTP_REQUEST_ERROR,
        Problem.HTTP_UPGRADE_FAILED,
        Problem.PROXY_INTERNAL_ERROR,
        Problem.PROXY_LOOP_DETECTED,
    )
)
_NOT_ITS_FAULT = _NO_OTHER_HELPS | {
    Problem.CONNECTION_LIMIT_REACHED,
    Problem.DESTINATION_UNAVAILABLE,
}
"""What says nothing of a server's health."""


class Pool(Asks, Protocol):
    """Asks, over connections that it keeps."""

    def stop(self) -> None:
        """Keep no connection any longer."""


class Upstream(Service):
    """The mount: a handler, which has checks to make while it runs.

    `servers`, each with what it is called as a host, are asked by way of `pool`.
    """

    def __init__(
        self,
        settings: Settings,
        servers: dict[Server[Way], bytes],
        pool: Pool,
        world: World,
    ) -> None:
        name = settings.name or f"netkit-{token_hex(4)}"
        self._settings = settings
        self._servers = Servers(tuple(servers), settings.policy)
        self._pool = pool
        self._clock = world.clock
        self._log = world.log
        self._relay = Relay(pool, Tunnels(settings.tunnel, world.clock), name)
        self._errands = Errands(settings, name, servers)
        self._key = _key_of(settings)
        self._cookie = settings.sticky.cookie.encode() if settings.sticky else b""
        self._checks = Checks(settings, pool, world.clock, servers, self._checked)
        self._ticking = LoopingCall(self._look)
        self._ticking.clock = world.clock

    @property
    def shown(self) -> tuple[Shown, ...]:
        """How the servers are at this moment."""
        return self._servers.shown()

    def startService(self) -> None:
        """Begin to check."""
        super().startService()
        self._ticking.start(_SECOND)

    def stopService(self) -> None:
        """Check no more, and keep no connections; what is going on goes on."""
        super().stopService()
        if self._ticking.running:
            self._ticking.stop()
        self._checks.stop()
        self._pool.stop()

    def _look(self) -> None:
        now = self._clock.seconds()
        self._errands.forget()
        self._servers.look(now)
        self._checks.look(self._servers.all, now)

    def _checked(self, server: Server[Way], wrong: str) -> None:
        """Note how a check went; `wrong` is empty where it went well."""
        if self._servers.checked(server, self._clock.seconds(), well=not wrong):
            self._say(server, wrong)

    def _say(self, server: Server[Way], reason: str) -> None:
        if server.health.state is State.UP:
            self._log.info("{server} is back", server=server.name)
        else:
            self._log.warn("{server} is down: {reason}", server=server.name, reason=reason)

    # Requests.

    def __call__(self, request: Request) -> Deferred[Response]:
        """Answer a request."""
        length = request.head.length
        if length == 0:
            return self._ask(request, b"")
        if length is not None and length <= self._settings.buffer_bytes:
            return Deferred.fromCoroutine(self._buffered(request, length))
        return self._ask(evolve(request, body=_Streamed(request.body)), None)

    async def _buffered(self, request: Request, length: int) -> Response:
        return await self._ask(request, await request.body.read(length))

    def _ask(
        self,
        request: Request,
        body: bytes | None,
        failed: tuple[Server[Way], ...] = (),
        began: float | None = None,
    ) -> Deferred[Response]:
        """Ask a server that is none of those that have `failed`; `body` is None for one to stream."""
        server = self._chosen(request, failed)
        if server is None:
            error = AskError(Problem.DESTINATION_UNAVAILABLE, "no server is fit to be asked")
            return succeed(refusal(error, self._relay.name))
        if began is None:
            began = self._clock.seconds()
        try:
            errand = self._errands.errand(request, server)
            asking = self._relay.pass_on(request, errand, body)
        except Exception as error:  # noqa: BLE001 (raised again, or answered)
            self._servers.over(server)
            return succeed(self._unasked(request, error))
        return asking.addCallbacks(
            self._answered,
            self._failed,
            callbackArgs=(server, request),
            errbackArgs=(server, request, body, failed, began),
        )

    def _unasked(self, request: Request, error: Exception) -> Response:
        """Return the answer to a request that goes no further; raise `error` where that is none."""
        if isinstance(error, AskError):
            return refusal(error, self._relay.name)
        if isinstance(error, LastHopError):
            return last_hop(request.head)
        raise error

    def _chosen(self, request: Request, failed: tuple[Server[Way], ...]) -> Server[Way] | None:
        if self._cookie and not failed:
            sent = request.head.fields.get(b"cookie")
            named = cookie(sent, self._cookie) if sent is not None else None
            server = self._servers.named(named) if named is not None else None
            if server is not None:
                return server
        return self._servers.choose(self._key(request) if self._key else b"", failed)

    def _answered(self, answer: Answer, server: Server[Way], request: Request) -> Response:
        """Return what the visitor gets; the request is over as soon as the body is there."""
        tried = server.health.state is not State.UP
        if tried and self._servers.answered(server, self._clock.seconds()):
            self._say(server, "")
        if isinstance(answer.body, bytes):
            self._servers.over(server)
            response = self._relay.response(answer, request.head)
        else:
            response = self._relay.response(answer, request.head)
            response = counted(response, lambda: self._servers.over(server))
        return self._sticking(response, server, request) if self._cookie else response

    def _sticking(self, response: Response, server: Server[Way], request: Request) -> Response:
        """Return `response` with the cookie of `server`, where the visitor has not sent it."""
        sticky = self._settings.sticky
        sent = request.head.fields.get(b"cookie", b"")
        if sticky is None or cookie(sent, self._cookie) == server.cookie:
            return response
        path = link(request.base) or "/"
        secure = request.client.secure
        field = set_cookie(self._cookie, server.cookie, path, sticky.max_age, secure=secure)
        return evolve(response, headers=(*response.headers, field))

    def _failed(  # noqa: PLR0913, PLR0917 (a callback's)
        self,
        failure: Failure,
        server: Server[Way],
        request: Request,
        body: bytes | None,
        failed: tuple[Server[Way], ...],
        began: float,
    ) -> Failure | Response | Deferred[Response]:
        """Ask another server, or say why there is no answer."""
        error = failure.value
        now = self._clock.seconds()
        if not isinstance(error, AskError):
            self._servers.over(server)
            return failure
        if error.problem not in _NOT_ITS_FAULT and self._servers.failed(server, now):
            self._say(server, str(error))
        self._servers.over(server)
        self._log.info(
            "{server} gave no answer to {method} {target}: {reason}",
            server=server.name,
            method=request.method.decode("ascii"),
            target=shown_url(request.target),
            reason=str(error),
        )
        failed = (*failed, server)
        if self._goes_on(error, request, body, failed, now - began):
            return self._ask(request, body, failed, began)
        return refusal(error, self._relay.name)

    def _goes_on(
        self,
        error: AskError,
        request: Request,
        body: bytes | None,
        failed: tuple[Server[Way], ...],
        seconds: float,
    ) -> bool:
        """Return whether another server is asked."""
        retries = self._settings.retries
        if len(failed) >= retries.tries or seconds >= retries.seconds:
            return False
        if error.problem in _NO_OTHER_HELPS or not self._servers.others(failed):
            return False
        if body is None:
            return error.untouched and not getattr(request.body, "begun", True)
        return error.untouched or request.method in IDEMPOTENT


class _Streamed:
    """A request's body that tells whether somebody has `begun` to take it."""

    def __init__(self, body: Body) -> None:
        self.begun = False
        self._body = body

    async def read(self, at_most: int) -> bytes:
        """See Body."""
        self.begun = True
        return await self._body.read(at_most)

    def __aiter__(self) -> AsyncIterator[bytes]:
        """See Body."""
        self.begun = True
        return self._body.__aiter__()


def _key_of(settings: Settings) -> Callable[[Request], bytes] | None:
    """Return what the policy "hash" takes of a request: a field, or else the client's address."""
    if settings.policy is not Policy.HASH:
        return None

    def by_client(request: Request) -> bytes:
        peer = request.client.peer
        if not settings.trusted:
            return host(peer).encode()
        said = request.head.fields.get(b"x-forwarded-for", b"")
        return str(client(address_of(peer), listed(said), settings.trusted)).encode()

    name = settings.hash_by.removeprefix(HEADER).lower().encode()
    if name == settings.hash_by.encode():
        return by_client

    def by_field(request: Request) -> bytes:
        return request.head.fields.get(name) or by_client(request)

    return by_field
