"""One client of one server, while the connection lasts.

Rule: whatever is waited for ends: with an answer, or with why there will be none.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

from attrs import frozen
from twisted.internet.defer import Deferred
from twisted.internet.task import LoopingCall

from netkit.net.dial import TcpWay, TlsWay, Way
from netkit.net.tlsclient import DEFAULT_TERMS, TlsTerms
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats import writing
from netkit.services.pubsub.nats.grammar import CLIENT, Grammar
from netkit.services.pubsub.nats.greeting import Connect, Info
from netkit.services.pubsub.nats.line import Line, Single, Terms
from netkit.services.pubsub.nats.servers import Server
from netkit.tools.outcome import TroubleError
from netkit.tools.running import Here

PING_INTERVAL = 20.0  # seconds
PINGS_OUT = 2
"""After so many pings without an answer a server is gone."""

_VIOLATION = "violation"
_LINE_BYTES = 64 * 1024
_MESSAGE_BYTES = 64 * 1024 * 1024


class LostError(TroubleError):
    """The connection is over, and another one may be made."""


class RefusedError(TroubleError):
    """The server does not want what it was asked, and will not the next time."""


@frozen
class Access:
    """How servers are reached and told who comes; `tls_first` where they shake hands before all else."""

    user: str = ""
    password: str = ""
    token: str = ""
    tls: TlsTerms = DEFAULT_TERMS
    tls_first: bool = False

    def greeting(self, server: Server) -> Connect:
        """Return what `server` is told; a login in its URL goes before the others."""
        login = server if server.user or server.token else self
        return Connect(
            verbose=False,
            pedantic=True,
            headers=True,
            no_responders=True,
            tls_required=server.tls,
            protocol=1,
            name="netkit",
            lang="netkit",
            user=login.user,
            password=login.password,
            token=login.token,
        )

    def way(self, server: Server, here: Here) -> Way:
        """Return the way there."""
        below = TcpWay(server.host, server.port, here.connector)
        if server.tls and self.tls_first:
            return TlsWay(below, server.name, here.connector.clock, self.tls)
        return below


class Client:
    """A client of `server`, whose messages go to `heard` as they come.

    While `heard` runs nothing else is read: a slow reader slows its server down.
    """

    def __init__(
        self, here: Here, server: Server, access: Access, heard: Callable[[Published], None]
    ) -> None:
        self.info = Info()
        self._here = here
        self._heard = heard
        self._way = access.way(server, here)
        clock: Any = here.reactor
        secure = server.tls and access.tls_first
        grammar = Grammar(CLIENT, _LINE_BYTES, _MESSAGE_BYTES)
        greeting = access.greeting(server)
        self._line = Line(
            Terms(server, grammar, access.tls, greeting, clock, secure=secure, edges=True), self
        )
        self._is_over = False
        self._why: Exception | None = None
        self._greeted: Deferred[None] | None = None
        self._endings: list[Deferred[None]] = []
        self._pings: deque[Deferred[None] | None] = deque()
        self._watching = LoopingCall(self._watch)
        self._watching.clock = clock

    async def connect(self) -> None:
        """Be connected and known; raise NoConnectionError, LostError, RefusedError."""
        await self._way.connect(Single(self._line))
        late = LostError(f"the server says nothing for {self._here.timeout:g} s")
        call = self._here.connector.clock.callLater(self._here.timeout, self._end, late)
        self._greeted = Deferred()
        try:
            await self._greeted
        finally:
            self._greeted = None
            if call.active():
                call.cancel()
        self._watching.start(PING_INTERVAL, now=False)

    def ended(self) -> Deferred[None]:
        """Fire once `close` was called; fail with why the connection is over before that."""
        done: Deferred[None] = Deferred()
        self._endings.append(done)
        if self._is_over:
            self._tell_endings()
        return done

    def write(self, piece: bytes) -> None:
        """Say something; raise why the connection is over, where it is."""
        if self._why is not None:
            raise self._why
        self._line.write(piece)

    def flush(self) -> Deferred[None]:
        """Fire once the server has heard all that was said, and we what it said to that."""
        if self._is_over:
            return self.ended()
        done: Deferred[None] = Deferred()
        self._pings.append(done)
        self.write(writing.PING)
        return done

    def close(self) -> None:
        """Say farewell; harmless when repeated."""
        self._end(None)

    # What the line says; see `line.Owner`.

    def greeted(self, line: Line) -> None:  # noqa: ARG002 (there is one)
        """Be known."""
        if self._greeted is not None and not self._greeted.called:
            self._greeted.callback(None)

    def informed(self, line: Line, info: Info) -> None:  # noqa: ARG002
        """Keep what the server says of itself."""
        self.info = info

    def came(self, line: Line, run: Published) -> None:  # noqa: ARG002
        """Pass messages on, unless nobody wants any more."""
        if self._is_over:
            return
        try:
            self._heard(run)
        except Exception as error:  # noqa: BLE001 (it is told to whoever waits)
            self._end(error)

    def answered(self, line: Line) -> None:  # noqa: ARG002
        """Tell who waits for the answer to a ping."""
        waiting = self._pings.popleft() if self._pings else None
        if waiting is not None and not waiting.called:
            waiting.callback(None)

    def complained(self, line: Line, words: str) -> None:  # noqa: ARG002
        """End where it is not allowed what we want; what else there is ends the connection by itself."""
        if _VIOLATION in words.lower():
            self._end(RefusedError(f"the server says: {words}"))

    def settle(self) -> None:
        """Do nothing: messages are passed on as they come."""

    def over(self, line: Line, why: str) -> None:  # noqa: ARG002
        """End."""
        self._end(LostError(why))

    def _watch(self) -> None:
        if len(self._pings) >= PINGS_OUT and self._pings[-1] is None:
            self._end(LostError(f"{PINGS_OUT} pings are not answered"))
        else:
            self._pings.append(None)
            self.write(writing.PING)

    def _end(self, error: Exception | None) -> None:
        """Tell everybody who waits that the connection is over, the first time."""
        if self._is_over:
            return
        self._is_over, self._why = True, error
        if self._watching.running:
            self._watching.stop()
        self._line.close()
        for one in (self._greeted, *self._pings):
            if one is not None and not one.called:
                one.errback(error or LostError("the connection is over"))
        self._pings.clear()
        self._tell_endings()

    def _tell_endings(self) -> None:
        endings, self._endings = self._endings, []
        for one in endings:
            if self._why is None:
                one.callback(None)
            else:
                one.errback(self._why)
