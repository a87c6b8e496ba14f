"""Figures that stay bounded."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.proxy.words.tally import Tally


class TallyTests(SynchronousTestCase):
    def test_most_common(self) -> None:
        """The most frequent come first, then those first in the alphabet."""
        tally = Tally(100)
        tally.add(["b", "a", "b", "c"], 10)
        tally.add(["c", "d"], 5)
        self.assertEqual(tally.most_common(3), [("b", 2), ("c", 2), ("a", 1)])
        self.assertEqual(tally.most_common(2, lambda word: word != "b"), [("c", 2), ("a", 1)])
        self.assertEqual((tally.words, tally.octets, len(tally)), (6, 15, 4))

    def test_room(self) -> None:
        """Where there are too many words, the rarest make room, of these the oldest."""
        tally = Tally(8)
        tally.add(["x", "x", "a", "b", "c", "d", "y", "y"], 0)
        tally.add(["e", "f"], 0)
        self.assertEqual(len(tally), 8)
        tally.add(["g"], 0)
        self.assertEqual(len(tally), 6)
        self.assertEqual(tally.forgotten, 3)
        kept = {word for word, _ in tally.most_common(100)}
        self.assertEqual(kept, {"x", "y", "d", "e", "f", "g"})

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.lists(st.sampled_from("abcdefghijklmnop"), max_size=20), max_size=20))
    def test_bounded(self, batches: list[list[str]]) -> None:
        """There are never more words than wanted, and no word has more than was seen."""
        tally, seen = Tally(5), Counter[str]()
        for batch in batches:
            tally.add(batch, 1)
            seen.update(batch)
            self.assertLessEqual(len(tally), 5)
        self.assertEqual(tally.words, seen.total())
        for word, count in tally.most_common(10):
            self.assertLessEqual(count, seen[word])

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.text(max_size=3), max_size=200), st.integers(1, 20))
    def test_as_a_counter(self, words: list[str], number: int) -> None:
        """While there is room, the figures are exact."""
        tally = Tally(1000)
        tally.add(words, 0)
        counts = sorted(Counter(words).items(), key=lambda pair: (-pair[1], pair[0]))
        found = tally.most_common(number)
        self.assertEqual([count for _, count in found], [count for _, count in counts[:number]])
