"""The bridge in memory: whoever ends first, and what waits for whom. Origins row 15."""

import errno

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.farewell import STALL_SECONDS
from netkit.net.sides import Side
from netkit.tools.bridging.bridge import LULL, Ended, Manner, bridge
from netkit.tools.bridging.descriptors import Sort
from netkit.tools.bridging.ends import Reason
from netkit.tools.bridging.standard import PIECE
from tests.net.transports import PeerTransport
from tests.tools.bridging.ends import Ends

PLAIN = Manner()
MOST = 512 * 1024


class BridgeTestCase(SynchronousTestCase):
    """Has a bridge, its two ends and the peer."""

    def span(
        self, sort: Sort = Sort.STREAM, manner: Manner = PLAIN, ends: Ends | None = None
    ) -> None:
        self.clock = Clock()
        self.ends = ends or Ends(sort)
        self.side = Side()
        self.peer = PeerTransport(self.side)
        self.begin(manner)

    def begin(self, manner: Manner) -> None:
        spanned = bridge(self.side, self.ends.source, self.ends.output, manner, self.clock)
        self.over: Deferred[Ended] = Deferred.fromCoroutine(spanned)
        self.addCleanup(self.leave, self.over)

    def leave(self, over: Deferred[Ended]) -> None:
        """Take a bridge back that is not over."""
        if not over.called:
            over.cancel()
            self.failureResultOf(over, CancelledError)

    def lose(self, why: Exception) -> None:
        self.peer.connectionLost(Failure(why))

    def ended(self, reason: Reason) -> None:
        """Check that it has ended so, that the peer is let go, and nobody waits for anything."""
        self.clock.advance(0.1)
        self.assertIs(self.successResultOf(self.over).reason, reason)
        self.assertTrue(self.peer.disconnected)
        self.assertFalse(self.ends.reading or self.ends.waiting)
        self.assertEqual([call for call in self.clock.getDelayedCalls() if call.active()], [])


class BothWaysTests(BridgeTestCase):
    def test_bytes(self) -> None:
        """What is typed goes to the peer, what the peer says is shown, whatever bytes these are."""
        self.span()
        every = bytes(range(256))
        self.ends.type(every)
        self.peer.send(every[::-1])
        self.assertEqual((self.peer.take(), bytes(self.ends.shown)), (every, every[::-1]))

    def test_heard_before(self) -> None:
        """What the peer said before the bridge was there, its end included, is not lost."""
        self.clock, self.ends, self.side = Clock(), Ends(), Side()
        self.peer = PeerTransport(self.side)
        self.peer.send(b"220 hello\r\n")
        self.peer.finish()
        self.begin(Manner())
        self.peer.take()
        self.assertEqual(bytes(self.ends.shown), b"220 hello\r\n")
        self.ended(Reason.PEER_ENDED)

    def test_gone_before(self) -> None:
        """A peer that came and went has ended; one that broke off has broken off."""
        for why, reason in (
            (ConnectionDone(), Reason.PEER_ENDED),
            (ConnectionLost(), Reason.RESET),
        ):
            self.clock, self.ends, self.side = Clock(), Ends(), Side()
            self.peer = PeerTransport(self.side)
            self.peer.send(b"bye")
            self.lose(why)
            self.begin(Manner())
            self.assertEqual(bytes(self.ends.shown), b"bye")
            self.ended(reason)

    def test_crlf(self) -> None:
        """Row 15: LF is sent as CRLF where that is asked for, and only one way."""
        self.span(manner=Manner(crlf=True))
        self.ends.type(b"a\n", b"b\r", b"\nc\n")
        self.peer.send(b"x\n")
        self.assertEqual(self.peer.take(), b"a\r\nb\r\nc\r\n")
        self.assertEqual(bytes(self.ends.shown), b"x\n")

    @settings(deadline=None, max_examples=60, database=None)
    @given(
        st.lists(st.tuples(st.booleans(), st.binary(max_size=9)), max_size=20), st.integers(1, 9)
    )
    def test_order(self, said: list[tuple[bool, bytes]], room: int) -> None:
        """Whatever both say, and however slowly it is taken, it arrives whole and in order."""
        self.span()
        self.ends.room = 0
        said = [each for each in said if each[1]]
        queue = list(said)
        while queue or self.peer.waiting or self.ends.waiting:
            if queue:
                from_peer, data = queue.pop(0)
                if from_peer and not self.peer.send(data):
                    queue.insert(0, (from_peer, data))
                elif not from_peer:
                    self.ends.type(data)
            self.peer.take(room)
            self.ends.make_room(room)
            self.ends.type()
        self.leave(self.over)
        self.assertEqual(self.peer.taken, b"".join(data for is_peers, data in said if not is_peers))
        self.assertEqual(
            bytes(self.ends.shown), b"".join(data for is_peers, data in said if is_peers)
        )


class InputEndsFirstTests(BridgeTestCase):
    def test_half_close(self) -> None:
        """The peer gets a FIN behind all that was typed, and what it still says comes through."""
        self.span()
        self.ends.type(b"question", b"")
        self.assertFalse(self.peer.finished)
        self.assertEqual(self.peer.take(), b"question")
        self.assertTrue(self.peer.finished)
        self.peer.send(b"answer")
        self.assertNoResult(self.over)
        self.peer.finish()
        self.assertEqual(bytes(self.ends.shown), b"answer")
        self.peer.take()
        self.ended(Reason.BOTH_ENDED)

    def test_at_its_end_from_the_start(self) -> None:
        """An input that is at its end already, as /dev/null or under the bridge before, is a FIN."""
        ends = Ends()
        self.span(ends=ends)
        ends.type(b"")
        self.peer.finish()
        self.peer.take()
        self.ended(Reason.BOTH_ENDED)
        self.span(ends=ends)
        self.peer.take()
        self.assertTrue(self.peer.finished)
        self.peer.send(b"second")
        self.peer.finish()
        self.assertEqual(bytes(ends.shown), b"second")
        self.ended(Reason.BOTH_ENDED)

    def test_no_shutdown(self) -> None:
        """Where it is not to be told, the peer gets no FIN, and the bridge ends with the peer."""
        self.span(manner=Manner(shutdown=False))
        self.ends.type(b"question", b"")
        self.assertEqual(self.peer.take(), b"question")
        self.assertFalse(self.peer.finished)
        self.peer.send(b"answer")
        self.peer.finish()
        self.peer.take()
        self.ended(Reason.BOTH_ENDED)

    def test_wait(self) -> None:
        """With a wait the bridge ends so long after all is sent, whether the peer ends or not."""
        for manner in (Manner(wait=3.0), Manner(wait=3.0, shutdown=False)):
            self.span(manner=manner)
            self.ends.type(b"question", b"")
            self.clock.pump([1.0] * 10)
            self.assertNoResult(self.over)
            self.peer.take()
            self.clock.pump([0.1] * 20)
            self.peer.send(b"answer")
            self.assertNoResult(self.over)
            self.clock.pump([0.1] * 12)
            self.assertEqual(bytes(self.ends.shown), b"answer")
            self.peer.take()
            self.ended(Reason.WAITED)

    def test_no_wait(self) -> None:
        """A wait of nothing ends as soon as all is sent."""
        self.span(manner=Manner(wait=0.0))
        self.ends.type(b"question", b"")
        self.clock.advance(0)
        self.assertNoResult(self.over)
        self.assertEqual(self.peer.take(), b"question")
        self.clock.pump([0.1, 0.1])
        self.peer.take()
        self.ended(Reason.WAITED)

    def test_broken_off(self) -> None:
        """A peer that breaks off after our end is trouble; what it said is shown."""
        self.span()
        self.ends.type(b"")
        self.peer.take()
        self.peer.send(b"half an ans")
        self.lose(ConnectionLost())
        self.assertEqual(bytes(self.ends.shown), b"half an ans")
        self.ended(Reason.RESET)


class PeerEndsFirstTests(BridgeTestCase):
    def test_terminal(self) -> None:
        """With a terminal the bridge ends at once, whatever was typed a moment ago."""
        self.span(Sort.TERMINAL)
        self.ends.type(b"quit\n")
        self.peer.take()
        self.peer.send(b"bye\n")
        self.peer.finish()
        self.peer.take()
        self.assertEqual(bytes(self.ends.shown), b"bye\n")
        self.ended(Reason.PEER_ENDED)

    def test_silent_pipe(self) -> None:
        """A pipe that has not said anything, or not for a while, ends it at once too."""
        self.span()
        self.peer.finish()
        self.peer.take()
        self.ended(Reason.PEER_ENDED)
        self.span()
        self.ends.type(b"question")
        self.peer.take()
        self.clock.advance(LULL)
        self.peer.finish()
        self.peer.take()
        self.ended(Reason.PEER_ENDED)

    def test_speaking_pipe(self) -> None:
        """A pipe that speaks is listened to until it ends, or falls silent for a second."""
        for ending in (True, False):
            self.span()
            self.ends.type(b"0")
            self.peer.finish()
            for each in b"123":
                self.clock.pump([0.2] * 4)
                self.ends.type(bytes((each,)))
            self.peer.take()
            self.assertNoResult(self.over)
            if ending:
                self.ends.type(b"")
            else:
                self.clock.pump([0.2] * 6)
            self.peer.take()
            self.assertEqual(self.peer.taken, b"0123")
            self.ended(Reason.BOTH_ENDED if ending else Reason.PEER_ENDED)

    def test_pipe_that_has_to_wait(self) -> None:
        """A pipe of which something waits for a slow peer is not silent."""
        self.span()
        self.ends.type(b"0")
        self.peer.finish()
        self.clock.pump([1.0] * 30)
        self.assertNoResult(self.over)
        self.peer.take()
        self.clock.pump([1.0])
        self.peer.take()
        self.ended(Reason.PEER_ENDED)

    def test_file(self) -> None:
        """A file is sent whole, however long that takes; so is any input where that is asked for."""
        for sort, manner in (
            (Sort.FILE, Manner()),
            (Sort.STREAM, Manner(send_all=True)),
            (Sort.TERMINAL, Manner(send_all=True)),
        ):
            self.span(sort, manner)
            self.peer.finish()
            self.clock.pump([1.0] * 10)
            self.ends.type(b"all of it", b"")
            self.peer.take()
            self.assertEqual(self.peer.taken, b"all of it")
            self.ended(Reason.BOTH_ENDED)

    def test_cut_off(self) -> None:
        """A peer that is gone before it has the whole file has not got it: trouble."""
        self.span(Sort.FILE)
        self.ends.type(b"some of it")
        self.peer.take()
        self.lose(ConnectionDone())
        self.ended(Reason.CUT)

    def test_last_words_not_taken(self) -> None:
        """What was read and is not sent is waited for, and missed where the peer never takes it."""
        self.span(Sort.TERMINAL)
        self.ends.type(b"x" * 10)
        self.peer.finish()
        self.clock.pump([1.0] * 10)
        self.assertNoResult(self.over)
        self.clock.pump([1.0] * int(STALL_SECONDS))
        self.ended(Reason.CUT)

    def test_slow_output(self) -> None:
        """What the peer said last is written out whole before the bridge is over."""
        self.span(Sort.TERMINAL)
        self.ends.room = 0
        self.peer.send(b"long answer")
        self.peer.finish()
        self.clock.pump([1.0] * 100)
        self.assertNoResult(self.over)
        self.ends.make_room()
        self.assertEqual(bytes(self.ends.shown), b"long answer")
        self.ended(Reason.PEER_ENDED)

    def test_reset(self) -> None:
        """A peer that breaks off is trouble, told after what it said is written."""
        self.span(Sort.TERMINAL)
        self.ends.room = 4
        self.peer.send(b"half an ans")
        self.lose(ConnectionLost())
        self.assertNoResult(self.over)
        self.ends.make_room()
        self.assertEqual(bytes(self.ends.shown), b"half an ans")
        self.ended(Reason.RESET)


class TroubleTests(BridgeTestCase):
    def test_nobody_reads(self) -> None:
        """Where nobody reads the output the bridge fails so, and the peer is let go."""
        self.span()
        self.ends.broken = BrokenPipeError(errno.EPIPE, "Broken pipe")
        self.peer.send(b"data")
        self.failureResultOf(self.over, BrokenPipeError)
        self.assertTrue(self.peer.aborted)

    def test_nobody_reads_the_rest(self) -> None:
        """So it does where that turns out after the peer has ended."""
        self.span()
        self.ends.room = 0
        self.peer.send(b"data")
        self.peer.finish()
        self.peer.take()
        self.clock.advance(1)
        self.ends.broken = BrokenPipeError(errno.EPIPE, "Broken pipe")
        self.ends.output.doWrite()
        self.failureResultOf(self.over, BrokenPipeError)

    def test_unreadable_input(self) -> None:
        """An input that cannot be read fails it."""
        self.span()
        self.ends.type(OSError(errno.EISDIR, "Is a directory"))
        self.failureResultOf(self.over, IsADirectoryError)
        self.assertTrue(self.peer.aborted)

    def test_idle(self) -> None:
        """Where nothing moves for too long the bridge ends; what moves puts it off, both ways."""
        self.span(manner=Manner(idle=10.0))
        for say in (lambda: self.ends.type(b"x"), lambda: self.peer.send(b"y"), self.peer.take):
            self.clock.advance(9)
            say()
        self.clock.advance(9)
        self.assertNoResult(self.over)
        self.clock.pump([10.0, 10.0])
        self.ended(Reason.IDLE)

    def test_cancelled(self) -> None:
        """Who cancels is left without a connection, with nothing to read and nothing to wait for."""
        self.span(manner=Manner(idle=10.0))
        self.ends.type(b"data")
        self.over.cancel()
        self.failureResultOf(self.over, CancelledError)
        self.assertTrue(self.peer.aborted)
        self.assertFalse(self.ends.reading)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class RoomTests(BridgeTestCase):
    def test_peer_never_reads(self) -> None:
        """An input without end, and a peer that takes nothing: little waits, and no more is read."""
        for manner in (Manner(), Manner(crlf=True)):
            self.span(manner=manner)
            self.ends.type(*[b"\n" * PIECE] * 100)
            self.assertLessEqual(self.peer.waiting, MOST)
            self.assertFalse(self.ends.reading)
            self.peer.take(self.peer.waiting)
            self.assertTrue(self.ends.reading)

    def test_nobody_takes_the_output(self) -> None:
        """A peer without end, and an output that takes nothing: the peer is read no more."""
        self.span()
        self.ends.room = 0
        read = sum(self.peer.send(b"x" * 65536) for _ in range(100))
        self.assertLessEqual(read * 65536, MOST)
        self.ends.make_room()
        self.assertTrue(self.peer.reading)
        self.assertEqual(len(self.ends.shown), read * 65536)

    def test_next_bridge(self) -> None:
        """What the input says between two bridges is for the second."""
        ends = Ends()
        self.span(ends=ends)
        self.ends.type(b"first")
        self.peer.take()
        self.clock.advance(LULL)
        self.peer.finish()
        self.peer.take()
        self.ended(Reason.PEER_ENDED)
        ends.type(b"second")
        self.span(ends=ends, manner=evolve(Manner(), idle=5.0))
        ends.type()
        self.assertEqual(self.peer.take(), b"second")
