"""What waits is counted, dated and given back in order."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.backlog import MANY, Backlog


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


class SpareTests(SynchronousTestCase):
    def test_oldest_first(self) -> None:
        """What may be left out is, the oldest first, until there is room; nothing else is."""
        backlog = Backlog()
        backlog.add(b"x" * 5000, 0.0)
        for number in range(4):
            backlog.add_spare(b"%d" % number * 5000, 1.0, b"a", 2)
        backlog.add(b"y" * 5000, 2.0)
        backlog.make_room(20_000)
        self.assertEqual(backlog.size, 20_000)
        taken = backlog.take()[1]
        self.assertEqual(taken, b"x" * 5000 + b"2" * 5000 + b"3" * 5000 + b"y" * 5000)
        self.assertEqual(backlog.missed(), {b"a": 4})
        self.assertEqual(backlog.missed(), {})

    def test_no_room(self) -> None:
        """What must not be left out stays, whatever room there is."""
        backlog = Backlog()
        backlog.add(b"xy", 0.0)
        backlog.add_spare(b"z", 0.0, b"a", 1)
        backlog.make_room(0)
        self.assertEqual((backlog.size, backlog.take()), (2, (0.0, b"xy")))

    def test_many_subjects(self) -> None:
        """Of a hundred subjects it is known how much was missed of each, of more how much in all."""
        backlog = Backlog()
        for number in range(150):
            backlog.miss(b"%d" % number, 1)
        missed = backlog.missed()
        self.assertEqual((len(missed), missed[MANY], sum(missed.values())), (101, 50, 150))

    @settings(deadline=None, max_examples=100)
    @given(
        st.lists(
            st.tuples(st.sampled_from(["add", "spare", "take"]), st.integers(1, 9000)), max_size=60
        )
    )
    def test_nothing_is_lost_unsaid(self, steps: list[tuple[str, int]]) -> None:
        """However it goes, all that must come does, in order, and of the rest the number is right."""
        backlog = Backlog()
        must, may, taken = [], 0, b""
        for number, (step, size) in enumerate(steps):
            mark = b"%03d" % number
            if step == "add":
                backlog.add(b"M" + mark + b"." * size, 0.0)
                must.append(mark)
            elif step == "spare":
                backlog.make_room(20_000)
                backlog.add_spare(b"S" + mark + b"." * size, 0.0, b"a", 1)
                may += 1
            elif backlog.size:
                taken += backlog.take()[1]
        while backlog.size:
            taken += backlog.take()[1]
        self.assertEqual([word[:3] for word in taken.split(b"M")[1:]], must)
        self.assertEqual(taken.count(b"S") + sum(backlog.missed().values()), may)
        marks = [word[:3] for word in taken.replace(b"S", b"M").split(b"M")[1:]]
        self.assertEqual(marks, sorted(marks))
