"""WebSockets for handlers (RFC 6455): answer a request by `WebSockets.upgrade`, and talk in messages.

Rule: who may open one is decided by `handshake` alone, before there is an endpoint; what one may cost
is looked at once a second, for all of them together.
"""

from collections.abc import Callable, Collection, Sequence
from http import HTTPStatus

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from wsproto.frame_protocol import CloseReason

from netkit.http.handshake import acceptance, chosen, refusal
from netkit.http.messages import Request, Response, Takeover
from netkit.http.pages import error_page
from netkit.http.sockets import DEFAULTS, Endpoint, Socket, SocketLimits
from netkit.net.peer import host_and_port

_SWEEP = 1.0  # seconds


class WebSockets:
    """The WebSockets of one handler; one sweep a second on `clock` looks after all of them.

    `subprotocols` are those that the endpoints speak, in no order: the client's counts. `origins` are
    the pages let in beside those of the server itself (see `origins.let_in`).
    """

    def __init__(
        self,
        clock: IReactorTime,
        log: Logger,
        *,
        limits: SocketLimits = DEFAULTS,
        subprotocols: Sequence[str] = (),
        origins: Collection[str] = (),
    ) -> None:
        self.clock = clock
        self.limits = limits
        self._log = log
        self._subprotocols = subprotocols
        self._origins = origins
        self._open: set[Socket] = set()
        self._stopped = False
        self._sweep = LoopingCall(self._look)
        self._sweep.clock = clock

    def __len__(self) -> int:
        """Return how many connections there are, those included that are about to end."""
        return len(self._open)

    def upgrade(self, request: Request, endpoint: Callable[[], Endpoint]) -> Response:
        """Return the 101 after which an endpoint from `endpoint` talks to the client, or a page.

        The page says what is wrong: 400, 403 (a foreign page), 405, 426; or 503 after `stop`.
        """
        if self._stopped:
            return error_page(HTTPStatus.SERVICE_UNAVAILABLE)
        refused = refusal(request, self._origins)
        if refused is not None:
            return refused
        subprotocol = chosen(request, self._subprotocols)
        socket = Socket(self, endpoint(), subprotocol)
        fields = acceptance(request, subprotocol)
        return Response(HTTPStatus.SWITCHING_PROTOCOLS, fields, Takeover(socket))

    def stop(self) -> None:
        """Open no more, and close all with 1001; each is gone after its `closing_timeout` at last."""
        self._stopped = True
        for socket in list(self._open):
            socket.close(CloseReason.GOING_AWAY)

    def enter(self, socket: Socket) -> None:
        """Look after `socket` from now on."""
        self._open.add(socket)
        if not self._sweep.running:
            self._sweep.start(_SWEEP, now=False)

    def leave(self, socket: Socket) -> None:
        """Forget `socket`, whose connection is lost."""
        self._open.discard(socket)
        if not self._open and self._sweep.running:
            self._sweep.stop()

    def report(self, socket: Socket, reason: str) -> None:
        """Note that the WebSocket of a client ends for `reason`."""
        self._log.info(
            "let go of the WebSocket of {peer}: {reason}",
            peer=host_and_port(socket.peer),
            reason=reason,
        )

    def blame(self) -> None:
        """Note the exception that an endpoint has raised."""
        self._log.failure("the endpoint of a WebSocket has raised")

    def _look(self) -> None:
        now = self.clock.seconds()
        for socket in list(self._open):
            socket.look(now)
