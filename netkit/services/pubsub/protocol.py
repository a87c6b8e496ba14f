"""The line protocol on a transport: a client joins, says lines on one subject, and leaves.

Rule: a client costs one unfinished line and what its outlet may hold. A FIN means that it leaves:
it still gets what was said until then, its own last lines included.
"""

from collections.abc import Callable, Iterator

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
from netkit.services.pubsub.broker import Broker, Receiver
from netkit.services.pubsub.crowd import Crowd
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.outlet import Outlet, nowhere
from netkit.services.pubsub.settings import Settings
from netkit.services.pubsub.subscriptions import Subscription


@implementer(IHalfCloseableProtocol, IHandshakeListener)
class LineClient(TwistedProtocol):
    """One client of `broker`; `number` tells it from the others where it has no address."""

    transport: IStream

    def __init__(
        self, broker: Broker, crowd: Crowd, settings: Settings, world: World, number: int
    ) -> None:
        self.pieces: list[bytes] = []
        self.deliver: Callable[[bytes], None] = nowhere
        self._broker = broker
        self._crowd = crowd
        self._settings = settings
        self._world = world
        self._number = number
        self._splitter = LineSplitter(settings.line_bytes)
        self._source = ""
        self._outlet: Outlet | None = None  # while it is there
        self._subscription: Subscription[Receiver] = Subscription(
            settings.lines.encode(), lines.written, self
        )
        self._farewell: Farewell | None = None

    def connectionMade(self) -> None:
        """Join; with TLS that waits for the handshake: until then there is nobody to take anything."""
        self._source = _source(self.transport.getPeer(), self._number)
        if not INegotiated.providedBy(self.transport):
            self._come()

    def handshakeCompleted(self) -> None:
        """Join."""
        self._come()

    def ended(self, subscription: Subscription[Receiver]) -> None:
        """Do nothing: the subscription to the lines does not end."""

    def close(self) -> None:
        """Let the client go, once what was said has reached it."""
        if self._outlet is not None:
            outlet = self._outlet
            self._leave()
            outlet.close()

    def _come(self) -> None:
        """Join, or hear that there are too many."""
        if self._crowd.join(self):
            self._join()
        else:
            self._refuse()

    def dataReceived(self, data: bytes) -> None:
        """Publish the lines that `data` ends."""
        if self._outlet is None:
            return
        said = self._splitter.feed(data)
        if said:
            subject = self._subscription.pattern
            self._broker.publish(Published(subject, list(said), source=self._source))
            self._broker.settle()
        if self._splitter.too_long and self._outlet is not None:  # its own lines may be too many
            self._let_go_long(self._outlet)

    def readConnectionLost(self) -> None:
        """Leave: the client says nothing more."""
        outlet = self._outlet
        if outlet is not None:
            self._leave()
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
            self._leave()
        if self._farewell is not None:
            self._farewell.over()

    def _join(self) -> None:
        self._outlet = Outlet(self.transport, self._settings, self._world.clock, self._let_go_slow)
        self.deliver = self._outlet.deliver
        self._broker.interest.insert(self._subscription)
        self._broker.counters.connections += 1
        self._tell("joined")

    def _leave(self) -> None:
        self._outlet = None
        self.deliver = nowhere
        self._broker.interest.remove(self._subscription)
        self._crowd.leave(self)
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
        self._leave()
        outlet.flush(lines.too_long(limit))
        self._farewell = Farewell(self.transport, self._world.clock)

    def _let_go_slow(self, pending: int, seconds: float) -> None:
        self._world.log.warn(
            "{source} is let go: it is slow, {pending} bytes wait behind its full write buffer, "
            "the oldest for {seconds:.1f} s",
            source=self._source,
            pending=pending,
            seconds=seconds,
        )
        self._broker.counters.slow_consumers += 1
        self._leave()

    def _tell(self, event: str) -> None:
        self._world.log.info(
            "{source} {event}; clients: {clients}",
            source=self._source,
            event=event,
            clients=len(self._crowd),
        )


class LineFactory(ServerFactory):
    """Builds the clients of one listener; `numbers` is shared by all listeners of the service."""

    noisy = False

    def __init__(
        self,
        broker: Broker,
        crowd: Crowd,
        settings: Settings,
        world: World,
        numbers: Iterator[int],
    ) -> None:
        self._broker = broker
        self._crowd = crowd
        self._settings = settings
        self._world = world
        self._numbers = numbers

    def buildProtocol(self, addr: IAddress | None) -> LineClient:  # noqa: ARG002 (asked for when connected)
        """Return a client for one connection."""
        number = next(self._numbers)
        return LineClient(self._broker, self._crowd, self._settings, self._world, number)


def _source(peer: IAddress, number: int) -> str:
    text = host_and_port(peer)
    return f"{text}:{number}" if text == LOCAL else text
