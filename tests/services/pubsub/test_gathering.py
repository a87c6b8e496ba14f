"""Pieces gather in their order, are shared, and are handed out before there are too many."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.gathering import CROWD, PIECES, Gathered
from tests.services.pubsub.ears import Ear


class GatheredTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Start with a crowd, and with nothing for it."""
        self.gathered = Gathered()
        self.crowd = tuple(Ear() for _ in range(CROWD))

    def test_at_once(self) -> None:
        """What one read has for a receiver it gets as one, at the end of the read."""
        one, two = self.crowd[:2]
        self.gathered.add(b"1", (one, two))
        self.gathered.add(b"2", (one,))
        self.assertEqual((one.heard, two.heard), ([], []))
        self.gathered.settle()
        self.gathered.settle()
        self.assertEqual((one.heard, two.heard), ([b"12"], [b"1"]))

    def test_shared(self) -> None:
        """Those who get the same pieces get the same bytes, in a crowd or not."""
        for receivers in (self.crowd, self.crowd[:3]):
            self.gathered.add(b"1", receivers)
            self.gathered.add(b"2", receivers)
            self.gathered.settle()
            pieces = [each.heard.pop() for each in receivers]
            self.assertEqual(pieces[0], b"12")
            self.assertEqual(len(set(map(id, pieces))), 1)

    def test_hand_out(self) -> None:
        """One receiver alone can be handed what there is for it; the others get theirs later."""
        self.gathered.add(b"1", self.crowd)
        self.gathered.hand_out(self.crowd[0])
        self.gathered.hand_out(self.crowd[0])
        self.assertEqual([each.heard for each in self.crowd[:2]], [[b"1"], []])
        self.gathered.settle()
        self.assertEqual([each.heard for each in self.crowd], [[b"1"]] * CROWD)

    def test_relief(self) -> None:
        """Nothing is handed out early while there is little, and all of it once there is much."""
        ears = self.crowd[:2]
        for _ in range(PIECES // 2):
            self.gathered.add(b"x", ears)
            self.gathered.relieve()
        self.assertEqual(ears[0].heard, [])
        self.gathered.add(b"x", ears)
        self.gathered.relieve()
        self.assertEqual([len(each.heard[0]) for each in ears], [PIECES // 2 + 1] * 2)

    @given(st.lists(st.tuples(st.integers(0, CROWD), st.integers(0, CROWD)), max_size=30))
    @settings(max_examples=60, deadline=None)
    def test_order(self, ranges: list[tuple[int, int]]) -> None:
        """Whoever the pieces are for, each receiver gets its own in the order in which they came."""
        self.setUp()
        wanted: list[bytes] = [b""] * CROWD
        for number, (first, last) in enumerate(ranges):
            piece = b"%d " % number
            self.gathered.add(piece, self.crowd[first:last])
            for index in range(first, last):
                wanted[index] += piece
        self.gathered.settle()
        self.assertEqual([b"".join(each.heard) for each in self.crowd], wanted)
