"""The crowd counts its members and looks at them once a second."""

from twisted.internet.address import UNIXAddress
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.connected import Connection
from netkit.services.pubsub.counters import Tally
from netkit.services.pubsub.crowd import Crowd


class _Member:
    number = pending = 0
    round_trip = None
    tally = Tally()
    wanted = ()

    def __init__(self, crowd: Crowd | None = None) -> None:
        self.closed = 0
        self.crowd = crowd
        self.shy: Crowd | None = None
        self.seen: list[float] = []

    def look(self, now: float) -> None:
        self.seen.append(now)
        if self.shy is not None:
            self.shy.ignore(self)

    def warn(self) -> bool:
        return self.crowd is not None

    def shown(self) -> Connection:
        return Connection(kind="test", peer=UNIXAddress(None))

    def close(self) -> None:
        self.closed += 1
        if self.crowd is not None:
            self.crowd.leave(self)


class CrowdTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Start with nobody, and room for two."""
        self.clock = Clock()
        self.crowd = Crowd(self.clock, 2)

    def test_room(self) -> None:
        """There is room for so many and no more, until one leaves."""
        one, two, three = _Member(), _Member(), _Member()
        self.assertTrue(self.crowd.join(one) and self.crowd.join(two))
        self.assertFalse(self.crowd.join(three))
        self.crowd.leave(three)
        self.crowd.leave(one)
        self.crowd.leave(one)
        self.assertEqual(len(self.crowd), 1)
        self.assertTrue(self.crowd.join(three))

    def test_looks(self) -> None:
        """All who are watched are looked at by one delayed call; without any there is none."""
        one, two = _Member(), _Member()
        self.crowd.watch(one)
        self.crowd.watch(two)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(1)
        self.assertEqual((one.seen, two.seen), ([1], [1]))
        self.crowd.ignore(one)
        self.crowd.ignore(two)
        self.crowd.ignore(two)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_ignored_while_looked_at(self) -> None:
        """Who is looked at may leave, and others with it."""
        one = _Member()
        one.shy = self.crowd
        self.crowd.watch(one)
        self.clock.advance(1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close(self) -> None:
        """Those whom no warning helps are let go at once, and nobody comes in any more."""
        one, two = _Member(), _Member()
        self.crowd.join(one)
        self.crowd.join(two)
        self.successResultOf(self.crowd.close(5))
        self.assertEqual((one.closed, two.closed), (1, 1))
        self.crowd.leave(one)
        self.assertFalse(self.crowd.join(_Member()))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_one_by_one(self) -> None:
        """Those who are warned go one by one, all within the time."""
        crowd = Crowd(self.clock, 100)
        members = [_Member(crowd) for _ in range(10)]
        for member in members:
            crowd.join(member)
        done = crowd.close(5)
        self.assertEqual(len(crowd), 10)
        self.clock.pump([0.1] * 25)
        self.assertIn(len(crowd), (4, 5, 6))
        self.clock.pump([0.1] * 26)
        self.successResultOf(done)
        self.assertEqual([member.closed for member in members], [1] * 10)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_by_themselves(self) -> None:
        """When all have gone by themselves nobody waits for the rest of the time."""
        one, two = _Member(self.crowd), _Member(self.crowd)
        self.crowd.join(one)
        self.crowd.join(two)
        done = self.crowd.close(5)
        self.crowd.leave(one)
        self.crowd.leave(two)
        self.clock.advance(0.1)
        self.successResultOf(done)
