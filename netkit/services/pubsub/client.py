"""What the clients of both protocols have in common: they come, get pieces, and go.

Rule: a client costs what its protocol has not understood yet and what its outlet may hold. A FIN
means that it leaves: it still gets what was for it until then.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import count
from typing import TypeVar

from attrs import field, frozen
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IHandshakeListener,
    INegotiated,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.document.values import printable
from netkit.net.farewell import Farewell
from netkit.net.peer import LOCAL, host_and_port
from netkit.net.progress import round_trip
from netkit.net.stream import IStream
from netkit.services.kind import World
from netkit.services.pubsub.broker import Broker
from netkit.services.pubsub.connected import Connection
from netkit.services.pubsub.counters import Tally
from netkit.services.pubsub.crowd import Crowd
from netkit.services.pubsub.door import Door
from netkit.services.pubsub.gathering import Receiver
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.outlet import Outlet, nowhere
from netkit.services.pubsub.policies import Policy
from netkit.services.pubsub.room import Room
from netkit.services.pubsub.settings import Settings
from netkit.services.pubsub.subscriptions import Subscription

_Said = TypeVar("_Said")


@frozen(eq=False)
class House:
    """What all clients of a service share; each of them has one of the `numbers`."""

    broker: Broker
    crowd: Crowd
    settings: Settings
    world: World
    door: Door
    room: Room
    numbers: Iterator[int] = field(factory=lambda: count(1))


@implementer(IHalfCloseableProtocol, IHandshakeListener)
class Client(Protocol):
    """One client; `number` tells it from the others where it has no address.

    Of a protocol there are `begin` and `finish`, which are called as the client joins and leaves,
    `dataReceived`, and what it says to one who is too many, and to one who is slow.
    """

    transport: IStream

    def __init__(self, house: House, number: int) -> None:
        self.pieces: list[bytes] = []
        self.deliver: Callable[[bytes], None] = nowhere
        self.house = house
        self.number = number
        self.source = ""
        self.tally = Tally()
        self.outlet: Outlet | None = None  # while it is there
        self._farewell: Farewell | None = None
        self._misses = False

    def begin(self) -> None:
        """Welcome the client."""

    def finish(self) -> None:
        """End what the client has asked for; nothing reaches it any more."""

    def refusal(self, most: int) -> bytes:
        """Return what the client hears who is one too many."""
        raise NotImplementedError

    def ended(self, subscription: Subscription[Receiver]) -> None:
        """Forget a subscription that has had as many messages as it was for."""

    def connectionMade(self) -> None:
        """Join; with TLS that waits for the handshake: until then there is nobody to take anything."""
        self.source = _source(self.transport.getPeer(), self.number)
        if not self.shakes_hands():
            self.come()

    def shakes_hands(self) -> bool:
        """Return whether the handshake of TLS is still to come."""
        return INegotiated.providedBy(self.transport)

    def handshakeCompleted(self) -> None:
        """Join."""
        self.come()

    def readConnectionLost(self) -> None:
        """Leave: the client says nothing more."""
        outlet = self.leave()
        if outlet is not None:
            outlet.flush()
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Wait for the client to end as well: it has been told why."""
        if self._farewell is not None:
            self._farewell.sent()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002 (all are alike)
        """Leave, unless that is done, and wait for nothing any more."""
        outlet = self.leave()
        if outlet is not None:
            outlet.stopProducing()
        if self._farewell is not None:
            self._farewell.over()

    def hold(self) -> None:
        """Read nothing of the client: what it says has to wait (see `broker.Publisher`)."""
        if self.outlet is None:  # let go for what came of its own words
            self.house.broker.forget(self)
        else:
            self.transport.pauseProducing()

    def release(self) -> None:
        """Read of the client again, if nothing else is in the way."""
        if self.outlet is not None and not self.outlet.behind:
            self.transport.resumeProducing()

    def warn(self) -> bool:
        """Tell the client that the service stops; return whether there is a way to tell it."""
        return False

    def close(self) -> None:
        """Let the client go, once what was said has reached it."""
        outlet = self.leave()
        if outlet is not None:
            outlet.close()

    def come(self) -> None:
        """Join, or hear that there are too many."""
        if not self.house.crowd.join(self):
            self._refuse()
            return
        self.outlet = Outlet(self.transport, self.house.settings, self.house.world.clock, self)
        self.house.broker.counters.connections += 1
        self.tally.since = self.tally.last = self.house.world.clock.seconds()
        self._tell("joined")
        self.begin()

    def send_by(self, deliver: Callable[[bytes], None]) -> None:
        """Hand what there is to `deliver` from now on, which sends or keeps it."""
        self.deliver = deliver

    def leave(self) -> Outlet | None:
        """Be there no more; return the way out to the client, if it was there."""
        outlet, self.outlet = self.outlet, None
        if outlet is not None:
            self.deliver = nowhere
            self.house.crowd.leave(self)
            self.house.broker.forget(self)
            self.finish()
            self._tell("left")
        return outlet

    def let_go(self, last: bytes) -> None:
        """Leave; the client still gets what waits for it, and `last`."""
        outlet = self.leave()
        if outlet is not None:
            outlet.flush(last)
            self._farewell = Farewell(self.transport, self.house.world.clock)

    @property
    def pending(self) -> int:
        """How many bytes wait for the client."""
        return 0 if self.outlet is None else self.outlet.pending

    @property
    def round_trip(self) -> float | None:
        """How long a packet to the client and its answer take, in seconds, where that is known."""
        return round_trip(getattr(self.transport, "carrier", self.transport))

    @property
    def wanted(self) -> Collection[Subscription[Receiver]]:
        """The subscriptions of the client."""
        raise NotImplementedError

    def shown(self) -> Connection:
        """Return what there is to be seen of the connection."""
        raise NotImplementedError

    @property
    def behind(self) -> bool:
        """Whether the client does not keep up."""
        return self.outlet is not None and self.outlet.behind

    def deliver_spare(self, piece: bytes, run: Published, policy: Policy) -> None:
        """Send `piece`, which is `run`, or leave it or others like it out where there is no room."""
        if self.outlet is not None:
            self.outlet.deliver_spare(piece, run, policy)

    def wants(self) -> list[bytes]:
        """Return some of the subjects that the client has subscribed to."""
        raise NotImplementedError

    def let_go_slow(self, pending: int, seconds: float) -> None:
        """Leave: so many bytes have waited for so many seconds, and go nowhere."""
        subjects = b", ".join(self.wants()).decode(errors="backslashreplace")
        self.house.world.log.warn(
            "{source} is let go: it is slow, {pending} bytes wait behind its full write buffer, "
            "the oldest for {seconds:.1f} s; subjects: {subjects}",
            source=self.source,
            pending=pending,
            seconds=seconds,
            subjects=printable(subjects),
        )
        self.house.broker.counters.slow_consumers += 1
        self.drop()

    def told(self, act: Callable[[_Said], object], said: _Said) -> None:
        """Count what the client publishes as `act` takes what it has `said`."""
        broker = self.house.broker
        counters = broker.counters
        messages, size = counters.in_messages, counters.in_bytes
        broker.now = now = self.house.world.clock.seconds()
        act(said)
        if counters.in_messages != messages:
            self.tally.came(counters.in_messages - messages, counters.in_bytes - size, now)

    def drop(self) -> None:
        """Leave, and end the connection of a client that takes nothing."""
        self.leave()
        self.transport.abortConnection()

    def tell_missed(self, missed: Mapping[bytes, int]) -> None:
        """Tell the client which messages it went without."""
        raise NotImplementedError

    def caught_up(self, missed: Mapping[bytes, int]) -> None:
        """Count and tell how many messages to which subjects were left out."""
        if self.outlet is None:
            return
        if not self._misses:
            self._misses = True
            self.house.world.log.info(
                "{source} is slow, and goes without messages by policy", source=self.source
            )
        self.house.broker.counters.missed += sum(missed.values())
        self.tell_missed(missed)

    def _refuse(self) -> None:
        limit = self.house.crowd.most
        self.house.world.log.warn(
            "{source} is refused: {limit} clients are the most", source=self.source, limit=limit
        )
        self.transport.write(self.refusal(limit))
        self._farewell = Farewell(self.transport, self.house.world.clock)

    def _tell(self, event: str) -> None:
        self.house.world.log.info(
            "{source} {event}; clients: {clients}",
            source=self.source,
            event=event,
            clients=len(self.house.crowd),
        )


def _source(peer: IAddress, number: int) -> str:
    text = host_and_port(peer)
    return f"{text}:{number}" if text == LOCAL else text
