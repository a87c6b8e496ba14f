"""Servers in memory, which answer as a test says and when."""

from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IProtocol, IProtocolFactory
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from netkit.http.asking import Answer, AskError, Question
from netkit.http.clientlimits import ClientLimits
from netkit.http.pool import Pool
from tests.net.transports import PeerTransport

PEER = StringTransport().getPeer()


class Origin:
    """A server, and the way to it. `ends` has its connections in the order in which they came.

    It is reached at once, unless `error` says why not, or it is `slow` and has to `accept`.
    """

    def __init__(self, *, slow: bool = False, error: Exception | None = None) -> None:
        self.ends: list[PeerTransport] = []
        self.error = error
        self.slow = slow
        self.attempts: list[tuple[Deferred[IProtocol], IProtocolFactory]] = []
        self.cancelled = 0

    def __str__(self) -> str:
        return "origin:80"

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """See `dial.Way`."""
        if self.error is not None:
            return fail(self.error)
        if self.slow:
            connecting: Deferred[IProtocol] = Deferred(self._cancelled)
            self.attempts.append((connecting, factory))
            return connecting
        return succeed(self._meet(factory))

    def _cancelled(self, _: object) -> None:
        self.cancelled += 1

    def _meet(self, factory: IProtocolFactory) -> IProtocol:
        protocol = factory.buildProtocol(PEER)
        assert protocol is not None
        self.ends.append(PeerTransport(protocol))
        return protocol

    def accept(self) -> None:
        """Let the first of those that wait connect."""
        connecting, factory = self.attempts.pop(0)
        connecting.callback(self._meet(factory))

    def refuse(self, error: Exception) -> None:
        """Let the first of those that wait fail."""
        self.attempts.pop(0)[0].errback(error)

    def answer(self, data: bytes) -> bool:
        """Take what was sent, and send `data`; return whether that was read."""
        self.end.take()
        return self.end.send(data)

    @property
    def end(self) -> PeerTransport:
        """The connection that was made last."""
        return self.ends[-1]


def reset(end: PeerTransport) -> None:
    """Let the server reset its connection."""
    end.connectionLost(Failure(ConnectionLost()))


class Asker:
    """A pool, its clock, and an origin to ask."""

    def __init__(self, origin: Origin | None = None, **limits: Any) -> None:
        self.clock = Clock()
        self.pool = Pool(ClientLimits(**limits), self.clock)
        self.origin = origin or Origin()

    def ask(self, method: bytes = b"GET", target: bytes = b"/", **kw: Any) -> "Asking":
        """Ask the origin."""
        return Asking(self.pool.ask(self.origin, question(method, target, **kw)))

    def wait(self, seconds: int) -> None:
        """Let so many seconds pass."""
        self.clock.pump([1] * seconds)


def question(method: bytes = b"GET", target: bytes = b"/", **kw: Any) -> Question:
    """Return a question of `method` for `target`."""
    opening = b"%b %b HTTP/1.1\r\nHost: origin\r\n" % (method, target)
    return Question(method=method, opening=opening, **kw)


class Asking:
    """A question that was asked, and what has come of it: an answer, or an error."""

    def __init__(self, answered: Deferred[Answer]) -> None:
        self.deferred = answered
        self.answers: list[Answer] = []
        self.errors: list[BaseException] = []
        self.pieces: list[bytes] = []
        self.cuts: list[BaseException] = []
        self.ended = self.reading = False
        self._iterator: Any = None
        answered.addCallbacks(self.answers.append, self._failed)

    def _failed(self, failure: Failure) -> None:
        assert failure.value is not None
        self.errors.append(failure.value)

    @property
    def answer(self) -> Answer:
        """The answer, which is there."""
        if self.errors:
            raise self.errors[0]
        [answer] = self.answers
        return answer

    @property
    def error(self) -> AskError:
        """The error, which is there."""
        [error] = self.errors
        assert isinstance(error, AskError), error
        return error

    def take(self) -> None:
        """Wait for a piece of the body; `pieces` has it once it is there."""
        if self._iterator is None:
            body: Any = self.answer.body
            self._iterator = aiter(body)
        Deferred.fromCoroutine(self._next()).addErrback(self._cut)

    def _cut(self, failure: Failure) -> None:
        assert failure.value is not None
        self.cuts.append(failure.value)

    async def _next(self) -> None:
        try:
            self.pieces.append(await anext(self._iterator))
        except StopAsyncIteration:
            self.ended = True

    def take_all(self) -> None:
        """Take pieces as they come, to the end."""
        Deferred.fromCoroutine(self._all()).addErrback(self._cut)

    async def _all(self) -> None:
        body: Any = self.answer.body
        if isinstance(body, bytes):
            self.pieces.append(body)
        else:
            async for piece in body:
                self.pieces.append(piece)
        self.ended = True

    @property
    def body(self) -> bytes:
        """All that was taken."""
        return b"".join(self.pieces)
