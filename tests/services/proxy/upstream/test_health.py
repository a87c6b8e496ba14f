"""A server's health: down when it fails too often, back by checks or after a while, slowly."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.proxy.upstream.health import Health, State, Terms

PASSIVE = Terms(max_fails=3, fail_timeout=10)
CHECKED = Terms(max_fails=3, fail_timeout=10, checked=True, rise=2, fall=3)


class Passive(SynchronousTestCase):
    """Without checks, requests alone tell."""

    def test_down(self) -> None:
        """Three failures within the time put a server down, and two do not."""
        health = Health(PASSIVE)
        self.assertEqual([health.failed(each) for each in (0, 5, 10)], [False, False, True])
        self.assertIs(health.state, State.DOWN)
        self.assertEqual(health.fails, 3)

    def test_seldom(self) -> None:
        """Failures that are further apart do not."""
        health = Health(PASSIVE)
        self.assertFalse(any(health.failed(each * 6) for each in range(10)))
        self.assertIs(health.state, State.UP)

    def test_last(self) -> None:
        """The last server that is fit does not go down, but with the next failure once there are others."""
        health = Health(PASSIVE)
        self.assertFalse(any(health.failed(0, last=True) for _ in range(10)))
        self.assertIs(health.state, State.UP)
        self.assertTrue(health.failed(1))

    def test_never(self) -> None:
        """With max_fails of 0 no failure does."""
        health = Health(Terms(max_fails=0))
        self.assertFalse(any(health.failed(0) for _ in range(10)))
        self.assertEqual(health.fails, 0)

    def test_tried(self) -> None:
        """After the time a server is tried; one failure puts it down again, one answer brings it back."""
        health = Health(Terms(max_fails=1, fail_timeout=10))
        health.failed(0)
        self.assertFalse(health.look(9.9))
        self.assertTrue(health.look(10))
        self.assertIs(health.state, State.TRYING)
        self.assertTrue(health.failed(11))
        self.assertFalse(health.look(20))
        self.assertTrue(health.look(21))
        self.assertTrue(health.answered(22))
        self.assertIs(health.state, State.UP)
        self.assertEqual(health.fails, 0)
        self.assertFalse(health.answered(22))

    def test_late_news(self) -> None:
        """What a server that is down still answers or fails changes nothing."""
        health = Health(Terms(max_fails=1, fail_timeout=10))
        health.failed(0)
        self.assertFalse(health.failed(9))
        self.assertFalse(health.answered(9))
        self.assertTrue(health.look(10))


class Checked(SynchronousTestCase):
    """With checks."""

    def test_fall_and_rise(self) -> None:
        """So many checks in a row that went ill put a server down, so many that went well bring it back."""
        health = Health(CHECKED)
        outcomes = [health.checked(0, well=False) for _ in range(3)]
        self.assertEqual(outcomes, [False, False, True])
        self.assertIs(health.state, State.DOWN)
        self.assertFalse(health.look(1000))
        self.assertEqual([health.checked(0, well=True) for _ in range(2)], [False, True])
        self.assertIs(health.state, State.UP)

    def test_in_a_row(self) -> None:
        """One check that goes otherwise begins the count anew."""
        health = Health(CHECKED)
        for well in (False, False, True, False, False):
            self.assertFalse(health.checked(0, well=well))
        self.assertTrue(health.checked(0, well=False))
        for well in (True, False, True):
            self.assertFalse(health.checked(0, well=well))
        self.assertTrue(health.checked(0, well=True))

    def test_requests_too(self) -> None:
        """Requests that fail put it down as well, and it comes back by checks made after that."""
        health = Health(CHECKED)
        for _ in range(5):
            health.checked(0, well=True)
        self.assertEqual([health.failed(1) for _ in range(3)], [False, False, True])
        self.assertEqual([health.checked(2, well=True) for _ in range(2)], [False, True])

    @given(st.lists(st.sampled_from(["well", "ill", "failed", "answered", "look"]), max_size=60))
    @settings(deadline=None, max_examples=80)
    def test_changes(self, events: list[str]) -> None:
        """Whatever happens, what says that it changed the state did, and nothing else does."""
        for terms in (PASSIVE, CHECKED, Terms(max_fails=1, slow_start=5)):
            health = Health(terms)
            for now, event in enumerate(events):
                before = health.state
                steps = {
                    "well": lambda: health.checked(now, well=True),  # noqa: B023 (called here)
                    "ill": lambda: health.checked(now, well=False),  # noqa: B023
                    "failed": lambda: health.failed(now),  # noqa: B023
                    "answered": lambda: health.answered(now),  # noqa: B023
                    "look": lambda: health.look(now),  # noqa: B023
                }
                self.assertEqual(steps[event](), health.state is not before)
                self.assertTrue(0 < health.share(now) <= 1)
                self.assertLessEqual(health.fails, terms.max_fails)


class SlowStart(SynchronousTestCase):
    def test_grows(self) -> None:
        """What comes back has a small share that grows to the whole; what was never down has the whole."""
        health = Health(Terms(max_fails=1, fail_timeout=1, slow_start=10))
        self.assertEqual(health.share(0), 1)
        health.failed(0)
        health.look(1)
        health.answered(1)
        self.assertEqual([health.share(each) for each in (1, 6, 11)], [0.01, 0.5, 1])
        self.assertEqual(health.share(1), 1)
