"""The connection to an origin server, on twisted.web's HTTP/1.1 client.

One request a connection. The header section of an answer is bounded and comes before a deadline;
each piece of the body is waited for as long, and no more is read while one has not been taken. An
answer that ends too early ends in BodyCutError, except one that only the connection's end delimits.
"""

from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Any, NoReturn

from twisted.internet import error
from twisted.internet.defer import Deferred, TimeoutError, succeed  # noqa: A004 (Twisted's own)
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.interfaces import IConsumer, IReactorTime
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web import _newclient as client
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers as FieldTable
from twisted.web.iweb import IBodyProducer, IResponse
from zope.interface import implementer

from netkit.http.messages import BodyCutError, Request, Response
from netkit.services.kind import World
from netkit.services.proxy.forwarding import Destination, passed_on

HEADER_BYTES = 64 * 1024

_STATUSES = range(200, 1000)
_LENGTH_DIGITS = 18


class UpstreamError(Exception):
    """The origin gives no answer; the text says why, as a sentence."""


class UpstreamLateError(UpstreamError):
    """The origin did not answer in time."""


async def fetch(
    request: Request, body: bytes, destination: Destination, world: World, seconds: float
) -> Response:
    """Return the origin's answer to `request`, whose body is still on its way.

    Connecting may take `seconds`, the header section as much again. Raise UpstreamError.
    """
    endpoint = HostnameEndpoint(world.network, destination.host, destination.port)
    try:
        connecting = endpoint.connect(_Connections())
        connection = await connecting.addTimeout(seconds, world.clock, _late)
        assert isinstance(connection, _Connection)  # noqa: S101 (for mypy)
        answering = connection.ask(request, body, destination)
        answer = await answering.addTimeout(seconds, world.clock, _late)
    except (error.TimeoutError, TimeoutError):
        raise UpstreamLateError("The server did not answer in time.") from None
    except _UNREACHABLE:
        raise UpstreamError("The server cannot be reached.") from None
    except _NO_ANSWER:
        raise UpstreamError("The server gave no answer that can be understood.") from None
    return connection.response(answer, request.method, world.clock, seconds)


_UNREACHABLE = (
    error.ConnectError,
    error.ConnectingCancelledError,
    error.DNSLookupError,
    ValueError,  # a name that no host can have
)
_NO_ANSWER = (
    client.RequestGenerationFailed,
    client.RequestTransmissionFailed,
    client.ResponseFailed,
)


def _late(_: object, seconds: float) -> NoReturn:
    raise TimeoutError(seconds)


class _Connection(client.HTTP11ClientProtocol):
    """A connection for one request."""

    _header_bytes = 0
    _header_whole = False

    def ask(self, request: Request, body: bytes, destination: Destination) -> Deferred[IResponse]:
        """Send the request with fields fit for the next hop, and return its answer to come."""
        fields = FieldTable({b"Host": [destination.authority]})
        for name, value in passed_on(request.headers):
            fields.addRawHeader(name, value)
        whole = _Whole(body) if body else None
        answer = self.request(client.Request(request.method, destination.target, fields, whole))
        # The base class lets go of it before anybody could read the answer's Connection field.
        self._header: client.HTTPClientParser | None = self._parser
        return answer.addCallback(self._answered)

    def _answered(self, answer: IResponse) -> IResponse:
        self._header_whole = True
        if answer.code not in _STATUSES:
            self._abort()
            raise client.ResponseFailed([], answer)
        return answer

    def dataReceived(self, data: bytes) -> None:
        """Count what comes before the answer, which the base class takes without end."""
        if not self._header_whole:
            if self._header_bytes > HEADER_BYTES:
                self._abort()
                return
            self._header_bytes += len(data)
        super().dataReceived(data)

    def response(
        self, answer: IResponse, method: bytes, clock: IReactorTime, seconds: float
    ) -> Response:
        """Return `answer` as it goes back to the client."""
        arrival = _Arrival(_length(answer, method), clock, seconds, self._abort)
        answer.deliverBody(arrival)
        fields = [
            (name, value) for name, values in answer.headers.getAllRawHeaders() for value in values
        ]
        options = self._header.connHeaders.getRawHeaders(b"Connection", ()) if self._header else ()
        return Response(answer.code, passed_on(tuple(fields), b",".join(options)), arrival)

    def _abort(self) -> None:
        transport: Any = self.transport
        transport.abortConnection()


class _Connections(Factory):
    """Makes a connection, and no line in the log of itself."""

    noisy = False
    protocol = _Connection


def _length(answer: IResponse, method: bytes) -> int | None:
    if method == b"HEAD":
        written = answer.headers.getRawHeaders(b"Content-Length", [b""])[0]
        return int(written) if written.isdigit() and len(written) <= _LENGTH_DIGITS else None
    return answer.length if isinstance(answer.length, int) else None


@implementer(IBodyProducer)
class _Whole:
    """A request's body, which is at hand."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self.length = len(body)

    def startProducing(self, consumer: IConsumer) -> Deferred[None]:
        consumer.write(self._body)
        return succeed(None)

    def pauseProducing(self) -> None:
        """Do nothing: all has been written."""

    def resumeProducing(self) -> None:
        """Do nothing: all has been written."""

    def stopProducing(self) -> None:
        """Do nothing: all has been written."""


class _Arrival(Protocol):
    """The stream of a body, read from the origin no faster than it is taken."""

    def __init__(
        self, length: int | None, clock: IReactorTime, seconds: float, abort: Callable[[], None]
    ) -> None:
        self.length = length
        self.close = abort
        self._clock = clock
        self._seconds = seconds
        self._pieces: deque[bytes] = deque()
        self._end: Failure | None = None
        self._awaited: Deferred[None] | None = None

    def dataReceived(self, data: bytes) -> None:
        self._pieces.append(data)
        self._producer.pauseProducing()
        self._wake()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._end = reason
        self._wake()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what comes; the connection is paused while nobody asks."""
        while self._pieces or self._end is None:
            if self._pieces:
                yield self._pieces.popleft()
            else:
                await self._more()
        if not self._end.check(client.ResponseDone, PotentialDataLoss):
            raise BodyCutError("the origin stopped in the middle")

    async def _more(self) -> None:
        awaited = self._awaited = Deferred()
        self._producer.resumeProducing()
        try:
            await awaited.addTimeout(self._seconds, self._clock)
        except TimeoutError:
            raise BodyCutError("the origin fell silent") from None

    def _wake(self) -> None:
        awaited, self._awaited = self._awaited, None
        if awaited is not None:
            awaited.callback(None)

    @property
    def _producer(self) -> Any:  # noqa: ANN401 (a push producer that does not declare itself one)
        return self.transport
