"""Server-sent events (HTML standard 9.2): their format, and streams of them as bodies of responses.

Rule: a stream keeps at most `pending_bytes`, or one event, for a client that does not keep up; what
happens beyond that its owner has chosen, and what the client misses is counted.
"""

import re
from collections.abc import AsyncIterator, Callable
from enum import Enum
from http import HTTPStatus

from attrs import field, frozen
from attrs.validators import ge, optional
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from netkit.http.messages import PIECE_BYTES, Request, Response
from netkit.http.pages import NOSNIFF

KEEP_ALIVE = 15.0  # seconds; proxies let go of what is silent for longer
PENDING_BYTES = 256 * 1024

_LINE_END = re.compile("\r\n|\r|\n")
_COMMENT = b":\n\n"
_FIELDS = (
    (b"Content-Type", b"text/event-stream"),
    (b"Cache-Control", b"no-store"),
    (b"X-Accel-Buffering", b"no"),  # nginx would gather events until a buffer is full
    NOSNIFF,
)


def _one_line(_: object, part: object, value: str | None) -> None:
    if value is not None and _LINE_END.search(value):
        raise ValueError(f"the {getattr(part, 'name', '')} of an event is one line")


def _no_nul(_: object, __: object, value: str | None) -> None:
    if value is not None and "\0" in value:
        raise ValueError("the id of an event has no NUL; browsers would not keep it")


@frozen(kw_only=True)
class Event:
    """One event: any text as `data`, under the name `event` (empty for "message").

    `id` is what a client that comes back says it has seen last; empty, it makes the client forget.
    `retry`: after how many milliseconds it shall come back. Without data (None) a page hears nothing,
    but `id` and `retry` count. ValueError: `event` or `id` has a line end, or `id` a NUL.
    """

    data: str | None = None
    event: str = field(default="", validator=_one_line)
    id: str | None = field(default=None, validator=[_one_line, _no_nul])
    retry: int | None = field(default=None, validator=optional(ge(0)))

    def encode(self) -> bytes:
        """Return the event as bytes, which any number of streams can share.

        Line ends in the data arrive as LF, whatever they were; what UTF-8 cannot write, as `?`.
        """
        lines = [f"event: {self.event}\n"] if self.event else []
        if self.id is not None:
            lines.append(f"id: {self.id}\n")
        if self.retry is not None:
            lines.append(f"retry: {self.retry}\n")
        if self.data is not None:
            lines += [f"data: {line}\n" for line in _LINE_END.split(self.data)]
        return "".join((*lines, "\n")).encode(errors="replace")


def last_event_id(request: Request) -> str | None:
    """Return the id of the last event that a client which comes back has seen, or None."""
    try:
        return (request.header(b"last-event-id") or b"").decode() or None
    except UnicodeDecodeError:
        return None  # none of ours


class Overflow(Enum):
    """What becomes of events for a client that does not keep up.

    END: after those that wait the stream ends, and the client comes back with the id of the last.
    """

    END = "end"
    DROP_OLDEST = "drop-oldest"
    DROP_NEWEST = "drop-newest"


def _nothing() -> None:
    return


class EventStream:
    """The body of a response to which events can be added for as long as the client stays.

    `missed` counts the events that the client will not get. `closing` is called once, as the client
    has left or the response is over. While there is nothing to send, a comment goes out every
    `keep_alive` seconds of `clock`, so that whoever is in between, and we, notice who has left.
    """

    __slots__ = (
        "_begun",
        "_clock",
        "_closed",
        "_closing",
        "_ended",
        "_idle_since",
        "_keep_alive",
        "_overflow",
        "_pending_bytes",
        "_size",
        "_timer",
        "_waiting",
        "_wanted",
        "missed",
    )

    length = None

    def __init__(
        self,
        clock: IReactorTime,
        *,
        closing: Callable[[], None] = _nothing,
        overflow: Overflow = Overflow.END,
        pending_bytes: int = PENDING_BYTES,
        keep_alive: float = KEEP_ALIVE,
    ) -> None:
        self.missed = 0
        self._clock = clock
        self._closing = closing
        self._overflow = overflow
        self._pending_bytes = pending_bytes
        self._keep_alive = keep_alive
        self._waiting: list[bytes] = []
        self._size = 0
        self._begun = False
        self._ended = self._closed = False
        self._wanted: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None
        self._idle_since = 0.0

    @property
    def pending(self) -> int:
        """How many bytes wait for the server to ask for them."""
        return self._size

    def push(self, event: Event | bytes) -> bool:
        """Send `event`, or one that is encoded already; return whether the client will get it.

        It may lose it yet by DROP_OLDEST, and by leaving.
        """
        encoded = event.encode() if isinstance(event, Event) else event
        if self._ended or not self._has_room(len(encoded)):
            self.missed += 1
            return False
        self._waiting.append(encoded)
        self._size += len(encoded)
        self._wake()
        return True

    def end(self) -> None:
        """End the response after what waits; the client will come back, as browsers do."""
        self._ended = True
        self._wake()

    def close(self) -> None:
        """Drop what waits: the response is over. The server calls this; harmless when repeated."""
        if self._closed:
            return
        self._closed = self._ended = True
        self._waiting.clear()
        self._size = 0
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._wake()
        self._closing()

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return the stream itself, which is asked for one piece at a time."""
        return self

    async def __anext__(self) -> bytes:
        """Return all that waits, up to PIECE_BYTES or one event; else the next to come."""
        if self._begun and not self._waiting and not self._ended:
            self._wanted = Deferred()
            self._watch()
            try:
                await self._wanted
            finally:
                self._wanted = None
        self._begun = True
        if self._waiting:
            return self._take()
        if self._ended:
            raise StopAsyncIteration
        return _COMMENT  # nothing for a while, or nothing yet: the header section is to go out

    def _watch(self) -> None:
        self._idle_since = self._clock.seconds()
        if self._timer is None:
            self._look_in(self._keep_alive)

    def _wake(self) -> None:
        wanted, self._wanted = self._wanted, None
        if wanted is not None:
            wanted.callback(None)

    def _look_in(self, seconds: float) -> None:
        self._timer = self._clock.callLater(seconds, self._look)

    def _look(self) -> None:
        # The call outlives the events: a thousand of them a second cost one call in `keep_alive`.
        self._timer = None
        if self._wanted is None:
            return  # the next wait looks again
        left = self._idle_since + self._keep_alive - self._clock.seconds()
        if left > 0:
            self._look_in(left)
        else:
            self._wake()

    def _take(self) -> bytes:
        size = count = 0
        for encoded in self._waiting:
            if count and size + len(encoded) > PIECE_BYTES:
                break
            size += len(encoded)
            count += 1
        piece = b"".join(self._waiting[:count])
        del self._waiting[:count]
        self._size -= size
        return piece

    def _has_room(self, more: int) -> bool:
        """Return whether `more` bytes may be added, having made room where that is the policy."""
        if not self._size or self._size + more <= self._pending_bytes:
            return True
        if self._overflow is Overflow.DROP_OLDEST:
            self._drop_oldest(more)
            return True
        self._ended = self._overflow is Overflow.END
        return False

    def _drop_oldest(self, more: int) -> None:
        size, count = self._size, 0
        while size and size + more > self._pending_bytes:
            size -= len(self._waiting[count])
            count += 1
        del self._waiting[:count]
        self._size = size
        self.missed += count


def event_response(stream: EventStream) -> Response:
    """Return the response whose body is `stream`, never stored and not to be gathered by proxies."""
    return Response(HTTPStatus.OK, _FIELDS, stream)
