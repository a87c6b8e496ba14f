"""What every test of an attack asserts at its end."""

import sys
from unittest import skipUnless

from twisted.trial.unittest import SynchronousTestCase

from tests.attacks.host import SERVICES, Door, Host


@skipUnless(sys.platform == "linux", "reads /proc")
class AttackTestCase(SynchronousTestCase):
    def assert_serves(self, host: Host, *doors: Door) -> None:
        """Every service serves an honest client at `doors`."""
        for service in SERVICES:
            for door in doors:
                self.assertTrue(host.serves(service, door), (service, door))

    def assert_quiet(self, host: Host, lines: int = 10_000) -> None:
        """The process ends as it should, having logged no traceback and at most so many `lines`."""
        self.assertIn(host.running.stop(), {0, -15})
        self.assertNotIn("Traceback", "\n".join(host.running.lines))
        self.assertLessEqual(len(host.running.lines), lines)
