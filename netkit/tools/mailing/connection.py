"""One connection to an IMAP server: its responses, one at a time and each in time.

Rule: a response is there whole within the timeout, counted from when it is waited for, or the
server has said nothing: one that sends a byte now and then is no better than a silent one.
"""

from functools import partial
from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IProtocol, IProtocolFactory, IReactorTime, ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure

from netkit.net.dial import Way
from netkit.tools.mailing.wire import DEFAULTS, Response, Responses, WireError, WireLimits

FAREWELL = 2.0
"""So many seconds at most a server has to close the connection once it has been asked to."""

UNASKED = 256 * 1024
"""So many bytes a server may send while nobody waits for any."""


class MailError(Exception):
    """The server does not do its part; the text says what it did instead, on one line."""


class Connection(Protocol):
    """Gives responses, and takes what is said to the server; `timeout` is in seconds."""

    def __init__(self, clock: IReactorTime, timeout: float, limits: WireLimits = DEFAULTS) -> None:
        self._clock: Any = clock
        self._timeout = timeout
        self._responses = Responses(limits)
        self._waiting: Deferred[Response] | None = None
        self._complaint = ""
        self._inner: IProtocol | None = None
        self._ends: list[Deferred[None]] = []
        self._deaf = False

    @property
    def held(self) -> int:
        """How many bytes have come that belong to no response yet."""
        return self._responses.held

    def say(self, line: bytes) -> None:
        """Send `line` and its end."""
        if self.transport is not None:
            self.transport.write(line + b"\r\n")

    async def response(self) -> Response:
        """Return the next response; raise MailError where there will be none, and that for good."""
        response = self._next()
        if response is not None:
            return response
        if self._complaint:
            raise MailError(self._complaint)
        self._waiting = Deferred()
        return await self._waiting.addTimeout(self._timeout, self._clock, self._silent)

    def hand_over(self, factory: IProtocolFactory) -> IProtocol:
        """Give the connection to the protocol that `factory` makes, and with it all that will come."""
        transport = cast("ITCPTransport", self.transport)
        self._inner = cast("IProtocol", factory.buildProtocol(transport.getPeer()))
        self._inner.makeConnection(transport)
        return self._inner

    async def leave(self) -> None:
        """Wait, but not for long, until the server has closed the connection; hear no more of it."""
        self._deaf = True
        patience = min(self._timeout, FAREWELL)
        await self._end().addTimeout(patience, self._clock, lambda *_: None)

    async def abort(self) -> None:
        """End the connection, if it has not ended; return when that is so."""
        self._cut("was left")
        await self._end()

    def dataReceived(self, data: bytes) -> None:
        """Hear the server out, as far as somebody listens."""
        if self._inner is not None:
            self._inner.dataReceived(data)
        elif not self._deaf and not self._complaint:
            self._responses.feed(data)
            self._deliver()

    def connectionLost(self, reason: Failure = Failure(ConnectionDone())) -> None:  # noqa: B008 (Twisted's)
        """Tell whoever waits."""
        self.transport = None
        if self._inner is not None:
            self._inner.connectionLost(reason)
        self._complaint = self._complaint or "closed the connection"
        self._fail()
        for each in self._ends:
            if not each.called:
                each.callback(None)

    def _deliver(self) -> None:
        if self._waiting is None:
            if self.held > UNASKED:
                self._cut(f"sent more than {UNASKED} bytes that nobody had asked for")
            return
        response = self._next()
        if response is not None:
            waiting, self._waiting = self._waiting, None
            waiting.callback(response)
        elif self._complaint:
            self._fail()

    def _next(self) -> Response | None:
        try:
            return self._responses.next()
        except WireError as error:
            self._responses = Responses()
            self._cut(f"sent {error}")
            return None

    def _fail(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None and not waiting.called:
            waiting.errback(MailError(self._complaint))

    def _cut(self, why: str) -> None:
        self._complaint = self._complaint or why
        if self.transport is not None:
            cast("ITCPTransport", self.transport).abortConnection()

    def _end(self) -> Deferred[None]:
        """Return what fires when the connection has ended."""
        end: Deferred[None] = Deferred()
        if self.transport is None:
            end.callback(None)
        else:
            self._ends.append(end)
        return end

    def _silent(self, _: object, seconds: float) -> Failure:
        self._waiting = None
        self._cut(f"said nothing for {seconds:g} s")
        return Failure(MailError(self._complaint))


async def connect(way: Way, clock: IReactorTime, patience: float) -> Connection:
    """Return a connection by `way`, with a timeout of `patience`; raises NoConnectionError."""
    factory = Factory.forProtocol(partial(Connection, clock, patience))
    factory.noisy = False
    return cast("Connection", await way.connect(factory))
