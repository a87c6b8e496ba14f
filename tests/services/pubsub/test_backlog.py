"""What waits is counted, dated and given back in order."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.backlog import Backlog


class BacklogTests(SynchronousTestCase):
    def test_together(self) -> None:
        """Small pieces are taken together, dated by the first."""
        backlog = Backlog()
        backlog.add(b"one ", 1.0)
        backlog.add(b"two", 2.0)
        self.assertEqual(backlog.size, 7)
        self.assertEqual(backlog.take(), (1.0, b"one two"))
        self.assertEqual(backlog.size, 0)

    def test_chunks(self) -> None:
        """Much is taken 64 KiB at a time, each time with its own date."""
        backlog = Backlog()
        for second in range(4):
            backlog.add(b"x" * 40_000, float(second))
        self.assertEqual(backlog.take(), (0.0, b"x" * 80_000))
        self.assertEqual(backlog.size, 80_000)
        self.assertEqual(backlog.take(), (2.0, b"x" * 80_000))

    def test_piece_is_shared(self) -> None:
        """A piece that is taken alone is the piece that came."""
        backlog = Backlog()
        piece = b"x" * 100_000
        backlog.add(piece, 0.0)
        self.assertIs(backlog.take()[1], piece)

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.integers(1, 50_000)))
    def test_order(self, sizes: list[int]) -> None:
        """Everything comes out once and in order, in chunks of 64 KiB and one piece at most."""
        pieces = [bytes((number % 256,)) * size for number, size in enumerate(sizes)]
        backlog = Backlog()
        for number, piece in enumerate(pieces):
            backlog.add(piece, float(number))
        taken = []
        while backlog.size:
            taken.append(backlog.take())
        self.assertEqual(b"".join(chunk for _, chunk in taken), b"".join(pieces))
        self.assertTrue(all(len(chunk) < 65_536 + 50_000 for _, chunk in taken))
        dates = [since for since, _ in taken]
        self.assertEqual(dates, sorted(dates))
