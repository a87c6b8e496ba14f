"""This node as an edge of a cluster: what goes up, what comes down, and to whom.

The node has two connections to one server. On the first it publishes, and subscribes to what is
wanted outside queue groups; the server does not send it back what it said itself (`echo: false`). On
the second it is a member of every queue group that has a member here. As the server sees them, they
are two clients: so it may choose the second for what the first publishes, and it alone chooses who of
a group gets a message, wherever that was published.

- What is published here goes to everybody here who is in no group, at once, and up; never to a group
  here, which gets it from above, if it is chosen. What comes down never goes up.
- What comes down for one pattern and queue goes to the subscriptions of exactly these, so that nobody
  gets it twice whose patterns overlap.
- What comes down outside queue groups is told to the broker's witnesses, once, however many patterns
  it comes for. What a group here gets is not: it may have been published here, which nobody can see.
- What is published behind a change of what groups want waits until the server has answered to it.
- Who publishes faster than the server takes it is read no faster than that; what many publish at once
  beyond what may wait is dropped, and counted.
- While the node is cut off, groups here get what is published here. What one of them took never goes
  up: another member elsewhere would get it again.
- The server tells who publishes a request that nobody is there, and that is passed on, unless there was
  somebody here.

Delivery is at most once: what was on its way as a connection broke is lost. Rule: pure; whoever keeps
the connections says what happens on them.
"""

from collections.abc import Callable
from enum import Enum

from attrs import evolve

from netkit.services.pubsub.broker import Broker, Publisher
from netkit.services.pubsub.counters import Tally
from netkit.services.pubsub.fabric.counters import FabricCounters, FabricFigures
from netkit.services.pubsub.fabric.firsts import Firsts
from netkit.services.pubsub.fabric.pending import Pending
from netkit.services.pubsub.fabric.side import Side
from netkit.services.pubsub.gathering import Receiver
from netkit.services.pubsub.interest import Matched
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats import writing
from netkit.services.pubsub.nats.grammar import LINE_BYTES
from netkit.services.pubsub.nats.greeting import Info
from netkit.services.pubsub.permissions import is_own
from netkit.services.pubsub.policies import Policy
from netkit.services.pubsub.subscriptions import Subscription

HEARD_HERE = 10_000
"""Of how many requests it is remembered that there is somebody here who may answer."""

_NUMBERS = 40  # bytes of a control line that are neither subject nor reply
_NOBODY = b"NATS/1.0 503"


class State(Enum):
    """How far the node has come."""

    CUT_OFF = "has no connection"
    JOINING = "has told what it wants"
    LINKED = "is part of the cluster"


class Edge:
    """What `broker` has to do with the cluster. `stir` is called when `flush` has something to do."""

    behind = False

    def __init__(
        self, broker: Broker, buffer_bytes: int, *, buffers: bool, stir: Callable[[], None]
    ) -> None:
        self.state = State.CUT_OFF
        self.counters = FabricCounters()
        self.talk = Side()
        self.groups = Side()
        self.pieces: list[bytes] = []
        self.tally = Tally()  # of a receiver without subscriptions: nothing
        self._broker = broker
        self._buffers = buffers
        self._stir = stir
        self._pending = Pending(buffer_bytes)
        self._info = Info(headers=True)
        self._paused = False
        self._barrier = 0  # the ping that must be answered before anything is published
        self._heard_here: dict[int, None] = {}  # the hashes of reply subjects: these may be long
        self._held: dict[Publisher, None] = {}
        self._firsts = Firsts(self.talk.stands)
        broker.elsewhere = self
        broker.interest.watcher = self
        for pattern, queue in broker.interest.wanted():
            self.first(pattern, queue)

    def figures(self, server: str) -> FabricFigures:
        """Return the figures at this moment, with the `server` that the node is connected to."""
        counters = self.counters
        return FabricFigures(
            server=server,
            links=counters.links,
            subscriptions=len(self.talk.subscribed) + len(self.groups.subscribed),
            in_messages=counters.in_messages,
            in_bytes=counters.in_bytes,
            out_messages=counters.out_messages,
            out_bytes=counters.out_bytes,
            pending_messages=self._pending.messages,
            pending_bytes=self._pending.size,
            dropped=counters.dropped,
            kept=counters.kept,
            too_long=counters.too_long,
            strays=counters.strays,
        )

    def first(self, pattern: bytes, queue: bytes) -> None:
        """Want what somebody here begins to want."""
        self._side(queue).subscribed.want((pattern, queue))
        self._changed(queue)

    def last(self, pattern: bytes, queue: bytes) -> None:
        """Want no more what nobody here wants any more."""
        self._side(queue).subscribed.want_no_more((pattern, queue))
        self._changed(queue)

    def publish(self, run: Published, matched: Matched[Receiver], besides: Receiver | None) -> bool:
        """Route what somebody here publishes; return whether it is heard, here or perhaps elsewhere."""
        broker = self._broker
        heard = bool(matched) and broker.to_everyone(run, matched, besides)
        if self.state is State.LINKED:
            return self._up(run, heard=heard) or broker.to_groups(run, matched, besides) or heard
        if matched.groups and broker.to_groups(run, matched, besides):
            self.counters.kept += len(run.payloads)
            return True
        return (self._buffers and self._later(run)) or self._drop(run, heard=heard)

    def open(self, talk: Callable[[bytes], None], groups: Callable[[bytes], None]) -> None:
        """Tell a server what is wanted here; each connection takes bytes."""
        self.state = State.JOINING
        for side, write in ((self.talk, talk), (self.groups, groups)):
            side.open(write)
            side.flush(ping=True)

    def learn(self, info: Info) -> None:
        """Take what the server says of itself."""
        self._info = info

    def pong(self, side: Side) -> None:
        """Note that the server has answered a ping on one side."""
        side.answered += 1
        if self.state is State.JOINING and self.talk.answered and self.groups.answered:
            self.state = State.LINKED
            self.counters.links += 1
        self._drain()

    def land(self, side: Side, run: Published) -> None:
        """Route what comes from the cluster."""
        self._broker.relieve()
        if is_own(run.subject):  # nobody elsewhere knows what a client here has missed
            self.counters.strays += len(run.payloads)
            return
        landed = self._answers(run) if hash(run.subject) in self._heard_here else run
        if landed.payloads and self._broker.witnesses and side is self.talk:
            self._tell(landed)
        wanted = side.subscribed.asked(run.sid)
        if wanted is None:
            self.counters.strays += len(run.payloads)
            return
        self.counters.in_messages += len(run.payloads)
        self.counters.in_bytes += sum(map(len, run.payloads))
        if landed.payloads:
            matched = self._broker.interest.exactly(*wanted, run.subject)
            self._broker.route(landed, matched.besides(self._broker.numbered))

    def cut(self) -> None:
        """Go on without the cluster."""
        self.state = State.CUT_OFF
        self.talk.cut()
        self.groups.cut()
        self._paused = False
        self._barrier = 0
        self._heard_here.clear()
        self._firsts.clear()
        self._pending.rebase()
        if not self._buffers:
            self.counters.dropped += self._pending.clear()
        self._release()

    def flush(self) -> None:
        """Tell the server what has changed."""
        self._flush_talk()
        self.groups.flush(ping=self._barrier > self.groups.asked)

    def ping(self) -> None:
        """Ask the server on both sides whether it is there."""
        self.talk.flush(ping=True)
        self.groups.flush(ping=True)

    def deliver(self, piece: bytes) -> None:
        """Send messages up, behind what they may be answered on (see `broker.Receiver`)."""
        self._flush_talk()
        self.talk.write(piece)

    def deliver_spare(self, piece: bytes, run: Published, policy: Policy) -> None:
        """Do nothing: this receiver has no subscription, so that nobody can leave anything out."""

    def ended(self, subscription: Subscription[Receiver]) -> None:
        """Do nothing: this receiver has no subscription."""

    def pauseProducing(self) -> None:
        """Keep what is published: the server takes no more at the moment."""
        self._paused = True

    def resumeProducing(self) -> None:
        """Send what waits: the server takes more."""
        self._paused = False
        self._drain()

    def stopProducing(self) -> None:
        """Do nothing: the connection ends, of which whoever keeps it tells."""

    @property
    def full(self) -> bool:
        """Whether the server is there and does not keep up: half of what may wait for it does."""
        return self.state is State.LINKED and self._pending.size * 2 > self._pending.most

    def hold(self, publisher: Publisher) -> None:
        """Hold `publisher` until the server has caught up, or is gone."""
        self._held[publisher] = None
        publisher.hold()

    def forget(self, publisher: Publisher) -> None:
        """Hold `publisher` no more: it has left."""
        self._held.pop(publisher, None)

    def _release(self) -> None:
        held, self._held = self._held, {}
        for publisher in held:
            publisher.release()

    def _flush_talk(self) -> None:
        self.talk.flush(sure=bool(self._broker.witnesses))

    def _tell(self, run: Published) -> None:
        """Tell the witnesses, unless they know, and those who want what these say of it."""
        if self.talk.stands(run.sid) and self._firsts.is_first(run.subject, run.sid):
            self._broker.tell(run)

    def _side(self, queue: bytes) -> Side:
        return self.groups if queue else self.talk

    def _changed(self, queue: bytes) -> None:
        if self.state is State.CUT_OFF:
            return
        if queue:
            self._barrier = self.groups.asked + 1
        self._stir()

    def _up(self, run: Published, *, heard: bool) -> bool:
        """Have `run` go up, now or soon; return whether it does."""
        if not self._fits(run):
            self.counters.too_long += len(run.payloads)
            return False
        if run.reply:
            self._expect(run.reply, heard=heard)
        if self._paused or self._pending.messages or self._barrier > self.groups.answered:
            return self._later(run) or self._drop(run, heard=False)
        self._broker.give(self._sent(run), self)
        return True

    def _later(self, run: Published) -> bool:
        return self._pending.add(run, self._barrier)

    def _drop(self, run: Published, *, heard: bool) -> bool:
        self.counters.dropped += len(run.payloads)
        return heard

    def _drain(self) -> None:
        """Send what has waited, as far as the server takes it."""
        while self.state is State.LINKED and not self._paused:
            run = self._pending.take(self.groups.answered)
            if run is None:
                break
            if self._fits(run):
                self.deliver(self._sent(run))
            else:
                self.counters.too_long += len(run.payloads)
        if self._held and not self.full:
            self._release()

    def _sent(self, run: Published) -> bytes:
        self.counters.out_messages += len(run.payloads)
        self.counters.out_bytes += sum(map(len, run.payloads))
        return writing.published(run if self._info.headers else run.bare())

    def _fits(self, run: Published) -> bool:
        line = len(run.subject) + len(run.reply) + _NUMBERS
        return line <= LINE_BYTES and max(map(len, run.payloads)) <= self._info.max_payload

    def _expect(self, reply: bytes, *, heard: bool) -> None:
        """Remember whether somebody here may answer; of too many the oldest are forgotten."""
        self._heard_here.pop(hash(reply), None)
        if heard:
            self._heard_here[hash(reply)] = None
            if len(self._heard_here) > HEARD_HERE:
                del self._heard_here[next(iter(self._heard_here))]

    def _answers(self, run: Published) -> Published:
        """Return the run without the server's word that nobody elsewhere is there to answer."""
        alone = run.header_bytes  # or less than any length, where there are none
        return evolve(
            run,
            payloads=[
                one for one in run.payloads if len(one) != alone or not one.startswith(_NOBODY)
            ],
        )
