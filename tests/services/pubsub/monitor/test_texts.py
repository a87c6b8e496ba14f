"""Times look as they do in Go."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.monitor.texts import duration, instant, nanoseconds, uptime


class TextTests(SynchronousTestCase):
    def test_uptime(self) -> None:
        """From the largest unit that there is down to seconds; never less than nothing."""
        for seconds, text in (
            (-1, "0s"),
            (0.9, "0s"),
            (63, "1m3s"),
            (3605, "1h0m5s"),
            (86_400, "1d0h0m0s"),
            (366 * 86_400 + 61, "1y1d0h1m1s"),
        ):
            self.assertEqual(uptime(seconds), text)

    def test_duration(self) -> None:
        """The unit in which there is a whole part, and no zeros at the end."""
        for seconds, text in (
            (0, "0s"),
            (0.000368, "368µs"),
            (0.001, "1ms"),
            (0.001010, "1.01ms"),
            (0.999999, "999.999ms"),
            (1, "1s"),
            (61.5, "61.5s"),
        ):
            self.assertEqual(duration(seconds), text)

    def test_instant(self) -> None:
        """RFC 3339, in UTC."""
        self.assertEqual(instant(0), "1970-01-01T00:00:00Z")
        self.assertEqual(instant(1.5), "1970-01-01T00:00:01.500000Z")

    def test_nanoseconds(self) -> None:
        """Whole ones."""
        self.assertEqual(nanoseconds(0.1), 100_000_000)
