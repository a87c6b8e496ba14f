"""A memory that is bounded, and compares nothing."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.proxy.recent import REMEMBERED, REMEMBERED_BYTES, Recent


class RecentTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Remember nothing yet."""
        self.recent: Recent[list[int], str] = Recent()

    def test_the_same(self) -> None:
        """What was worked out from a thing is found by it, and not by its equal."""
        source = [1]
        self.recent.keep(source, "one", 1)
        self.assertEqual("one", self.recent.get(source))
        self.assertIsNone(self.recent.get([1]))

    def test_never_another(self) -> None:
        """A thing that is gone for its owner is not taken for one that comes later."""
        self.recent.keep([1], "one", 1)
        self.assertEqual([None] * 100, [self.recent.get([each]) for each in range(100)])

    def test_bounded(self) -> None:
        """It forgets everything when it is full, and keeps nothing that is long."""
        for number in range(REMEMBERED + 1):
            self.recent.keep([number], "x", 1)
        self.assertEqual(1, len(self.recent))
        self.recent.keep([0], "long", REMEMBERED_BYTES + 1)
        self.assertEqual(1, len(self.recent))
        self.recent.forget()
        self.assertEqual(0, len(self.recent))
