"""Of each subject the messages of one sid are taken."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.fabric.firsts import MOST, Firsts


class FirstsTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Start with two sids."""
        self.standing = {b"1", b"2"}
        self.firsts = Firsts(lambda sid: sid in self.standing)

    def test_one_sid(self) -> None:
        """The sid that comes first for a subject is the one, each time."""
        came = [(b"a", b"2"), (b"a", b"1"), (b"b", b"1"), (b"a", b"1"), (b"a", b"2"), (b"b", b"2")]
        first = [self.firsts.is_first(*each) for each in came]
        self.assertEqual(first, [True, False, True, False, True, False])

    def test_next_sid(self) -> None:
        """Once nothing comes any more for a sid, another one takes its place."""
        self.assertTrue(self.firsts.is_first(b"a", b"1"))
        self.standing.remove(b"1")
        self.assertTrue(self.firsts.is_first(b"a", b"2"))
        self.assertTrue(self.firsts.is_first(b"a", b"2"))
        self.firsts.clear()
        self.assertEqual(len(self.firsts), 0)

    def test_bounds(self) -> None:
        """Of so many subjects alone something is remembered, the ones that came last."""
        for number in range(MOST + 10):
            self.firsts.is_first(b"%d" % number, b"1")
        self.assertEqual(len(self.firsts), MOST)
        self.assertFalse(self.firsts.is_first(b"%d" % MOST, b"2"))
