"""Coroutines run at once as far as they can."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.coroutines import start


async def sum_of(*waits: Deferred[int]) -> int:
    """Return the sum of what is waited for; one that is cancelled counts for nothing."""
    total = 0
    for each in waits:
        try:
            total += await each
        except KeyError:
            total += 100
    return total


class StartTests(SynchronousTestCase):
    def test_nothing_to_wait_for(self) -> None:
        """What is there already is returned, without a Deferred."""
        self.assertEqual(start(sum_of(succeed(1), fail(KeyError()))), 101)
        self.assertRaises(ValueError, start, sum_of(fail(ValueError())))

    def started(self, *waits: Deferred[int]) -> Deferred[int]:
        """Start a coroutine that has to wait."""
        waiting: Any = start(sum_of(*waits))
        assert isinstance(waiting, Deferred)
        return waiting

    def test_waits(self) -> None:
        """A coroutine that waits goes on with what comes, values and errors."""
        one, two, three = Deferred[int](), Deferred[int](), Deferred[int]()
        waiting = self.started(succeed(1), one, two, three)
        one.callback(2)
        two.errback(KeyError())
        self.assertNoResult(waiting)
        three.callback(3)
        self.assertEqual(self.successResultOf(waiting), 106)

    def test_fails_late(self) -> None:
        """What it raises after a wait is the Deferred's failure."""
        one = Deferred[int]()
        waiting = self.started(one)
        one.errback(ValueError())
        self.failureResultOf(waiting, ValueError)

    def test_cancelled(self) -> None:
        """Cancelling cancels what is waited for."""
        told: list[Any] = []
        one = Deferred[int](told.append)
        waiting = self.started(one)
        waiting.cancel()
        self.assertEqual(told, [one])
        self.failureResultOf(waiting, CancelledError)
