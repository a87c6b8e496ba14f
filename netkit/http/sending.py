"""The body of a request on its way to the server, where it is not sent at once.

Rule: a body that is not what was announced is never ended as a whole one is.
"""

from collections.abc import AsyncIterator, Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.python.failure import Failure

from netkit.http.messages import Pieces, Stream
from netkit.http.outgoing import Outgoing
from netkit.net.stream import IStream

CONTINUE_SECONDS = 1.0
"""How long a server that was asked whether it wants the body may say nothing (RFC 9110 10.1.1)."""


class Sending:
    """A body on its way, at once or when the server `expects` it.

    `over` is called where all is sent, with None, or where that cannot be. `begun`: pieces of the body
    have been asked for; `finished`: all was given to the transport.
    """

    def __init__(
        self,
        body: Stream,
        transport: IStream,
        clock: IReactorTime,
        over: Callable[[Failure | None], None],
    ) -> None:
        self.begun = self.finished = False
        self._body = body
        self._transport = transport
        self._clock = clock
        self._over = over
        self._outgoing: Outgoing | None = None
        self._running: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None
        self._stopped = False

    @property
    def waits(self) -> bool:
        """Whether the server has to take something before more is asked of the body."""
        return self._outgoing is not None and self._outgoing.full

    def wait(self) -> None:
        """Begin when the server says so, or says nothing."""
        self._timer = self._clock.callLater(CONTINUE_SECONDS, self.begin)

    def begin(self) -> None:
        """Begin, where that has not happened."""
        if self.begun or self._stopped:
            return
        self.begun = True
        self._end_timer()
        self._outgoing = outgoing = Outgoing(self._transport, _nothing)
        sending = outgoing.send(self._body, chunked=self._body.length is None, clock=self._clock)
        self._running = running = Deferred.fromCoroutine(sending)
        running.addCallbacks(self._sent, self._failed)

    def _sent(self, _: None) -> None:
        self.finished = True
        self._release()
        self._over(None)

    def _failed(self, failure: Failure) -> None:
        if not self._stopped:
            self._release()
            self._over(failure)

    def stop(self) -> None:
        """Send no more."""
        if self._stopped or self.finished:
            return
        self._end_timer()
        if self.begun:
            self._release()
        self._stopped = True
        if self._running is not None:
            self._running.cancel()

    def _end_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _release(self) -> None:
        """Let go of the body and of the transport."""
        outgoing, self._outgoing = self._outgoing, None
        if outgoing is not None:
            outgoing.end()
            self._body.close()


def stream(body: bytes | Stream) -> Stream:
    """Return `body` as a stream."""
    return Pieces(_pieces(body), len(body)) if isinstance(body, bytes) else body


async def _pieces(body: bytes) -> AsyncIterator[bytes]:
    yield body


def _nothing() -> None:
    """Do nothing: who waits for room waits in a coroutine."""
