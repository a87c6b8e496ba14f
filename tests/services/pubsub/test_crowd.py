"""The crowd counts its members and looks at them once a second."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.crowd import Crowd


class _Member:
    def __init__(self) -> None:
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


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
        seen: list[float] = []
        one, two = _Member(), _Member()
        self.crowd.watch(one, seen.append)
        self.crowd.watch(two, seen.append)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.clock.advance(1)
        self.assertEqual(seen, [1, 1])
        self.crowd.ignore(one)
        self.crowd.ignore(two)
        self.crowd.ignore(two)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_ignored_while_looked_at(self) -> None:
        """Who is looked at may leave, and others with it."""
        one = _Member()
        self.crowd.watch(one, lambda _: self.crowd.ignore(one))
        self.clock.advance(1)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_close(self) -> None:
        """Everybody is let go once."""
        one, two = _Member(), _Member()
        self.crowd.join(one)
        self.crowd.join(two)
        self.crowd.close()
        self.crowd.close()
        self.assertEqual((one.closed, two.closed, len(self.crowd)), (1, 1, 0))
