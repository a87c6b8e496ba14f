"""Of each subject the last messages are kept, within bounds, and what is gone is known."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.live.ring import Keeping, Rings
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.subjects import covers

_SUBJECTS = st.sampled_from([b"a", b"a.b", b"a.c", b"b"])
_RUNS = st.lists(st.tuples(_SUBJECTS, st.integers(1, 5)), max_size=12)
_PATTERNS = st.lists(st.sampled_from([b"a", b"a.*", b"a.>", b">", b"b"]), min_size=1, max_size=2)


def _filled(rings: Rings, runs: list[tuple[bytes, int]]) -> list[tuple[int, bytes, bytes]]:
    """Add runs; return the number, the subject and the payload of all their messages."""
    messages = []
    for subject, count in runs:
        first = rings.last + 1
        payloads = [b"%d" % number for number in range(first, first + count)]
        rings.add(Published(subject, payloads))
        messages += [(int(payload), subject, payload) for payload in payloads]
    return messages


def _later(rings: Rings, patterns: list[bytes], number: int) -> list[tuple[int, bytes, bytes]]:
    found = []
    for first, run in reversed(list(rings.later(patterns, number))):
        found += [(first + index, run.subject, each) for index, each in enumerate(run.payloads)]
    return found


class RingTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=200)
    @given(_RUNS, _PATTERNS, st.integers(0, 40), st.integers(1, 6))
    def test_the_last_of_each_subject(
        self, runs: list[tuple[bytes, int]], patterns: list[bytes], number: int, keep: int
    ) -> None:
        """Whoever comes back gets the last messages of each subject with their numbers, in order."""
        rings = Rings(Keeping(keep))
        messages = _filled(rings, runs)
        kept = [
            message
            for index, message in enumerate(messages)
            if sum(later[1] == message[1] for later in messages[index:]) <= keep
        ]
        wanted = [
            message
            for message in messages
            if message[0] > number and any(covers(each, message[1]) for each in patterns)
        ]
        found = _later(rings, patterns, number)
        self.assertEqual(found, [message for message in wanted if message in kept])
        self.assertEqual(rings.complete(patterns, number), found == wanted)

    @settings(deadline=None, max_examples=200)
    @given(_RUNS, st.integers(1, 3), st.integers(100, 4000), st.integers(0, 40))
    def test_bounds(
        self, runs: list[tuple[bytes, int]], subjects: int, size: int, number: int
    ) -> None:
        """There are never more subjects or bytes than may be, and who misses something is told."""
        rings = Rings(Keeping(5, subjects, size))
        messages = []
        for run in runs:
            messages += _filled(rings, [run])
            self.assertLessEqual(len(rings), subjects)
            self.assertLessEqual(rings.size, size)
        found = _later(rings, [b">"], number)
        self.assertEqual(found, [message for message in messages if message in found])
        if rings.complete([b">"], number):
            self.assertEqual(found, [message for message in messages if message[0] > number])

    def test_all_is_given_back(self) -> None:
        """What is dropped costs nothing any more."""
        rings = Rings(Keeping(100, 1000, 10_000))
        rings.add(Published(b"a", [b"x"] * 10))
        rings.add(Published(b"a", [bytes(20_000)]))
        self.assertEqual((rings.size, len(rings)), (0, 0))
        self.assertFalse(rings.complete([b"a"], 0))
        self.assertTrue(rings.complete([b"a"], rings.last))

    def test_none(self) -> None:
        """Where nothing is kept, messages are numbered all the same."""
        rings = Rings(Keeping(0), begun=7)
        rings.add(Published(b"a", [b"x", b"y"]))
        self.assertEqual((rings.last, rings.size), (9, 0))

    def test_unwanted_subjects(self) -> None:
        """Of a subject that nobody may have nothing is kept."""
        rings = Rings(Keeping(), wanted=lambda subject: subject == b"b")
        _filled(rings, [(b"a", 2), (b"b", 1)])
        self.assertEqual(_later(rings, [b">"], 0), [(3, b"b", b"3")])

    def test_nothing_of_a_run_but_its_messages(self) -> None:
        """What others keep with a run is not kept here."""
        run = Published(b"a", [b"x"])
        rings = Rings(Keeping())
        rings.add(run)
        run.frames = b"", [bytes(1000)]
        ((_, kept),) = rings.later([b"a"], 0)
        self.assertIsNone(kept.frames)

    def test_an_earlier_life(self) -> None:
        """Whoever comes back from before the start may have missed something."""
        rings = Rings(Keeping(), begun=1000)
        self.assertFalse(rings.complete([b"a"], 999))
        self.assertTrue(rings.complete([b"a"], 1000))
