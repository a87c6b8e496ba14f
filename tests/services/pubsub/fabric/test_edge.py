"""What goes up, what waits, and what is told, with nothing but bytes."""

from attrs import Factory, define
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.broker import Broker
from netkit.services.pubsub.counters import Tally
from netkit.services.pubsub.fabric import edge as edges
from netkit.services.pubsub.fabric.edge import Edge, State
from netkit.services.pubsub.fabric.side import Side
from netkit.services.pubsub.gathering import PIECES, Receiver
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats.greeting import Info
from netkit.services.pubsub.nats.writing import PING, nobody
from netkit.services.pubsub.policies import Policy
from netkit.services.pubsub.subscriptions import Form, Subscription


@define(eq=False)
class Ear:
    """A receiver that keeps what it gets."""

    pieces: list[bytes] = Factory(list)
    heard: list[bytes] = Factory(list)
    behind: bool = False
    tally: Tally = Factory(Tally)

    def deliver(self, piece: bytes) -> None:
        """Keep."""
        self.heard.append(piece)

    def deliver_spare(self, piece: bytes, run: Published, policy: Policy) -> None:
        """Keep."""
        self.heard.append(piece)

    def ended(self, subscription: Subscription[Receiver]) -> None:
        """Do nothing."""


@define(eq=False)
class Talker:
    """A publisher."""

    held: bool = False
    releases: int = 0

    def hold(self) -> None:
        """Wait."""
        self.held = True

    def release(self) -> None:
        """Go on."""
        self.held = False
        self.releases += 1


def _plain(run: Published) -> bytes:
    return b"".join(b"%b=%b " % (run.subject, payload) for payload in run.payloads)


class EdgeTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        """Start an edge that is linked."""
        self.broker = Broker()
        self.stirred = 0
        self.edge = Edge(self.broker, 2000, buffers=True, stir=self.stir)
        self.up: list[bytes] = []
        self.groups: list[bytes] = []
        self.link()
        self.up.clear()
        self.groups.clear()

    def stir(self) -> None:
        """Count."""
        self.stirred += 1

    def link(self) -> None:
        """Come to a connection, and to the answers of its first pings."""
        self.edge.open(self.up.append, self.groups.append)
        self.edge.pong(self.edge.talk)
        self.edge.pong(self.edge.groups)

    def subscribe(self, pattern: bytes, queue: bytes = b"") -> tuple[Ear, Subscription[Receiver]]:
        """Return who subscribes, and the subscription."""
        ear = Ear()
        subscription: Subscription[Receiver] = Subscription(pattern, _plain, ear, queue)
        self.broker.interest.insert(subscription)
        return ear, subscription

    def publish(self, *payloads: bytes, subject: bytes = b"a", reply: bytes = b"") -> bool:
        """Publish, and hand out what came of it."""
        heard = self.broker.publish(Published(subject, list(payloads), reply))
        self.broker.settle()
        return heard

    def land(self, side: Side, run: Published, sid: bytes) -> None:
        """Let a message come down."""
        run.sid = sid
        self.edge.land(side, run)
        self.broker.settle()


class UpTests(EdgeTestCase):
    def test_one_write(self) -> None:
        """What is published in one read goes up as one piece, also where nobody here wants it."""
        self.assertTrue(self.broker.publish(Published(b"a", [b"1", b"2"])))
        self.assertTrue(self.broker.publish(Published(b"b", [b"3"])))
        self.broker.settle()
        self.assertEqual(self.up, [b"PUB a 1\r\n1\r\nPUB a 1\r\n2\r\nPUB b 1\r\n3\r\n"])

    def test_never_back(self) -> None:
        """What comes down is heard here and does not go up again."""
        ear, _ = self.subscribe(b"a")
        self.edge.flush()
        self.assertEqual(self.up, [b"SUB a 1\r\n"])
        self.land(self.edge.talk, Published(b"a", [b"x"]), b"1")
        self.assertEqual((ear.heard, len(self.up)), ([b"a=x "], 1))

    def test_subscribed_before(self) -> None:
        """What is published behind a subscription goes up behind it: an answer finds its way."""
        self.subscribe(b"in")
        self.publish(b"x", reply=b"in")
        self.assertEqual(b"".join(self.up), b"SUB in 1\r\nPUB a in 1\r\nx\r\n")
        self.assertEqual(self.stirred, 1)

    def test_groups_first(self) -> None:
        """What is published behind a change of a group waits until the server knows of it."""
        _, subscription = self.subscribe(b"a", b"q")
        self.publish(b"x")
        self.edge.flush()
        self.assertEqual((self.up, self.groups), ([], [b"SUB a q 1\r\n" + PING]))
        self.publish(b"y")
        self.assertEqual(self.up, [])
        self.edge.pong(self.edge.groups)
        self.assertEqual(b"".join(self.up), b"PUB a 1\r\nx\r\nPUB a 1\r\ny\r\n")
        self.broker.interest.remove(subscription)
        self.edge.flush()
        self.assertEqual(self.groups[1:], [b"UNSUB 1\r\n" + PING])

    def test_paused(self) -> None:
        """While the server takes no more, messages wait in bounds, and go up in their order."""
        self.edge.pauseProducing()
        self.publish(b"1")
        for _ in range(100):
            self.publish(b"x" * 100, subject=b"b")
        self.assertEqual(self.up, [])
        figures = self.edge.figures("s")
        self.assertLessEqual(figures.pending_bytes, 2000)
        self.assertEqual(figures.pending_messages + figures.dropped, 101)
        self.edge.resumeProducing()
        self.publish(b"2")
        sent = b"".join(self.up)
        self.assertTrue(sent.startswith(b"PUB a 1\r\n1\r\nPUB b 100\r\n"))
        self.assertTrue(sent.endswith(b"PUB a 1\r\n2\r\n"))
        self.assertEqual(self.edge.figures("s").out_messages, 102 - figures.dropped)

    def test_publishers_wait(self) -> None:
        """Who publishes more than the server takes has to wait, until it has caught up or is gone."""
        self.edge.pauseProducing()
        talker = Talker()
        said = 0
        while not talker.held:
            said += 1
            self.broker.publish(Published(b"a", [b"x" * 100]))
            self.broker.said(talker)
        self.assertEqual((said, self.edge.figures("s").dropped), (2, 0))
        self.edge.resumeProducing()
        self.assertEqual((talker.held, talker.releases), (False, 1))
        self.edge.pauseProducing()
        self.publish(*[b"x"] * 20)
        self.broker.said(talker)
        self.assertTrue(talker.held)
        self.edge.cut()
        self.assertFalse(talker.held)
        self.broker.said(talker)
        self.assertFalse(talker.held)

    def test_too_long(self) -> None:
        """What would make the server end the connection stays here, and groups here get it."""
        self.edge.learn(Info(headers=True, max_payload=5))
        ear, _ = self.subscribe(b"a", b"q")
        self.publish(b"123456")
        self.publish(b"1", subject=b"s" * 5000)
        self.assertEqual((self.up, ear.heard), ([], [b"a=123456 "]))
        self.assertEqual(self.edge.figures("s").too_long, 2)
        self.assertFalse(self.publish(b"123456", subject=b"b"))

    def test_too_long_by_then(self) -> None:
        """What waits for one server may be too long for the next one."""
        self.edge.cut()
        self.publish(b"123456")
        self.publish(b"1")
        self.edge.learn(Info(headers=True, max_payload=5))
        self.link()
        self.assertEqual(self.up[1:], [b"PUB a 1\r\n1\r\n"])
        self.assertEqual(self.edge.figures("s").too_long, 1)

    def test_no_headers(self) -> None:
        """A server that knows no headers gets messages without them."""
        self.edge.learn(Info(headers=False))
        self.broker.publish(Published(b"a", [b"NATS/1.0\r\n\r\nx"], header_bytes=12))
        self.broker.settle()
        self.assertEqual(self.up, [b"PUB a 1\r\nx\r\n"])


class DownTests(EdgeTestCase):
    def test_exactly(self) -> None:
        """What comes for one pattern is for those who subscribe to it, and for nobody else."""
        one, _ = self.subscribe(b"a.*")
        two, _ = self.subscribe(b"a.>")
        three, _ = self.subscribe(b"a.*", b"q")
        self.edge.flush()
        self.land(self.edge.talk, Published(b"a.b", [b"x"]), b"1")
        self.assertEqual((one.heard, two.heard, three.heard), ([b"a.b=x "], [], []))
        self.land(self.edge.groups, Published(b"a.b", [b"y"]), b"1")
        self.assertEqual((len(one.heard), two.heard, three.heard), (1, [], [b"a.b=y "]))

    def test_witnesses(self) -> None:
        """A message is told once, for however many patterns it comes, and whoever published it."""
        told: list[bytes] = []
        self.broker.witnesses.append(lambda run: told.extend(run.payloads))
        numbered: Form = lambda run: b"%d " % len(told)  # noqa: E731 (a form of its own)
        self.broker.numbered.add(numbered)
        self.subscribe(b"a.*")
        member, _ = self.subscribe(b"a.b", b"q")
        browser = Ear()
        self.broker.interest.insert(Subscription(b"a.>", numbered, browser))
        self.edge.flush()
        for payload in (b"1", b"2"):
            for sid in (b"2", b"1"):
                self.land(self.edge.talk, Published(b"a.b", [payload]), sid)
            self.land(self.edge.groups, Published(b"a.b", [payload]), b"1")
        self.publish(b"3", subject=b"a.b")
        self.land(self.edge.groups, Published(b"a.b", [b"3"]), b"1")
        self.assertEqual((told, browser.heard), ([b"1", b"2", b"3"], [b"1 ", b"2 ", b"3 "]))
        self.assertEqual(len(member.heard), 3)

    def test_witnesses_while_who_wanted_leaves(self) -> None:
        """A message whose copies come around the end of a subscription is told once as well."""
        told: list[bytes] = []
        self.broker.witnesses.append(lambda run: told.extend(run.payloads))
        _, first = self.subscribe(b"a")
        self.subscribe(b">")
        self.edge.flush()
        self.land(self.edge.talk, Published(b"a", [b"1"]), b"1")
        self.broker.interest.remove(first)
        self.up.clear()
        self.edge.flush()
        self.assertEqual(self.up, [b"UNSUB 1\r\n" + PING])
        self.land(self.edge.talk, Published(b"a", [b"1"]), b"2")
        self.land(self.edge.talk, Published(b"a", [b"2"]), b"1")
        self.land(self.edge.talk, Published(b"a", [b"2"]), b"2")
        self.edge.pong(self.edge.talk)
        self.land(self.edge.talk, Published(b"a", [b"3"]), b"2")
        self.land(self.edge.talk, Published(b"a", [b"x"]), b"1")
        self.assertEqual(told, [b"1", b"2", b"3"])
        for number in range(3):
            _, another = self.subscribe(b"b")
            self.edge.flush()
            self.broker.interest.remove(another)
            self.edge.flush()
            self.edge.pong(self.edge.talk)
            self.assertEqual(len(self.edge.talk._leaving), 1, number)

    def test_stray(self) -> None:
        """What comes for a subscription that has just ended is counted and goes nowhere."""
        ear, subscription = self.subscribe(b"a")
        self.edge.flush()
        self.broker.interest.remove(subscription)
        self.land(self.edge.talk, Published(b"a", [b"x"]), b"1")
        self.edge.flush()
        self.land(self.edge.talk, Published(b"a", [b"x"]), b"1")
        self.land(self.edge.talk, Published(b"a", [b"x"]), b"77")
        self.assertEqual((ear.heard, self.edge.figures("s").strays), ([], 2))

    def test_bounds(self) -> None:
        """Of one read from the cluster, too, few pieces wait at a time."""
        ears = [Ear() for _ in range(100)]
        for ear in ears:
            self.broker.interest.insert(Subscription(b">", lambda _: b"x", ear))
        self.edge.flush()
        most = 0
        for number in range(1000):
            self.edge.land(self.edge.talk, Published(b"%d" % (number % 2), [b""], sid=b"1"))
            if not number % 50:
                most = max(most, sum(len(ear.pieces) for ear in ears))
        self.broker.settle()
        self.assertEqual({b"".join(ear.heard) for ear in ears}, {b"x" * 1000})
        self.assertLessEqual(most, PIECES + len(ears))

    def test_what_nodes_say_themselves(self) -> None:
        """What somebody elsewhere says in the place of the service goes to nobody."""
        ear, _ = self.subscribe(b">")
        self.edge.flush()
        for subject in (b"_MISSED.a", b"_MISSED", b"_MISSEDX"):
            self.land(self.edge.talk, Published(subject, [b"1"]), b"1")
        self.assertEqual((ear.heard, self.edge.figures("s").strays), ([b"_MISSEDX=1 "], 2))

    def test_nobody_elsewhere(self) -> None:
        """That nobody is there is passed on where nobody is here; answers always are."""
        asker, _ = self.subscribe(b"in.*")
        self.subscribe(b"a")
        self.edge.flush()
        self.publish(b"x", reply=b"in.1")
        self.publish(b"x", subject=b"b", reply=b"in.2")
        for reply in (b"in.1", b"in.2"):
            self.land(self.edge.talk, nobody(Published(b"", [b""], reply)), b"1")
        long = b"NATS/1.0 503\r\nNats-Subject: a\r\n\r\n"
        self.land(self.edge.talk, Published(b"in.1", [long], header_bytes=len(long)), b"1")
        self.assertEqual(asker.heard, [b"in.2=NATS/1.0 503\r\n\r\n "])
        self.land(self.edge.talk, Published(b"in.1", [b"yes"]), b"1")
        self.assertEqual(asker.heard[1:], [b"in.1=yes "])

    def test_remembered_in_bounds(self) -> None:
        """Of the latest requests alone it is remembered who heard them."""
        self.subscribe(b"a")
        for number in range(edges.HEARD_HERE + 10):
            self.broker.publish(Published(b"a", [b""], b"in.%d" % number))
        self.assertEqual(len(self.edge._heard_here), edges.HEARD_HERE)


class CutTests(EdgeTestCase):
    def test_states(self) -> None:
        """A node is part of the cluster once the server has answered on both connections."""
        self.edge.cut()
        self.assertIs(self.edge.state, State.CUT_OFF)
        self.edge.open(self.up.append, self.groups.append)
        self.edge.pong(self.edge.talk)
        self.assertIs(self.edge.state, State.JOINING)
        self.edge.pong(self.edge.groups)
        self.assertIs(self.edge.state, State.LINKED)

    def test_all_anew(self) -> None:
        """A new server is told all that is wanted by then."""
        self.subscribe(b"a")
        _, gone = self.subscribe(b"b")
        self.edge.flush()
        self.edge.cut()
        self.broker.interest.remove(gone)
        self.subscribe(b"c", b"q")
        self.up.clear()
        self.groups.clear()
        self.edge.open(self.up.append, self.groups.append)
        self.assertEqual(
            (self.up, self.groups), ([b"SUB a 3\r\n" + PING], [b"SUB c q 1\r\n" + PING])
        )

    def test_wanted_before(self) -> None:
        """What is wanted before there is an edge is asked for too."""
        broker = Broker()
        broker.interest.insert(Subscription(b"a", _plain, Ear()))
        edge = Edge(broker, 1, buffers=True, stir=self.stir)
        edge.open(self.up.append, self.groups.append)
        self.assertEqual(self.up, [b"SUB a 1\r\n" + PING])

    def test_waiting_for_an_answer(self) -> None:
        """What waited for an answer of a server that is gone goes to the next one."""
        self.subscribe(b"a", b"q")
        self.publish(b"x")
        self.edge.cut()
        self.link()
        self.assertEqual(self.up[1:], [b"PUB a 1\r\nx\r\n"])


class SideTests(SynchronousTestCase):
    def test_silence(self) -> None:
        """Looks are counted in which no answer has come that was due."""
        side = Side()
        side.open(lambda _: None)
        self.assertEqual([side.look(), side.look()], [0, 0])
        side.flush(ping=True)
        self.assertEqual([side.look(), side.look()], [1, 2])
        side.answered += 1
        self.assertEqual([side.look(), side.look()], [0, 0])

    def test_nowhere(self) -> None:
        """Without a connection nothing is sent."""
        side = Side()
        side.write(b"x")
        side.flush(ping=True)
        self.assertEqual(side.asked, 0)
