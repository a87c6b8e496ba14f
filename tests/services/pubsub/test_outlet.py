"""An outlet sends at once, keeps what a slow client does not take, and loses patience."""

from collections.abc import Callable, Mapping

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.outlet import Outlet
from netkit.services.pubsub.policies import Policy
from netkit.services.pubsub.settings import Settings
from tests.net.transports import PeerTransport

_BUFFER = 64 * 1024  # bytes; what the transport holds before it pauses its producer
_RUN = Published(b"s", [b"1", b"2"])
_FULL = b"x" * (_BUFFER + 1)


class _Client:
    def __init__(self, *, pending_bytes: int = 1000, pending_seconds: float = 10) -> None:
        limits = Settings(pending_bytes=pending_bytes, pending_seconds=pending_seconds)
        self.clock = Clock()
        self.peer = PeerTransport(Protocol())
        self.slow: list[tuple[int, float]] = []
        self.missed: list[Mapping[bytes, int]] = []
        self.outlet = Outlet(self.peer, limits, self.clock, self)

    def send_by(self, deliver: Callable[[bytes], None]) -> None:
        """Send by it."""
        self.deliver = deliver

    def let_go_slow(self, pending: int, seconds: float) -> None:
        assert not self.peer.aborted, "it is told of before"
        self.slow.append((pending, seconds))
        self.peer.abortConnection()

    def caught_up(self, missed: Mapping[bytes, int]) -> None:
        self.missed.append(missed)


class KeepingUpTests(SynchronousTestCase):
    def test_at_once(self) -> None:
        """A piece is sent at once to a client that keeps up."""
        client = _Client()
        client.deliver(b"one\n")
        self.assertEqual(client.peer.take(), b"one\n")

    def test_no_clock(self) -> None:
        """Nothing is timed for a client that keeps up."""
        client = _Client()
        client.deliver(b"one\n")
        self.assertEqual(client.clock.getDelayedCalls(), [])

    def test_one_large_piece(self) -> None:
        """A piece larger than `pending_bytes` is no reason to let a client go that takes it."""
        client = _Client(pending_bytes=1)
        for _ in range(3):
            client.deliver(b"x" * 1_000_000)
            self.assertEqual(len(client.peer.take()), 1_000_000)
        client.clock.advance(100)
        self.assertEqual(client.slow, [])


class BehindTests(SynchronousTestCase):
    def test_order(self) -> None:
        """What waits is sent in its order as soon as the client takes what is before it."""
        client = _Client()
        client.deliver(_FULL)
        client.deliver(b"one\n")
        client.deliver(b"two\n")
        self.assertEqual(client.peer.take(), _FULL + b"one\ntwo\n")
        client.deliver(b"three\n")
        self.assertEqual(client.peer.take(), b"three\n")

    def test_write_buffer_stays_small(self) -> None:
        """What waits does so in the backlog, where the pieces are shared, not in the transport."""
        client = _Client(pending_bytes=10 * _BUFFER)
        client.deliver(_FULL)
        for _ in range(1000):
            client.deliver(b"x" * 500)
        self.assertEqual(client.peer.waiting, len(_FULL))
        client.peer.take(len(_FULL))
        self.assertLess(client.peer.waiting, 2 * _BUFFER + 500)

    def test_nothing_is_read(self) -> None:
        """Nothing is read from a client until it has taken what is there for it."""
        client = _Client()
        client.deliver(_FULL)
        client.deliver(b"one\n")
        self.assertFalse(client.peer.reading)
        client.peer.take()
        self.assertTrue(client.peer.reading)

    def test_too_much(self) -> None:
        """A client is let go when more than `pending_bytes` wait, and only then."""
        client = _Client(pending_bytes=1000)
        client.deliver(_FULL)
        client.deliver(b"x" * 1000)
        self.assertEqual(client.slow, [])
        client.clock.advance(3)
        client.deliver(b"x")
        self.assertEqual(client.slow, [(1001, 3)])
        self.assertTrue(client.peer.aborted)
        self.assertEqual(client.clock.getDelayedCalls(), [])

    def test_too_long(self) -> None:
        """A client is let go when something has waited for `pending_seconds`."""
        client = _Client(pending_seconds=10)
        client.deliver(_FULL)
        client.deliver(b"x" * 7)
        client.clock.advance(9.9)
        self.assertEqual(client.slow, [])
        client.clock.advance(0.2)
        self.assertEqual([pending for pending, _ in client.slow], [7])
        self.assertTrue(client.peer.aborted)

    def test_behind_again_and_again(self) -> None:
        """The time counts from the oldest that waits, not from the first time it was behind."""
        client = _Client(pending_seconds=10)
        for _ in range(20):
            client.deliver(_FULL)
            client.clock.advance(6)
            client.peer.take()
        self.assertEqual(client.slow, [])
        client.deliver(_FULL)
        client.clock.pump([2.5, 2.5, 2.5])
        self.assertEqual(client.slow, [])
        client.clock.advance(2.5)
        self.assertEqual(client.slow, [(0, 10)])

    def test_always_a_little_behind(self) -> None:
        """A client that never empties its backlog stays, as long as nothing in it grows old."""
        client = _Client(pending_bytes=4 * _BUFFER, pending_seconds=10)
        client.deliver(_FULL)
        for _ in range(20):
            client.deliver(_FULL)
            client.clock.advance(4)
            client.peer.take(len(_FULL))
            self.assertFalse(client.peer.reading)
        self.assertEqual(client.slow, [])

    def test_a_trickle_is_not_enough(self) -> None:
        """A client that takes a little now and then is let go as what waits grows old."""
        client = _Client(pending_seconds=10)
        client.deliver(_FULL)
        for _ in range(11):
            client.clock.advance(1)
            client.peer.take(1)
        self.assertEqual(len(client.slow), 1)

    def test_one_clock_call(self) -> None:
        """A client that falls behind a thousand times has one delayed call."""
        client = _Client()
        for _ in range(1000):
            client.deliver(_FULL)
            client.peer.take()
        self.assertEqual(len(client.clock.getDelayedCalls()), 1)
        client.clock.advance(10)
        self.assertEqual(client.clock.getDelayedCalls(), [])


class SpareTests(SynchronousTestCase):
    def test_keeping_up(self) -> None:
        """Who keeps up goes without nothing."""
        client = _Client()
        client.outlet.deliver_spare(b"x", _RUN, Policy.DROP_OLDEST)
        self.assertEqual((client.peer.take(), client.missed), (b"x", []))

    def test_policies(self) -> None:
        """Who is behind goes without the oldest or the newest, and hears of it once all is sent."""
        for policy, kept in ((Policy.DROP_OLDEST, b"b"), (Policy.DROP_NEWEST, b"a")):
            client = _Client(pending_bytes=6000)
            client.deliver(_FULL)
            for letter in (b"a", b"b"):
                client.outlet.deliver_spare(letter * 5000, _RUN, policy)
            self.assertEqual(client.missed, [])
            with self.subTest(policy):
                self.assertEqual(client.peer.take(), _FULL + kept * 5000)
                self.assertEqual((client.missed, client.slow), ([{b"s": 2}], []))

    def test_makes_room(self) -> None:
        """Messages that may be left out are, before a client is let go for others."""
        client = _Client(pending_bytes=6000)
        client.deliver(_FULL)
        client.outlet.deliver_spare(b"a" * 5000, _RUN, Policy.DROP_NEWEST)
        client.deliver(b"b" * 5000)
        self.assertEqual(client.slow, [])
        self.assertEqual(client.peer.take(), _FULL + b"b" * 5000)
        self.assertEqual(client.missed, [{b"s": 2}])
        self.assertFalse(client.outlet.behind)


class EndTests(SynchronousTestCase):
    def test_close(self) -> None:
        """A close comes after everything that waits."""
        client = _Client()
        client.deliver(_FULL)
        client.deliver(b"one\n")
        client.outlet.close()
        self.assertFalse(client.peer.disconnected)
        self.assertEqual(client.peer.take(), _FULL + b"one\n")
        self.assertTrue(client.peer.disconnected)
        self.assertEqual(client.clock.getDelayedCalls(), [])

    def test_flush(self) -> None:
        """Last words go behind everything that waits, and no limit holds for them any more."""
        client = _Client(pending_bytes=4)
        client.deliver(_FULL)
        client.deliver(b"one\n")
        client.outlet.flush(b"bye\n")
        client.clock.advance(100)
        self.assertEqual(client.peer.take(), _FULL + b"one\nbye\n")
        self.assertEqual(client.slow, [])
        self.assertFalse(client.peer.disconnected)

    def test_connection_lost(self) -> None:
        """A connection that is lost leaves no delayed call behind."""
        client = _Client()
        client.deliver(_FULL)
        client.peer.abortConnection()
        self.assertEqual(client.clock.getDelayedCalls(), [])
        self.assertEqual(client.slow, [])

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.tuples(st.integers(0, 90_000), st.integers(0, 150_000)), max_size=20))
    def test_any_order_of_delivering_and_taking(self, steps: list[tuple[int, int]]) -> None:
        """However delivering and taking alternate, the client gets everything once, in order."""
        client = _Client(pending_bytes=2**40)
        pieces = [bytes((number,)) * size for number, (size, _) in enumerate(steps)]
        for piece, (_, most) in zip(pieces, steps, strict=True):
            client.deliver(piece)
            client.peer.take(most)
        client.peer.take()
        self.assertEqual(client.peer.taken, b"".join(pieces))
        self.assertTrue(client.peer.reading)
