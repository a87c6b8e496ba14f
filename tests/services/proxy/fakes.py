"""Servers that exist in a test's mind: ways that lead nowhere, and who asks at their end."""

from collections.abc import AsyncIterator, Callable

from attrs import define, field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory
from twisted.python.failure import Failure

from netkit.http.asking import Answer, Question
from netkit.http.messages import BodyCutError, Headers, ResponseHead
from netkit.net.dial import Way


@frozen(cache_hash=True)
class NoWay:
    """A way by its name, which nobody goes."""

    name: str = "server:80"

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Say that nobody should have asked."""
        raise AssertionError(factory)

    def __str__(self) -> str:
        return self.name


@define
class Asked:
    """One question, and the answer to come. `left` says whether nobody waits for it any more."""

    way: Way
    question: Question
    coming: Deferred[Answer]
    left: bool = False

    def answer(self, status: int = 200, *headers: tuple[bytes, bytes], body: bytes = b"") -> None:
        """Give a whole answer."""
        self.coming.callback(answer(status, *headers, body=body))


@define
class Server:
    """Asks: every question is kept in `asked` until the test answers it."""

    asked: list[Asked] = field(factory=list)

    def ask(self, way: Way, question: Question) -> Deferred[Answer]:
        """See Asks."""
        coming: Deferred[Answer] = Deferred(lambda _: self._left(asked))
        asked = Asked(way, question, coming)
        self.asked.append(asked)
        return coming

    def _left(self, asked: Asked) -> None:
        asked.left = True
        asked.coming.errback(Failure(CancelledError()))


def answer(status: int = 200, *headers: tuple[bytes, bytes], body: bytes = b"") -> Answer:
    """Return a whole answer with these fields, as a server gives it."""
    length = () if b"content-length" in dict(headers) else ((b"content-length", b"%d" % len(body)),)
    fields: Headers = (*headers, *length)
    head = ResponseHead(status=status, headers=fields, length=len(body))
    return Answer(head=head, body=body)


class Slow:
    """A body whose pieces come as the test gives them."""

    def __init__(self, length: int | None = None) -> None:
        self.length = length
        self.closed = False
        self._waiting: Deferred[bytes | None] = Deferred()

    def give(self, piece: bytes | None) -> None:
        """Let a piece come; None is the end."""
        waiting, self._waiting = self._waiting, Deferred()
        waiting.callback(piece)

    def cut(self) -> None:
        """Let the rest never come."""
        self._waiting.errback(BodyCutError("the server has gone"))

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield what is given."""
        while (piece := await self._waiting) is not None:
            yield piece

    def close(self) -> None:
        """Note it."""
        self.closed = True


@define
class Connection:
    """A connection to a server that speaks HTTP no longer."""

    hand_over: Callable[[IProtocol], None]
    closed: bool = False

    def close(self) -> None:
        """Note it."""
        self.closed = True
