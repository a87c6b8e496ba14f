"""The forward proxy as a service: who may use it, and what becomes of each request.

It forwards plain HTTP alone and opens no tunnels; every address that netkit's host can reach may be
asked for, which is why it serves this host alone unless told otherwise.
"""

from http import HTTPStatus
from ipaddress import ip_network

from attrs import frozen

from netkit.document.values import Network, Seconds
from netkit.http.accesslog import access_log
from netkit.http.limits import DEFAULTS, Limits
from netkit.http.messages import Request, Response
from netkit.http.pages import error_page
from netkit.http.server import HandlerFactory
from netkit.net.peer import host
from netkit.services.kind import Kind, NoOptions, References, Running, World
from netkit.services.proxy.forwarding import NotForwardedError, destination
from netkit.services.proxy.policy import admits
from netkit.services.proxy.upstream import UpstreamError, UpstreamLateError, fetch
from netkit.services.proxy.words import counting, mount
from netkit.services.proxy.words.settings import CountWords

LOOPBACK: tuple[Network, ...] = (ip_network("127.0.0.0/8"), ip_network("::1/128"))


@frozen
class Settings:
    """A proxy's own keys.

    `clients` may use it, others are refused. `http` says what a request may cost. `upstream_timeout`
    is how long, in seconds, an origin may take to be reached, to begin its answer, and to go on.
    `count_words` counts the words of the HTML that passes, within limits.
    """

    clients: tuple[Network, ...] = LOOPBACK
    http: Limits = DEFAULTS
    upstream_timeout: Seconds = 60.0
    count_words: bool | CountWords = False


class Proxy(Running[NoOptions]):
    """A running proxy."""

    def __init__(self, settings: Settings, references: References, world: World) -> None:  # noqa: ARG002
        self._settings = settings
        self._world = world
        self._counting = counting.built(settings.count_words, world.clock, world.log)
        self.words = self._counting and self._counting.tally

    def stopService(self) -> None:
        """Count no more."""
        super().stopService()
        if self._counting is not None:
            self._counting.stop()

    def factory(self, options: NoOptions) -> HandlerFactory:  # noqa: ARG002 (a proxy has none)
        """Return what serves one listener's connections, with a line in the log for each request."""
        return HandlerFactory(
            self.answer,
            clock=self._world.clock,
            log=self._world.log,
            limits=self._settings.http,
            served=access_log(self._world.log),
        )

    async def answer(self, request: Request) -> Response:
        """Return the origin's answer, whose words may be counted, or a page that says why not."""
        answer = await self._answer(request)
        return self._counting.watched(request, answer) if self._counting else answer

    async def _answer(self, request: Request) -> Response:
        settings = self._settings
        if not admits(settings.clients, host(request.client.peer)):
            return error_page(HTTPStatus.FORBIDDEN, "This proxy does not serve your address.")
        if request.method == b"CONNECT":
            words = "This proxy opens no tunnels, as https:// would need."
            return error_page(HTTPStatus.NOT_IMPLEMENTED, words)
        body = await request.body.read(settings.http.body_bytes)
        try:
            where = destination(request.target)
            return await fetch(request, body, where, self._world, settings.upstream_timeout)
        except NotForwardedError as error:
            return error_page(HTTPStatus.BAD_REQUEST, str(error))
        except UpstreamLateError as error:
            return error_page(HTTPStatus.GATEWAY_TIMEOUT, str(error))
        except UpstreamError as error:
            return error_page(HTTPStatus.BAD_GATEWAY, str(error))


KIND: Kind[Settings, NoOptions] = Kind(
    name="proxy",
    settings=Settings,
    options=NoOptions,
    build=Proxy,
    mounts=(mount.MOUNT,),
    limits={"idle_timeout": 0.0},
)
