"""What is counted once for thousands is on each one's own tally when somebody asks."""

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from netkit.services.pubsub.broker import Broker
from netkit.services.pubsub.counters import Tally
from netkit.services.pubsub.interest import WEIGHT, Interest
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.policies import Policies, Policy
from tests.services.pubsub.ears import Ear
from tests.services.pubsub.test_broker import BrokerTestCase

_LONG = b"a." + b"x" * 300
_PATTERNS = (b"a", b"a.*", b"a.>", b"*.b", b">", _LONG)
_SUBJECTS = (b"a", b"a.b", b"c.b", _LONG)
_EARS = st.integers(0, 3)
_STEPS = st.one_of(
    st.tuples(
        st.just("subscribe"),
        _EARS,
        st.sampled_from(_PATTERNS),
        st.sampled_from((b"", b"", b"q")),
        st.sampled_from((None, None, 2)),
    ),
    st.tuples(st.just("unsubscribe"), st.integers(0, 9)),
    st.tuples(
        st.just("publish"),
        st.sampled_from(_SUBJECTS),
        st.lists(st.sampled_from((b"x", b"yy")), min_size=1, max_size=3),
        st.sampled_from((None, 0, 1)),
    ),
    st.tuples(st.just("exactly"), st.sampled_from(_PATTERNS), st.sampled_from((b"", b"q"))),
    st.tuples(st.just("ask")),
)


def _form(run: Published) -> bytes:
    return b"".join(payload + b" " for payload in run.payloads)


class _Leaving(Ear):
    def __init__(self, leave: Callable[[], object]) -> None:
        super().__init__()
        self._leave = leave

    def deliver(self, piece: bytes) -> None:
        self._leave()


class TallyTests(BrokerTestCase):
    def counted(self, ear: Ear) -> tuple[int, int]:
        """Return what is on the tally of `ear` once all is added up."""
        self.broker.add_up()
        return ear.tally.out_messages, ear.tally.out_bytes

    def test_added_up(self) -> None:
        """What went to several is on the tally of each, once, with the time of the last."""
        ears = self.ears(3)
        for ear in ears:
            self.subscribe(ear)
        self.broker.now = 5.0
        self.publish(b"one", b"three")
        for _ in range(2):
            self.assertEqual([self.counted(ear) for ear in ears], [(2, 8)] * 3)
        self.assertEqual(ears[0].tally.last, 5.0)

    def test_said_and_got(self) -> None:
        """A tally has what came and what went, and the time of the later."""
        tally = Tally(1.0, 1.0)
        tally.came(2, 20, 3.0)
        tally.went(1, 5, 2.0)
        self.assertEqual((tally.in_messages, tally.in_bytes, tally.last), (2, 20, 3.0))
        self.assertEqual((tally.out_messages, tally.out_bytes), (1, 5))

    def test_gone(self) -> None:
        """Who leaves has all on the tally, and nothing is kept of who has left."""
        stays, leaves = self.ears(2)
        self.subscribe(stays)
        for pattern, subject in ((b"a", b"a"), (b"a.>", _LONG)):
            subscription = self.subscribe(leaves, pattern)
            self.publish(b"1", subject=subject)
            self.broker.interest.remove(subscription)
        self.assertEqual(leaves.tally.out_messages, 2)
        self.assertNotIn(
            leaves,
            [
                to
                for matched in self.broker.interest.matched()
                for _, receivers in matched.by_form
                for to in receivers
            ],
        )

    def test_let_go_meanwhile(self) -> None:
        """Who is let go by what it gets takes nothing from the tallies of the others."""
        self.broker = Broker(policies=Policies([(b">", Policy.DROP_NEWEST)]))
        (stays,) = self.ears(1)
        self.subscribe(stays)
        slow = _Leaving(lambda: self.broker.interest.remove(leaving))
        leaving = self.subscribe(slow)
        self.publish(b"1")
        slow.behind = True
        self.publish(b"2")
        self.assertEqual(self.counted(stays), (2, 2))

    def test_forgotten_for_its_weight(self) -> None:
        """What is forgotten because too much is remembered is counted before."""
        (ear,) = self.ears(1)
        interest: Interest[Ear] = self.broker.interest  # type: ignore[assignment] # all here are ears
        self.subscribe(ear, b">")
        for number in range(WEIGHT // 50):
            self.publish(b"x", subject=b"a%d" % number)
        self.assertLess(interest.remembered, WEIGHT // 50)
        self.assertEqual(self.counted(ear), (WEIGHT // 50, WEIGHT // 50))

    @settings(deadline=None, max_examples=150)
    @given(st.lists(_STEPS, max_size=25))
    def test_whatever(self, steps: list[tuple[object, ...]]) -> None:
        """Whoever comes, goes and publishes: a tally has what its receiver has got."""
        self.setUp()
        ears = self.ears(4)
        there = []
        for step in steps:
            match step:
                case ("subscribe", int(who), bytes(pattern), bytes(queue), left):
                    assert left is None or isinstance(left, int)
                    there.append(
                        self.subscribe(ears[who], pattern, form=_form, queue=queue, left=left)
                    )
                case ("unsubscribe", int(index)) if index < len(there):
                    gone = there.pop(index)
                    if gone.left != 0:
                        self.broker.interest.remove(gone)
                case ("publish", bytes(subject), list(payloads), int() | None as besides):
                    self.broker.publish(
                        Published(subject, payloads), None if besides is None else ears[besides]
                    )
                case ("exactly", bytes(pattern), bytes(queue)):
                    run = Published(b"a.b", [b"zzz"])
                    matched = self.broker.interest.exactly(pattern, queue, run.subject)
                    self.broker.route(run, matched)
                case ("ask",):
                    self.broker.add_up()
            self.broker.settle()
        for ear in ears:
            got = b"".join(ear.heard).split()
            self.assertEqual(self.counted(ear), (len(got), sum(map(len, got))))
        self.assertEqual(
            sum(ear.tally.out_messages for ear in ears), self.broker.counters.out_messages
        )
