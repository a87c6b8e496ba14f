"""How long a server may take."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.http.clientlimits import ClientLimits
from netkit.http.patience import CLOSE_SECONDS, Doing, Patience

LIMITS = ClientLimits(header_timeout=10, read_timeout=20, write_timeout=30, idle_timeout=40)


class PatienceTests(SynchronousTestCase):
    def test_each(self) -> None:
        """Everything that a server has to do has its time, what others do has none."""
        for doing, seconds in (
            (Doing.HEAD, 10),
            (Doing.BODY, 20),
            (Doing.SENDING, 30),
            (Doing.REST, 40),
            (Doing.CLOSING, CLOSE_SECONDS),
            (Doing.OTHERS, 10**9),
        ):
            patience = Patience(0)
            self.assertFalse(patience.is_over(LIMITS, 100, (doing, 1, 0)))
            self.assertFalse(patience.is_over(LIMITS, 99 + seconds, (doing, 1, 0)))
            over = patience.is_over(LIMITS, 100 + seconds, (doing, 1, 0))
            self.assertEqual(over, doing is not Doing.OTHERS)

    def test_progress(self) -> None:
        """Whatever moves begins the time anew: another question, another thing to do, some bytes."""
        patience = Patience(0)
        for now, mark in (
            (9, (Doing.HEAD, 1, 0)),
            (18, (Doing.HEAD, 2, 0)),
            (27, (Doing.BODY, 2, 0)),
            (46, (Doing.BODY, 2, 1)),
        ):
            self.assertFalse(patience.is_over(LIMITS, now, mark))
        self.assertTrue(patience.is_over(LIMITS, 66, (Doing.BODY, 2, 1)))
