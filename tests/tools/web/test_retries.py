"""What may be tried again, and when."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.http.asking import AskError, Problem
from netkit.http.messages import ResponseHead
from netkit.tools.web.retries import LONGEST_DELAY, LONGEST_WAIT, delay, may_follow, wait_for

NOW = 784111777.0  # Sun, 06 Nov 1994 08:49:37 GMT


def wait(status: int, after: str = "", method: bytes = b"GET") -> float | None:
    """Return the wait behind an answer, where chance adds nothing."""
    fields = ((b"Retry-After", after.encode()),) if after else ()
    return wait_for(ResponseHead(status=status, headers=fields), method, 1, NOW, 1.0)


class RetryTests(SynchronousTestCase):
    def test_delays(self) -> None:
        """Delays double up to a limit, and chance takes up to half of them away."""
        self.assertEqual([delay(n, 1.0) for n in (1, 2, 3, 4)], [1, 2, 4, 8])
        self.assertEqual(delay(1, 0.0), 0.5)
        self.assertEqual(delay(5000, 1.0), LONGEST_DELAY)

    def test_statuses(self) -> None:
        """What a server says of the moment may pass; what it says of the request does not."""
        for status in (408, 429, 500, 502, 503, 504):
            self.assertEqual(wait(status), 1.0)
        for status in (200, 301, 400, 401, 403, 404, 405, 410, 501, 505):
            self.assertIsNone(wait(status))

    def test_methods(self) -> None:
        """What may have been done is not asked for again."""
        self.assertIsNone(wait(503, method=b"POST"))
        self.assertIsNotNone(wait(503, method=b"PUT"))

    def test_retry_after(self) -> None:
        """The server says when, in seconds or as a date; for too long nobody waits."""
        self.assertEqual(wait(503, "7"), 7)
        self.assertEqual(wait(503, "0"), 1)
        self.assertEqual(wait(503, "Sun, 06 Nov 1994 08:49:57 GMT"), 20)
        self.assertEqual(wait(503, "Sun, 06 Nov 1994 08:00:00 GMT"), 1)
        self.assertEqual(wait(503, "soon"), 1)
        self.assertIsNone(wait(503, f"{LONGEST_WAIT + 1:.0f}"))
        self.assertIsNone(wait(503, "9" * 30))

    def test_errors(self) -> None:
        """After an error everything may follow of which the server saw nothing, or what is idempotent."""
        lost = AskError(Problem.CONNECTION_TERMINATED, "x")
        refused = AskError(Problem.CONNECTION_REFUSED, "x", untouched=True)
        self.assertTrue(may_follow(lost, b"GET"))
        self.assertFalse(may_follow(lost, b"POST"))
        self.assertTrue(may_follow(refused, b"POST"))
        certificate = AskError(Problem.TLS_CERTIFICATE_ERROR, "x", untouched=True)
        self.assertFalse(may_follow(certificate, b"GET"))
