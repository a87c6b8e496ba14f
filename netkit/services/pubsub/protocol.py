"""The line protocol on a transport: a client joins the hub, says lines and leaves.

Rule: a client costs one unfinished line and what its outlet may hold. A FIN means that it leaves:
it still gets what was said until then, its own last lines included.
"""

from collections.abc import Iterator

from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IHandshakeListener,
    INegotiated,
)
from twisted.internet.protocol import Protocol as TwistedProtocol
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.net.farewell import Farewell
from netkit.net.lines import LineSplitter
from netkit.net.peer import LOCAL, host_and_port
from netkit.net.stream import IStream
from netkit.services.kind import World
from netkit.services.pubsub import lines
from netkit.services.pubsub.hub import Hub, Said
from netkit.services.pubsub.outlet import Outlet
from netkit.services.pubsub.settings import Settings


@implementer(IHalfCloseableProtocol, IHandshakeListener)
class LineClient(TwistedProtocol):
    """One client of `hub`; `number` tells it from the others where it has no address."""

    transport: IStream

    def __init__(self, hub: Hub, settings: Settings, world: World, number: int) -> None:
        self._hub = hub
        self._settings = settings
        self._world = world
        self._number = number
        self._splitter = LineSplitter(settings.line_bytes)
        self._source = ""
        self._outlet: Outlet | None = None  # while it is in the hub
        self._farewell: Farewell | None = None

    def connectionMade(self) -> None:
        """Join; with TLS that waits for the handshake: until then there is nobody to take anything."""
        self._source = _source(self.transport.getPeer(), self._number)
        if not INegotiated.providedBy(self.transport):
            self._come()

    def handshakeCompleted(self) -> None:
        """Join."""
        self._come()

    def _come(self) -> None:
        """Join, or hear that there are too many."""
        if len(self._hub) >= self._settings.clients:
            self._refuse()
        else:
            self._join()

    def dataReceived(self, data: bytes) -> None:
        """Publish the lines that `data` ends."""
        if self._outlet is None:
            return
        said = self._splitter.feed(data)
        if said:
            self._hub.publish(Said(self._source, said))
        if self._splitter.too_long and self._outlet is not None:  # its own lines may be too many
            self._let_go_long(self._outlet)

    def readConnectionLost(self) -> None:
        """Leave: the client says nothing more."""
        outlet = self._outlet
        if outlet is not None:
            self._leave(outlet)
            outlet.flush()
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Wait for the client to end as well: it has been told why."""
        if self._farewell is not None:
            self._farewell.sent()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002 (all are alike)
        """Leave, unless that is done, and wait for nothing any more."""
        if self._outlet is not None:
            self._outlet.stopProducing()
            self._leave(self._outlet)
        if self._farewell is not None:
            self._farewell.over()

    def _join(self) -> None:
        self._outlet = Outlet(self.transport, self._settings, self._world.clock, self._let_go_slow)
        self._hub.join(self._outlet, lines.written)
        self._tell("joined")

    def _leave(self, outlet: Outlet) -> None:
        self._outlet = None
        self._hub.leave(outlet, lines.written)
        self._tell("left")

    def _refuse(self) -> None:
        limit = self._settings.clients
        self._world.log.warn(
            "{source} is refused: {limit} clients are the most", source=self._source, limit=limit
        )
        self.transport.write(lines.full(limit))
        self._farewell = Farewell(self.transport, self._world.clock)

    def _let_go_long(self, outlet: Outlet) -> None:
        limit = self._settings.line_bytes
        self._world.log.warn(
            "{source} is let go: its line is longer than {limit} bytes",
            source=self._source,
            limit=limit,
        )
        self._leave(outlet)
        outlet.flush(lines.too_long(limit))
        self._farewell = Farewell(self.transport, self._world.clock)

    def _let_go_slow(self, outlet: Outlet, pending: int, seconds: float) -> None:
        self._world.log.warn(
            "{source} is let go: it is slow, {pending} bytes wait behind its full write buffer, "
            "the oldest for {seconds:.1f} s",
            source=self._source,
            pending=pending,
            seconds=seconds,
        )
        self._leave(outlet)

    def _tell(self, event: str) -> None:
        self._world.log.info(
            "{source} {event}; clients: {clients}",
            source=self._source,
            event=event,
            clients=len(self._hub),
        )


class LineFactory(ServerFactory):
    """Builds the clients of one listener; `numbers` is shared by all listeners of the service."""

    noisy = False

    def __init__(self, hub: Hub, settings: Settings, world: World, numbers: Iterator[int]) -> None:
        self._hub = hub
        self._settings = settings
        self._world = world
        self._numbers = numbers

    def buildProtocol(self, addr: IAddress | None) -> LineClient:  # noqa: ARG002 (asked for when connected)
        """Return a client for one connection."""
        return LineClient(self._hub, self._settings, self._world, next(self._numbers))


def _source(peer: IAddress, number: int) -> str:
    text = host_and_port(peer)
    return f"{text}:{number}" if text == LOCAL else text
