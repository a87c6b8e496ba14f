"""One connection of an HTTP/1.1 server (RFC 9112).

Requests are answered one after the other, in their order; while one is answered, what comes behind
it waits, and no more than AHEAD_BYTES of it. Rule: a request that is refused is the last one, and
nothing behind it is parsed; an answer that cannot be finished ends the connection in a way that no
client takes for the end of a whole one.
"""

import re
from collections.abc import Awaitable, Coroutine
from http import HTTPStatus
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from twisted.internet.defer import CancelledError, Deferred, succeed
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IProtocol,
    ISSLTransport,
    ITransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.document.values import printable
from netkit.http.accesslog import Exchange, shown_url
from netkit.http.answering import Answering
from netkit.http.framing import CONTINUE, InvalidResponseError, bodiless, ending, opening
from netkit.http.heads import refuse_start
from netkit.http.incoming import NO_BODY, Incoming, NoBody
from netkit.http.messages import (
    CHUNKED,
    BodyCutError,
    BodyTooLargeError,
    Headers,
    Request,
    RequestHead,
    Response,
)
from netkit.http.outgoing import Outgoing
from netkit.http.pace import Doing, Pace
from netkit.http.pages import error_page
from netkit.http.remembered import Ready
from netkit.http.sections import END, RefusedError
from netkit.net.coroutines import start
from netkit.net.eager import EagerConnection
from netkit.net.farewell import Farewell
from netkit.net.peer import host, host_and_port
from netkit.net.progress import Progress, acknowledged, progress

if TYPE_CHECKING:
    from netkit.http.server import HandlerFactory

AHEAD_BYTES = 64 * 1024
"""How much a client may send ahead of the answers it has not had."""

DRAINED_BYTES = 64 * 1024
"""How much of a body that nobody wanted is read, so that the connection can stay."""

_EMPTY_LINES = re.compile(rb"\A(?:\r\n)+")


@implementer(IProtocol, IHalfCloseableProtocol)
class Channel:
    """One connection, which belongs to `house`. It is the `messages.Client` of its requests.

    `secure`: the connection has TLS.
    """

    __slots__ = (
        "_advancing",
        "_answering",
        "_body",
        "_buffer",
        "_closing",
        "_deaf",
        "_farewell",
        "_lost",
        "_outgoing",
        "_pace",
        "_paused",
        "_peer",
        "_progress",
        "_ready",
        "_resting",
        "_running",
        "_searched",
        "_successor",
        "_turn",
        "_waits_for_continue",
        "house",
        "secure",
        "transport",
    )

    transport: Any

    def __init__(self, house: "HandlerFactory") -> None:
        self.house = house
        self._resting = True  # between two requests, with nothing buffered
        self._buffer = b""
        self._searched = 0  # of the buffer, in vain for the end of a head
        self._turn = 0
        self._peer: IAddress | None = None
        self._pace = Pace(house.clock.seconds())
        self._ready = house.remembered.nothing
        self._body: Incoming | NoBody = NO_BODY
        self._waits_for_continue = False
        self._answering: Answering | None = None
        self._running: Deferred[bool] | None = None
        self._outgoing: Outgoing | None = None
        self._farewell: Farewell | None = None
        self._successor: IProtocol | None = None
        self._advancing = self._paused = False
        self._deaf = self._closing = self._lost = False

    # The connection, as a handler knows it.

    @property
    def peer(self) -> IAddress:
        """See `messages.Client`."""
        if self._peer is None:  # a transport makes another one whenever it is asked
            self._peer = self.transport.getPeer()
        return self._peer

    @property
    def here(self) -> IAddress:
        """See `messages.Client`."""
        address: IAddress = self.transport.getHost()
        return address

    @property
    def server_name(self) -> str | None:
        """See `messages.Client`."""
        name = self.transport.getHandle().get_servername() if self.secure else None
        return name.decode("ascii", "replace") if name else None

    def inform(self, status: int, headers: Headers) -> None:
        """See `messages.Client`."""
        if self._answering is not None and not self._answering.begun and not self._lost:
            self.transport.write(opening(status, headers, ()) + b"\r\n")

    # What the transport tells.

    def makeConnection(self, transport: ITransport) -> None:
        """See IProtocol."""
        self.transport = transport
        self.secure = bool(ISSLTransport.providedBy(transport))
        self._progress: Progress = progress(transport)
        self.watch()

    def connectionMade(self) -> None:
        """Do nothing: `makeConnection` has done it all."""

    def dataReceived(self, data: bytes) -> None:
        """See IProtocol."""
        if self._resting and not self._progress.unsent:
            # Most reads are one whole request, and most requests have been seen this second.
            ready = self._ready.get(data)
            if ready is not None:
                self._turn += 1
                self.transport.write(ready.octets)
                if self.house.served is not None:
                    self._note_ready(ready)
                return
            head = self.house.remembered.heads.get(data)
            if head is not None:
                self._turn += 1
                self._recall()
                self._handle(Request(head=head, body=NO_BODY, client=self), data)
                return
        self._resting = False
        if self._successor is not None:
            self._successor.dataReceived(data)
        elif not self._closing:
            self._take(data)

    def readConnectionLost(self) -> None:
        """Finish an answer that has begun; a client that says no more before that has left."""
        if IHalfCloseableProtocol.providedBy(self._successor):
            self._successor.readConnectionLost()
            return
        if isinstance(self._body, Incoming):
            self._body.cut()
        self._deaf = True
        if self._answering is None or not self._answering.begun:
            self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Go on with the end of the connection."""
        if IHalfCloseableProtocol.providedBy(self._successor):
            self._successor.writeConnectionLost()
        elif self._farewell is not None:
            self._farewell.sent()

    def connectionLost(self, reason: Failure) -> None:
        """End whatever was going on."""
        self._lost = True
        self._resting = False
        self.house.left(self)
        if self._farewell is not None:
            self._farewell.over()
        if isinstance(self._body, Incoming):
            self._body.cut()
        if self._running is not None:
            self._running.cancel()
        if self._successor is not None:
            self._successor.connectionLost(reason)

    def look(self, now: float) -> None:
        """Let go of the client where its time is up."""
        if self._closing or self._successor is not None:
            return
        doing, amount = self._doing()
        reason = self._pace.reason_to_go(self.house.limits, now, doing, self._turn, amount)
        if not reason:
            return
        if doing is Doing.REST:
            self._end(linger=False)
            return
        self.house.log.info(
            "let go of {peer}: it {reason}", peer=host_and_port(self.peer), reason=reason
        )
        self._let_go(doing, RefusedError(HTTPStatus.REQUEST_TIMEOUT, reason))

    def _let_go(self, doing: Doing, why: RefusedError) -> None:
        if doing is Doing.HEAD:
            self._refuse(why)
        elif doing is Doing.BODY and isinstance(self._body, Incoming) and self._answering:
            self._body.fail(why)
        else:
            self._closing = True
            self.transport.abortConnection()

    def _doing(self) -> tuple[Doing, int]:
        unsent = self._progress.unsent
        if unsent or (self._outgoing is not None and self._outgoing.full):
            return Doing.SENDING, acknowledged(self.transport)
        if isinstance(self._body, Incoming) and self._body.wanted:
            return Doing.BODY, self._body.received
        if self._answering is not None:
            return Doing.ANSWER, 0
        return (Doing.HEAD if self._buffer else Doing.REST), 0

    # What the client sends.

    def _take(self, data: bytes) -> None:
        if not self._body.finished:
            data = self._fill(data)
        self._buffer = self._buffer + data if self._buffer else data
        self._advance()

    def _fill(self, data: bytes) -> bytes:
        """Give the body what belongs to it; return the rest."""
        assert isinstance(self._body, Incoming)  # noqa: S101 (the other is finished)
        self._waits_for_continue = False
        data = self._body.feed(data)
        if self._body.refusal is not None and self._answering is None:
            self._end(linger=True)
        return data

    def _advance(self) -> None:
        """Begin requests, as far as they have come and as the client takes the answers."""
        if self._advancing:
            return
        self._advancing = True
        while self._buffer and self._is_free():
            try:
                if not self._begin():
                    break
            except RefusedError as error:
                self._refuse(error)
        self._advancing = False
        self._resting = not self._buffer and self._is_free()
        self._regulate()

    def _is_free(self) -> bool:
        return (
            self._answering is None
            and self._body.finished
            and self._successor is None
            and not self._closing
            and (self._outgoing is None or not self._outgoing.full)
        )

    def _regulate(self) -> None:
        """Read from the client, or let it wait."""
        ahead = len(self._buffer) > AHEAD_BYTES and not self._closing
        rests = ahead or (isinstance(self._body, Incoming) and self._body.full)
        if rests != self._paused and not self._lost and self._farewell is None:
            self._paused = rests
            (self.transport.pauseProducing if rests else self.transport.resumeProducing)()

    def go_on(self) -> None:
        """Have the client send its body: somebody waits for it."""
        if self._waits_for_continue and not (self._answering and self._answering.begun):
            self._waits_for_continue = False
            self.transport.write(CONTINUE)
        self._regulate()

    def _begin(self) -> bool:
        """Begin the request that the buffer begins with; return False where its head is not whole."""
        self._skip_empty_lines()
        end = self._buffer.find(END, self._searched)
        if end < 0:
            return self._wait_for_head()
        section = self._buffer[: end + len(END)]
        self._buffer = self._buffer[end + len(END) :]
        self._searched = 0
        head = self.house.remembered.head(section)
        self._turn += 1
        self._recall()
        if head.length == 0:
            self._body = NO_BODY
        else:
            self._expect(head)
        request = Request(head=head, body=self._body, client=self)
        self._handle(request, section if head.length == 0 else b"")
        return True

    def _recall(self) -> None:
        """Look up the answers for such connections: by the first request, TLS has told the name."""
        if self._ready is self.house.remembered.nothing:
            self._ready = self.house.remembered.answers(self.server_name)

    def _skip_empty_lines(self) -> None:
        """Skip empty lines before a request line, however many they are (RFC 9112 2.2)."""
        if self._buffer.startswith(b"\r\n"):
            self._buffer = _EMPTY_LINES.sub(b"", self._buffer, count=1)
            self._searched = 0

    def _wait_for_head(self) -> bool:
        """Return False; refuse what cannot become a head."""
        if self._buffer not in {b"", b"\r"}:
            refuse_start(self._buffer, self.house.limits)
        self._searched = max(len(self._buffer) - len(END) + 1, 0)
        return False

    def _expect(self, head: RequestHead) -> None:
        """Make ready for the body of a request, and take what has come of it."""
        limit = self.house.limits.body_bytes
        if head.method == b"CONNECT":
            raise RefusedError(HTTPStatus.BAD_REQUEST, "a CONNECT has no body")
        if head.length is not CHUNKED and head.length > limit:
            raise RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too long")
        self._body = body = Incoming(head.length, limit, self)
        self._waits_for_continue = head.expects and not self._buffer
        self._buffer = body.feed(self._buffer)
        if body.refusal is not None:
            raise body.refusal

    # What the handler answers.

    def _handle(self, request: Request, section: bytes) -> None:
        """Have the request answered, at once where the handler can do that."""
        started = self.house.clock.seconds() if self.house.served is not None else 0.0
        try:
            answer = self.house.handler(request)
            if not isinstance(answer, Response | Deferred) and isinstance(answer, Coroutine):
                answer = start(answer)
        except Exception as error:  # noqa: BLE001 (whatever a handler raises)
            answer = self.excuse(request, Failure(error))
        if not isinstance(answer, Response) or not isinstance(answer.body, bytes):
            self._resting = False
            self._answering = answering = Answering(self, request, self._body, started)
            self._running = coming = _coming(answer)
            coming.addCallbacks(answering.came, answering.failed)
            return
        sent, persists = self.send_whole(request, self._body, answer, section)
        if self.house.served is not None:
            seconds = self.house.clock.seconds() - started
            self.note(Exchange(request, answer.status, sent, seconds, whole=True))
        self.over(persists=persists)

    def send_whole(
        self, request: Request, body: Incoming | NoBody, response: Response, section: bytes = b""
    ) -> tuple[int, bool]:
        """Write a response whose body is bytes; return how many, and whether the connection stays.

        `section` is given where the answer may be remembered for requests of the same bytes.
        """
        head = request.head
        try:
            opening = self.house.remembered.opening(response)
        except InvalidResponseError as error:
            return self.send_whole(request, body, self._blame(request, Failure(error)))
        persists = self.would_persist(head, body)
        content = response.body
        assert isinstance(content, bytes)  # noqa: S101 (the caller has looked)
        lines = ending(head, response.status, len(content), persists=persists)
        if bodiless(head, response.status):
            content = b""
        octets = b"%b%b%b" % (opening, lines, content)
        if self._progress.unsent and self._outgoing is None:
            self.outgoing()
        self.transport.write(octets)
        if response.repeatable and persists and section:
            ready = Ready(octets, head, response.status, len(content))
            self.house.remembered.keep(self._ready, section, ready)
        return len(content), persists

    def would_persist(self, head: RequestHead, body: Incoming | NoBody) -> bool:
        """Return whether the connection can stay after the answer to this request."""
        if isinstance(body, NoBody):
            return head.persists
        return head.persists and (body.finished or body.begun or self._can_drain(body))

    def _can_drain(self, body: Incoming) -> bool:
        left = body.left()
        return left is not None and left <= DRAINED_BYTES and not self._waits_for_continue

    def outgoing(self) -> Outgoing:
        """Return the producer of the transport, which there is while the client may fall behind."""
        if self._outgoing is None:
            self._outgoing = Outgoing(self.transport, self._resumed)
        return self._outgoing

    def _resumed(self) -> None:
        self.end_outgoing()
        self._advance()

    def watch(self) -> None:
        """Be the producer of a transport that does not say how much it has not sent."""
        if not isinstance(self.transport, EagerConnection) and not self._lost:
            self.outgoing()

    def end_outgoing(self, *, for_good: bool = False) -> None:
        """Be the transport's producer no longer, where it says by itself what it has not sent."""
        outgoing = self._outgoing
        if outgoing is not None and (for_good or self._progress is self.transport):
            self._outgoing = None
            outgoing.end()

    def hand_over(self, data: bytes, successor: IProtocol) -> None:
        """Write `data`, and let the connection be the successor's from then on."""
        self.transport.write(data)
        self.end_outgoing(for_good=True)
        self._successor = successor
        rest, self._buffer = self._buffer, b""
        self._regulate()
        successor.makeConnection(self.transport)
        if rest:
            successor.dataReceived(rest)

    def excuse(self, request: Request, failure: Failure) -> Response:
        """Return the answer where a handler failed; raise its error where nobody waits for one."""
        error: BaseException = failure.value or CancelledError()
        if self._lost or not isinstance(error, Exception):
            raise error
        if isinstance(error, BodyTooLargeError):
            return error_page(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if isinstance(error, BodyCutError) and isinstance(self._body, Incoming):
            refusal = self._body.refusal
            return error_page(refusal.status if refusal else HTTPStatus.BAD_REQUEST)
        return self._blame(request, failure)

    def _blame(self, request: Request, failure: Failure) -> Response:
        """Log what a handler raised, and show the visitor where it stands."""
        reference = token_hex(4)
        self.house.log.failure(
            "reference {reference}: no answer to {method} {target}",
            failure,
            reference=reference,
            method=printable(request.method.decode("latin-1")),
            target=shown_url(request.target),
        )
        words = f"Something went wrong here, and it has been noted under the number {reference}."
        return error_page(HTTPStatus.INTERNAL_SERVER_ERROR, words)

    def note(self, exchange: Exchange) -> None:
        """Tell the access log of an exchange; what is wrong with that is nobody else's affair."""
        try:
            if self.house.served is not None:
                self.house.served(exchange)
        except Exception:  # noqa: BLE001 (whatever it is)
            self.house.log.failure("the access log has failed")

    def _note_ready(self, ready: Ready) -> None:
        request = Request(head=ready.head, body=NO_BODY, client=self)
        self.note(Exchange(request, ready.status, ready.sent, 0.0, whole=True))

    # The end of an exchange, and of the connection.

    def over(self, *, persists: bool) -> None:
        """Go on after an answer: with the next request, or to the end."""
        if persists and self._resting and not self._outgoing:
            return
        self._answering = self._running = None
        if self._successor is not None:
            return
        if (
            persists
            and self._body is NO_BODY
            and not (self._buffer or self._outgoing or self._deaf)
        ):
            self._resting = not self._closing
            return
        if self._outgoing is not None and not self._outgoing.full:
            self.end_outgoing()
        if not persists or self._deaf:
            self._end(linger=bool(self._buffer) or not self._body.finished)
        elif not self._body.finished:
            self._drain()
        self._advance()

    def _drain(self) -> None:
        """Read the rest of a body that nobody wanted, where that is little."""
        if isinstance(self._body, Incoming) and self._can_drain(self._body):
            self._body.drop()
        else:
            self._end(linger=True)

    def abandon(self, failure: Failure, request: Request) -> None:
        """End an exchange that cannot be finished, in a way that no client takes for a whole one."""
        self._answering = self._running = None
        if not failure.check(CancelledError, BodyCutError):
            self.house.log.failure(
                "the answer to {target} did not end well",
                failure,
                target=shown_url(request.target),
            )
        if not self._lost:
            self._closing = True
            self.transport.abortConnection()

    def _refuse(self, error: RefusedError) -> None:
        """Answer and close, but read on for a while, or a reset would undo the answer."""
        page = error_page(error.status)
        assert isinstance(page.body, bytes)  # noqa: S101 (an error page's is)
        refused = RequestHead(method=b"GET", target=b"/", persists=False)
        lines = ending(refused, page.status, len(page.body), persists=False)
        self.transport.write(self.house.remembered.opening(page) + lines + page.body)
        self.house.log.info(
            "{peer} was refused: {status} {phrase}; {words}",
            peer=host(self.peer),
            status=error.status.value,
            phrase=error.status.phrase,
            words=str(error),
        )
        self._end(linger=True)

    def _end(self, *, linger: bool) -> None:
        if self._closing or self._lost:
            return
        self._closing = True
        self._resting = False
        self._buffer = b""
        self.end_outgoing(for_good=True)
        if linger:
            self._farewell = Farewell(self.transport, self.house.clock)
        else:
            self.transport.loseConnection()


def _coming(answer: Response | Awaitable[Response]) -> Deferred[Any]:
    """Return what becomes of `answer`."""
    if isinstance(answer, Deferred):
        return answer
    if isinstance(answer, Response):
        return succeed(answer)
    return Deferred.fromCoroutine(_awaited(answer))


async def _awaited(answer: Awaitable[Response]) -> Response:
    return await answer
