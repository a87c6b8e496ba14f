"""The client's end of one connection to a server: it is greeted, with TLS if need be, and then speaks.

Rule: nothing is said on a connection that must have TLS and has none, and nothing that came before
TLS counts behind it.
"""

from enum import Enum
from typing import Any, Protocol, cast

from attrs import frozen
from twisted.internet.interfaces import IAddress, IDelayedCall, IReactorTime
from twisted.internet.protocol import Factory, connectionDone
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.python.failure import Failure

from netkit.document.values import printable
from netkit.net.stream import IStream
from netkit.net.tlsclient import Caller, TlsTerms
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats import writing
from netkit.services.pubsub.nats.grammar import Grammar
from netkit.services.pubsub.nats.greeting import Connect, Info
from netkit.services.pubsub.nats.servers import Server
from netkit.services.pubsub.nats.verbs import Complaint, Event, Refusal, Signal
from netkit.services.pubsub.nats.wire import Reader

CLOSE_SECONDS = 2.0
"""For so long a server may take what is there for it as the connection is closed."""


class Owner(Protocol):
    """Who keeps a connection, and is told what happens on it."""

    def greeted(self, line: "Line") -> None:
        """Begin: the server knows us."""

    def informed(self, line: "Line", info: Info) -> None:
        """Note what the server says of itself."""

    def came(self, line: "Line", run: Published) -> None:
        """Take messages."""

    def answered(self, line: "Line") -> None:
        """Note that a ping is answered."""

    def complained(self, line: "Line", words: str) -> None:
        """Note that the server is not content."""

    def settle(self) -> None:
        """Hand out what has come: that was all of one read."""

    def over(self, line: "Line", why: str) -> None:
        """Go on without the connection."""


class Stage(Enum):
    """How far a connection has come."""

    STRANGER = "waits for the server's first line"
    GREETING = "has said who it is"
    UP = "is known"
    OVER = "is at its end"


@frozen
class Terms:
    """How a server is spoken to; `secure` where TLS comes before its first line.

    With `edges` one that is an edge of a cluster will do; an edge itself must have a server of one.
    """

    server: Server
    grammar: Grammar
    tls: TlsTerms
    greeting: Connect
    clock: IReactorTime
    secure: bool = False
    edges: bool = False


class Line(TwistedProtocol):
    """One connection."""

    transport: Any  # an IStream, and one that can start TLS

    def __init__(self, terms: Terms, owner: Owner) -> None:
        self._terms = terms
        self._owner = owner
        self._stage = Stage.STRANGER
        self._reader = Reader(terms.grammar, str(terms.server))
        self._secure = terms.secure
        self._caller: Caller | None = None
        self._why = ""
        self._deadline: IDelayedCall | None = None

    def write(self, piece: bytes) -> None:
        """Send `piece`."""
        self.transport.write(piece)

    def close(self) -> None:
        """End, once the server has taken what is there for it; the owner hears no more."""
        if self._stage is Stage.OVER or self.transport is None:
            self._stage = Stage.OVER
            return
        self._stage = Stage.OVER
        self.transport.unregisterProducer()
        self.transport.loseConnection()
        self._deadline = self._terms.clock.callLater(CLOSE_SECONDS, self._abort)

    def abort(self) -> None:
        """End at once; the owner hears no more."""
        self._stage = Stage.OVER
        if self.transport is not None:
            cast("IStream", self.transport).abortConnection()

    def dataReceived(self, data: bytes) -> None:
        """Do what the server says."""
        if self._is_over():
            return
        events = self._reader.feed(data)
        if self._stage is Stage.STRANGER and events:
            self._meet(events.pop(0), alone=not events and not self._reader.held)
        for event in events:
            if self._is_over():
                break
            self._hear(event)
        self._owner.settle()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002 (all are alike)
        """Tell why, as far as that is known."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        if self._stage is not Stage.OVER:
            complaint = self._caller.complaint if self._caller else ""
            self._end(complaint or self._why or "the connection was closed")

    def _is_over(self) -> bool:
        return self._stage is Stage.OVER

    def _meet(self, event: Event, *, alone: bool) -> None:
        """Take the server's first line, behind which nothing may stand where TLS is to follow."""
        if not isinstance(event, Info):
            self._end("it is no NATS server" if isinstance(event, Refusal) else _words(event))
            return
        if (
            event.edge and not self._terms.edges
        ):  # perhaps of this one: messages would go round for ever
            self._end("it is an edge of a cluster itself; a server of the cluster would be right")
            return
        wants_tls = self._terms.server.tls or event.tls_required
        if wants_tls and not self._secure:
            if not event.tls_required and not event.tls_available:
                self._end("it offers no TLS")
                return
            if not alone:
                self._end("it said something between its first line and TLS")
                return
            self._caller = Caller(self._terms.tls, self._terms.server.name)
            self.transport.startTLS(self._caller)
        self._stage = Stage.GREETING
        self.write(writing.connect(self._terms.greeting) + writing.PING)
        self._owner.informed(self, event)

    def _hear(self, event: Event) -> None:
        if isinstance(event, Published):
            self._owner.came(self, event)
        elif event is Signal.PING:
            self.write(writing.PONG)
        elif event is Signal.PONG:
            self._answered()
        elif isinstance(event, Info):
            self._owner.informed(self, event)
        elif isinstance(event, Complaint):
            self._why = _words(event)
            self._owner.complained(self, self._why)
        elif isinstance(event, Refusal) and event.fatal:
            self._end(f"it cannot be understood: {_words(event)}")

    def _answered(self) -> None:
        if self._stage is Stage.UP:
            self._owner.answered(self)
        else:
            self._stage = Stage.UP
            self._owner.greeted(self)

    def _end(self, why: str) -> None:
        self.abort()
        self._owner.over(self, why)

    def _abort(self) -> None:
        self._deadline = None
        self.abort()


class Single(Factory[Any]):
    """Has one protocol for one connection."""

    noisy = False

    def __init__(self, line: Line) -> None:
        self._line = line

    def buildProtocol(self, addr: IAddress | None) -> Line:  # noqa: ARG002 (there is one)
        """Return it."""
        return self._line


def _words(event: Event) -> str:
    """Return what a server says is wrong."""
    words = event.words if isinstance(event, Complaint | Refusal) else b"it does not say who it is"
    return printable(words.decode(errors="replace"))[:200]
