"""What was published lately, so that whoever was away for a moment can catch up.

Every message has a number, which is greater than those of all before it, whatever their subjects. Of
each subject the last few are kept. Rule: what is kept is bounded in messages of a subject, in
subjects and in bytes; where one of these is reached, the oldest messages go. Pure.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence

from attrs import Factory, define, frozen

from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.subjects import covers

RUN_COST = 400
MESSAGE_COST = 60
"""What a run and a message cost beyond what they say, in bytes; about what Python takes."""


@frozen
class Keeping:
    """How much is kept: `messages` of a subject (0 for none), `subjects`, `size` bytes in all."""

    messages: int = 100
    subjects: int = 1000
    size: int = 8 * 1024 * 1024


@define
class _Ring:
    """The runs of one subject, each by the number of its last message; `lost` is the last one gone."""

    runs: deque[int] = Factory(deque)
    messages: int = 0
    lost: int = 0


class Rings:
    """Numbers messages from `begun` + 1 on, and keeps those whose subject `wanted` says so of."""

    def __init__(
        self, keeping: Keeping, begun: int = 0, wanted: Callable[[bytes], bool] = lambda _: True
    ) -> None:
        self.last = begun
        self._vanished = begun  # of what subjects that are forgotten have lost
        self._keeping = keeping
        self._wanted = wanted
        self._runs: OrderedDict[int, Published] = OrderedDict()
        self._rings: dict[bytes, _Ring] = {}
        self._size = 0

    def __len__(self) -> int:
        """Return how many subjects there are."""
        return len(self._rings)

    @property
    def size(self) -> int:
        """The bytes that are kept, and what they cost."""
        return self._size

    def add(self, run: Published) -> None:
        """Number the messages of `run`; the last one's number is `last` now."""
        self.last += len(run.payloads)
        most = self._keeping.messages
        if not most or not self._wanted(run.subject):
            return
        ring = self._rings.get(run.subject)
        if ring is None:
            ring = self._rings[run.subject] = _Ring()
        self._keep(ring, run.part(slice(-most, None)))  # a copy, as others keep things with a run
        while ring.messages > most:
            self._shorten(ring, ring.messages - most)
        if len(run.payloads) > most:
            ring.lost = self.last - most
        while self._size > self._keeping.size or len(self._rings) > self._keeping.subjects:
            self._drop_oldest()

    def later(self, patterns: Sequence[bytes], number: int) -> Iterator[tuple[int, Published]]:
        """Yield what is kept of the subjects in `patterns` with a greater number, the latest first.

        Each run comes with the number of its first message. Nothing may be added meanwhile.
        """
        matching = _Matching(patterns)
        for last, run in reversed(self._runs.items()):
            if last <= number:
                return
            if matching(run.subject):
                first = last - len(run.payloads) + 1
                if first > number:
                    yield first, run
                else:
                    yield number + 1, run.part(slice(number + 1 - first, None))

    def complete(self, patterns: Sequence[bytes], number: int) -> bool:
        """Return whether nothing is gone, for all we know, of what `later` would yield."""
        matching = _Matching(patterns)
        return number >= self._vanished and all(
            ring.lost <= number for subject, ring in self._rings.items() if matching(subject)
        )

    def _keep(self, ring: _Ring, run: Published) -> None:
        ring.runs.append(self.last)
        ring.messages += len(run.payloads)
        self._runs[self.last] = run
        self._size += _cost(run)

    def _shorten(self, ring: _Ring, excess: int) -> None:
        """Take the oldest run from `ring`, or what is too much of it."""
        last = ring.runs[0]
        run = self._runs[last]
        there = len(run.payloads)
        self._size -= _cost(run)
        if there <= excess:
            ring.runs.popleft()
            del self._runs[last]
            ring.messages -= there
            ring.lost = last
        else:
            rest = self._runs[last] = run.part(slice(excess, None))
            self._size += _cost(rest)
            ring.messages -= excess
            ring.lost = last - there + excess

    def _drop_oldest(self) -> None:
        last, run = self._runs.popitem(last=False)
        self._size -= _cost(run)
        ring = self._rings[run.subject]
        ring.runs.popleft()
        ring.messages -= len(run.payloads)
        ring.lost = last
        if not ring.runs:
            del self._rings[run.subject]
            self._vanished = max(self._vanished, last)


class _Matching:
    """Says of a subject whether one of the patterns matches it, and looks at each subject once."""

    def __init__(self, patterns: Sequence[bytes]) -> None:
        self._patterns = patterns
        self._known: dict[bytes, bool] = {}

    def __call__(self, subject: bytes) -> bool:
        known = self._known.get(subject)
        if known is None:
            known = any(covers(pattern, subject) for pattern in self._patterns)
            self._known[subject] = known
        return known


def _cost(run: Published) -> int:
    said = len(run.subject) + len(run.reply) + sum(map(len, run.payloads))
    return said + RUN_COST + MESSAGE_COST * len(run.payloads)
