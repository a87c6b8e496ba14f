"""The bridge: what the input says goes to the peer, what the peer says to the output, to the end.

`netkit.tools.bridging.ends` says when it ends. Rule: what the peer has said is written out whole
before the bridge is over, and what waits for either side is no more than it has been given room for.
"""

from typing import Any, cast

from attrs import define, frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.task import LoopingCall
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.python.failure import Failure

from netkit.net.farewell import LINGER_SECONDS, STALL_SECONDS
from netkit.net.flow import CopiedFlow, half_close
from netkit.net.progress import acknowledged
from netkit.net.sides import Side
from netkit.net.stream import IStream
from netkit.tools.bridging.descriptors import Sort
from netkit.tools.bridging.ends import Event, Reason, Stage, after
from netkit.tools.bridging.newlines import Newlines
from netkit.tools.bridging.remnants import Remnants
from netkit.tools.bridging.standard import Input, Output

LULL = 1.0
"""An input that has said nothing for so many seconds has nothing to say once the peer has ended."""

_LOOK = 0.05  # seconds between looks whether all is sent


@frozen
class Manner:
    """How a bridge goes about it; times are in seconds.

    `shutdown`: the peer is told when the input is at its end. `crlf`: an LF of the input is sent as
    CRLF. `wait`: so long after the end of the input the bridge ends, the peer's end or not; None for
    never. `idle`: it ends where nothing moves for so long; 0 for never. `send_all`: it does not end
    before the input, whatever sort that is, if the peer goes on listening.
    """

    shutdown: bool = True
    crlf: bool = False
    wait: float | None = None
    idle: float = 0.0
    send_all: bool = False


@frozen
class Ended:
    """Why a bridge ended, and how many bytes went each way."""

    reason: Reason
    sent: int
    received: int


async def bridge(
    side: Side, source: Input, output: Output, manner: Manner, clock: IReactorTime
) -> Ended:
    """Join `source` and `output` to the peer of `side`, which is connected and not joined yet.

    Neither is closed, so that another bridge may have them. Raises OSError where the input cannot be
    read or the output not be written, BrokenPipeError where nobody reads it. Whoever cancels is left
    without a connection.
    """
    spanned = _Bridge(side, source, output, manner, clock)
    return await spanned.run()


@define
class _Moved:
    """When something last moved, in seconds, and what the peer had taken at the last look."""

    at: float
    taken: int = 0

    def look(self, stream: IStream, now: float) -> None:
        """Note whether the peer has taken anything since."""
        taken = acknowledged(stream)
        if taken != self.taken:
            self.at, self.taken = now, taken


class _Bridge:
    """One bridge: an Ear for its side, and what the input and the output tell."""

    def __init__(
        self, side: Side, source: Input, output: Output, manner: Manner, clock: IReactorTime
    ) -> None:
        self._side = side
        self._input = source
        self._output = output
        self._manner = manner
        self._clock = clock
        self._newlines = Newlines()
        self._stream: IStream = side.transport
        self._stage = Stage.BOTH
        self._over: Deferred[Reason] = Deferred()
        self._gone: Deferred[None] = Deferred()
        self._unsent = 0
        self._moved = _Moved(clock.seconds())
        self._spoke_at: float | None = None
        self._timers: dict[str, IDelayedCall] = {}
        self._up = CopiedFlow(source, self._stream, lambda: None)
        self._down = CopiedFlow(self._stream, output, lambda: None)
        self._remnants = Remnants(self._stream)

    async def run(self) -> Ended:
        """Have it all come to pass."""
        try:
            self._begin()
            reason = await self._over
            self._rest()
            await self._close(reason)
            await self._output.drained()
            await self._remnants.written_to(self._output)
        finally:
            self._rest()
            self._remnants.close()
            if not self._gone.called:
                self._stream.abortConnection()
                await (
                    self._gone
                )  # else the process may end first, and the peer takes that for our end
            self._output.unregisterProducer()
        if self._unsent and not reason.is_trouble:
            reason = Reason.CUT
        return Ended(reason, self._up.received, self._down.received + self._remnants.read)

    def _begin(self) -> None:
        heard = self._side.heard
        self._input.listen(self._say, self._input_ended, self._fail)
        self._output.tell(self._fail)
        if heard:
            self.dataReceived(heard)
        self._side.begin(self)
        self._down.start()
        if self._input.ended:
            self._input_ended()
        else:
            self._up.start()
        if self._manner.idle:
            self._later("idle", self._manner.idle, self._look_whether_idle)

    # What the side hears.

    def dataReceived(self, data: bytes) -> None:
        """Pass it on to the output."""
        self._moved.at = self._clock.seconds()
        self._down.pass_on(data)

    def readConnectionLost(self) -> None:
        """Go on as long as the input insists on it."""
        self._happens(Event.PEER_ENDED)
        self._let_the_input_rest()

    def writeConnectionLost(self) -> None:
        """Do nothing: it was our own wish."""

    def connectionLost(self, reason: Failure) -> None:
        """Note whether all was said, and heard, that was to be."""
        in_order = reason.check(ConnectionDone) is not None
        if in_order or self._over.called:
            self._remnants.close()
        self._unsent = self._up.waiting
        self._up.stop()
        self._input.pauseProducing()
        self._gone.callback(None)
        if in_order:
            self.readConnectionLost()
            self._happens(Event.PEER_GONE)
        else:
            self._happens(Event.PEER_RESET)

    # What the input tells.

    def _say(self, data: bytes) -> None:
        self._spoke_at = self._moved.at = self._clock.seconds()
        self._up.pass_on(self._newlines.feed(data) if self._manner.crlf else data)

    def _input_ended(self) -> None:
        self._happens(Event.INPUT_ENDED)
        if self._manner.wait is not None:
            self._await_sent(self._manner.wait)

    # What follows.

    def _happens(self, event: Event) -> None:
        if self._over.called:
            return
        step = after(self._stage, event)
        if isinstance(step, Reason):
            self._over.callback(step)
        elif step is not self._stage:
            self._stage = step
            if step is Stage.PEER and self._tells_of_the_end():
                self._up.end()
                half_close(self._stream)

    def _tells_of_the_end(self) -> bool:
        """Return whether the peer is told that the input is at its end.

        With TLS most peers answer a close_notify by closing both ways (before TLS 1.3 they had to), and
        would not send the file that an input of /dev/null has come for. So of an input that said nothing
        they are not told.
        """
        spoke = self._spoke_at is not None
        secured = isinstance(self._stream, TLSMemoryBIOProtocol)
        return self._manner.shutdown and (spoke or not secured)

    def _fail(self, error: OSError) -> None:
        if not self._over.called:
            self._over.errback(error)

    def _let_the_input_rest(self) -> None:
        """Say that the input has nothing to say, as soon as that can be said of it."""
        if self._stage is not Stage.INPUT or self._over.called:
            return
        if self._manner.send_all or self._input.sort is Sort.FILE:
            return
        silence = self._silence()
        if silence >= LULL:
            self._happens(Event.INPUT_RESTS)
        else:
            self._later("lull", LULL - silence, self._let_the_input_rest)

    def _silence(self) -> float:
        """Return for how many seconds the input has had nothing to say."""
        if self._input.sort is Sort.TERMINAL or self._spoke_at is None:
            return LULL
        return 0.0 if self._up.waiting else self._clock.seconds() - self._spoke_at

    def _await_sent(self, wait: float) -> None:
        """Give the peer so many seconds from when all that the input said is on its way."""
        if self._up.waiting:
            self._later("wait", _LOOK, lambda: self._await_sent(wait))
        else:
            self._later("wait", wait, lambda: self._happens(Event.WAITED))

    def _look_whether_idle(self) -> None:
        now = self._clock.seconds()
        self._moved.look(self._stream, now)
        left = self._moved.at + self._manner.idle - now
        if left > 0:
            self._later("idle", left, self._look_whether_idle)
        else:
            self._happens(Event.IDLE)

    def _later(self, what: str, seconds: float, step: Any) -> None:  # noqa: ANN401 (whatever is to be done)
        self._timers[what] = self._clock.callLater(seconds, step)

    def _rest(self) -> None:
        """Hear the input no more, and wait for nothing."""
        self._input.pauseProducing()
        self._input.listen(lambda _: None, lambda: None, lambda _: None)
        for timer in self._timers.values():
            if timer.active():
                timer.cancel()
        self._timers.clear()

    async def _close(self, reason: Reason) -> None:
        """Close the connection once all that the input said is on its way, if the peer takes it."""
        if self._gone.called:
            return
        self._up.end()
        if reason is Reason.IDLE:
            self._stream.abortConnection()
        else:
            _lose(self._stream)
        self._moved.at = self._clock.seconds()
        looking = LoopingCall(self._look_whether_stalled)
        looking.clock = self._clock
        looking.start(_LOOK, now=False)
        try:
            await self._gone
        finally:
            looking.stop()

    def _look_whether_stalled(self) -> None:
        now = self._clock.seconds()
        self._moved.look(self._stream, now)
        if now - self._moved.at >= (STALL_SECONDS if self._up.waiting else LINGER_SECONDS):
            self._stream.abortConnection()


def _lose(stream: IStream) -> None:
    """Close in order; with TLS, without waiting for the peer's close_notify."""
    stream.loseConnection()
    if isinstance(stream, TLSMemoryBIOProtocol):
        cast("IStream", stream.transport).loseConnection()
