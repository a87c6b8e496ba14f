"""Bytes through the kernel: tunnels between real sockets, on every sort of reactor."""

import gc
import os
import random
import resource
from collections.abc import Callable, Coroutine
from functools import partial
from socket import SO_RCVBUF, SO_SNDBUF, SOL_SOCKET
from typing import Any

from attrs import evolve
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.pipes import PIPE_BYTES, Pipe
from netkit.net.splice import SplicedFlow, can_splice
from netkit.net.tunnel import Outcome, Reason, Tunnel, TunnelLimits, Tunnels
from tests.net.transports import PeerTransport
from tests.net.tunnelled import Line, LoopbackTests, Peer, descriptors, until

LIMITS = TunnelLimits(idle_timeout=600, write_timeout=60)
FLOOD_SIZE = 8_000_000
FLOOD = random.Random(3).randbytes(FLOOD_SIZE)
NO_SPLICE = None if hasattr(os, "splice") else "this system does not splice"


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def say_in_pieces(reactor: Any, peer: Peer, data: bytes, seed: int) -> None:
    """Have `peer` send `data` in small and large pieces, then half-close."""
    sizes = random.Random(seed)
    at = 0

    def say() -> None:
        nonlocal at
        size = sizes.choice((1, 70, 5000, 16384, 100_000, 300_000))
        peer.transport.write(data[at : at + size])
        at += size
        if at < len(data):
            reactor.callLater(0, say)
        else:
            peer.transport.loseWriteConnection()

    say()


def in_hand(transport: Any) -> bool:
    """Return whether a flow still has methods in the place of the transport's."""
    owners = (getattr(value, "__self__", None) for value in vars(transport).values())
    return any(isinstance(owner, SplicedFlow) for owner in owners)


class SplicedTests(LoopbackTests):
    """What a tunnel promises, between real sockets."""

    skip = NO_SPLICE

    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.tunnels = Tunnels(LIMITS, self.clock)

    def go(self, test: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
        """Run `test` as ever; afterwards no tunnel and no pipe is open."""
        super().go(test)
        self.assertEqual((len(self.tunnels), self.tunnels._pipes.open), (0, 0))

    async def _laid(self, reactor: Any, **leftovers: bytes) -> tuple[Line, Tunnel]:
        line = await self.lay(reactor)
        tunnel = line.join(self.tunnels, **leftovers)
        self.assertTrue(in_hand(line.near_ear.transport) and in_hand(line.far_ear.transport))
        return line, tunnel

    async def _fill(self, reactor: Any, line: Line, tunnel: Tunnel) -> int:
        """Have near speak to a far peer that never reads; return what the tunnel has received."""
        line.far.transport.pauseProducing()
        line.far.transport.socket.setsockopt(SOL_SOCKET, SO_RCVBUF, 65536)
        line.far_ear.transport.socket.setsockopt(SOL_SOCKET, SO_SNDBUF, 65536)
        line.near.transport.write(FLOOD)
        flow = tunnel.near.flow
        assert isinstance(flow, SplicedFlow)
        await until(reactor, lambda: flow._held)
        return tunnel.near.flow.received

    def test_both_ways(self) -> None:
        """Megabytes in pieces of all sizes come through whole, in order, both ways at once."""
        there, back = noise(6_000_000, 1), noise(5_000_000, 2)

        async def test(reactor: Any) -> None:
            line, tunnel = await self._laid(reactor)
            say_in_pieces(reactor, line.near, there, 1)
            say_in_pieces(reactor, line.far, back, 2)
            self.assertEqual(await tunnel.finished, Outcome(Reason.ENDED, len(there), len(back)))
            await line.near.ended
            await line.far.ended
            self.assertTrue(line.far.heard == there)
            self.assertTrue(line.near.heard == back)

        self.go(test)

    def test_unix(self) -> None:
        """UNIX sockets are spliced as well."""

        async def test(reactor: Any) -> None:
            line = await self.lay(reactor, f"unix:{self.mktemp()}")
            tunnel = line.join(self.tunnels)
            self.assertIsInstance(tunnel.near.flow, SplicedFlow)
            say_in_pieces(reactor, line.near, FLOOD, 1)
            await line.far.ended
            self.assertTrue(line.far.heard == FLOOD)
            line.far.transport.loseConnection()
            self.assertEqual(await tunnel.finished, Outcome(Reason.ENDED, FLOOD_SIZE, 0))

        self.go(test)

    def test_sizes(self) -> None:
        """Small messages take no pipe; large ones do."""

        async def test(reactor: Any) -> None:
            line, _ = await self._laid(reactor)
            for size, pipes in ((1000, 0), (FLOOD_SIZE, 1), (1000, 1)):
                del line.far.heard[:]
                line.near.transport.write(FLOOD[:size])
                await until(reactor, lambda size=size: len(line.far.heard) == size)
                self.assertEqual(self.tunnels._pipes.open, pipes)

        self.go(test)

    def test_does_not_splice(self) -> None:
        """Where the system does not splice the bytes are copied, and it is not asked again."""

        async def test(reactor: Any) -> None:
            line, tunnel = await self._laid(reactor)
            pipes = self.tunnels._pipes
            null = os.open(os.devnull, os.O_RDWR)
            pipes.give_back(Pipe(null, os.dup(null)))  # no pipe, so the answer is EINVAL
            pipes.open += 1
            say_in_pieces(reactor, line.near, FLOOD, 1)
            await line.far.ended
            self.assertTrue(line.far.heard == FLOOD)
            self.assertEqual((pipes.open, pipes.take()), (0, None))
            line.far.transport.loseConnection()
            self.assertEqual((await tunnel.finished).reason, Reason.ENDED)

        self.go(test)

    def test_half_close(self) -> None:
        """After one side has said its last, the other hears so, and goes on talking."""

        async def test(reactor: Any, *, mirrored: bool) -> None:
            line, tunnel = await self._laid(reactor)
            first, second = (line.far, line.near) if mirrored else (line.near, line.far)
            first.transport.write(b"question" * 10_000)
            first.transport.loseWriteConnection()
            await second.ended
            self.assertTrue(second.heard == b"question" * 10_000)
            self.assertFalse(first.lost.called)
            second.transport.write(b"answer" * 50_000)
            second.transport.loseConnection()
            await first.ended
            self.assertTrue(first.heard == b"answer" * 50_000)
            self.assertEqual((await tunnel.finished).reason, Reason.ENDED)

        self.go(partial(test, mirrored=False))
        self.go(partial(test, mirrored=True))

    def test_reset(self) -> None:
        """A side that is reset takes the other with it, which sees that it is no orderly end."""

        async def test(reactor: Any, *, mirrored: bool) -> None:
            line, tunnel = await self._laid(reactor)
            first, second = (line.far, line.near) if mirrored else (line.near, line.far)
            first.transport.write(b"x" * 100_000)
            await until(reactor, lambda: second.heard)
            first.transport.abortConnection()
            self.assertFalse(await second.lost)
            reason = Reason.FAR_LOST if mirrored else Reason.NEAR_LOST
            self.assertEqual((await tunnel.finished).reason, reason)

        self.go(partial(test, mirrored=False))
        self.go(partial(test, mirrored=True))

    def test_gone_while_spoken_to(self) -> None:
        """A peer that closes while it is spoken to is lost, and the speaker hears it."""

        async def test(reactor: Any) -> None:
            line, tunnel = await self._laid(reactor)
            line.near.transport.write(FLOOD)
            await until(reactor, lambda: line.far.heard)
            line.far.transport.loseConnection()
            self.assertFalse(await line.near.lost)
            self.assertEqual((await tunnel.finished).reason, Reason.FAR_LOST)

        self.go(test)

    def test_never_reads(self) -> None:
        """Who takes nothing costs one read at most, and is let go when its time is up."""

        async def test(reactor: Any) -> None:
            line, tunnel = await self._laid(reactor)
            received = await self._fill(reactor, line, tunnel)
            self.clock.pump([1] * 59)
            self.assertEqual(tunnel.near.flow.received, received)
            self.assertLessEqual(tunnel.near.flow.waiting, PIPE_BYTES)
            self.assertFalse(tunnel.finished.called)
            self.clock.pump([1] * 2)
            outcome = await tunnel.finished
            self.assertEqual(outcome.reason, Reason.STALLED)
            self.assertLess(outcome.near_to_far, received)
            self.assertFalse(await line.near.lost)

        self.go(test)

    def test_reads_at_last(self) -> None:
        """Who takes nothing for a while gets everything afterwards, spliced or copied."""

        async def test(reactor: Any, pipes: int) -> None:
            self.tunnels = Tunnels(evolve(LIMITS, pipes=pipes), self.clock)
            line, tunnel = await self._laid(reactor)
            await self._fill(reactor, line, tunnel)
            line.near.transport.loseConnection()
            line.far.transport.resumeProducing()
            await line.far.ended
            line.far.transport.loseConnection()
            self.assertTrue(line.far.heard == FLOOD)
            self.assertEqual(await tunnel.finished, Outcome(Reason.ENDED, FLOOD_SIZE, 0))

        self.go(partial(test, pipes=9))
        self.go(partial(test, pipes=0))

    def test_idle(self) -> None:
        """A tunnel in which nothing moves ends; what is said now and then keeps it."""

        async def test(reactor: Any) -> None:
            line, tunnel = await self._laid(reactor)
            self.clock.pump([1] * 599)
            line.far.transport.write(b"still here")
            await until(reactor, lambda: line.near.heard)
            self.clock.pump([1] * 600)
            self.assertFalse(tunnel.finished.called)
            self.clock.advance(1)
            self.assertEqual(await tunnel.finished, Outcome(Reason.IDLE, 0, 10))

        self.go(test)

    def test_aborted_outside(self) -> None:
        """A transport aborted by somebody else, bytes in the pipe or not, ends the tunnel."""

        async def test(reactor: Any) -> None:
            for full in (True, False):
                line, tunnel = await self._laid(reactor)
                if full:
                    await self._fill(reactor, line, tunnel)
                line.near_ear.transport.abortConnection()
                self.assertFalse(await line.near.lost)
                line.far.transport.resumeProducing()
                await line.far.lost
                self.assertEqual((await tunnel.finished).reason, Reason.NEAR_LOST)

        self.go(test)

    def test_closed_outside(self) -> None:
        """A transport that somebody else closes sends what it has first, as any of Twisted's."""

        async def test(reactor: Any) -> None:
            line, tunnel = await self._laid(reactor)
            received = await self._fill(reactor, line, tunnel)
            line.far_ear.transport.loseConnection()
            line.far.transport.resumeProducing()
            await line.far.ended
            self.assertTrue(line.far.heard == FLOOD[:received])
            await line.near.ended
            line.near.transport.loseConnection()
            self.assertEqual(await tunnel.finished, Outcome(Reason.ENDED, received, 0))

        self.go(test)

    def test_closed_outside_early(self) -> None:
        """The source is closed by somebody else: what it said comes through, and nothing goes back."""

        async def test(reactor: Any) -> None:
            line, tunnel = await self._laid(reactor)
            received = await self._fill(reactor, line, tunnel)
            line.near_ear.transport.loseConnection()
            await line.near_ear.lost
            line.far.transport.write(b"too late")
            self.assertNotIn(line.far_ear.transport, reactor.getReaders())
            line.far.transport.resumeProducing()
            await line.far.ended
            self.assertTrue(line.far.heard == FLOOD[:received])
            line.far.transport.loseConnection()
            self.assertEqual(await tunnel.finished, Outcome(Reason.ENDED, received, 0))

        self.go(test)

    def test_reset_heard_by_a_send(self) -> None:
        """A reset that a send comes upon is no orderly end of what the other side said."""

        async def test(reactor: Any, *, bulk: bool) -> None:
            line, tunnel = await self._laid(reactor)
            flow = tunnel.near.flow
            assert isinstance(flow, SplicedFlow)
            flow._bulk = bulk
            line.far_ear.transport.pauseProducing()
            line.far.transport.abortConnection()
            await line.far.lost
            line.near.transport.write(b"x" * 50_000)
            line.far_ear.transport.resumeProducing()
            self.assertFalse(await line.near.lost)
            self.assertEqual(await tunnel.finished, Outcome(Reason.FAR_LOST, 0, 0))

        self.go(partial(test, bulk=False))
        self.go(partial(test, bulk=True))

    def test_before(self) -> None:
        """What was written and received before the tunnel comes first."""

        async def test(reactor: Any) -> None:
            line = await self.lay(reactor)
            line.near_ear.transport.write(b"written, ")
            line.near.transport.write(b"later")
            line.far.transport.write(b"later")
            tunnel = line.join(self.tunnels, from_near=b"received, ", from_far=b"received, ")
            await until(reactor, lambda: line.near.heard.endswith(b"later"))
            await until(reactor, lambda: line.far.heard.endswith(b"later"))
            self.assertEqual(bytes(line.near.heard), b"written, received, later")
            self.assertEqual(bytes(line.far.heard), b"received, later")
            tunnel.abort()
            self.assertEqual(await tunnel.finished, Outcome(Reason.ABORTED, 15, 15))

        self.go(test)

    def test_half_closed_before(self) -> None:
        """A side that had half-closed before the tunnel is told to it, and the leftovers come."""

        async def test(reactor: Any) -> None:
            line = await self.lay(reactor)
            tunnel = line.join(self.tunnels, from_near=b"all I said")
            tunnel.near.readConnectionLost()
            await line.far.ended
            self.assertEqual(bytes(line.far.heard), b"all I said")
            line.far.transport.loseConnection()
            self.assertEqual(await tunnel.finished, Outcome(Reason.ENDED, 10, 0))

        self.go(test)

    def test_no_descriptor_left(self) -> None:
        """Where no pipe can be had the bytes are copied."""

        async def test(reactor: Any) -> None:
            line, tunnel = await self._laid(reactor)
            lowest = os.dup(0)
            os.close(lowest)
            limits = resource.getrlimit(resource.RLIMIT_NOFILE)
            resource.setrlimit(resource.RLIMIT_NOFILE, (lowest, limits[1]))
            try:
                say_in_pieces(reactor, line.near, noise(3_000_000), 1)
                await line.far.ended
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, limits)
            self.assertTrue(line.far.heard == noise(3_000_000))
            line.far.transport.loseConnection()
            await tunnel.finished

        self.go(test)

    def test_no_leak(self) -> None:
        """When tunnels have ended nothing of theirs is open, nor hangs on the transports."""

        async def test(reactor: Any) -> None:
            gc.collect()  # others' leavings
            before = len(descriptors())
            for _ in range(3):
                lines = [await self._laid(reactor) for _ in range(4)]
                for line, tunnel in lines:
                    await self._fill(reactor, line, tunnel)
                self.assertEqual(self.tunnels._pipes.open, 4)
                for line, tunnel in lines:
                    line.near.transport.abortConnection()
                    line.far.transport.abortConnection()
                    await tunnel.finished
                    self.assertFalse(in_hand(line.near_ear.transport))
                    self.assertFalse(in_hand(line.far_ear.transport))
            await until(reactor, lambda: len(descriptors()) <= before)

        self.go(test)

    def test_reactor_stops(self) -> None:
        """When the reactor stops its tunnels are lost, as all it has."""
        outcomes: list[Outcome] = []

        async def test(reactor: Any) -> None:
            _, tunnel = await self._laid(reactor)
            tunnel.finished.addCallback(outcomes.append)
            self.lines.clear()

        self.go(test)
        self.assertEqual(len(outcomes), 1)


class WhichTests(SynchronousTestCase):
    def test_what_is_spliced(self) -> None:
        """A transport that is not over a plain socket is not spliced."""
        self.assertFalse(can_splice(PeerTransport(Protocol())))


globals().update(SplicedTests.makeTestCaseClasses())
del SplicedTests  # which has no reactor
