"""What the process costs."""

from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.monitor.process import Load, cores, memory


class ProcessTests(SynchronousTestCase):
    def test_here(self) -> None:
        """This process has memory and a processor."""
        self.assertGreater(cores(), 0)
        if Path("/proc/self/statm").exists():
            self.assertGreater(memory() or 0, 1_000_000)

    def test_no_such_file(self) -> None:
        """Where the system does not tell, or tells something else, nothing is said."""
        there = Path(self.mktemp())
        self.assertIsNone(memory(there))
        there.write_text("rubbish")
        self.assertIsNone(memory(there))
        there.write_text("1 x 2")
        self.assertIsNone(memory(there))

    def test_load(self) -> None:
        """The share since the last question, of which there is at most one a second that counts."""
        clock, used = Clock(), [5.0]
        load = Load(clock.seconds, lambda: used[0])
        self.assertIsNone(load.percent())
        clock.advance(2)
        used[0] += 1
        self.assertEqual(load.percent(), 50)
        used[0] += 1
        clock.advance(0.5)
        self.assertEqual(load.percent(), 50)
        clock.advance(0.5)
        self.assertEqual(load.percent(), 100)
