"""One stream of server-sent events, as the broker sees it: a receiver like any other.

Rule: a client that does not keep up costs `pending_bytes`; then it is told so, and its stream ends.
A browser comes back by itself, and gets what is kept of what it has missed; so no policy of the
service leaves anything out here.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

from attrs import frozen
from twisted.internet.interfaces import IAddress

from netkit.http.events import EventStream
from netkit.net.peer import host_and_port
from netkit.services.pubsub.client import House
from netkit.services.pubsub.connected import Connection
from netkit.services.pubsub.counters import Tally
from netkit.services.pubsub.gathering import Receiver
from netkit.services.pubsub.live import writing
from netkit.services.pubsub.live.ring import Rings
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.permissions import Rules
from netkit.services.pubsub.policies import Policy
from netkit.services.pubsub.subjects import covers, overlap
from netkit.services.pubsub.subscriptions import Subscription


class Costs(Protocol):
    """What one stream may cost."""

    @property
    def pending_bytes(self) -> int:
        """What may wait for a client that does not keep up."""

    @property
    def keep_alive(self) -> float:
        """After so many seconds without an event a comment is sent."""


@frozen(eq=False)
class Numbered:
    """The form of a stream: what `rings` have numbered just now, written as `write` does."""

    _rings: Rings
    _write: writing.Form

    def __call__(self, run: Published) -> bytes:
        """Return the events of `run`."""
        return self._write(self._rings.last - len(run.payloads) + 1, run)


class Listener:
    """Gets events of `house` for a client at `peer`, until `stream` is over."""

    def __init__(
        self, house: House, peer: IAddress, costs: Costs, left: Callable[["Listener"], None]
    ) -> None:
        self.pieces: list[bytes] = []
        self.number = next(house.numbers)
        now = house.world.clock.seconds()
        self.tally = Tally(now, now)
        self.behind = False  # as far as the broker is concerned
        self._house = house
        self._peer = peer
        self._most = costs.pending_bytes
        self._left = left
        self._subscriptions: list[Subscription[Receiver]] = []
        self.stream = EventStream(
            house.world.clock,
            closing=self.leave,
            pending_bytes=costs.pending_bytes + len(writing.SLOW),
            keep_alive=costs.keep_alive,
        )

    def listen(self, patterns: Sequence[bytes], form: Numbered, rules: Rules) -> None:
        """Get what is published to the patterns from now on, each message once."""
        for index, pattern in enumerate(patterns):
            bars = _Bars.of(pattern, patterns[:index], rules)
            one: Subscription[Receiver] = Subscription(pattern, form, self, bars=bars)
            self._subscriptions.append(one)
            self._house.broker.interest.insert(one)

    @property
    def pending(self) -> int:
        """How many bytes wait for the client."""
        return self.stream.pending

    @property
    def round_trip(self) -> None:
        """Not known: the connection is HTTP's."""
        return

    @property
    def wanted(self) -> Sequence[Subscription[Receiver]]:
        """The subscriptions of the stream."""
        return self._subscriptions

    def shown(self) -> Connection:
        """Return what there is to be seen of the connection."""
        return Connection(kind="events", peer=self._peer)

    def deliver(self, piece: bytes) -> None:
        """Send events."""
        waiting = self.stream.pending
        if waiting and waiting + len(piece) > self._most:
            self._let_go_slow(waiting)
        else:
            self.stream.push(piece)

    def deliver_spare(self, piece: bytes, run: Published, policy: Policy) -> None:  # noqa: ARG002
        """Send events."""
        self.deliver(piece)

    def ended(self, subscription: Subscription[Receiver]) -> None:
        """Do nothing: no subscription here ends by itself."""

    def warn(self) -> bool:
        """Return that the stream may end at once: a browser comes back by itself."""
        return False

    def close(self) -> None:
        """End, once all is sent."""
        self.leave()
        self.stream.end()

    def leave(self) -> None:
        """Get nothing more; harmless when repeated."""
        subscriptions, self._subscriptions = self._subscriptions, []
        for one in subscriptions:
            self._house.broker.interest.remove(one)
        self._house.crowd.leave(self)
        self._left(self)

    def _let_go_slow(self, waiting: int) -> None:
        self._house.world.log.warn(
            "{source} is let go: it is slow, {waiting} bytes of events wait for it",
            source=host_and_port(self._peer),
            waiting=waiting,
        )
        self._house.broker.counters.slow_consumers += 1
        self.leave()
        self.stream.push(writing.SLOW)
        self.stream.end()


@frozen
class _Bars:
    """Says of a subject whether it is denied, or comes by an earlier pattern of the same stream."""

    _denied: Callable[[bytes], bool] | None
    _earlier: tuple[bytes, ...]

    @classmethod
    def of(cls, pattern: bytes, earlier: Sequence[bytes], rules: Rules) -> "_Bars | None":
        """Return the bars of `pattern`, or None where every subject passes."""
        denied = rules.bar(pattern)
        common = tuple(each for each in earlier if overlap(each, pattern))
        return cls(denied, common) if denied or common else None

    def __call__(self, subject: bytes) -> bool:
        if self._denied is not None and self._denied(subject):
            return True
        return any(covers(each, subject) for each in self._earlier)
