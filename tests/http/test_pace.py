"""Who is too slow has to go; who is waited for, or is slow but honest, stays."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.http.limits import Limits
from netkit.http.pace import Doing, Pace

LIMITS = Limits(header_timeout=10.0, keep_alive_timeout=20.0, least_rate=100, rate_window=5.0)


class Paces(SynchronousTestCase):
    """One connection, looked at once a second."""

    def setUp(self) -> None:
        self.pace = Pace(1000.0)

    def reason(
        self, after: float, doing: Doing, turn: int = 0, amount: int = 0, limits: Limits = LIMITS
    ) -> str:
        """Return why the connection has to end `after` so many seconds."""
        return self.pace.reason_to_go(limits, 1000.0 + after, doing, turn, amount)

    def test_rest(self) -> None:
        """A connection may rest for its time, from the moment that it was made."""
        self.assertEqual(self.reason(19.9, Doing.REST), "")
        self.assertEqual(self.reason(20, Doing.REST), "asked nothing more")

    def test_rest_for_ever(self) -> None:
        """With no limit to it, a connection rests for ever."""
        self.assertEqual(self.reason(1e9, Doing.REST, limits=Limits(keep_alive_timeout=0.0)), "")

    def test_next_turn(self) -> None:
        """Another request begins another time, even where nobody saw what was between."""
        self.assertEqual(self.reason(19, Doing.REST), "")
        self.assertEqual(self.reason(21, Doing.REST, turn=1), "")
        self.assertEqual(self.reason(40, Doing.REST, turn=1), "")
        self.assertNotEqual(self.reason(41, Doing.REST, turn=1), "")

    def test_head(self) -> None:
        """A header section has its time in all, whatever is trickled."""
        self.assertEqual(self.reason(1, Doing.HEAD), "")
        for second in range(2, 11):
            self.assertEqual(self.reason(second, Doing.HEAD, amount=second), "")
        self.assertEqual(self.reason(11, Doing.HEAD, amount=11), "did not finish its header")

    def test_rate(self) -> None:
        """A body or an answer may take for ever at the least rate, and no longer below it."""
        for doing, did in ((Doing.BODY, "sent"), (Doing.SENDING, "took")):
            self.pace = Pace(1000.0)
            self.assertEqual(self.reason(0, doing), "")
            for second in range(1, 61):
                self.assertEqual(self.reason(second, doing, amount=second * 100), "")
            self.assertEqual(self.reason(64.9, doing, amount=6000), "")
            why = self.reason(65, doing, amount=6499)
            self.assertEqual(why, f"{did} only 499 bytes in 5 s")

    def test_amount_that_shrinks(self) -> None:
        """Where more waits to be taken than before, nothing was taken."""
        self.reason(0, Doing.SENDING, amount=100)
        self.assertEqual(self.reason(5, Doing.SENDING, amount=50), "took only 0 bytes in 5 s")

    def test_answer(self) -> None:
        """Whoever waits for a handler waits as long as that takes."""
        self.assertEqual(self.reason(0, Doing.ANSWER), "")
        self.assertEqual(self.reason(1e9, Doing.ANSWER), "")
