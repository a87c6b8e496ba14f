"""One query, and its answer.

Rule: however a server behaves, it costs bounded time and memory, and what it did say is not lost.
"""

from enum import Enum
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime, ITCPTransport
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure

from netkit.net.dial import Way


@frozen
class Limits:
    """What an answer may cost: bytes; seconds until it is whole, and between two pieces of it."""

    bytes: int = 1024 * 1024
    total: float = 60.0
    silence: float = 30.0


class Ending(Enum):
    """How an answer ended."""

    WHOLE = "the server ended it"
    TOO_LONG = "the answer is longer than it may be, and is cut"
    TOO_SLOW = "the answer took longer than it may, and is cut"
    SILENT = "the server fell silent in the middle"
    BROKEN = "the connection broke off, and something may be missing"


@frozen
class Answer:
    """What a server said, as it came, and how that ended."""

    data: bytes
    ending: Ending


async def ask(way: Way, line: bytes, clock: IReactorTime, limits: Limits) -> Answer:
    """Return the answer to the query `line` from the server that `way` leads to.

    Fails as the way does. Whoever cancels is left without a connection.
    """
    asking: Any = await way.connect(_Askings(line, clock, limits))
    answer: Answer = await asking.answered
    return answer


class _Asking(Protocol):
    """Sends the query and keeps the answer."""

    transport: ITCPTransport

    def __init__(self, line: bytes, clock: IReactorTime, limits: Limits) -> None:
        self.answered: Deferred[Answer] = Deferred(lambda _: self._leave())
        self._line = line
        self._clock = clock
        self._limits = limits
        self._data = bytearray()
        self._deadlines: dict[Ending, IDelayedCall] = {}

    def connectionMade(self) -> None:
        """Ask."""
        self.transport.write(self._line)
        self._await(Ending.TOO_SLOW, self._limits.total)
        self._await(Ending.SILENT, self._limits.silence)

    def dataReceived(self, data: bytes) -> None:
        """Keep a piece of the answer; drop it where that is over."""
        if self.answered.called:
            return
        self._data += data
        self._deadlines[Ending.SILENT].reset(self._limits.silence)
        if len(self._data) > self._limits.bytes:
            self._cut(Ending.TOO_LONG)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Take it that this was all, if the server says so."""
        whole = reason.check(ConnectionDone)
        self._end(Ending.WHOLE if whole else Ending.BROKEN)

    def _await(self, ending: Ending, seconds: float) -> None:
        self._deadlines[ending] = self._clock.callLater(seconds, self._cut, ending)

    def _cut(self, ending: Ending) -> None:
        self._end(ending)
        self._leave()

    def _leave(self) -> None:
        self._rest()
        self.transport.abortConnection()

    def _rest(self) -> None:
        for deadline in self._deadlines.values():
            if deadline.active():
                deadline.cancel()

    def _end(self, ending: Ending) -> None:
        self._rest()
        if self.answered.called:
            return
        data = bytes(self._data[: self._limits.bytes])
        if ending is Ending.TOO_LONG:
            data = data[: data.rfind(b"\n") + 1] or data
        self.answered.callback(Answer(data, ending))


class _Askings(Factory[Any]):
    """Makes the one protocol."""

    noisy = False

    def __init__(self, line: bytes, clock: IReactorTime, limits: Limits) -> None:
        self._terms = line, clock, limits

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ANN401, ARG002 (as Twisted's)
        """Return it."""
        return _Asking(*self._terms)
