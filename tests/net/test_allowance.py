"""How often peers may do something."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.net.allowance import Allowance


class Allowances(SynchronousTestCase):
    def test_burst_and_rate(self) -> None:
        """A peer has its burst at once, and then one as time goes by; others have theirs."""
        allowance = Allowance(3, 0.5)
        self.assertEqual([allowance.take("a", 10.0) for _ in range(5)], [True] * 3 + [False] * 2)
        self.assertTrue(allowance.take("b", 10.0))
        self.assertFalse(allowance.take("a", 11.9))
        self.assertTrue(allowance.take("a", 12.0))
        self.assertFalse(allowance.take("a", 12.0))
        self.assertEqual([allowance.take("a", 99.0) for _ in range(4)], [True] * 3 + [False])

    def test_given_back(self) -> None:
        """What is given back can be taken again, and no more than that."""
        allowance = Allowance(1, 0.1)
        self.assertTrue(allowance.take("a", 0.0))
        for _ in range(5):
            allowance.give_back("a", 0.0)
        self.assertEqual([allowance.take("a", 0.0) for _ in range(2)], [True, False])

    def test_bounded(self) -> None:
        """Of too many peers the one heard of longest ago is forgotten."""
        allowance = Allowance(1, 0.1, most=2)
        for who in "abc":
            self.assertTrue(allowance.take(who, 0.0))
        self.assertFalse(allowance.take("c", 0.0))
        self.assertFalse(allowance.take("b", 0.0))
        self.assertTrue(allowance.take("a", 0.0))
