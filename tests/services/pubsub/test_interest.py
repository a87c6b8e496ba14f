"""Who gets what: the matching structure against a naive matcher, and what it remembers."""

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.interest import ENTRY, Group, Interest, Matched
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.subjects import is_pattern
from netkit.services.pubsub.subscriptions import Subscription
from tests.services.pubsub.test_subjects import naive

_PATTERNS = (
    st.lists(st.sampled_from([b"a", b"b", b"*", b">"]), min_size=1, max_size=4)
    .map(b".".join)
    .filter(is_pattern)
)
_SUBJECTS = st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=4).map(b".".join)
_QUEUES = st.sampled_from([b"", b"", b"q", b"r"])
_SUBSCRIBE = st.tuples(st.just("subscribe"), _PATTERNS, _QUEUES)
_LEAVE = st.tuples(st.just("leave"), st.integers(0, 100), st.none())
_MATCH = st.tuples(st.just("match"), _SUBJECTS, st.none())


def _one(run: Published) -> bytes:
    return run.subject


def _two(run: Published) -> bytes:
    return run.subject


def _found(matched: Matched[str]) -> Counter[str]:
    everyone = [to for _, receivers in matched.by_form for to in receivers]
    everyone += [one.to for one in matched.counted]
    return Counter(everyone + [one.to for group in matched.groups for one in group.members])


class MatchTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=150)
    @given(st.lists(_SUBSCRIBE | _LEAVE | _MATCH, max_size=40), st.sampled_from([0, 60, 500_000]))
    def test_as_naively(
        self, steps: list[tuple[str, bytes | int, bytes | None]], weight: int
    ) -> None:
        """However subscriptions come and go, a subject finds those that match one by one."""
        interest: Interest[str] = Interest(weight=weight)
        there: list[Subscription[str]] = []
        for number, (step, what, queue) in enumerate(steps):
            if isinstance(what, int):
                if there:
                    gone = there.pop(what % len(there))
                    last = (gone.pattern, gone.queue) not in {(o.pattern, o.queue) for o in there}
                    self.assertEqual(interest.remove(gone), last)
            elif step == "subscribe":
                first = (what, queue) not in {(one.pattern, one.queue) for one in there}
                new = Subscription(what, _one, str(number), queue or b"")
                there.append(new)
                self.assertEqual(interest.insert(new), first)
            else:
                wanted = [o for o in there if naive(o.pattern.split(b"."), what.split(b"."))]
                matched = interest.match(what)
                self.assertEqual(_found(matched), Counter(one.to for one in wanted))
                self.assertEqual(len(matched.groups), len({o.queue for o in wanted} - {b""}))
                self.assertEqual(bool(matched), bool(wanted))
            self.assertEqual(len(interest), len(there))
            self.assertCountEqual(interest.wanted(), {(one.pattern, one.queue) for one in there})
        for one in there:
            interest.remove(one)
        self.assertEqual((len(interest), list(interest.wanted())), (0, []))
        self.assertIsNone(interest._tree._root.tokens)
        self.assertIsNone(interest._tree._root.star)

    def test_forms(self) -> None:
        """Receivers that want the same form stand together, in the order of subscribing."""
        interest: Interest[str] = Interest()
        for number, form in enumerate((_one, _two, _one)):
            interest.insert(Subscription(b"a", form, str(number)))
        interest.insert(Subscription(b"*", _two, "wild"))
        self.assertCountEqual(
            interest.match(b"a").by_form, ((_one, ("0", "2")), (_two, ("wild", "1")))
        )

    def test_counted(self) -> None:
        """Subscriptions that end stand apart, as soon as it is said that they do."""
        interest: Interest[str] = Interest()
        one = Subscription(b"a", _one, "x")
        interest.insert(one)
        self.assertEqual(interest.match(b"a").by_form, ((_one, ("x",)),))
        one.left = 2
        interest.changed(one.pattern)
        self.assertEqual(interest.match(b"a").by_form, ())
        self.assertEqual(interest.match(b"a").counted, (one,))

    def test_barred(self) -> None:
        """A subject that a subscriber must not have does not find it."""
        interest: Interest[str] = Interest()
        interest.insert(Subscription(b"a.*", _one, "x", bars=lambda subject: subject == b"a.b"))
        self.assertFalse(interest.match(b"a.b"))
        self.assertTrue(interest.match(b"a.c"))

    def test_absent(self) -> None:
        """Removing what is not there is a mistake of the caller's, and is said."""
        interest: Interest[str] = Interest()
        interest.insert(Subscription(b"a", _one, "x"))
        interest.insert(Subscription(b"a.*", _one, "x"))
        for pattern in (b"a", b"b", b"a.*", b"b.*", b"a.>", b">"):
            with self.subTest(pattern), self.assertRaises(KeyError):
                interest.remove(Subscription(pattern, _one, "x"))
        self.assertEqual(len(interest), 2)

    def test_many_tokens(self) -> None:
        """Subjects of thousands of tokens are found like any other."""
        interest: Interest[str] = Interest()
        subject = b"a." * 2000 + b"a"
        interest.insert(Subscription(subject, _one, "x"))
        interest.insert(Subscription(b"a.>", _one, "y"))
        self.assertEqual(_found(interest.match(subject)), Counter("xy"))

    def test_not_a_subject(self) -> None:
        """A pattern that is published to is no more than the tokens it has."""
        interest: Interest[str] = Interest()
        interest.insert(Subscription(b"*.*", _one, "x"))
        self.assertEqual(_found(interest.match(b"*.>")), Counter("x"))


class RememberedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.interest: Interest[str] = Interest()
        self.interest.insert(Subscription(b"a.b", _one, "x"))

    def test_same(self) -> None:
        """What matched is remembered, nobody included."""
        for subject in (b"a.b", b"c"):
            self.assertIs(self.interest.match(subject), self.interest.match(subject))

    def test_only_what_changes(self) -> None:
        """A subscription makes those subjects be forgotten that it may match, and no others."""
        before = {subject: self.interest.match(subject) for subject in (b"a.b", b"a.c", b"b")}
        for pattern, stays in ((b"d", 3), (b"d.*", 3), (b"a.c", 2), (b"a.*", 1), (b"*", 0)):
            with self.subTest(pattern):
                self.interest.insert(Subscription(pattern, _one, "y"))
                kept = [self.interest._matched.get(s) is before[s] for s in before]
                self.assertEqual(sum(kept), stays)

    def test_weight(self) -> None:
        """What is remembered weighs no more than was allowed, and nothing when all is forgotten."""
        interest: Interest[str] = Interest(weight=10 * ENTRY)
        for number in range(20):
            interest.insert(Subscription(b">", _one, str(number)))
        for number in range(100):
            self.assertEqual(len(interest.match(b"a.%d" % number).by_form[0][1]), 20)
            self.assertLessEqual(interest.weight, 10 * ENTRY)
        interest.insert(Subscription(b">", _one, "last"))
        self.assertEqual((interest.weight, interest._weights), (0, {}))

    def test_storm(self) -> None:
        """Subscribing and leaving, ever again, leaves nothing behind."""
        for number in range(200):
            interest = Subscription((b"a.b", b"a.*", b"e.f")[number % 3], _one, "y")
            self.interest.insert(interest)
            self.interest.match(b"a.b")
            self.interest.remove(interest)
        self.assertEqual((self.interest.weight, self.interest._weights), (0, {}))

    def test_long(self) -> None:
        """A long subject is matched each time."""
        self.interest.match(b"a" * 1000)
        self.assertEqual(self.interest.weight, 0)


class GroupTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.members = tuple(Subscription(b"a", _one, name, b"q") for name in "xyz")

    def _shares(self, group: Group[str], messages: int, besides: str | None = None) -> list[str]:
        got = {}
        for member, which in group.shares(messages, besides):
            got.update(dict.fromkeys(range(messages)[which], member.to))
        return [got[message] for message in sorted(got)]

    def test_round(self) -> None:
        """Messages go round, one after the other, over runs of any length."""
        group = Group(self.members, 0)
        everyone = [to for messages in (1, 2, 5, 0, 4) for to in self._shares(group, messages)]
        self.assertEqual("".join(everyone), "xyzxyzxyzxyz")

    def test_start(self) -> None:
        """Who begins is for the caller to say, so that it need not always be the first."""
        interest: Interest[str] = Interest(start=lambda members: members - 1)
        for member in self.members:
            interest.insert(member)
        (group,) = interest.match(b"a").groups
        self.assertEqual(self._shares(group, 2), ["z", "x"])

    def test_besides(self) -> None:
        """A member that is to be left out gets nothing, the others everything."""
        group = Group(self.members, 0)
        self.assertEqual(self._shares(group, 4, self.members[1].to), ["x", "z", "x", "z"])
        self.assertEqual(Group(self.members[:1], 0).shares(3, self.members[0].to), [])

    def test_one_queue_over_patterns(self) -> None:
        """Of all subscriptions of a queue, to whatever patterns, one gets the message."""
        interest: Interest[str] = Interest()
        for pattern in (b"a", b"*", b">"):
            interest.insert(Subscription(pattern, _one, "x", b"q"))
        (group,) = interest.match(b"a").groups
        self.assertEqual(len(group.members), 3)
        self.assertEqual(len(group.shares(1)), 1)


class ExactlyTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=150)
    @given(st.lists(_SUBSCRIBE | _LEAVE, max_size=30))
    def test_as_naively(self, steps: list[tuple[str, bytes | int, bytes | None]]) -> None:
        """However subscriptions come and go, those of just one pattern and queue are found."""
        interest: Interest[str] = Interest()
        there: list[Subscription[str]] = []
        for number, (_, what, queue) in enumerate(steps):
            if isinstance(what, int):
                if there:
                    interest.remove(there.pop(what % len(there)))
            else:
                there.append(Subscription(what, _one, str(number), queue or b""))
                interest.insert(there[-1])
            for pattern, of in {(one.pattern, one.queue) for one in there} | {(b"a.*", b"")}:
                expected = Counter(
                    one.to for one in there if (one.pattern, one.queue) == (pattern, of)
                )
                matched = interest.exactly(pattern, of, b"x")
                self.assertEqual(_found(matched), expected)
                self.assertEqual(bool(matched.groups), bool(of and expected))

    def test_changed(self) -> None:
        """What is remembered ends as a subscription becomes one for so many messages."""
        interest: Interest[str] = Interest()
        one = Subscription(b"a", _one, "1")
        interest.insert(one)
        self.assertIs(interest.exactly(b"a", b"", b"a"), interest.exactly(b"a", b"", b"a"))
        one.left = 3
        interest.changed(b"a")
        self.assertEqual(interest.exactly(b"a", b"", b"a").counted, (one,))

    def test_barred(self) -> None:
        """Who must not have a subject is left out for that one."""
        interest: Interest[str] = Interest()
        interest.insert(Subscription(b"a.*", _one, "1", b"", lambda subject: subject == b"a.b"))
        self.assertFalse(interest.exactly(b"a.*", b"", b"a.b"))
        self.assertTrue(interest.exactly(b"a.*", b"", b"a.c"))

    def test_watcher(self) -> None:
        """A watcher is told of the first and the last of each pattern and queue."""
        told: list[tuple[str, bytes, bytes]] = []

        class Watching:
            def first(self, pattern: bytes, queue: bytes) -> None:
                told.append(("first", pattern, queue))

            def last(self, pattern: bytes, queue: bytes) -> None:
                told.append(("last", pattern, queue))

        interest: Interest[str] = Interest()
        interest.watcher = Watching()
        subscriptions = [Subscription(b"a.*", _one, "1", queue) for queue in (b"", b"", b"q")]
        for one in subscriptions:
            interest.insert(one)
        self.assertEqual(told, [("first", b"a.*", b""), ("first", b"a.*", b"q")])
        told.clear()
        for one in subscriptions:
            interest.remove(one)
        self.assertEqual(told, [("last", b"a.*", b""), ("last", b"a.*", b"q")])
