"""The interim server: a Handler on twisted.web's HTTP/1.1 parser.

Mounts and proxies know messages only, so that a server of netkit's own takes this file's place
without their notice. twisted.web's Site and resources are left out: they would parse forms unbounded,
offer HTTP/2 and write error pages of their own. What this file adds to the parser: header fields as
received, bodies with a limit, a deadline for a whole request that a trickle of bytes does not move,
refusals after which nothing is parsed, exactly one Host, and back-pressure for every answer.

What it cannot do: answer before a chunked body is too long, ask for a body (100-continue) only when
it is wanted, stream request bodies, or tell slow honest clients from slow attackers.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import closing
from http import HTTPStatus
from secrets import token_hex
from time import time
from typing import Any

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IProtocolNegotiationFactory,
    IPushProducer,
    IReactorTime,
)
from twisted.internet.task import deferLater
from twisted.logger import Logger
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from twisted.web import http
from twisted.web.http_headers import Headers as FieldTable
from zope.interface import implementer

from netkit.document.values import printable
from netkit.http.accesslog import Exchange, shown_url
from netkit.http.messages import (
    BodyCutError,
    BodyTooLargeError,
    Handler,
    Request,
    RequestHead,
    Response,
    Stream,
    Takeover,
)
from netkit.http.pages import error_page
from netkit.net.peer import host

IDLE_SECONDS = 60.0
LINGER_SECONDS = 2.0
BODY_BYTES = 1024 * 1024
TURN_BYTES = 1024 * 1024
AHEAD_BYTES = 16 * 1024

_LENGTH_DIGITS = 18
_CLIENT_LEFT = 499  # nginx's number for a client that left before the answer
_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


def _nowhere(_: Exchange) -> None:
    return None


def _length(body: bytes | Stream | Takeover) -> int | None:
    assert not isinstance(body, Takeover)  # noqa: S101 (this server has none)
    return len(body) if isinstance(body, bytes) else body.length


@frozen
class _Received:
    """A body that has arrived whole."""

    content: bytes

    async def read(self, at_most: int) -> bytes:
        if len(self.content) > at_most:
            raise BodyTooLargeError
        return self.content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self.content


@frozen
class _Client:
    peer: IAddress
    secure: bool
    server_name: str | None = None


@implementer(IPushProducer)
class _Gate:
    """Shut while the peer does not keep up with what is written."""

    def __init__(self) -> None:
        self._opened: Deferred[None] | None = None

    async def passed(self) -> None:
        """Return once the gate is open."""
        while self._opened is not None:
            await self._opened

    def pauseProducing(self) -> None:
        if self._opened is None:
            self._opened = Deferred()

    def resumeProducing(self) -> None:
        opened, self._opened = self._opened, None
        if opened is not None:
            opened.callback(None)

    def stopProducing(self) -> None:
        """Do nothing: the connection is lost, which ends the exchange."""


class _Exchange(http.Request):
    """One request and its answer, as a coroutine that ends when the client leaves."""

    def __init__(self, channel: http.HTTPChannel, *_: object) -> None:
        super().__init__(channel)
        self.fields: list[tuple[bytes, bytes]] = []
        self._factory: HandlerFactory = channel.factory
        self._body = bytearray()
        self._running: Deferred[None] | None = None

    def gotLength(self, length: int | None) -> None:
        """Keep the body here, and in no file."""

    def parseCookies(self) -> None:
        """Leave the fields as they are."""

    def handleContentChunk(self, data: bytes) -> None:
        if len(self._body) + len(data) > self._factory.body_bytes:
            raise BodyTooLargeError
        self._body += data

    def requestReceived(self, command: bytes, path: bytes, version: bytes) -> None:
        self.method, self.uri, self.clientproto = command, path, version
        head = RequestHead(method=command, target=path, version=version, headers=tuple(self.fields))
        request = Request(
            head=head,
            body=_Received(bytes(self._body)),
            client=_Client(self.client, self.isSecure()),
        )
        self._running = Deferred.fromCoroutine(self._run(request))
        self._running.addErrback(self._abandon, request)

    def connectionLost(self, reason: Failure) -> None:
        super().connectionLost(reason)
        if self._running is not None:
            self._running.cancel()

    async def _run(self, request: Request) -> None:
        started = self._factory.reactor.seconds()
        status, whole = _CLIENT_LEFT, False
        try:
            with closing(await self._answer(request)) as response:
                status = response.status
                await self._send(response)
                whole = True
        finally:
            seconds = self._factory.reactor.seconds() - started
            self._factory.served(Exchange(request, status, self.sentLength, seconds, whole))

    async def _answer(self, request: Request) -> Response:
        hosts = [value for name, value in request.headers if name.lower() == b"host"]
        if len(hosts) > 1 or (not hosts and request.head.version == b"HTTP/1.1"):
            return error_page(HTTPStatus.BAD_REQUEST, "A request has one Host field.")
        try:
            answer = self._factory.handler(request)
            return answer if isinstance(answer, Response) else await answer
        except BodyTooLargeError:
            return error_page(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        except Exception as error:
            if self._disconnected and isinstance(error, CancelledError):
                raise
            return self._blame(request)

    def _blame(self, request: Request) -> Response:
        """Log the exception that a handler raised, and show the visitor where it stands."""
        reference = token_hex(4)
        self._factory.logger.failure(
            "reference {reference}: no answer to {method} {target}",
            reference=reference,
            method=printable(request.method.decode("latin-1")),
            target=shown_url(request.target),
        )
        words = f"Something went wrong here, and it has been noted under the number {reference}."
        return error_page(HTTPStatus.INTERNAL_SERVER_ERROR, words)

    async def _send(self, response: Response) -> None:
        if self._disconnected:
            raise CancelledError
        self._set_header(response)
        gate = _Gate()
        self.registerProducer(gate, streaming=True)
        try:
            if self.method == b"HEAD" or response.status in _BODILESS:
                self.write(b"")
            elif isinstance(response.body, bytes):
                self.write(response.body)
            elif not isinstance(response.body, Takeover):
                await self._send_stream(response.body, gate)
            await gate.passed()
        finally:
            if not self._disconnected:
                self.unregisterProducer()
        if not self._disconnected:
            self.finish()

    def _set_header(self, response: Response) -> None:
        self.setResponseCode(response.status)
        for name, value in response.headers:
            self.responseHeaders.addRawHeader(name, value)
        if not self.responseHeaders.hasHeader(b"Server"):
            self.setHeader(b"Server", b"netkit")
        if not self.responseHeaders.hasHeader(b"Date"):
            self.setHeader(b"Date", http.datetimeToString(self._factory.wall()))
        length = _length(response.body)
        if length is not None and response.status not in _BODILESS:
            self.setHeader(b"Content-Length", b"%d" % length)

    async def _send_stream(self, body: Stream, gate: _Gate) -> None:
        """Send the pieces as fast as the peer takes them, giving way to others every TURN_BYTES."""
        sent = turn = 0
        async for piece in body:
            if body.length is not None and sent + len(piece) > body.length:
                raise BodyCutError("more came than was announced")
            self.write(piece)
            sent += len(piece)
            turn += len(piece)
            await gate.passed()
            if turn >= TURN_BYTES:
                turn = 0
                await deferLater(self._factory.reactor, 0)
        if body.length is not None and sent < body.length:
            raise BodyCutError("less came than was announced")

    def _abandon(self, failure: Failure, request: Request) -> None:
        """End an exchange that cannot be finished, in a way that no client takes for a whole one."""
        if not failure.check(CancelledError, BodyCutError):
            self._factory.logger.failure(
                "the answer to {target} did not end well",
                failure,
                target=shown_url(request.target),
            )
        if not self._disconnected and not self.finished:
            transport: Any = self.channel.transport
            transport.abortConnection()


@implementer(IHalfCloseableProtocol)
class _Channel(http.HTTPChannel):
    """One connection. Once a request is refused, what follows it is thrown away unparsed."""

    factory: "HandlerFactory"
    requestFactory = _Exchange  # type: ignore[assignment]  # said as a Request's own constructor
    _refused = False
    _begun = False

    def dataReceived(self, data: bytes) -> None:
        """Let the first byte of a request set the deadline, and no other."""
        if self._refused:
            return
        if not self._begun:
            self._begun = True
            self.resetTimeout()
        LineReceiver.dataReceived(self, data)

    def lineReceived(self, line: bytes) -> None:
        if not self._refused:
            super().lineReceived(line)

    def rawDataReceived(self, data: bytes) -> None:
        if self._refused:
            return
        try:
            super().rawDataReceived(data)
        except BodyTooLargeError:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        # The base class reads on without end from a peer that does not read its answers.
        if self._handlingRequest and sum(map(len, self._dataBuffer)) > AHEAD_BYTES:
            self._networkProducer.pauseProducing()

    def headerReceived(self, line: bytes) -> bool:
        name, _, value = line.partition(b":")
        value = value.strip(b" \t")
        if name.lower() == b"content-length" and len(value) > _LENGTH_DIGITS:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        elif super().headerReceived(line):
            self.requests[-1].fields.append((name, value))
        return not self._refused

    def allHeadersReceived(self) -> None:
        if self.length is not None and self.length > self.factory.body_bytes:
            self._refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            return
        self.resetTimeout()
        super().allHeadersReceived()

    def requestDone(self, request: http.Request) -> None:
        self._begun = False
        super().requestDone(request)

    def readConnectionLost(self) -> None:
        """Finish an answer that has begun; a client that says no more before that has left."""
        if self.requests and self.requests[0].startedWriting:
            self.persistent = False
        else:
            self.loseConnection()

    def writeConnectionLost(self) -> None:
        """Do nothing: netkit does not close its side alone."""

    def lineLengthExceeded(self, line: bytes) -> None:  # noqa: ARG002 (Twisted calls it so)
        self._refuse(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
            if self.requests
            else HTTPStatus.REQUEST_URI_TOO_LONG
        )

    def _respondToBadRequestAndDisconnect(self) -> None:
        self._refuse(HTTPStatus.BAD_REQUEST)

    def _refuse(self, status: HTTPStatus) -> None:
        """Answer and close, but read on for LINGER_SECONDS, or a reset would undo the answer."""
        if self._refused:
            return
        self._refused = True
        page = error_page(status)
        assert isinstance(page.body, bytes)  # noqa: S101 (for mypy)
        fields = FieldTable()
        for name, value in (*page.headers, (b"Connection", b"close")):
            fields.addRawHeader(name, value)
        fields.addRawHeader(b"Content-Length", b"%d" % len(page.body))
        self.writeHeaders(b"HTTP/1.1", b"%d" % status, status.phrase.encode(), fields)
        self.write(page.body)
        self.setTimeout(LINGER_SECONDS)
        self.factory.logger.info(
            "{peer} was refused: {status} {phrase}",
            peer=host(self.getPeer()),
            status=status.value,
            phrase=status.phrase,
        )


@implementer(IProtocolNegotiationFactory)
class HandlerFactory(http.HTTPFactory):
    """Serves connections by `handler`.

    A request must arrive whole within IDLE_SECONDS for its header section and as much again for its
    body, which has at most `body_bytes`. `served` is told of every exchange that got as far as the
    handler; `log` has refusals, and the cause of each 500 beside the number that the page shows.
    `wall` tells the seconds since 1970 for the field Date: `clock` may have begun at any time.
    """

    noisy = False
    protocol = _Channel  # type: ignore[assignment]  # said as the chooser of HTTP/1.1 or 2

    def __init__(  # noqa: PLR0913 (all but one by keyword)
        self,
        handler: Handler,
        *,
        clock: IReactorTime,
        log: Logger,
        body_bytes: int = BODY_BYTES,
        served: Callable[[Exchange], None] = _nowhere,
        wall: Callable[[], float] = time,
    ) -> None:
        super().__init__(timeout=IDLE_SECONDS, reactor=clock)
        self.handler = handler
        self.logger = log
        self.body_bytes = body_bytes
        self.served = served
        self.wall = wall

    def acceptableProtocols(self) -> list[bytes]:
        """Return what a TLS listener may offer (RFC 7301); of nothing Twisted makes an alert."""
        return [b"http/1.1"]

    def startFactory(self) -> None:
        """Open no log file and start no timer, unlike the base class."""

    def stopFactory(self) -> None:
        """There is nothing to stop."""

    def log(self, request: http.Request) -> None:
        """Leave the log to `served`, which also hears of clients that left."""
