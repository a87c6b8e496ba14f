"""What is counted often and told seldom."""

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.seldom import QUIET, Seldom


class SeldomTests(SynchronousTestCase):
    def test_once_a_minute(self) -> None:
        """The first time is told at once, the others as a sum."""
        clock = Clock()
        seldom = Seldom(clock)
        self.assertEqual([seldom.sum(), seldom.sum(), seldom.sum(3)], [1, 0, 0])
        clock.advance(QUIET - 1)
        self.assertEqual(seldom.sum(), 0)
        clock.advance(1)
        self.assertEqual([seldom.sum(), seldom.sum()], [6, 0])
