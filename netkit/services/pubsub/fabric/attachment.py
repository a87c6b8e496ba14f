"""Both connections to one server, from the first attempt to the end of either.

Rule: it comes about as a whole within `connect_timeout` and ends as a whole, so that the cluster never
sees half a node.
"""

from collections.abc import Callable
from typing import Any, cast

from attrs import evolve, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from netkit.net.dial import Way
from netkit.services.pubsub.broker import Broker
from netkit.services.pubsub.fabric.edge import Edge, State
from netkit.services.pubsub.fabric.settings import Fabric
from netkit.services.pubsub.fabric.side import Side
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats.greeting import Info
from netkit.services.pubsub.nats.line import Line, Single, Terms


@frozen(eq=False)
class Ground:
    """What all attachments of a node stand on."""

    broker: Broker
    edge: Edge
    fabric: Fabric
    clock: IReactorTime


@frozen(eq=False)
class Calls:
    """Who is told of an attachment: that it is linked, what the server says, and that it is over."""

    linked: Callable[[], None]
    informed: Callable[[Info], None]
    complained: Callable[[str], None]
    over: Callable[[str], None]


class Attachment:
    """The connections to the server of `terms`, which is reached by `way`."""

    def __init__(self, ground: Ground, terms: Terms, way: Way, calls: Calls) -> None:
        self._ground = ground
        self._way = way
        self._calls = calls
        self._talk = Line(terms, self)
        # It publishes nothing, so nobody is to tell it of requests that nobody hears.
        silent = evolve(terms.greeting, no_responders=False)
        self._groups = Line(evolve(terms, greeting=silent), self)
        self._connecting: Deferred[Any] | None = None
        self._deadline: IDelayedCall | None = None
        self._look = LoopingCall(self._look_in)
        self._look.clock = ground.clock
        self._ended = False

    def begin(self) -> None:
        """Connect."""
        seconds = self._ground.fabric.connect_timeout
        self._deadline = self._ground.clock.callLater(seconds, self._late, seconds)
        self._connect(self._talk)

    def leave(self) -> None:
        """End, once the server has what was published until now; nobody is told."""
        self._ground.edge.flush()
        self._finish()
        self._talk.close()
        self._groups.close()

    def greeted(self, line: Line) -> None:
        """Make the other connection, or tell what is wanted."""
        if line is self._talk:
            self._connect(self._groups)
            return
        self._talk.transport.registerProducer(self._ground.edge, True)  # noqa: FBT003 (as Twisted's)
        self._ground.edge.open(self._talk.write, self._groups.write)

    def informed(self, line: Line, info: Info) -> None:
        """Take what the server says of itself, once."""
        if line is self._talk:
            self._ground.edge.learn(info)
            self._calls.informed(info)

    def came(self, line: Line, run: Published) -> None:
        """Route messages."""
        self._ground.broker.now = self._ground.clock.seconds()
        self._ground.edge.land(self._side(line), run)

    def answered(self, line: Line) -> None:
        """Be part of the cluster once both connections have been answered."""
        edge = self._ground.edge
        before = edge.state
        edge.pong(self._side(line))
        if before is State.JOINING and edge.state is State.LINKED:
            self._rest()
            self._look.start(self._ground.fabric.ping_interval, now=False)
            self._calls.linked()

    def complained(self, _: Line, words: str) -> None:
        """Pass on what the server is not content with."""
        self._calls.complained(words)

    def settle(self) -> None:
        """Hand out what one read has brought."""
        self._ground.broker.settle()

    def over(self, _: Line, why: str) -> None:
        """End both."""
        self._end(why)

    def _side(self, line: Line) -> Side:
        return self._ground.edge.talk if line is self._talk else self._ground.edge.groups

    def _connect(self, line: Line) -> None:
        connecting: Deferred[Any] = self._way.connect(Single(line))
        self._connecting = connecting
        connecting.addErrback(self._failed)

    def _failed(self, failure: Failure) -> None:
        if not failure.check(CancelledError):
            self._end(str(cast("BaseException", failure.value)))

    def _late(self, seconds: float) -> None:
        self._deadline = None
        self._end(f"it does not come about within {seconds:g} s")

    def _look_in(self) -> None:
        """Ask whether the server is there, and end where it has not answered."""
        edge, most = self._ground.edge, self._ground.fabric.pings_out
        if max(edge.talk.look(), edge.groups.look()) >= most:
            self._end(f"{most} pings are not answered")
        else:
            edge.ping()

    def _end(self, why: str) -> None:
        if self._ended:
            return
        self._finish()
        self._talk.abort()
        self._groups.abort()
        self._calls.over(why)

    def _finish(self) -> None:
        self._ended = True
        self._rest()
        if self._look.running:
            self._look.stop()
        if self._connecting is not None:
            self._connecting.cancel()
        self._ground.edge.cut()

    def _rest(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
