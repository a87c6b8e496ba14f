"""A finger connection: one query in, one answer out, and the end.

Rule: whatever the peer does, its connection ends within the settings' `timeout`, and a look-up that
nobody waits for any more is cancelled.
"""

from collections.abc import Callable, Coroutine
from enum import Enum, auto
from typing import Any, TypeAlias

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHalfCloseableProtocol,
    ITCPTransport,
)
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.document.values import quoted
from netkit.net.coroutines import start
from netkit.net.peer import host_and_port
from netkit.services.finger.answers import INTERNAL_ERROR, QUERY_TOO_LONG, Answer, Outcome
from netkit.services.finger.settings import Settings
from netkit.services.finger.wire import Query, QueryReader, QueryTooLongError, render
from netkit.services.kind import World

LookUp: TypeAlias = Callable[[Query], Coroutine[Deferred[Any], Any, Answer]]


class Stage(Enum):
    """How far a connection is."""

    READING = auto()
    LOOKING_UP = auto()
    ENDING = auto()


@implementer(IHalfCloseableProtocol)
class FingerProtocol(Protocol):
    """One connection; a client that has sent its query may close its half and still be answered."""

    transport: ITCPTransport

    def __init__(self, look_up: LookUp, settings: Settings, world: World) -> None:
        self._look_up = look_up
        self._settings = settings
        self._world = world
        self._reader = QueryReader(settings.query_bytes)
        self._stage = Stage.READING
        self._query = Query()
        self._pending: Deferred[None] | None = None
        self._deadline: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """Start the one deadline of the connection."""
        self._peer = self.transport.getPeer()
        clock = self._world.clock
        self._deadline = clock.callLater(self._settings.timeout, self._out_of_time)

    def dataReceived(self, data: bytes) -> None:
        """Take a piece of the query; what comes after the query is dropped."""
        if self._stage is not Stage.READING:
            return
        try:
            query = self._reader.feed(data)
        except QueryTooLongError:
            self._world.log.info(
                "{peer} sent no query in {limit} bytes",
                peer=host_and_port(self._peer),
                limit=self._settings.query_bytes,
            )
            self._end(QUERY_TOO_LONG)
        else:
            if query is not None:
                self._ask(query)

    def readConnectionLost(self) -> None:
        """Go on where the peer only waits for its answer; let go one that stopped in the middle."""
        if self._stage is Stage.READING:
            self._stage = Stage.ENDING
            self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Nothing is to be done: netkit never closes only its own half."""

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002 (none matters)
        """Stop what was under way."""
        self._give_up(Outcome.LEFT)
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()

    def _ask(self, query: Query) -> None:
        self._stage = Stage.LOOKING_UP
        self._query = query
        try:
            answer = start(self._look_up(query))
        except Exception:  # noqa: BLE001 (whatever a backend raises)
            self._fail(Failure())
            return
        if isinstance(answer, Deferred):
            self._pending = answer.addCallback(self._answer).addErrback(self._fail)
        else:
            self._answer(answer)

    def _answer(self, answer: Answer) -> None:
        if self._stage is Stage.LOOKING_UP:
            self._end(answer.text)
            self._audit(answer.outcome)

    def _fail(self, failure: Failure) -> None:
        if self._stage is Stage.LOOKING_UP:
            self._world.log.failure("the look-up of {query} failed", failure, query=self._asked())
            self._answer(INTERNAL_ERROR)

    def _end(self, text: str) -> None:
        banner = f"{self._settings.banner}\n" if self._settings.banner else ""
        answer = render(banner + text, self._settings.answer_bytes)
        self._stage = Stage.ENDING
        self.transport.write(answer)
        self.transport.loseConnection()

    def _out_of_time(self) -> None:
        self._give_up(Outcome.LATE)
        self.transport.abortConnection()

    def _give_up(self, outcome: Outcome) -> None:
        looking_up = self._stage is Stage.LOOKING_UP
        self._stage = Stage.ENDING
        if looking_up:
            self._audit(outcome)
            if self._pending is not None:
                self._pending.cancel()

    def _audit(self, outcome: Outcome) -> None:
        self._world.log.info(
            "{peer} asked for {query}: {outcome}",
            peer=host_and_port(self._peer),
            query=self._asked(),
            outcome=outcome.value,
        )

    def _asked(self) -> str:
        return quoted(str(self._query))


class FingerFactory(Factory):
    """Makes a protocol for each connection; `look_up` turns queries into answers."""

    noisy = False

    def __init__(self, look_up: LookUp, settings: Settings, world: World) -> None:
        self._look_up = look_up
        self._settings = settings
        self._world = world

    def buildProtocol(self, addr: IAddress | None) -> FingerProtocol:  # noqa: ARG002 (all peers are alike)
        """Return the protocol of one connection."""
        return FingerProtocol(self._look_up, self._settings, self._world)
