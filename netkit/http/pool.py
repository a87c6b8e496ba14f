"""Connections to servers, kept for the next question. Provides `asking.Asks`.

Rule: a question goes out again, once, only where the connection it went on had been used before and
was lost without a word, and only where the method allows it; any other doubt is the asker's.
"""

from collections import deque

from attrs import frozen
from twisted.internet.defer import CancelledError, Deferred, maybeDeferred
from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.http.answerheads import KnownHeads
from netkit.http.asked import Asked
from netkit.http.asking import Answer, AskError, Problem, Question
from netkit.http.client import Connection
from netkit.http.clientlimits import ClientLimits
from netkit.http.problems import not_connected
from netkit.net.dial import Way
from netkit.net.failures import NoConnectionError

_SECOND = 1.0


@frozen
class Counts:
    """What a pool has at one moment: connections, those of them at rest, questions that wait."""

    connections: int
    idle: int
    waiting: int


class Pool:
    """Asks servers over connections of its own, by `limits`."""

    def __init__(self, limits: ClientLimits, clock: IReactorTime) -> None:
        self.limits = limits
        self.clock = clock
        self.heads = KnownHeads(limits)
        self._servers: dict[Way, _Server] = {}
        self._attempts: set[_Attempt] = set()
        self._connections: set[Connection] = set()
        self._idle: dict[Connection, None] = {}  # the one that has been so for longest first
        self._stopped = self._aborted = False
        self._ticking = LoopingCall(self.tick)
        self._ticking.clock = clock

    @property
    def counts(self) -> Counts:
        """What there is now."""
        servers = self._servers.values()
        return Counts(
            sum(server.open for server in servers),
            len(self._idle),
            sum(len(server.waiting) for server in servers),
        )

    def ask(self, way: Way, question: Question) -> Deferred[Answer]:
        """See `asking.Asks`."""
        server = self._servers.get(way)
        if server is None:
            server = _Server(way)
        asked = Asked(question, server)
        answered = asked.answered
        assert answered is not None  # noqa: S101 (it has just been made)
        connection = self._good(server, question)
        if connection is not None:
            connection.ask(asked)
        else:
            self._ask_newly(server, asked)
        return answered

    def _good(self, server: "_Server", question: Question) -> Connection | None:
        """Return the connection that was used last, and can be used for `question`."""
        while server.idle:
            connection = server.idle.pop()
            del self._idle[connection]
            if question.repeatable or connection.is_good():
                return connection
            connection.close()
        return None

    def _ask_newly(self, server: "_Server", asked: Asked) -> None:
        """Ask on a connection yet to be made."""
        server = self._servers.get(server.way, server)
        if self._aborted:
            asked.fail(_unavailable("the daemon ends"))
        elif server.open < self.limits.connections:
            server.open += 1
            self._servers[server.way] = server
            self._tick()
            attempt = _Attempt(self, server, asked)
            self._attempts.add(attempt)
            attempt.start()
        elif len(server.waiting) < self.limits.waiting:
            asked.place = server
            asked.since = self.clock.seconds()
            server.waiting.append(asked)
        else:
            asked.fail(_unavailable(f"{self.limits.waiting} others wait for {server.way}"))

    # What connections say; see `keeper.Keeper`.

    def rest(self, connection: Connection) -> None:
        """See `keeper.Keeper`."""
        server: _Server = connection.server
        if server.waiting:
            asked = server.waiting[0]
            if asked.question.repeatable or connection.is_good():
                connection.ask(server.waiting.popleft())
            else:
                connection.close()  # its place is then the question's
            return
        if self._stopped or len(server.idle) >= self.limits.idle:
            connection.close()
            return
        server.idle.append(connection)
        self._idle[connection] = None
        if len(self._idle) > self.limits.idle_in_all:
            next(iter(self._idle)).close()

    def leave(self, connection: Connection) -> None:
        """See `keeper.Keeper`."""
        if connection in self._idle:
            del self._idle[connection]
            connection.server.idle.remove(connection)

    def fail(
        self, connection: Connection, asked: Asked, error: BaseException, *, unheard: bool
    ) -> None:
        """See `keeper.Keeper`."""
        if unheard and asked.question.repeatable and not asked.again and not self._aborted:
            asked.again = True
            self._ask_newly(connection.server, asked)
        else:
            asked.fail(error)

    def lose(self, connection: Connection) -> None:
        """See `keeper.Keeper`."""
        if connection in self._connections:
            self._connections.remove(connection)
            self._vacate(connection.server)

    # What attempts to connect say.

    def connected(self, attempt: "_Attempt", connection: Connection) -> None:
        """Have `connection`, which may be lost already."""
        self._attempts.discard(attempt)
        if connection.lost:
            self._vacate(attempt.server)
        else:
            self._connections.add(connection)

    def failed(self, attempt: "_Attempt") -> None:
        """Note that there is no connection."""
        self._attempts.discard(attempt)
        self._vacate(attempt.server)

    def _vacate(self, server: "_Server") -> None:
        """Use that there is room for another connection to `server`."""
        server.open -= 1
        if server.waiting:
            self._ask_newly(server, server.waiting.popleft())
        elif not server.open:
            self._servers.pop(server.way, None)
        if not self._servers and self._ticking.running:
            self._ticking.stop()

    # Time, and the end.

    def _tick(self) -> None:
        if not self._ticking.running:
            self._ticking.start(_SECOND, now=False)

    def tick(self) -> None:
        """Begin a second: forget what was remembered, end what has taken too long."""
        self.heads.forget()
        now = self.clock.seconds()
        for connection in list(self._connections):
            connection.look(now)
        for server in list(self._servers.values()):
            server.expire(now - self.limits.waiting_timeout)

    def stop(self) -> None:
        """Close connections as soon as they rest; what goes on goes on."""
        self._stopped = True
        for connection in list(self._idle):
            connection.close()

    def abort(self) -> None:
        """End everything at once, whoever waits for it."""
        self._stopped = self._aborted = True
        for server in list(self._servers.values()):
            server.expire(self.clock.seconds())
        for attempt in list(self._attempts):
            attempt.abort()
        for connection in list(self._connections):
            connection.abort()


class _Server:
    """What a pool has of one server, and where questions wait for a connection to it."""

    __slots__ = ("idle", "open", "waiting", "way")

    def __init__(self, way: Way) -> None:
        self.way = way
        self.open = 0  # attempts and tunnels included
        self.idle: list[Connection] = []
        self.waiting: deque[Asked] = deque()

    def take_back(self, asked: Asked) -> None:
        """See `asked.Place`."""
        if asked in self.waiting:
            self.waiting.remove(asked)

    def expire(self, since: float) -> None:
        """Let go of the questions that wait since then or for longer."""
        while self.waiting and self.waiting[0].since <= since:
            self.waiting.popleft().fail(_unavailable(f"no connection to {self.way} became free"))


@implementer(IProtocolFactory)
class _Attempt:
    """A connection that is being made for one question."""

    def __init__(self, pool: Pool, server: _Server, asked: Asked) -> None:
        self.server = server
        self._pool = pool
        self._asked = asked
        self._connecting: Deferred[IProtocol] | None = None

    def start(self) -> None:
        """Begin."""
        self._asked.place = self
        self._connecting = connecting = maybeDeferred(self.server.way.connect, self)
        connecting.addCallbacks(self._connected, self._failed)

    def take_back(self, asked: Asked) -> None:  # noqa: ARG002 (there is one only)
        """See `asked.Place`."""
        if self._connecting is not None:
            self._connecting.cancel()

    def abort(self) -> None:
        """End it."""
        self._asked.fail(_unavailable("the daemon ends"))
        self.take_back(self._asked)

    def _connected(self, protocol: IProtocol) -> None:
        assert isinstance(protocol, Connection)  # noqa: S101 (no other is built here)
        self._pool.connected(self, protocol)
        protocol.ask(self._asked)

    def _failed(self, failure: Failure) -> None:
        self._pool.failed(self)
        error = failure.value
        if isinstance(error, NoConnectionError):
            self._asked.fail(not_connected(error))
        elif error is not None and not isinstance(error, CancelledError):
            self._asked.fail(error)

    def buildProtocol(self, addr: IAddress) -> Connection:  # noqa: ARG002 (the way knows it)
        """Return the protocol of the connection."""
        return Connection(self._pool, self.server)

    def doStart(self) -> None:
        """Do nothing: there is nothing to open."""

    def doStop(self) -> None:
        """Do nothing: there is nothing to close."""


def _unavailable(words: str) -> AskError:
    return AskError(Problem.CONNECTION_LIMIT_REACHED, words, untouched=True)
