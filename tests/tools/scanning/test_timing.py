"""How long to wait, and how much to ask at once."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.scanning.timing import FEWEST, SHORTEST, Timer, Window


class TimerTests(SynchronousTestCase):
    def test_unknown(self) -> None:
        """A host that has never answered is waited for as long as allowed, both attempts together."""
        self.assertEqual([Timer(4.0).patience(1), Timer(4.0).patience(2)], [1.0, 3.0])
        self.assertEqual([Timer(0.3).patience(1) + Timer(0.3).patience(2)], [0.3])

    def test_first(self) -> None:
        """The first answer sets the timeout to three times itself (RFC 6298 2.2)."""
        timer = Timer(30.0)
        timer.sample(0.5)
        self.assertEqual((timer.patience(1), timer.patience(2)), (1.5, 3.0))

    def test_smoothed(self) -> None:
        """Further answers change it as RFC 6298 2.3 says."""
        timer = Timer(30.0)
        timer.sample(0.5)
        timer.sample(0.9)
        smoothed, variation = 0.5 + 0.4 / 8, 0.25 + (0.4 - 0.25) / 4
        self.assertAlmostEqual(timer.patience(1), smoothed + 4 * variation)

    @given(st.lists(st.floats(0, 100), max_size=20), st.floats(0.03, 600))
    def test_bounds(self, answers: list[float], longest: float) -> None:
        """Whatever the answers, two attempts wait no longer than allowed, and none for nothing."""
        timer = Timer(longest)
        for seconds in answers:
            timer.sample(seconds)
        waits = [timer.patience(1), timer.patience(2)]
        self.assertLessEqual(sum(waits), longest * 1.0001)
        self.assertGreaterEqual(min(waits), min(SHORTEST, longest / 3))


class WindowTests(SynchronousTestCase):
    def test_slow_start(self) -> None:
        """It doubles with a round trip, up to the most."""
        window = Window(4, 10)
        for _ in range(4):
            window.grow()
        self.assertEqual(window.size, 8)
        for _ in range(100):
            window.grow()
        self.assertEqual(window.size, 10)

    def test_loss(self) -> None:
        """A loss halves it, losses together once, and then it grows by one a round trip."""
        window = Window(100, 1000)
        window.cut(begun=1.0, now=2.0)
        window.cut(begun=1.5, now=2.1)
        self.assertEqual(window.size, 50)
        for _ in range(50):
            window.grow()
        self.assertEqual(window.size, 51)
        window.cut(begun=2.0, now=3.0)
        self.assertEqual(window.size, 25)

    def test_never_none(self) -> None:
        """However much is lost, some may be under way."""
        window = Window(8, 8)
        for now in range(20):
            window.cut(now, now)
        self.assertEqual(window.size, FEWEST)
        window.shrink(0)
        self.assertEqual(window.size, 1)
        Window(1, 1).cut(0, 0)
