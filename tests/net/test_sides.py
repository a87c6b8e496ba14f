"""Two sides of a tunnel: nothing is lost of what they heard before they were joined."""

import random
from functools import partial
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.farewell import LINGER_SECONDS
from netkit.net.sides import RESTING_BYTES, Side, join, reach
from netkit.net.tunnel import Outcome, Reason, TunnelLimits, Tunnels
from tests.net.test_dial import MemoryWay
from tests.net.transports import PeerTransport
from tests.net.tunnelled import LoopbackTests, until

HAPPENINGS = ("send", "take", "finish", "close", "abort")


class _SidesTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.tunnels = Tunnels(TunnelLimits(), self.clock)
        self.outcomes: list[Outcome] = []
        self.left: list[str] = []
        self.near_side = Side(partial(self.left.append, "near"))
        self.far_side = Side(partial(self.left.append, "far"))
        self.near, self.far = PeerTransport(self.near_side), PeerTransport(self.far_side)

    def join(self) -> None:
        self.tunnel = join(self.tunnels, self.near_side, self.far_side)
        self.tunnel.finished.addCallback(self.outcomes.append)

    def lose(self, transport: PeerTransport, why: Exception) -> None:
        transport.connectionLost(Failure(why))


class RestTests(_SidesTestCase):
    """A side that is not joined."""

    def test_connected(self) -> None:
        """It says once that there is a connection."""
        side = Side()
        self.assertNoResult(side.connected)
        PeerTransport(side)
        self.successResultOf(side.connected)

    def test_bounded(self) -> None:
        """It reads until it has heard enough, and no more."""
        self.assertTrue(self.near.send(b"x" * (RESTING_BYTES - 1)))
        self.assertTrue(self.near.send(b"x" * 65_536))
        self.assertFalse(self.near.send(b"x"))

    def test_left(self) -> None:
        """A loss before the join is told, one after it is the tunnel's."""
        self.lose(self.near, ConnectionDone())
        self.assertEqual(self.left, ["near"])
        self.join()
        self.lose(self.far, ConnectionDone())
        self.assertEqual(self.left, ["near"])

    def test_closed(self) -> None:
        """One that nobody wants any more is closed at once; that may be said again."""
        self.near_side.close()
        self.near_side.close()
        self.assertTrue(self.near.aborted)

    def test_closed_beforehand(self) -> None:
        """It is closed as soon as it is connected, where it was not wanted before."""
        side = Side()
        side.close()
        self.assertTrue(PeerTransport(side).aborted)

    def test_close_joined(self) -> None:
        """A side that is joined is the tunnel's to close."""
        self.join()
        self.near_side.close()
        self.assertFalse(self.near.aborted)


class ReachTests(SynchronousTestCase):
    """The far side is made for the connection of a way."""

    def test_reached(self) -> None:
        """There is a side as soon as there is a connection, which says where that is lost."""
        below, left = MemoryWay(), list[str]()
        reached = reach(below, partial(left.append, "far"))
        transport = PeerTransport(below.made[0])
        below.done[0].callback(below.made[0])
        side = self.successResultOf(reached)
        self.assertIs(side.transport, transport)
        transport.abortConnection()
        self.assertEqual(left, ["far"])


class JoinTests(_SidesTestCase):
    """What was heard before goes first, and what has happened counts as if it happened now."""

    def test_both_ways(self) -> None:
        """What came before the join comes first on the other side, in order."""
        self.near.send(b"one ")
        self.near.send(b"two ")
        self.far.send(b"uno ")
        self.join()
        self.near.send(b"three")
        self.far.send(b"dos")
        self.assertEqual((self.near.take(), self.far.take()), (b"uno dos", b"one two three"))

    def test_resumed(self) -> None:
        """A side that had read enough reads again."""
        self.near.send(b"x" * RESTING_BYTES)
        self.join()
        self.far.take()
        self.assertTrue(self.near.send(b"more"))
        self.far.take()
        self.assertEqual(len(self.far.taken), RESTING_BYTES + 4)

    def test_last_word_before(self) -> None:
        """A side that had said its last is half-closed on the other, which may answer."""
        self.near.send(b"question")
        self.near.finish()
        self.join()
        self.near_side.readConnectionLost()  # as a transport says that reads again
        self.assertEqual(self.far.take(), b"question")
        self.assertTrue(self.far.finished)
        self.far.send(b"answer")
        self.far.finish()
        self.assertEqual(self.near.take(), b"answer")
        self.assertEqual(self.outcomes, [Outcome(Reason.ENDED, 8, 6)])

    def test_far_lost_before(self) -> None:
        """What a side said that then closed comes through, and then the close."""
        self.far.send(b"last words")
        self.near.send(b"nobody hears this")
        self.lose(self.far, ConnectionDone())
        self.join()
        self.assertEqual(self.near.take(), b"last words")
        self.assertTrue(self.near.finished)
        self.clock.advance(LINGER_SECONDS)
        self.assertEqual(self.outcomes, [Outcome(Reason.ENDED, 0, 10)])

    def test_near_reset_before(self) -> None:
        """A side that was reset takes the other with it."""
        self.lose(self.near, ConnectionLost())
        self.join()
        self.assertTrue(self.far.aborted)
        self.assertEqual(self.outcomes, [Outcome(Reason.NEAR_LOST, 0, 0)])

    def test_both_lost_before(self) -> None:
        """A tunnel of two that are lost is over at once, with nothing left behind."""
        self.near.send(b"x")
        self.lose(self.far, ConnectionDone())
        self.lose(self.near, ConnectionDone())
        self.join()
        self.assertEqual(self.outcomes, [Outcome(Reason.ENDED, 0, 0)])
        self.assertEqual(len(self.tunnels), 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    @settings(deadline=None, max_examples=150)
    @given(st.data())
    def test_any_order(self, data: st.DataObject) -> None:
        """Whatever happens, before and after, each hears a beginning of what the other said."""
        self.setUp()
        sides = {"near": self.near, "far": self.far}
        said = {"near": b"", "far": b""}
        step = st.tuples(st.sampled_from(("near", "far")), st.sampled_from(HAPPENINGS))
        before, after = (data.draw(st.lists(step, max_size=8)) for _ in range(2))
        source = random.Random(1)
        for number, (who, what) in enumerate([*before, ("", "join"), *after]):
            if what == "join":
                self.join()
                continue
            side = sides[who]
            match what:
                case "send":
                    piece = b"%d" % number + source.randbytes(9000)
                    said[who] += piece if side.send(piece) else b""
                case "take":
                    side.take()
                case "finish" if side.reading:
                    side.finish()
                case "close":
                    side.loseConnection()
                case "abort" if not side.disconnected:
                    side.abortConnection()
        for _ in range(4):
            self.near.take()
            self.far.take()
            self.clock.advance(LINGER_SECONDS)
        self.assertTrue(said["near"].startswith(self.far.taken))
        self.assertTrue(said["far"].startswith(self.near.taken))
        self.tunnels.abort()
        self.assertEqual(len(self.outcomes), 1)


class SocketTests(LoopbackTests):
    """The same over sockets, of every reactor."""

    async def _sides(self, reactor: Any, *, tls: bool = False) -> Any:
        """Return a line whose two ears are sides, not joined yet."""
        line = await self.lay(reactor, tls=tls)
        near, far = Side(), Side()
        for side, ear in ((near, line.near_ear), (far, line.far_ear)):
            ear.end = cast("Any", side)
            side.makeConnection(ear.transport)
            ear.transport.resumeProducing()
        return line, near, far

    async def _check_before(self, reactor: Any, *, tls: bool = False) -> None:
        """Have both speak and the near one end before the join."""
        line, near, far = await self._sides(reactor, tls=tls)
        line.near.transport.write(b"n" * 300_000)
        line.far.transport.write(b"f")
        await until(reactor, lambda: near.heard and far.heard)
        if not tls:
            line.near.transport.loseWriteConnection()
        tunnel = join(Tunnels(TunnelLimits(), reactor), near, far)
        await until(reactor, lambda: len(line.far.heard) == 300_000 and line.near.heard == b"f")
        line.far.transport.loseConnection()
        outcome = await tunnel.finished
        self.assertEqual((outcome.near_to_far, outcome.far_to_near), (300_000, 1))

    def test_before(self) -> None:
        """What was said before the join comes through, more than a side keeps included."""
        self.go(self._check_before)

    def test_before_by_tls(self) -> None:
        """So it does where the near side has TLS."""
        self.go(partial(self._check_before, tls=True))

    def test_silent_before(self) -> None:
        """A FIN that was read before the join is the other's end, and is so once."""

        async def test(reactor: Any) -> None:
            line, near, far = await self._sides(reactor)
            line.near.transport.write(b"bye")
            line.near.transport.loseWriteConnection()
            await until(reactor, lambda: near._silent)
            tunnel = join(Tunnels(TunnelLimits(), reactor), near, far)
            await line.far.ended
            self.assertEqual(line.far.heard, b"bye")
            line.far.transport.write(b"so long")
            line.far.transport.loseConnection()
            self.assertEqual((await tunnel.finished).reason, Reason.ENDED)
            self.assertEqual(line.near.heard, b"so long")

        self.go(test)


globals().update(SocketTests.makeTestCaseClasses())
del SocketTests  # which has no reactor
