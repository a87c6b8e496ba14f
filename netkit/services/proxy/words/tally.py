"""How often each word was seen, and how much was seen. Pure.

Rule: no more words are remembered than `at_most`. Where there are more, a quarter of them makes room: those
seen least, of these the oldest.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from enum import Enum
from heapq import nlargest


class Reason(Enum):
    """Why a document was left out, or the rest of it."""

    CODING = "coding"
    BUSY = "busy"
    LONG = "long"
    LATE = "late"
    CUT = "cut"
    MALFORMED = "malformed"


class Tally:
    """The figures.

    `documents` were counted, to their end or in part, and had `words` in `octets` of HTML. `left_out`
    were not counted at all, `in_part` not to their end. `forgotten` is how many words made room.
    """

    def __init__(self, at_most: int) -> None:
        self.documents = 0
        self.words = 0
        self.octets = 0
        self.forgotten = 0
        self.left_out: Counter[Reason] = Counter()
        self.in_part: Counter[Reason] = Counter()
        self._at_most = at_most
        self._counts: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._counts)

    def add(self, words: list[str], octets: int) -> None:
        """Count the words found in `octets` bytes more of a document."""
        self.octets += octets
        self.words += len(words)
        self._counts.update(words)
        if len(self._counts) > self._at_most:
            self._forget(len(self._counts) - (self._at_most - self._at_most // 4))

    def most_common(
        self, number: int, wanted: Callable[[str], bool] | None = None
    ) -> list[tuple[str, int]]:
        """Return the `number` words seen most, the most frequent first, then by the alphabet.

        `wanted` says which words may be among them.
        """
        counts: Iterable[tuple[str, int]] = self._counts.items()
        if wanted is not None:
            counts = (pair for pair in counts if wanted(pair[0]))
        least = nlargest(number, counts, key=lambda pair: pair[1])
        return sorted(least, key=lambda pair: (-pair[1], pair[0]))

    def _forget(self, number: int) -> None:
        """Forget `number` words."""
        least, leaving = self._least(number)
        kept: dict[str, int] = {}
        for word, count in self._counts.items():
            if count > least:
                kept[word] = count
            elif count == least and leaving:
                leaving -= 1
            elif count == least:
                kept[word] = count
        self._counts = Counter(kept)
        self.forgotten += number

    def _least(self, number: int) -> tuple[int, int]:
        """Return how often the word at place `number` from the end was seen, and how many words of
        that count are among those `number`.
        """
        for count, words in sorted(Counter(self._counts.values()).items()):
            if words >= number:
                return count, number
            number -= words
        return 0, 0
