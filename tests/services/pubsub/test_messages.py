"""Runs of messages, and parts of them."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.messages import NO_HEADERS, Published


class PublishedTests(SynchronousTestCase):
    def test_part(self) -> None:
        """A part is a run of some of the messages, with everything else as it was."""
        run = Published(b"a", [b"1", b"2", b"3"], b"r", 0, b"7", "me")
        part = Published(b"a", [b"1", b"3"], b"r", 0, b"7", "me")
        self.assertEqual(run.part(slice(0, None, 2)), part)

    def test_bare(self) -> None:
        """Without header blocks there are the payloads behind them."""
        run = Published(b"a", [b"hh1", b"hh"], b"r", 2, b"", "me")
        bare = Published(b"a", [b"1", b""], b"r", NO_HEADERS, b"", "me")
        self.assertEqual(run.bare(), bare)
        self.assertIs(run.bare().bare().payloads[0], run.bare().payloads[0])

    def test_bare_already(self) -> None:
        """A run that has none stays what it is."""
        run = Published(b"a", [b"1"])
        self.assertIs(run.bare(), run)
