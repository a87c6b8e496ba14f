"""The end of a connection whose peer may still be talking.

A close while bytes of the peer are unread resets the connection, and the reset can destroy what
was written last before the peer has read it. So the close goes in stages (RFC 9112 9.6): all is
sent, then a FIN; what still comes is read and dropped until the peer's own FIN, or for
LINGER_SECONDS after it has all. Rule: nothing is read before all is sent, so a peer cannot draw this
out by talking; one that reads slowly has STALL_SECONDS for every step it takes.
"""

from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.protocols.tls import TLSMemoryBIOProtocol

from netkit.net.progress import acknowledged, outstanding
from netkit.net.stream import IStream

LINGER_SECONDS = 2.0
STALL_SECONDS = 60.0


class Farewell:
    """Closes `stream`, which has no producer any more, so that the peer can read its last words.

    The protocol drops what it receives from now on, calls `sent` as its write side is closed and
    `over` as the connection is lost, and closes as ever when the peer's FIN comes.
    """

    def __init__(self, stream: IStream, clock: IReactorTime) -> None:
        self._stream = stream
        self._clock = clock
        self._deadline: IDelayedCall | None = None
        self._acknowledged = 0
        self._moved_at = 0.0
        if isinstance(stream, TLSMemoryBIOProtocol) or getattr(stream, "TLS", False):
            stream.loseConnection()  # it knows no half-close, and reads until its goodbye is answered
        else:
            stream.pauseProducing()
            stream.loseWriteConnection()

    def sent(self) -> None:
        """Wait for the peer's FIN: ours is sent."""
        self._moved_at = self._clock.seconds()
        self._acknowledged = acknowledged(self._stream)
        self._deadline = self._clock.callLater(LINGER_SECONDS, self._end)
        self._stream.resumeProducing()

    def over(self) -> None:
        """Wait no longer: the connection is lost."""
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _end(self) -> None:
        self._deadline = None
        if self._still_reads():
            self._deadline = self._clock.callLater(LINGER_SECONDS, self._end)
        else:
            self._stream.abortConnection()

    def _still_reads(self) -> bool:
        """Return whether the peer has not got all yet, and takes some of it now and then."""
        now, taken = self._clock.seconds(), acknowledged(self._stream)
        if taken > self._acknowledged:
            self._acknowledged, self._moved_at = taken, now
        return outstanding(self._stream) > 1 and now - self._moved_at < STALL_SECONDS
