"""Medians, ratios, and how figures are written."""

from hypothesis import given, settings, strategies
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.figures import (
    BYTES_PER_SECOND,
    MEMORY,
    PER_SECOND,
    PROCESSOR,
    Counted,
    Run,
    middle,
    ratios,
    shown,
)
from tests.benchmarks.runs import run_of


class FigureTests(SynchronousTestCase):
    RUN = Run(Counted(seconds=2, count=10, bytes=4_000_000_000, memory=99), processor=3, elapsed=2)

    def test_rates_are_of_a_second(self) -> None:
        """Counts and bytes are divided by the seconds they took."""
        self.assertEqual(PER_SECOND.of(self.RUN), 5)
        self.assertEqual(BYTES_PER_SECOND.of(self.RUN), 2e9)

    def test_processor_time_is_of_a_gigabyte(self) -> None:
        """Processor time is divided by the bytes that moved, in gigabytes."""
        self.assertEqual(PROCESSOR.of(self.RUN), 0.75)

    def test_no_bytes_have_no_processor_time(self) -> None:
        """A run that moved nothing has a figure all the same."""
        self.assertEqual(PROCESSOR.of(run_of(0)), 0)

    def test_memory_is_what_the_load_found(self) -> None:
        """Memory is of a connection already."""
        self.assertEqual(MEMORY.of(self.RUN), 99)

    def test_share_is_of_a_core(self) -> None:
        """A server that used three seconds in two had a core and a half."""
        self.assertEqual(self.RUN.share, 1.5)


class MiddleTests(SynchronousTestCase):
    def test_median_is_in_the_middle(self) -> None:
        """One run that went astray does not move the figure."""
        self.assertEqual(middle(PER_SECOND, [run_of(10), run_of(9999), run_of(12)]), 12)

    def test_ratios_are_made_round_by_round(self) -> None:
        """Each of ours stands over theirs of the same round, and the lowest ratio is first."""
        ours = [run_of(30), run_of(10), run_of(20)]
        theirs = [run_of(10), run_of(10), run_of(10)]
        self.assertEqual(ratios(PER_SECOND, ours, theirs), [1, 2, 3])

    def test_nothing_is_divided_by_nothing(self) -> None:
        """A round in which the peer did nothing has no ratio."""
        self.assertEqual(ratios(PER_SECOND, [run_of(5), run_of(6)], [run_of(0), run_of(3)]), [2])


class ShownTests(SynchronousTestCase):
    def test_three_digits_and_a_prefix(self) -> None:
        """Figures are written as people say them."""
        for value, unit, text in (
            (166_400, "/s", "166 k/s"),
            (4.104e9, "B/s", "4.1 GB/s"),
            (10_123_456, "/s", "10.1 M/s"),
            (0.784, "s/GB", "0.78 s/GB"),
            (265, "B", "265 B"),
            (999_900, "/s", "1 M/s"),
            (0, "/s", "0 /s"),
        ):
            self.assertEqual(shown(value, unit), text)

    @settings(deadline=None, max_examples=50)
    @given(strategies.floats(min_value=0.1, max_value=9e11))
    def test_never_in_powers_of_ten(self, value: float) -> None:
        """No figure that a machine can reach is written with an exponent."""
        self.assertNotIn("e", shown(value, "/s"))
