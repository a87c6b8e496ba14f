"""The broker gives everyone what they want, in order, once written and shared."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.broker import Broker
from netkit.services.pubsub.gathering import CROWD, PIECES, Receiver
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats.writing import nobody
from netkit.services.pubsub.policies import Policies, Policy
from netkit.services.pubsub.subscriptions import Form, Subscription
from tests.services.pubsub.ears import Ear


def _plain(run: Published) -> bytes:
    return b"".join(b"%b=%b " % (run.subject, payload) for payload in run.payloads)


def _loud(run: Published) -> bytes:
    return _plain(run).upper()


class BrokerTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        """Start with nobody."""
        self.broker = Broker()

    def ears(self, count: int) -> list[Ear]:
        """Return so many receivers."""
        return [Ear() for _ in range(count)]

    def subscribe(
        self,
        to: Ear,
        pattern: bytes = b"a",
        *,
        form: Form = _plain,
        queue: bytes = b"",
        left: int | None = None,
    ) -> Subscription[Receiver]:
        """Subscribe."""
        subscription: Subscription[Receiver] = Subscription(pattern, form, to, queue, None, left)
        self.broker.interest.insert(subscription)
        return subscription

    def publish(self, *payloads: bytes, subject: bytes = b"a", besides: Ear | None = None) -> bool:
        """Publish a run of its own."""
        return self.broker.publish(Published(subject, list(payloads)), besides)


class EveryoneTests(BrokerTestCase):
    def test_everyone_shares_one_piece(self) -> None:
        """A run is one piece of bytes, the same one for everybody who wants it so."""
        ears = self.ears(3)
        for ear in ears:
            self.subscribe(ear)
        self.publish(b"1", b"2")
        self.broker.settle()
        self.assertEqual([ear.heard for ear in ears], [[b"a=1 a=2 "]] * 3)
        self.assertIs(ears[0].heard[0], ears[2].heard[0])

    def test_witnesses(self) -> None:
        """A witness is told of every run, before it is written, and counts as nobody."""
        seen: list[bytes] = []
        self.broker.witnesses.append(lambda run: seen.extend(run.payloads))
        self.assertFalse(self.publish(b"1", b"2"))
        (ear,) = self.ears(1)
        self.subscribe(ear, form=lambda run: b"%d" % len(seen))
        self.assertTrue(self.publish(b"3"))
        self.broker.settle()
        self.assertEqual((seen, ear.heard), ([b"1", b"2", b"3"], [b"3"]))

    def test_forms(self) -> None:
        """Each gets the form it asked for, and each form is written once."""
        written = []

        def counted(run: Published) -> bytes:
            written.append(run)
            return _plain(run)

        loud, one, two = self.ears(3)
        self.subscribe(loud, form=_loud)
        self.subscribe(one, form=counted)
        self.subscribe(two, form=counted)
        self.publish(b"x")
        self.broker.settle()
        self.assertEqual((loud.heard, one.heard, two.heard), ([b"A=X "], [b"a=x "], [b"a=x "]))
        self.assertEqual(len(written), 1)

    def test_one_delivery_a_read(self) -> None:
        """What one read brings comes as one piece, which those share who want the same."""
        one, two, three = self.ears(3)
        for ear in (one, two):
            self.subscribe(ear, b">")
        self.subscribe(three, b"b")
        for subject in (b"a", b"b", b"a"):
            self.publish(b"x", subject=subject)
        self.assertEqual(one.heard, [])
        self.broker.settle()
        self.assertEqual((one.heard, three.heard), ([b"a=x b=x a=x "], [b"b=x "]))
        self.assertIs(one.heard[0], two.heard[0])
        self.broker.settle()
        self.assertEqual(len(one.heard), 1)

    def test_crowd(self) -> None:
        """What comes in a row for the same crowd is joined once, whoever else wants some of it."""
        crowd, (other,) = self.ears(CROWD), self.ears(1)
        for ear in crowd:
            self.subscribe(ear, b">")
        self.subscribe(other, b"b")
        for subject in (b"a", b"a", b"b", b"a", b"c"):
            self.publish(b"x", subject=subject)
        self.assertLessEqual(max(len(ear.pieces) for ear in crowd), 2)
        self.broker.settle()
        for ear in crowd:
            self.assertEqual(ear.heard, [b"a=x a=x b=x a=x c=x "])
            self.assertIs(ear.heard[0], crowd[0].heard[0])
        self.assertEqual(other.heard, [b"b=x "])

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.sampled_from((b"a", b"b", b"c", b"PONG", b"settle")), max_size=30))
    def test_order(self, happens: list[bytes]) -> None:
        """Everybody gets what they want in the order in which it was said, however it is gathered."""
        self.broker = Broker()
        patterns = [b">"] * CROWD + [b"a"] * (CROWD + 1) + [b"b", b"c"]
        ears = self.ears(len(patterns))
        for ear, pattern in zip(ears, patterns, strict=True):
            self.subscribe(ear, pattern)
        self.subscribe(ears[0], b"b", form=_loud)
        expected = [b""] * len(ears)
        for number, what in enumerate(happens):
            if what == b"settle":
                self.broker.settle()
            elif what == b"PONG":
                self.broker.give(b"PONG ", ears[0])
                expected[0] += b"PONG "
            else:
                self.publish(b"%d" % number, subject=what)
                for index, pattern in enumerate(patterns):
                    expected[index] += b"%b=%d " % (what, number) * (pattern in (b">", what))
                expected[0] += b"B=%d " % number * (what == b"b")
        self.broker.settle()
        heard = [b"".join(ear.heard) for ear in ears]
        self.assertEqual(*([sorted(each.split()) for each in said] for said in (heard, expected)))
        self.assertEqual(heard[1:], expected[1:])

    def test_bounds(self) -> None:
        """One read of a great many runs for a great many receivers has few pieces wait at a time."""
        ears = self.ears(100)
        for ear in ears:
            self.subscribe(ear, b">", form=lambda run: b"%b " % run.subject)
        most = 0
        for number in range(3000):
            self.publish(b"", subject=b"%d" % number)
            if not number % 50:
                most = max(most, sum(len(ear.pieces) for ear in ears))
        self.broker.settle()
        said = b"".join(b"%d " % number for number in range(3000))
        self.assertEqual({b"".join(ear.heard) for ear in ears}, {said})
        self.assertLessEqual(most, PIECES + len(ears))
        self.assertLessEqual(len(ears[0].heard), 1 + 3000 * len(ears) // PIECES)

    def test_nobody(self) -> None:
        """What nobody wants is not even written, and whoever asks is told so."""
        one = Ear()
        self.broker.interest.remove(self.subscribe(one))
        self.assertFalse(self.publish(b"x"))
        self.broker.settle()
        self.assertEqual(one.heard, [])

    def test_no_echo(self) -> None:
        """Who does not want to hear itself does not, in whichever way it has subscribed."""
        one, two = self.ears(2)
        self.subscribe(one)
        self.subscribe(one, left=5)
        self.subscribe(one, queue=b"q")
        self.assertFalse(self.publish(b"x", besides=one))
        self.subscribe(two)
        self.assertTrue(self.publish(b"y", besides=one))
        self.broker.settle()
        self.assertEqual((one.heard, two.heard), ([], [b"a=y "]))

    def test_own_words(self) -> None:
        """What the broker says to one client stands where it was said between messages."""
        one = Ear()
        self.subscribe(one)
        self.publish(b"1")
        self.broker.give(b"PONG ", one)
        self.publish(b"2")
        self.broker.settle()
        self.assertEqual(one.heard, [b"a=1 PONG a=2 "])

    def test_counters(self) -> None:
        """Messages and bytes are counted as they come and as they go."""
        for ear in self.ears(3):
            self.subscribe(ear)
        self.subscribe(Ear(), queue=b"q")
        self.subscribe(Ear(), left=1)
        self.publish(b"123", b"4567")
        figures = self.broker.counters.figures(connections=5, subscriptions=5)
        self.assertEqual((figures.in_messages, figures.in_bytes), (2, 7))
        self.assertEqual((figures.out_messages, figures.out_bytes), (2 * 4 + 1, 7 * 4 + 3))


class CountedTests(BrokerTestCase):
    def test_so_many(self) -> None:
        """A subscription for so many messages gets these and ends, in the midst of a run too."""
        one, two = self.ears(2)
        subscription = self.subscribe(one, left=3)
        self.subscribe(two)
        self.publish(b"1", b"2")
        self.publish(b"3", b"4")
        self.publish(b"5")
        self.broker.settle()
        self.assertEqual((one.heard, one.over), ([b"a=1 a=2 a=3 "], [subscription]))
        self.assertEqual(two.heard, [b"a=1 a=2 a=3 a=4 a=5 "])
        self.assertEqual(len(self.broker.interest), 1)

    @settings(deadline=None, max_examples=100)
    @given(
        st.lists(st.none() | st.integers(1, 5), min_size=1, max_size=4),
        st.lists(st.integers(1, 6), max_size=5),
    )
    def test_in_a_group(self, members: list[int | None], runs: list[int]) -> None:
        """Each message goes to one member, and to none beyond what it is for."""
        self.broker = Broker()
        ears = self.ears(len(members))
        for ear, left in zip(ears, members, strict=True):
            self.subscribe(ear, queue=b"q", left=left)
        number = 0
        for count in runs:
            self.publish(*(b"%d" % (number + index) for index in range(count)))
            number += count
        self.broker.settle()
        heard = [b"".join(ear.heard).split() for ear in ears]
        for got, left in zip(heard, members, strict=True):
            self.assertEqual(got, sorted(got, key=lambda word: int(word[2:])))
            self.assertLessEqual(len(got), number if left is None else left)
        room = number if None in members else sum(filter(None, members))
        expected = [b"a=%d" % index for index in range(min(room, number))]
        together = sorted((word for got in heard for word in got), key=lambda word: int(word[2:]))
        self.assertEqual(together, expected)


class GroupTests(BrokerTestCase):
    def test_round(self) -> None:
        """Of a group each message goes to one member; who is in none gets them all."""
        one, two, all_ = self.ears(3)
        self.subscribe(one, queue=b"q")
        self.subscribe(two, queue=b"q")
        self.subscribe(all_)
        self.publish(b"1", b"2", b"3")
        self.broker.settle()
        self.assertEqual((one.heard, two.heard), ([b"a=1 a=3 "], [b"a=2 "]))
        self.assertEqual(all_.heard, [b"a=1 a=2 a=3 "])

    def test_two_groups(self) -> None:
        """Every group gets every message."""
        one, two = self.ears(2)
        self.subscribe(one, queue=b"q")
        self.subscribe(two, queue=b"r")
        self.publish(b"1")
        self.broker.settle()
        self.assertEqual((one.heard, two.heard), ([b"a=1 "], [b"a=1 "]))


class PolicyTests(BrokerTestCase):
    def test_who_is_behind(self) -> None:
        """Who is behind gets what it may go without apart, in its order; all else is as ever."""
        self.broker = Broker(policies=Policies([(b"a", Policy.DROP_OLDEST)]))
        slow, fast = self.ears(2)
        for ear in (slow, fast):
            self.subscribe(ear, b">")
        slow.behind = True
        for subject in (b"b", b"a", b"b"):
            self.publish(b"x", subject=subject)
        self.broker.settle()
        self.assertEqual(fast.heard, [b"b=x a=x b=x "])
        self.assertEqual(slow.heard, [b"b=x ", b"b=x "])
        self.assertEqual(slow.spared, [(b"a=x ", Policy.DROP_OLDEST)])


class AnswerTests(BrokerTestCase):
    def test_to_one(self) -> None:
        """An answer goes to one subscription of one receiver, and to nobody else."""
        one, two = self.ears(2)
        self.subscribe(one, b"inbox.>")
        self.subscribe(one, b"inbox.1", left=1)
        self.subscribe(two, b"inbox.1")
        run = nobody(Published(b"a", [b""], b"inbox.1"))
        self.assertTrue(self.broker.answer(run, one))
        self.broker.settle()
        self.assertEqual(one.heard, [b"inbox.1=NATS/1.0 503\r\n\r\n "])
        self.assertEqual(two.heard, [])

    def test_no_subscription(self) -> None:
        """Who has no subscription for an answer gets none."""
        one, two = self.ears(2)
        self.subscribe(two)
        self.assertFalse(self.broker.answer(Published(b"a", [b"x"]), one))
        self.broker.settle()
        self.assertEqual((one.heard, two.heard), ([], []))
