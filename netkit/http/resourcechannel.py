"""What a twisted.web resource writes becomes a Response.

A `Channel` stands where twisted.web's Request expects its connection. Rule: the server above frames
the answer, so that what the resource says of framing is checked or dropped and never sent. An answer
that is finished in the turn in which it begins is bytes; any other is a stream, whose producer rests
while the client does not keep up. What the resource does wrong before the answer has begun is raised,
for the server to answer 500; later it cuts the stream.
"""

from collections.abc import AsyncIterator, Sequence
from enum import Enum, auto
from http import HTTPStatus
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http_headers import Headers as FieldTable

from netkit.http import resourcehead
from netkit.http.messages import (
    PIECE_BYTES,
    BodyCutError,
    Client,
    Pieces,
    Response,
)
from netkit.http.resourcehead import Head, ResourceError

WAITING_BYTES = 16 * 1024 * 1024
"""How much may wait for a client when a resource writes on without a producer that can rest."""

_BODILESS = (HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED)


class Hosted(Protocol):
    """The Request of twisted.web's that writes to a channel."""

    chunked: int
    finished: int

    def connectionLost(self, reason: Failure) -> None:
        """Hear that there is nobody to answer."""


class _State(Enum):
    OPEN = auto()
    FINISHED = auto()
    FAILED = auto()
    LOST = auto()


class Channel:
    """The connection of one request to `client`, as far as a resource is concerned.

    It is the stream of its own answer, too.
    """

    request: Hosted
    _state = _State.OPEN
    _fault: Failure | None = None
    _head: Head | None = None
    _waiting = 0
    _answer: Deferred[Response] | None = None
    _wanted: Deferred[None] | None = None
    _call: IDelayedCall | None = None
    _producer: Any = None
    _pushes = False
    _paused = False
    _pulled = False
    _given = False
    _whole = False

    def __init__(
        self, client: Client, site: object, *, is_head: bool, clock: IReactorTime, log: Logger
    ) -> None:
        self.client = client
        self.site = site
        self._is_head = is_head
        self._clock = clock
        self._log = log
        self._pieces: list[bytes] = []

    # What the server above asks for.

    def answer(self) -> Response | Deferred[Response]:
        """Return the answer, once the resource was rendered; raise what went wrong with it.

        To cancel the Deferred is to say that the client has left.
        """
        self._pull()
        if self._has_answer():
            return self._response()
        self._answer = Deferred(lambda _: self.close())
        return self._answer

    @property
    def length(self) -> int | None:
        """See Stream: what the resource has announced."""
        return self._head.length if self._head is not None else None

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what is written, and let the producer go on when all of it is taken."""
        while True:
            if not self._pieces:
                self._demand()
            if self._pieces:
                piece = b"".join(self._pieces)
                self._drop()
                yield piece
            elif self._fault is not None:
                self._fault.raiseException()
            elif self._state is not _State.OPEN:
                return
            else:
                self._wanted = Deferred()
                await self._wanted

    def close(self) -> None:
        """See Stream: where the resource is not done, its client has left."""
        if self._state is _State.OPEN:
            self._part(_State.LOST, Failure(ConnectionLost()))
            self._tell_request()

    # What the Request of twisted.web's asks of its connection.

    @property
    def transport(self) -> "Channel":
        """Return what stands for the transport."""
        return self

    def getPeer(self) -> IAddress:
        """Return the client's address."""
        return self.client.peer

    def getHost(self) -> None:
        """Return nothing: the request says by itself which host it is for."""

    def isSecure(self) -> bool:
        """Return whether the client has TLS."""
        return self.client.secure

    def writeHeaders(self, version: bytes, code: bytes, reason: bytes, headers: FieldTable) -> None:  # noqa: ARG002
        """Keep the header section; the version and the reason are the server's."""
        self.request.chunked = 0
        if self._state is not _State.OPEN:
            return
        try:
            self._head = resourcehead.head(int(code), headers)
        except ResourceError:
            self.fail(Failure())
        else:
            self._wake()

    def write(self, data: bytes) -> None:
        """Keep a piece of the body for the server."""
        if self._state is not _State.OPEN or not data:
            return
        self._pieces.append(data)
        self._waiting += len(data)
        self._pulled = False
        if self._whole:
            self._log.error("a resource has written more than it announced")
            self.fail(Failure(BodyCutError("more came than was announced")))
        elif self._is_busy() and self._waiting > WAITING_BYTES:
            self.fail(Failure(BodyCutError("the resource writes more than the client takes")))
        elif self._pushes and not self._paused and self._waiting >= PIECE_BYTES:
            self._paused = True
            self._producer.pauseProducing()
        self._wake()

    def writeSequence(self, pieces: Sequence[bytes]) -> None:
        """Keep several pieces."""
        self.write(b"".join(pieces))

    def requestDone(self, request: object) -> None:  # noqa: ARG002 (there is but one)
        """Hear that the answer is whole."""
        if self._state is _State.OPEN:
            self._state = _State.FINISHED
            self._hand_over()

    def registerProducer(self, producer: object, streaming: bool) -> None:  # noqa: FBT001
        """Let `producer` write when the client keeps up."""
        if self._producer is not None:
            raise RuntimeError("another producer is registered")
        if self._state is not _State.OPEN:
            self._stop(producer)
            return
        self._producer, self._pushes = producer, streaming
        self._paused = self._pulled = False
        self._wake()

    def unregisterProducer(self) -> None:
        """Ask the producer for nothing more."""
        self._producer, self._pushes = None, False

    def loseConnection(self) -> None:
        """Cut the answer: the resource hangs up."""
        self.fail(Failure(BodyCutError("the resource has hung up")))

    abortConnection = loseConnection

    def fail(self, failure: Failure) -> None:
        """Give up the answer; the request hears of it in the next turn, where it is not finished."""
        if self._state is _State.OPEN:
            self._part(_State.FAILED, failure)
            self._clock.callLater(0, self._tell_request)
            self._hand_over()

    # Between the two.

    def _has_answer(self) -> bool:
        return self._head is not None or self._fault is not None

    def _is_busy(self) -> bool:
        """Return whether the server has begun with the stream and does not ask for more of it."""
        return self._given and self._wanted is None

    def _response(self) -> Response:
        if self._fault is not None:
            self._fault.raiseException()
        head = self._head
        assert head is not None  # noqa: S101 (see _has_answer)
        if self._state is not _State.FINISHED:
            self._given = True
            if head.length is not None and head.length == self._waiting and not self._is_head:
                return self._whole_response(head)
            return Response(head.status, head.headers, self)
        if self._is_head and not self._pieces:
            return Response(head.status, head.headers, Pieces(_nothing(), head.length))
        body = b"".join(self._pieces)
        if head.length not in {None, len(body)} and head.status not in _BODILESS:
            raise ResourceError(f"announced {head.length} bytes and wrote {len(body)}")
        return Response(head.status, head.headers, body)

    def _whole_response(self, head: Head) -> Response:
        """Return all that was announced, though the resource has still to say that it is all."""
        self._whole = True
        body = b"".join(self._pieces)
        self._drop()
        self._clock.callLater(0, self._demand)
        return Response(head.status, head.headers, body)

    def _wake(self) -> None:
        """Look in the next turn whether the server can have what it waits for."""
        if self._call is None and (self._answer is not None or self._wanted is not None):
            self._call = self._clock.callLater(0, self._turn)

    def _turn(self) -> None:
        self._call = None
        self._pull()
        self._hand_over()

    def _hand_over(self) -> None:
        """Give the server what it waits for, where that is there."""
        if self._answer is not None and self._has_answer():
            answer, self._answer = self._answer, None
            try:
                response = self._response()
            except Exception:  # noqa: BLE001 (whatever it is, it is handed over)
                answer.errback()
            else:
                answer.callback(response)
        elif self._wanted is not None and (self._pieces or self._state is not _State.OPEN):
            wanted, self._wanted = self._wanted, None
            wanted.callback(None)

    def _demand(self) -> None:
        if self._paused and self._producer is not None:
            self._paused = False
            self._producer.resumeProducing()
        self._pull()

    def _pull(self) -> None:
        """Have a pull producer write until there is enough, or until it has to wait itself."""
        try:
            while self._producer is not None and not self._pushes and not self._pulled:
                if self._waiting >= PIECE_BYTES:
                    return
                self._pulled = True
                self._producer.resumeProducing()
        except Exception:  # noqa: BLE001 (it is the server's to log)
            self.fail(Failure())

    def _part(self, state: _State, reason: Failure) -> None:
        self._state, self._fault = state, reason
        self._drop()
        if self._call is not None:
            self._call.cancel()
            self._call = None
        producer = self._producer
        self.unregisterProducer()
        if producer is not None:
            self._stop(producer)

    def _stop(self, producer: Any) -> None:  # noqa: ANN401
        try:
            producer.stopProducing()
        except Exception:  # noqa: BLE001 (there is nobody else to tell)
            self._log.failure("a producer could not be stopped")

    def _tell_request(self) -> None:
        if not self.request.finished:
            assert self._fault is not None  # noqa: S101 (see _part)
            self.request.connectionLost(self._fault)

    def _drop(self) -> None:
        self._pieces.clear()
        self._waiting = 0


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield b""
