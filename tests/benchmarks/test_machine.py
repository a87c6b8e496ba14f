"""Places and cores."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.machine import SERVERS, Place, free_ports, used

BEFORE = """\
cpu  0 0 0 0 0 0 0 0 0 0
cpu0 10 0 10 100 10 0 0 0 5 0
cpu1 0 0 0 0 0 0 0 0 0 0
intr 1
"""
AFTER = """\
cpu  0 0 0 0 0 0 0 0 0 0
cpu0 30 0 20 160 20 0 0 0 9 0
cpu1 0 0 0 0 0 0 0 0 0 0
intr 1
"""


class PlaceTests(SynchronousTestCase):
    PLACE = Place(Path("/scratch"), 1234, 5678)

    def test_names_are_filled_in(self) -> None:
        """A configuration says port, origin, folder and servers by name."""
        self.assertEqual(
            self.PLACE.fill("$port $origin ${folder}/x $servers"),
            f"1234 5678 /scratch/x {SERVERS}",
        )

    def test_other_names_stay(self) -> None:
        """A server's own variables are left to it."""
        self.assertEqual(self.PLACE.fill("$host $$"), "$host $")


class MachineTests(SynchronousTestCase):
    def test_share_of_a_core_in_use(self) -> None:
        """What was neither idle nor waiting for a disk was in use; guests count once."""
        self.assertAlmostEqual(used(BEFORE, AFTER, 0), 0.3)

    def test_no_time_passed(self) -> None:
        """Two looks in the same tick divide by nothing."""
        self.assertEqual(used(BEFORE, AFTER, 1), 1)

    def test_two_ports(self) -> None:
        """A server and what stands behind it do not get the same port."""
        one, other = free_ports()
        self.assertNotEqual(one, other)
