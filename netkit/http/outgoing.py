"""What an HTTP connection sends, no faster than its client takes it.

Rule: while more than the transport's high water waits for the client, nothing more is asked of whoever
makes it.
"""

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer, IReactorTime
from twisted.internet.task import deferLater
from zope.interface import implementer

from netkit.http.chunked import LAST, chunk
from netkit.http.messages import BodyCutError, Stream
from netkit.net.stream import IStream

TURN_BYTES = 1024 * 1024
"""How much of a stream is sent before others have their turn."""


@implementer(IPushProducer)
class Outgoing:
    """The producer of `transport`, until it ends; `resumed` is called as there is room again.

    `sent` counts the bytes of the stream, without what frames them.
    """

    def __init__(self, transport: IStream, resumed: Callable[[], None]) -> None:
        self.full = False
        self.sent = 0
        self._transport = transport
        self._resumed = resumed
        self._room: Deferred[None] | None = None
        transport.registerProducer(self, True)  # noqa: FBT003 (Twisted's)

    def pauseProducing(self) -> None:
        """See IPushProducer."""
        self.full = True

    def resumeProducing(self) -> None:
        """See IPushProducer."""
        self.full = False
        room, self._room = self._room, None
        if room is not None:
            room.callback(None)
        else:
            self._resumed()

    def stopProducing(self) -> None:
        """Do nothing: the connection is lost, which ends what is going on."""

    async def room(self) -> None:
        """Return once the client has taken enough."""
        while self.full:
            self._room = Deferred()
            await self._room

    def end(self) -> None:
        """Be the transport's producer no longer."""
        self._transport.unregisterProducer()

    async def send(self, body: Stream, *, chunked: bool, clock: IReactorTime) -> None:
        """Send `body`, in chunks or as it is; raise BodyCutError where it is not as it said."""
        self.sent = turn = 0
        async for piece in body:
            if not piece:
                continue
            self.sent += len(piece)
            if body.length is not None and self.sent > body.length:
                raise BodyCutError("more came than was announced")
            self._transport.write(chunk(piece) if chunked else piece)
            await self.room()
            turn += len(piece)
            if turn >= TURN_BYTES:
                turn = 0
                await deferLater(clock, 0)
        if body.length is not None and self.sent < body.length:
            raise BodyCutError("less came than was announced")
        if chunked:
            self._transport.write(LAST)
