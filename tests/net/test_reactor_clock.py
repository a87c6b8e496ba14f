"""The reactor's time is not the wall clock's, which an operator or NTP may step."""

from time import CLOCK_MONOTONIC, clock_gettime

from twisted.trial.unittest import SynchronousTestCase

from netkit.net.reactor import EagerReactor


class ClockTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Make a reactor beside the one that runs the tests."""
        self.reactor = EagerReactor()
        self.addCleanup(self.reactor._poller.close)
        assert self.reactor.waker is not None
        self.addCleanup(self.reactor.waker.connectionLost, None)

    def test_monotonic(self) -> None:
        """The reactor's seconds are those of the kernel's clock that is never set."""
        before = clock_gettime(CLOCK_MONOTONIC)
        now = self.reactor.seconds()
        self.assertTrue(before <= now <= clock_gettime(CLOCK_MONOTONIC))

    def test_timed_calls(self) -> None:
        """A timed call is due by those seconds, whatever else they do: not before, and then at once."""
        called: list[str] = []
        now = 100.0
        self.reactor.seconds = lambda: now
        call = self.reactor.callLater(5, called.append, "now")
        self.assertEqual(call.getTime(), 105.0)
        now = 104.9
        self.reactor.runUntilCurrent()
        self.assertEqual(called, [])
        now = 105.0
        self.reactor.runUntilCurrent()
        self.assertEqual(called, ["now"])
