"""A client, a relay with a pool, and an origin that does as a test says: all in memory, on one clock."""

from http import HTTPStatus
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent
from twisted.python.failure import Failure

from netkit.http.asking import AskError
from netkit.http.clientlimits import ClientLimits
from netkit.http.limits import DEFAULTS, Limits
from netkit.http.messages import Request, Response
from netkit.http.pool import Pool
from netkit.http.server import HandlerFactory
from netkit.net.tunnel import TunnelLimits, Tunnels
from netkit.services.proxy.passing import onward, refusal
from netkit.services.proxy.relay import Errand, Relay
from tests.http.fakes import PEER, Answer, answers, recorded
from tests.http.origins import Origin
from tests.net.transports import PeerTransport

GET = b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"
NAME = "netkit-a1"


class Relayed:
    """A relay, its origin, and its clients, of whom the last one is `client`.

    `http` are the limits of the clients' side, `limits` those of the pool. Whoever is sent something takes it when a test says so.
    """

    def __init__(self, http: Limits = DEFAULTS, **limits: Any) -> None:
        self.clock = Clock()
        self.events: list[LogEvent] = []
        self.origin = Origin()
        self.pool = Pool(ClientLimits(**limits), self.clock)
        self.factory = HandlerFactory(
            self._handle, clock=self.clock, log=recorded(self.events), limits=http
        )
        self._relay = Relay(self.pool, Tunnels(TunnelLimits(), self.clock), NAME)
        self.come()

    def _handle(self, request: Request) -> Deferred[Response]:
        headers = ((b"Host", b"origin"), *onward(request.head, NAME))
        errand = Errand(
            method=request.method, way=self.origin, target=request.target, headers=headers
        )
        return self._relay.pass_on(request, errand).addCallbacks(
            self._relay.response, _refused, callbackArgs=(request.head,)
        )

    def come(self) -> None:
        """Let another client come."""
        self.client = PeerTransport(self.factory.buildProtocol(PEER))

    def ask(self, said: bytes = GET) -> bytes:
        """Let the client send `said`; return what the origin is asked."""
        self.client.send(said)
        return self.origin.end.take()

    def wait(self, seconds: int) -> None:
        """Let so many seconds pass."""
        self.clock.pump([1] * seconds)

    @property
    def answered(self) -> list[Answer]:
        """The final answers to GETs that the client has taken by now."""
        self.client.take()
        return [each for each in answers(self.client.taken) if each.status >= HTTPStatus.OK]

    @property
    def failures(self) -> list[LogEvent]:
        """What was logged with a traceback."""
        return [event for event in self.events if "log_failure" in event]


def _refused(failure: Failure) -> Response:
    failure.trap(AskError)
    assert isinstance(failure.value, AskError)
    return refusal(failure.value, NAME)
