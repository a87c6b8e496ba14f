"""Two connections made into one: a tunnel, from `join` until both sides have ended.

A side that has said its last is half-closed on the other side, and what the other still says comes
through; a side that is lost takes the other with it. A tunnel ends too when it is idle, or when one
side takes nothing. Rule: an event costs no look at the clock; tunnels are looked at once a second.
"""

from collections.abc import Callable
from enum import Enum
from typing import TypeAlias

from attrs import define, frozen
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import LoopingCall
from twisted.python.failure import Failure

from netkit.document.values import Count, SecondsOrNever
from netkit.net.farewell import Farewell
from netkit.net.flow import CopiedFlow, Flow, half_close
from netkit.net.pipes import Pipes
from netkit.net.progress import progress
from netkit.net.splice import SplicedFlow, can_splice
from netkit.net.stream import IStream

_SWEEP = 1.0  # seconds


@frozen
class TunnelLimits:
    """What tunnels may cost; times are in seconds, and 0 stands for never.

    `idle_timeout` is for a tunnel in which nothing moves either way, `write_timeout` for one of
    which a side takes nothing of what waits for it. At most `pipes` pipes are open at a time.
    """

    idle_timeout: SecondsOrNever = 600.0
    write_timeout: SecondsOrNever = 60.0
    pipes: Count = 256


class Reason(Enum):
    """Why a tunnel ended."""

    ENDED = "both sides ended"
    NEAR_LOST = "the near side was lost"
    FAR_LOST = "the far side was lost"
    IDLE = "nothing moved"
    STALLED = "one side took nothing"
    ABORTED = "it was told to end"


@frozen
class Outcome:
    """How a tunnel ended, and how many bytes of each side the kernel took for the other."""

    reason: Reason
    near_to_far: int
    far_to_near: int


@define
class Pace:
    """When one direction last got on, as far as a look now and then can tell; times in seconds."""

    moved_at: float
    taken_at: float
    received: int = 0
    taken: int = 0
    acknowledged: int | None = None

    def look(
        self, now: float, received: int, waiting: int, acknowledged: int | None = None
    ) -> None:
        """Note that `received` bytes have come so far, of which `waiting` have not been taken.

        `acknowledged` grows as the peer takes bytes, which it may do while the kernel, full of them,
        takes none; None where nothing waits.
        """
        taken = received - waiting
        took = taken != self.taken or _grown(self.acknowledged, acknowledged)
        if waiting == 0 or took:
            self.taken_at = now
        if received != self.received or took:
            self.moved_at = now
        self.received, self.taken, self.acknowledged = received, taken, acknowledged


def _grown(before: int | None, now: int | None) -> bool:
    return before is not None and now is not None and now > before


def reason_to_end(limits: TunnelLimits, now: float, paces: tuple[Pace, Pace]) -> Reason | None:
    """Return why a tunnel of these two directions has to end at `now`, or None."""
    if 0 < limits.write_timeout <= now - min(pace.taken_at for pace in paces):
        return Reason.STALLED
    if 0 < limits.idle_timeout <= now - max(pace.moved_at for pace in paces):
        return Reason.IDLE
    return None


class End:
    """One end of a tunnel: whoever is the protocol of its connection passes on here what it hears.

    That protocol provides IHalfCloseableProtocol; else the peer's half-close is its end.
    """

    def __init__(self, stream: IStream, clock: IReactorTime, tell_lost: "_TellLost") -> None:
        self.stream = stream
        self.flow: Flow
        self.lost = False
        self._clock = clock
        self._tell_lost = tell_lost
        self._pace = Pace(clock.seconds(), clock.seconds())
        self._silent = False
        self._farewell: Farewell | None = None

    def dataReceived(self, data: bytes) -> None:
        """Pass `data` on."""
        self.flow.pass_on(data)

    def readConnectionLost(self) -> None:
        """Half-close the other side once everything is passed on."""
        self._silent = True
        self.flow.end()
        if self._farewell is not None:
            self.stream.loseConnection()

    def writeConnectionLost(self) -> None:
        """Note that the peer has been told that nothing more comes."""
        if self._farewell is not None:
            self._farewell.sent()

    def connectionLost(self, reason: Failure) -> None:
        """End the other side too."""
        self.lost = True
        if self._farewell is not None:
            self._farewell.over()
        self._tell_lost(self, reason)

    def close(self) -> None:
        """Close the connection so that the peer can read its last words, though it still speaks."""
        if self.lost or self._farewell is not None:
            return
        if self._silent:
            self.stream.loseConnection()
        else:
            self._farewell = Farewell(self.stream, self._clock)

    def look(self, now: float) -> Pace:
        """Return how that which is said here gets on."""
        waiting = self.flow.waiting
        acknowledged = self.flow.acknowledged if waiting else None
        self._pace.look(now, self.flow.received, waiting, acknowledged)
        return self._pace


_TellLost: TypeAlias = Callable[[End, Failure], None]


class Tunnel:
    """Two connections joined: `near` and `far` are their protocols' ears.

    `finished` gets an Outcome once both are closed, and never a failure.
    """

    def __init__(self, near: IStream, far: IStream, pipes: Pipes, clock: IReactorTime) -> None:
        self.near = End(near, clock, self._lost)
        self.far = End(far, clock, self._lost)
        self.finished: Deferred[Outcome] = Deferred()
        self._speaking = {self.near, self.far}
        self._reason: Reason | None = None
        self.near.flow = _flow(near, far, pipes, lambda: self._passed_on(self.near))
        self.far.flow = _flow(far, near, pipes, lambda: self._passed_on(self.far))

    def begin(self, from_near: bytes, from_far: bytes) -> None:
        """Let the bytes flow, first those that had come in before."""
        for end, data in ((self.near, from_near), (self.far, from_far)):
            _send_at_once(end.stream)
            if data:
                end.dataReceived(data)
        self.near.flow.start()
        self.far.flow.start()

    def look(self, limits: TunnelLimits, now: float) -> None:
        """End the tunnel where its time is up; else tell who watches its connections of its life."""
        paces = self.near.look(now), self.far.look(now)
        reason = reason_to_end(limits, now, paces)
        if reason is not None:
            self.abort(reason)
        elif any(pace.moved_at == now for pace in paces):
            progress(self.near.stream).heard = progress(self.far.stream).heard = True

    def abort(self, reason: Reason = Reason.ABORTED) -> None:
        """Close both connections at once; what has not been sent is dropped."""
        self._reason = self._reason or reason
        for end in (self.near, self.far):
            if not end.lost:
                end.stream.abortConnection()

    def _other(self, end: End) -> End:
        return self.far if end is self.near else self.near

    def _passed_on(self, end: End) -> None:
        """Go on once everything is passed on that `end` has ever said."""
        self._speaking.discard(end)
        if self._speaking:
            half_close(self._other(end).stream)
        else:
            self._close()

    def _close(self) -> None:
        self.near.close()
        self.far.close()

    def _lost(self, end: End, reason: Failure) -> None:
        other = self._other(end)
        other.flow.stop()
        self._speaking.discard(other)
        if other.lost:
            self._finish()
        elif reason.check(ConnectionDone):
            end.flow.end()
            if not self._speaking:
                self._close()
        else:
            end.flow.stop()
            self.abort(Reason.NEAR_LOST if end is self.near else Reason.FAR_LOST)

    def _finish(self) -> None:
        near_to_far, far_to_near = (max(0, end.flow.received) for end in (self.near, self.far))
        self.finished.callback(Outcome(self._reason or Reason.ENDED, near_to_far, far_to_near))


def _flow(source: IStream, target: IStream, pipes: Pipes, ended: Callable[[], None]) -> Flow:
    if can_splice(source) and can_splice(target):
        return SplicedFlow(source, target, pipes, ended)
    return CopiedFlow(source, target, ended)


def _send_at_once(stream: IStream) -> None:
    """Have small pieces sent as they come, not when the one before is acknowledged."""
    set_no_delay = getattr(stream, "setTcpNoDelay", None)
    if set_no_delay and isinstance(stream.getPeer(), IPv4Address | IPv6Address):
        set_no_delay(True)


class Tunnels:
    """The tunnels of one service: joins them, ends those whose time is up, has their pipes."""

    def __init__(self, limits: TunnelLimits, clock: IReactorTime) -> None:
        self._limits = limits
        self._clock = clock
        self._pipes = Pipes(limits.pipes)
        self._open: set[Tunnel] = set()
        self._sweep = LoopingCall(self._look)
        self._sweep.clock = clock

    def __len__(self) -> int:
        return len(self._open)

    def join(
        self, near: IStream, far: IStream, *, from_near: bytes = b"", from_far: bytes = b""
    ) -> Tunnel:
        """Return the tunnel of two connected transports, which reads and writes them from now on.

        Neither has a producer; nobody else writes to them or closes them, and their protocols pass
        all they hear on to the tunnel's `near` and `far`. `from_near` and `from_far` have been
        received before; what had been written before is sent first.
        """
        tunnel = Tunnel(near, far, self._pipes, self._clock)
        self._open.add(tunnel)
        tunnel.finished.addCallback(self._left, tunnel)
        if not self._sweep.running:
            self._sweep.start(_SWEEP, now=False)
        tunnel.begin(from_near, from_far)
        return tunnel

    def abort(self) -> None:
        """End all tunnels at once."""
        for tunnel in list(self._open):
            tunnel.abort()

    def _look(self) -> None:
        now = self._clock.seconds()
        for tunnel in list(self._open):
            tunnel.look(self._limits, now)

    def _left(self, outcome: Outcome, tunnel: Tunnel) -> Outcome:
        self._open.discard(tunnel)
        if not self._open:
            self._pipes.clear()
            self._sweep.stop()
        return outcome
