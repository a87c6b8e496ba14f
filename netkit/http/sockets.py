"""One WebSocket on a transport (RFC 6455), as its endpoint uses it.

The rules of the bytes are in `frames`; this is the glue. Rules: of a client at most one read is
looked at ahead of its endpoint, and nothing is read while the client does not take what is there for
it. Whatever it does or leaves undone, its connection ends after a time named in the limits (the
listener's, for a client that takes nothing more), and its endpoint is told so once. A socket that is
at rest keeps no parser.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import Protocol, cast

from attrs import frozen
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IProtocol,
    IPushProducer,
    IReactorTime,
    ITransport,
)
from twisted.python.failure import Failure
from wsproto.frame_protocol import CloseReason
from zope.interface import implementer

from netkit.document.values import Bytes, Count, Seconds
from netkit.http.frames import (
    ABNORMAL,
    Close,
    Event,
    FramesError,
    Ping,
    Pong,
    Reader,
    close_frame,
    message_frame,
    ping_frame,
    pong_frame,
)
from netkit.net.flow import half_close
from netkit.net.stream import IStream


@frozen
class SocketLimits:
    """What one WebSocket may cost; times are in seconds.

    `message_bytes`: of a message from the client, in bytes of UTF-8 where it is text, which has to
    be whole `message_timeout` after its first byte; None: its bytes are handed on in pieces as they
    come, however many there are, and the timeout is from one piece to the next. `idle_frames`: how many frames a second may say
    nothing (pings, pongs, empty fragments). After `ping_interval` of silence the client is asked
    whether it is there, and let go `pong_timeout` later. `closing_timeout`: from our Close frame to
    the end of the connection. `unsent_bytes` may be sent while the client does not take what came
    before; then it is let go.
    """

    message_bytes: Bytes | None = 1024 * 1024
    message_timeout: Seconds = 120.0
    idle_frames: Count = 100
    ping_interval: Seconds = 25.0
    pong_timeout: Seconds = 20.0
    closing_timeout: Seconds = 5.0
    unsent_bytes: Bytes = 4 * 1024 * 1024


DEFAULTS = SocketLimits()


class Endpoint(Protocol):
    """The server's end of one WebSocket. What it raises is logged, and closes the socket with 1011."""

    def opened(self, socket: "Socket") -> None:
        """Take the socket, which messages can be sent to at once."""

    def received(self, message: str | bytes) -> None:
        """Take a whole message: a str for a text, bytes for a binary one; or a piece, as bytes."""

    def paused(self) -> None:
        """Send no more, as far as possible: the client does not take what is there for it."""

    def resumed(self) -> None:
        """Send again: the client has taken everything."""

    def closed(self, code: int, reason: str) -> None:
        """Forget the socket; called once after `opened`, and last.

        `code` is the client's, 1005 where it gave none, 1006 where its connection was lost, or
        where the client has broken the rules or the endpoint has raised, the one that it was told.
        """


class Keeper(Protocol):
    """Who keeps a socket: looks at it once a second, and has what all of them share."""

    @property
    def clock(self) -> IReactorTime:
        """The time, in seconds."""

    @property
    def limits(self) -> SocketLimits:
        """What one of the sockets may cost."""

    def enter(self, socket: "Socket") -> None:
        """Look after `socket` from now on."""

    def leave(self, socket: "Socket") -> None:
        """Forget `socket`, whose connection is lost."""

    def report(self, socket: "Socket", reason: str) -> None:
        """Note that the WebSocket of a client ends for `reason`."""

    def blame(self) -> None:
        """Note the exception that an endpoint has raised."""


class _State(Enum):
    OPEN = auto()
    CLOSING = auto()  # our Close is sent, the client's is waited for
    ENDING = auto()  # nothing more is said; the connection itself ends


@implementer(IProtocol, IHalfCloseableProtocol, IPushProducer)
class Socket:
    """A WebSocket that is open, to be used by its endpoint; `subprotocol` is what was agreed on."""

    __slots__ = (
        "_behind",
        "_deadline",
        "_delivering",
        "_endpoint",
        "_full",
        "_heard",
        "_held",
        "_keeper",
        "_owed",
        "_pinged",
        "_quiet_since",
        "_reader",
        "_resting",
        "_state",
        "_unfinished_since",
        "subprotocol",
        "transport",
    )

    transport: IStream

    def __init__(self, keeper: Keeper, endpoint: Endpoint, subprotocol: str | None) -> None:
        self.subprotocol = subprotocol
        self._keeper = keeper
        self._endpoint = endpoint
        self._state = _State.OPEN
        self._reader: Reader | None = None
        self._delivering = False
        self._held = False  # the endpoint wants nothing
        self._full = False  # the client takes nothing
        self._resting = False  # so that nothing is read
        self._behind = 0  # bytes sent since the client takes nothing
        self._owed: bytes | None = None  # the payload of the pong to be sent
        self._heard = False
        self._pinged = False
        self._quiet_since = self._unfinished_since = keeper.clock.seconds()
        self._deadline = 0.0

    @property
    def peer(self) -> IAddress:
        """Return the address at the other end of the connection."""
        return self.transport.getPeer()

    def send(self, message: str | bytes) -> None:
        """Send a text or binary message; on a socket that is closed, nothing."""
        self.send_frames(message_frame(message))

    def send_frames(self, frames: bytes) -> None:
        """Send what `message_frame` has made, so that many sockets can share it."""
        if self._state is not _State.OPEN:
            return
        if self._full:
            self._behind += len(frames)
            if self._behind > self._keeper.limits.unsent_bytes:
                self._let_go(f"{self._behind} bytes wait for it")
                return
        self.transport.write(frames)

    def close(self, code: int = CloseReason.NORMAL_CLOSURE, reason: str = "") -> None:
        """Say that this was all; `closed` is called when the client has agreed, or has not in time.

        ValueError: `code` never stands in a Close frame.
        """
        farewell = close_frame(code, reason)
        if self._state is _State.OPEN:
            self.transport.write(farewell)
            self._state = _State.CLOSING
            self._set_deadline()
            self._held = False
            self._read_on()

    def pause_reading(self) -> None:
        """Call `received` no more until `resume_reading`; the client has to wait."""
        self._held = self._state is _State.OPEN
        self._read_or_rest()

    def resume_reading(self) -> None:
        """Call `received` again, at first (before this returns) with what has come already."""
        self._held = False
        self._read_on()

    def makeConnection(self, transport: ITransport) -> None:
        """Begin: the 101 is written."""
        self.transport = cast("IStream", transport)
        self._keeper.enter(self)
        self.transport.registerProducer(self, streaming=True)
        self._tell(lambda: self._endpoint.opened(self))

    def connectionMade(self) -> None:
        """Do nothing: `makeConnection` has done it."""

    def dataReceived(self, data: bytes) -> None:
        """Take what the client has sent."""
        self._heard = True
        if self._state is _State.ENDING:
            return
        if self._reader is None:
            limits = self._keeper.limits
            self._reader = Reader(limits.message_bytes, limits.idle_frames)
            self._unfinished_since = self._keeper.clock.seconds()
        self._reader.feed(data)
        self._read_on()

    def readConnectionLost(self) -> None:
        """End: the client says no more, not even goodbye unless it has."""
        if self._state is not _State.ENDING:
            self._end(ABNORMAL, "")
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Do nothing: the client is to close as well."""

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002 (all are alike to a WebSocket)
        """Tell the endpoint, unless it knows."""
        self._keeper.leave(self)
        if self._state is not _State.ENDING:
            self._over(ABNORMAL, "")

    def pauseProducing(self) -> None:
        """Read nothing more: the client does not take what is there for it."""
        if self._full:
            return  # a transport says so at every write
        self._full = True
        self._behind = 0
        self._read_or_rest()
        if self._state is _State.OPEN:
            self._tell(self._endpoint.paused)

    def resumeProducing(self) -> None:
        """Go on: the client has taken everything."""
        self._full = False
        if self._state is _State.OPEN:
            self._tell(self._endpoint.resumed)
        self._read_on()

    def stopProducing(self) -> None:
        """Do nothing: `connectionLost` follows."""

    def look(self, now: float) -> None:
        """Ask a client that is silent, let go of one whose time is up, and put the parser away."""
        if self._state is not _State.OPEN:
            if now >= self._deadline:
                self._let_go("did not close in time")
            return
        self._look_for_silence(now)
        if self._reader is not None:
            self._look_at_message(self._reader, now)

    def _look_for_silence(self, now: float) -> None:
        limits = self._keeper.limits
        heard, self._heard = self._heard, False
        if heard or self._rests:  # who is not read from cannot be heard
            self._quiet_since, self._pinged = now, False
            return
        silence = now - self._quiet_since
        if silence >= limits.ping_interval + limits.pong_timeout and self._pinged:
            self._let_go(f"said nothing for {silence:.0f} s")
        elif silence >= limits.ping_interval and not self._pinged:
            self._pinged = True
            self.transport.write(ping_frame())

    def _look_at_message(self, reader: Reader, now: float) -> None:
        reader.relax()
        if self._rests:
            self._unfinished_since = now
        elif reader.at_rest:
            self._unfinished_since = now
            self._reader = None
        elif now - self._unfinished_since >= self._keeper.limits.message_timeout:
            self._fail(CloseReason.POLICY_VIOLATION, "a message took too long")

    @property
    def _rests(self) -> bool:
        return self._held or self._full

    def _read_on(self) -> None:
        """Deliver what has been fed, until there is no more or somebody has to be waited for."""
        if self._delivering:
            return
        self._delivering = True
        try:
            self._deliver()
        except FramesError as error:
            self._fail(error.code, error.reason)
        finally:
            self._delivering = False
        self._answer_ping()
        self._read_or_rest()

    def _deliver(self) -> None:
        while self._reader is not None and not self._rests:
            event = self._reader.next()
            if event is None:
                return
            self._take(event)

    def _take(self, event: Event) -> None:
        match event:
            case Close(code=code, reason=reason):
                self._agree(code, reason)
            case Ping(payload=payload):
                self._owed = payload
            case Pong():
                pass
            case message:
                self._unfinished_since = self._keeper.clock.seconds()
                if self._state is _State.OPEN:
                    self._tell(lambda: self._endpoint.received(message))

    def _answer_ping(self) -> None:
        """Answer the last ping of a read, which is enough (RFC 6455 5.5.3)."""
        owed, self._owed = self._owed, None
        if owed is not None and self._state is _State.OPEN:
            self.transport.write(pong_frame(owed))

    def _agree(self, code: int, reason: str) -> None:
        """Answer the client's Close, unless it is itself the answer, and end."""
        if self._state is _State.OPEN:
            self.transport.write(close_frame(code))
        self._end(code, reason)

    def _fail(self, code: int, reason: str) -> None:
        """Tell the client why this cannot go on, and end (RFC 6455 7.1.7)."""
        self._keeper.report(self, reason)
        if self._state is _State.OPEN:
            self.transport.write(close_frame(code, reason))
        self._end(code, reason)

    def _end(self, code: int, reason: str) -> None:
        """Close our side; what the client still sends is dropped, lest a reset undo our last words."""
        if self._state is _State.OPEN:
            self._set_deadline()
        self._over(code, reason)
        self.transport.unregisterProducer()  # a close waits for a producer
        half_close(self.transport)
        self._full = False
        self._read_or_rest()

    def _over(self, code: int, reason: str) -> None:
        self._state = _State.ENDING
        self._held = False
        self._reader = None
        try:
            self._endpoint.closed(code, reason)
        except Exception:  # noqa: BLE001 (it is the endpoint's own)
            self._keeper.blame()

    def _tell(self, news: Callable[[], None]) -> None:
        try:
            news()
        except Exception:  # noqa: BLE001 (it is the endpoint's own)
            self._keeper.blame()
            if self._state is _State.OPEN:
                self._fail(CloseReason.INTERNAL_ERROR, "something went wrong here")

    def _set_deadline(self) -> None:
        self._deadline = self._keeper.clock.seconds() + self._keeper.limits.closing_timeout

    def _let_go(self, reason: str) -> None:
        if self._state is not _State.ENDING:
            self._keeper.report(self, reason)
            self._over(ABNORMAL, "")
        self.transport.abortConnection()

    def _read_or_rest(self) -> None:
        if self._rests is not self._resting:
            self._resting = self._rests
            if self._resting:
                self.transport.pauseProducing()
            else:
                self.transport.resumeProducing()
