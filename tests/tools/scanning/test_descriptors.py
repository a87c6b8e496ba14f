"""How many sockets may be open."""

import resource

from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.scanning.descriptors import SPARE, allowance

KIND = resource.RLIMIT_NOFILE


class AllowanceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.soft, self.hard = resource.getrlimit(KIND)
        self.addCleanup(lambda: resource.setrlimit(KIND, (self.soft, self.hard)))

    def test_enough(self) -> None:
        """What the limit leaves room for is allowed, and the limit left alone."""
        before = resource.getrlimit(KIND)
        self.assertEqual(allowance(5), 5)
        self.assertEqual(resource.getrlimit(KIND), before)

    def test_raised(self) -> None:
        """The soft limit is raised, no further than needed."""
        resource.setrlimit(KIND, (SPARE + 20, self.hard))
        self.assertEqual(allowance(60), 60)
        self.assertEqual(resource.getrlimit(KIND), (SPARE + 60, self.hard))

    def test_hard(self) -> None:
        """More than the hard limit is not to be had; one is the least."""
        most = self.hard if self.hard != resource.RLIM_INFINITY else 1_000_000
        if most < 1_000_000:
            self.assertEqual(allowance(2_000_000), most - SPARE)
        resource.setrlimit(KIND, (self.soft, self.hard))
