"""What the load programs report."""

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.figures import Counted
from benchmarks.load import counted
from benchmarks.processes import FailedError

REPORT = '{"seconds": 2.5, "count": 7, "bytes": 448, "errors": 1}\n'


class CountedTests(SynchronousTestCase):
    def test_the_last_line_counts(self) -> None:
        """Whatever a program says before, its last line is the report."""
        self.assertEqual(
            counted(f"Running 2s test\n{REPORT}"),
            Counted(seconds=2.5, count=7, bytes=448, errors=1),
        )

    def test_anything_else_is_a_failure(self) -> None:
        """A report that is not whole is never taken for a figure."""
        for output in ("", "{}\n", REPORT[:20], "[]\n", '{"seconds": 1, "other": 2}\n'):
            self.assertRaises(FailedError, counted, output)
