"""Two connections as one: who is told of whose end, what it cost, and when its time is up."""

import random
from functools import partial
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.farewell import LINGER_SECONDS
from netkit.net.flow import CopiedFlow
from netkit.net.limits import Limits
from netkit.net.listener import Gate
from netkit.net.tunnel import (
    Outcome,
    Pace,
    Reason,
    Tunnel,
    TunnelLimits,
    Tunnels,
    reason_to_end,
)
from tests.net.transports import PeerTransport
from tests.net.tunnelled import Ear, LoopbackTests, until

LIMITS = TunnelLimits(idle_timeout=100, write_timeout=30)
HAPPENINGS = ("send", "take", "finish", "close", "abort")
FULL = b"x" * 100_000
LOG = Logger()


class PaceTests(SynchronousTestCase):
    def _reason(self, *looks: tuple[float, int, int], limits: TunnelLimits = LIMITS) -> Any:
        """Return what becomes of a tunnel that is seen so in one direction, silent in the other."""
        pace, silent = Pace(0, 0), Pace(0, 0)
        for now, received, waiting in looks:
            pace.look(now, received, waiting)
            silent.look(now, 0, 0)
        return reason_to_end(limits, looks[-1][0], (pace, silent))

    def test_idle(self) -> None:
        """A tunnel in which nothing moves ends at its time, and not before."""
        self.assertIsNone(self._reason((1, 5, 0), (100.9, 5, 0)))
        self.assertEqual(self._reason((1, 5, 0), (101, 5, 0)), Reason.IDLE)

    def test_one_way(self) -> None:
        """A tunnel that is used one way only is not idle."""
        self.assertIsNone(self._reason(*((50.0 * turn, turn, 0) for turn in range(1, 9))))

    def test_stalled(self) -> None:
        """A side that takes nothing ends it, however much comes in."""
        stuck = [(float(now), 1000 + now, 1000 + now) for now in range(31)]
        self.assertIsNone(self._reason(*stuck[:-1]))
        self.assertEqual(self._reason(*stuck), Reason.STALLED)

    def test_always_full(self) -> None:
        """A side that takes what it gets is not stalled, though each look finds as much waiting."""
        self.assertIsNone(self._reason(*((10.0 * turn, turn * 9000, 5000) for turn in range(9))))

    def test_slow(self) -> None:
        """A side that takes a little each time keeps the tunnel, in which nothing else moves."""
        self.assertIsNone(self._reason(*((25.0 * turn, 900, 900 - turn) for turn in range(1, 99))))

    def test_kernel_full(self) -> None:
        """A side that takes what the kernel has for it keeps the tunnel; one that has stopped does not."""
        pace, silent = Pace(0, 0), Pace(0, 0)
        for now in range(200):
            pace.look(now, 900, 900, min(now, 100) // 20)
            silent.look(now, 0, 0)
            expected = Reason.STALLED if now >= 130 else None
            self.assertEqual(reason_to_end(LIMITS, now, (pace, silent)), expected)

    def test_never(self) -> None:
        """A time of 0 stands for never."""
        limits = TunnelLimits(idle_timeout=0, write_timeout=0)
        self.assertIsNone(self._reason((1, 9, 9), (9e9, 9, 9), limits=limits))


class _TunnelTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.tunnels = Tunnels(LIMITS, self.clock)
        self.outcomes: list[Outcome] = []
        self.join()

    def join(self, **leftovers: bytes) -> None:
        near_ear, far_ear = Ear(), Ear()
        self.near, self.far = PeerTransport(near_ear), PeerTransport(far_ear)
        self.tunnel = self.tunnels.join(self.near, self.far, **leftovers)
        near_ear.end, far_ear.end = self.tunnel.near, self.tunnel.far
        self.tunnel.finished.addCallback(self.outcomes.append)


class EndTests(_TunnelTestCase):
    def test_both_ways(self) -> None:
        """What one side says the other hears."""
        self.near.send(b"hello")
        self.far.send(b"good morning")
        self.assertEqual((self.near.take(), self.far.take()), (b"good morning", b"hello"))

    def test_leftovers(self) -> None:
        """What had been received before the tunnel comes first."""
        self.join(from_near=b"before ", from_far=b"earlier ")
        self.near.send(b"after")
        self.far.send(b"later")
        self.assertEqual((self.near.take(), self.far.take()), (b"earlier later", b"before after"))

    def test_half_closes(self) -> None:
        """One side's last word goes through, then the other's; then both are closed."""
        self.near.send(b"question")
        self.near.finish()
        self.assertFalse(self.far.finished)
        self.assertEqual(self.far.take(), b"question")
        self.assertTrue(self.far.finished)
        self.assertFalse(self.near.disconnecting)
        self.far.send(b"answer")
        self.far.finish()
        self.assertEqual(self.near.take(), b"answer")
        self.assertEqual(self.outcomes, [Outcome(Reason.ENDED, 8, 6)])
        self.assertTrue(self.near.disconnected and self.far.disconnected)
        self.assertFalse(self.near.aborted or self.far.aborted)

    def test_half_close_from_far(self) -> None:
        """The far side may end first as well."""
        self.far.finish()
        self.near.take()
        self.assertTrue(self.near.finished)
        self.near.send(b"still here")
        self.assertEqual(self.far.take(), b"still here")

    def test_closed(self) -> None:
        """A side that closes as a whole, as TLS does, closes the other once that has all of it.

        What the other still says meanwhile is read, lest it be reset over it, and dropped.
        """
        self.near.send(b"last words")
        self.near.loseConnection()
        self.near.take()
        self.assertFalse(self.far.finished)
        self.assertEqual(self.far.take(), b"last words")
        self.assertTrue(self.far.finished and self.far.send(b"too late"))
        self.assertFalse(self.far.disconnected)
        self.far.finish()
        self.assertTrue(self.far.disconnected)
        self.assertEqual(self.outcomes, [Outcome(Reason.ENDED, 10, 0)])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_closed_on_one_that_talks_on(self) -> None:
        """A side that never ends after the other has closed is let go."""
        self.near.loseConnection()
        self.near.take()
        self.far.take()
        self.clock.advance(LINGER_SECONDS)
        self.assertTrue(self.far.aborted)
        self.assertEqual(self.outcomes, [Outcome(Reason.ENDED, 0, 0)])

    def test_closed_after_its_half_close(self) -> None:
        """A side that half-closes and then closes altogether closes the other."""
        self.near.finish()
        self.far.take()
        self.near.loseConnection()
        self.near.take()
        self.far.take()
        self.far.finish()
        self.assertEqual(self.outcomes, [Outcome(Reason.ENDED, 0, 0)])

    def test_lost(self) -> None:
        """A side that is lost takes the other with it, and what waits for that one is dropped."""
        self.near.send(b"last words")
        self.near.abortConnection()
        self.assertTrue(self.far.aborted)
        self.assertEqual(self.outcomes, [Outcome(Reason.NEAR_LOST, 0, 0)])

    def test_far_lost(self) -> None:
        """The outcome says which side was lost, and counts what had been taken."""
        self.near.send(b"first words")
        self.far.take(5)
        self.far.abortConnection()
        self.assertTrue(self.near.aborted)
        self.assertEqual(self.outcomes, [Outcome(Reason.FAR_LOST, 5, 0)])

    def test_aborted(self) -> None:
        """A tunnel that is told to end closes both sides at once, and says so."""
        self.tunnel.abort()
        self.assertTrue(self.near.aborted and self.far.aborted)
        self.assertEqual(self.outcomes, [Outcome(Reason.ABORTED, 0, 0)])

    def test_own_words(self) -> None:
        """What was written to a side before the tunnel is no byte of the other side's."""
        near, far = PeerTransport(Ear()), PeerTransport(Ear())
        near.write(b"200 Connection established")
        tunnel = self.tunnels.join(near, far)
        near.protocol.end, far.protocol.end = tunnel.near, tunnel.far  # type: ignore[attr-defined]
        tunnel.finished.addCallback(self.outcomes.append)
        tunnel.abort()
        self.assertEqual(self.outcomes, [Outcome(Reason.ABORTED, 0, 0)])

    def test_back_pressure(self) -> None:
        """A side that takes nothing stops the other; not the other direction."""
        self.near.send(FULL)
        self.assertFalse(self.near.send(b"more"))
        self.assertTrue(self.far.send(b"back"))
        self.far.take()
        self.assertTrue(self.near.send(b"more"))

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.tuples(st.booleans(), st.sampled_from(HAPPENINGS)), max_size=12))
    def test_any_order(self, steps: list[tuple[bool, str]]) -> None:
        """Whatever happens in whatever order, both sides end, once, and nothing is left behind."""
        self.setUp()
        for is_near, what in steps:
            self._happen(self.near if is_near else self.far, what)
        self.clock.pump([1] * 300)
        self.assertEqual(len(self.outcomes), 1)
        self.assertTrue(self.near.disconnected and self.far.disconnected)

    def _happen(self, side: PeerTransport, what: str) -> None:
        if side.disconnected:
            return
        if what == "finish" and side.reading:
            side.finish()
        if what == "send":
            side.send(b"word" * 30_000)
        if what == "take":
            side.take()
        if what == "close":
            side.loseConnection()
        if what == "abort":
            side.abortConnection()


class TunnelsTests(_TunnelTestCase):
    def test_idle(self) -> None:
        """A tunnel in which nothing moves is ended, and another is not."""
        idle, outcomes = self.near, self.outcomes
        self.join()
        self.clock.pump([1] * 99)
        self.near.send(b"still here")
        self.far.take()
        self.clock.pump([1] * 2)
        self.assertEqual(outcomes, [Outcome(Reason.IDLE, 0, 0)])
        self.assertTrue(idle.aborted)
        self.assertFalse(self.near.aborted)

    def test_never_reads(self) -> None:
        """A side that takes nothing is let go at its time, though it goes on talking."""
        self.near.send(FULL)
        for _ in range(31):
            self.far.send(b"x")
            self.near.take()
            self.clock.advance(1)
        self.assertEqual(self.outcomes, [Outcome(Reason.STALLED, 0, 30)])

    def test_never_reads_the_rest(self) -> None:
        """One side has closed, the other never takes the rest: that one is let go."""
        self.near.send(FULL)
        self.near.loseConnection()
        self.near.take()
        self.clock.pump([1] * 31)
        self.assertEqual(self.outcomes[0].reason, Reason.STALLED)

    def test_abort(self) -> None:
        """All tunnels can be ended at once."""
        self.join()
        self.assertEqual(len(self.tunnels), 2)
        self.tunnels.abort()
        self.assertEqual((len(self.tunnels), len(self.outcomes)), (0, 2))

    def test_rest(self) -> None:
        """Nothing is scheduled while there is no tunnel."""
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.tunnels.abort()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.join()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)


class TLSTests(LoopbackTests):
    """A tunnel whose near side has TLS."""

    async def _laid(self, reactor: Any) -> tuple[Any, Tunnel]:
        line = await self.lay(reactor, tls=True)
        tunnel = line.join(Tunnels(LIMITS, Clock()))
        self.assertIsInstance(tunnel.near.flow, CopiedFlow)
        return line, tunnel

    def test_both_ways(self) -> None:
        """Megabytes come through whole, and the near side's goodbye is a FIN to the far one."""
        there, back = (random.Random(seed).randbytes(3_000_000) for seed in (1, 2))

        async def test(reactor: Any) -> None:
            line, tunnel = await self._laid(reactor)
            line.far.transport.write(back)
            line.near.transport.write(there)
            await until(reactor, lambda: len(line.near.heard) == len(back))
            line.near.transport.loseConnection()
            await line.far.ended
            line.far.transport.loseConnection()
            self.assertEqual(await tunnel.finished, Outcome(Reason.ENDED, len(there), len(back)))
            self.assertTrue(line.far.heard == there)
            self.assertTrue(line.near.heard == back)

        self.go(test)

    def test_far_ends_first(self) -> None:
        """After the far side's half-close the near one still gets through what it says."""

        async def test(reactor: Any) -> None:
            line, tunnel = await self._laid(reactor)
            line.far.transport.write(b"the whole answer")
            line.far.transport.loseWriteConnection()
            self.assertTrue(await line.near.lost)
            self.assertEqual(bytes(line.near.heard), b"the whole answer")
            self.assertEqual((await tunnel.finished).reason, Reason.ENDED)

        self.go(test)

    def test_lost(self) -> None:
        """A connection with TLS that is cut off without a goodbye is no orderly end."""

        async def test(reactor: Any) -> None:
            line, tunnel = await self._laid(reactor)
            line.near.transport.write(b"x" * 100_000)
            await until(reactor, lambda: line.far.heard)
            line.near.transport.transport.abortConnection()
            self.assertFalse(await line.far.lost)
            self.assertEqual((await tunnel.finished).reason, Reason.NEAR_LOST)

        self.go(test)


class GateTests(LoopbackTests):
    """A tunnel whose near side has come through a listener, with deadlines of its own."""

    _reactors = ["netkit.net.reactor.EagerReactor"]  # noqa: RUF012 (as ReactorBuilder has it)

    def test_life(self) -> None:
        """A tunnel in which only the far side talks is not idle to the listener either."""
        clock = Clock()

        async def test(reactor: Any) -> None:
            limits = Limits(idle_timeout=5)
            line = await self.lay(reactor, gate=partial(Gate, limits=limits, clock=clock, log=LOG))
            tunnel = line.join(Tunnels(LIMITS, clock), from_near=b"x")
            for size in range(1, 30):
                line.far.transport.write(b"x")
                await until(reactor, lambda size=size: len(line.near.heard) == size)
                clock.advance(1)
            self.assertFalse(tunnel.finished.called)
            clock.pump([1] * 8)
            self.assertEqual((await tunnel.finished).reason, Reason.NEAR_LOST)

        self.go(test)


globals().update(TLSTests.makeTestCaseClasses())
globals().update(GateTests.makeTestCaseClasses())
del TLSTests, GateTests  # which have no reactor
