"""Nodes, servers and clients in memory: what is said anywhere is heard everywhere, once."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.fabric.edge import Edge
from netkit.services.pubsub.fabric.settings import WhenCutOff
from netkit.services.pubsub.seldom import QUIET
from netkit.services.pubsub.service import PubSub
from netkit.services.pubsub.settings import Options, PermissionsTable, RulesTable, Settings
from netkit.services.pubsub.settings import Protocol as Spoken
from netkit.services.pubsub.subjects import covers
from tests.net.transports import PeerTransport
from tests.services.pubsub.fabric.cluster import Client, Cluster


def msg(subject: bytes, sid: int, payload: bytes) -> bytes:
    """Return a message as a client gets it."""
    return b"MSG %b %d %d\r\n%b\r\n" % (subject, sid, len(payload), payload)


def pub(subject: bytes, payload: bytes) -> bytes:
    """Return a message as a client sends it."""
    return b"PUB %b %d\r\n%b\r\n" % (subject, len(payload), payload)


class ClusterTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        """Start two nodes of a cluster of one server."""
        self.cluster = Cluster("hub")
        self.left, self.right = self.cluster.node(), self.cluster.node()

    def client(self, of: PubSub | str, *said: bytes) -> Client:
        """Return a client."""
        return self.cluster.client(of, *said)

    def say(self, client: Client, *said: bytes) -> None:
        """Have a client say something, and all that comes of it happen."""
        client.say(b"".join(said))
        self.cluster.run()


class EverywhereTests(ClusterTestCase):
    def test_across(self) -> None:
        """A message reaches clients of its own node, of another and of the cluster, once each."""
        everybody = [self.client(of, b"SUB a 1\r\n") for of in (self.left, self.right, "hub")]
        for client in everybody:
            self.say(client, pub(b"a", b"hello"))
            heard = [each.heard() for each in everybody]
            self.assertEqual(heard, [msg(b"a", 1, b"hello")] * 3)

    def test_overlapping(self) -> None:
        """Who has two patterns that overlap hears each message once for each of them."""
        client = self.client(self.left, b"SUB a.> 1\r\nSUB a.* 2\r\nSUB a.b 3\r\n")
        other = self.client(self.left, b"SUB > 9\r\n")
        self.say(self.client(self.right), pub(b"a.b", b"x"))
        heard = client.heard()
        self.assertEqual([heard.count(msg(b"a.b", sid, b"x")) for sid in (1, 2, 3)], [1, 1, 1])
        self.assertEqual(len(heard), 3 * len(msg(b"a.b", 1, b"x")))
        self.assertEqual(other.heard(), msg(b"a.b", 9, b"x"))

    def test_subscribed_once(self) -> None:
        """The cluster is asked once for what many want, and no more when nobody wants it any more."""
        clients = [self.client(self.left, b"SUB a 1\r\n") for _ in range(3)]
        self.assertEqual(self.cluster.servers["hub"].figures().subscriptions, 1)
        for client in clients:
            self.say(client, b"UNSUB 1\r\n")
        self.assertEqual(self.cluster.servers["hub"].figures().subscriptions, 0)

    def test_headers(self) -> None:
        """Header blocks and reply subjects go across as they are."""
        client = self.client(self.left, b"SUB a 1\r\n")
        self.say(self.client(self.right), b"HPUB a r 12 13\r\nNATS/1.0\r\n\r\nx\r\n")
        self.assertEqual(client.heard(), b"HMSG a 1 r 12 13\r\nNATS/1.0\r\n\r\nx\r\n")

    def test_order(self) -> None:
        """Messages stay in their order."""
        client = self.client(self.left, b"SUB > 1\r\n")
        subjects = [b"a", b"b", b"a", b"c", b"c", b"a"]
        self.say(self.client(self.right), *(pub(subject, b"x") for subject in subjects))
        expected = b"".join(msg(subject, 1, b"x") for subject in subjects)
        self.assertEqual(client.heard(), expected)

    def test_figures(self) -> None:
        """What goes up and comes down is counted."""
        self.client(self.left, b"SUB a 1\r\n")
        self.say(self.client(self.right), pub(b"a", b"123"))
        left, right = self.left.fabric_figures(), self.right.fabric_figures()
        assert left is not None
        assert right is not None
        self.assertEqual((left.server, left.links, left.subscriptions), ("hub:4222", 1, 1))
        self.assertEqual((left.in_messages, left.in_bytes), (1, 3))
        self.assertEqual((right.out_messages, right.out_bytes), (1, 3))
        self.assertIsNone(self.cluster.servers["hub"].fabric_figures())

    def test_stop(self) -> None:
        """A node that stops leaves the cluster, and sends what it was told until then."""
        client = self.client("hub", b"SUB a 1\r\n")
        self.client(self.left).say(pub(b"a", b"last"))
        for pump in self.cluster.pumps:
            pump.pump()
        gone = self.left.stopService()
        for _ in range(100):
            self.cluster.run(0.1)
        self.successResultOf(gone)
        self.assertEqual(client.heard(), msg(b"a", 1, b"last"))
        self.assertEqual(self.cluster.servers["hub"].figures().connections, 3)
        self.right.stopService()
        asked = len(self.cluster.asked)
        self.cluster.run(3600)
        self.assertEqual(len(self.cluster.asked), asked)


class GroupTests(ClusterTestCase):
    def test_one_of_all(self) -> None:
        """Of a queue group with members everywhere one gets each message, wherever it was published."""
        everybody = [
            self.client(of, b"SUB a q 1\r\n") for of in (self.left, self.left, self.right, "hub")
        ]
        for client in everybody:
            self.say(client, *(pub(b"a", b"%d" % number) for number in range(50)))
            heard = b"".join(each.heard() for each in everybody)
            self.assertEqual(heard.count(b"MSG "), 50)
            for number in range(50):
                self.assertEqual(heard.count(msg(b"a", 1, b"%d" % number)), 1)

    def test_only_here(self) -> None:
        """A group that has members at one node alone works as ever."""
        one, two = (self.client(self.left, b"SUB a q 1\r\n") for _ in range(2))
        self.say(one, *(pub(b"a", b"%d" % number) for number in range(50)))
        self.assertEqual((one.heard() + two.heard()).count(b"MSG "), 50)

    def test_at_once(self) -> None:
        """A message right behind the subscription of its group does not miss it."""
        client = self.client(self.left)
        self.say(client, b"SUB a q 1\r\n", pub(b"a", b"x"), pub(b"a", b"y"))
        self.assertEqual(client.heard(), msg(b"a", 1, b"x") + msg(b"a", 1, b"y"))

    def test_last_leaves(self) -> None:
        """A message right behind the end of a group's last member here goes to a member elsewhere."""
        other = self.client("hub", b"SUB a q 1\r\n")
        client = self.client(self.left, b"SUB a q 1\r\n")
        self.say(client, b"UNSUB 1\r\n", *(pub(b"a", b"x") for _ in range(20)))
        self.assertEqual(other.heard(), msg(b"a", 1, b"x") * 20)

    def test_come_and_gone(self) -> None:
        """Who joins a group and leaves it in one breath holds nobody up."""
        client = self.client(self.left, b"SUB b 2\r\n")
        other = self.client(self.right, b"SUB b 2\r\n")
        self.say(client, b"SUB a q 1\r\nUNSUB 1\r\n", pub(b"b", b"x"))
        self.assertEqual((client.heard(), other.heard()), (msg(b"b", 2, b"x"),) * 2)


class RequestTests(ClusterTestCase):
    _REQUEST = b"PUB a in.1 1\r\nx\r\n"

    def test_across(self) -> None:
        """A request is heard elsewhere, and its answer comes back, as plain and in a group."""
        for queue in (b"", b"q "):
            asker = self.client(self.left, b"SUB in.* 1\r\n")
            answers = self.client(self.right, b"SUB a %b1\r\n" % queue)
            self.say(asker, self._REQUEST)
            self.assertEqual(answers.heard(), b"MSG a 1 in.1 1\r\nx\r\n")
            self.say(answers, pub(b"in.1", b"yes"))
            self.assertEqual(asker.heard(), msg(b"in.1", 1, b"yes"))
            self.say(answers, b"UNSUB 1\r\n")

    def test_nobody(self) -> None:
        """Where nobody is there in the whole cluster, who asked is told so, once."""
        asker = self.client(self.left, b"SUB in.* 1\r\n")
        self.say(asker, self._REQUEST)
        self.assertEqual(asker.heard(), b"HMSG in.1 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n")

    def test_somebody_here(self) -> None:
        """Where somebody is there at the node itself, the cluster's word that it has nobody is not."""
        for queue in (b"", b"q "):
            asker = self.client(self.left, b"SUB in.* 1\r\n")
            answers = self.client(self.left, b"SUB a %b1\r\n" % queue)
            self.say(asker, self._REQUEST)
            self.assertEqual(asker.heard(), b"")
            self.say(answers, pub(b"in.1", b"yes"))
            self.assertEqual(asker.heard(), msg(b"in.1", 1, b"yes"))
            self.say(answers, b"UNSUB 1\r\n")


class EdgeTests(ClusterTestCase):
    def test_no_server(self) -> None:
        """An edge of a cluster is no server for another, or for itself: messages would go round for ever."""
        self.cluster.servers["left"] = self.left
        lost = self.cluster.node(servers=("nats://left",))
        self.assertIn(
            "no link to left:4222: it is an edge of a cluster itself", self.cluster.logged()[-1]
        )
        self.cluster.servers["lost"] = lost
        self.client(lost, b"SUB a 1\r\n", pub(b"a", b"x"))
        self.cluster.run(60)
        figures = lost.fabric_figures()
        assert figures is not None
        self.assertEqual((figures.links, figures.pending_messages), (0, 1))

    def test_complaints(self) -> None:
        """What the server does not let the node do is said in the log once a minute, with its sum."""
        self.cluster = Cluster("hub")
        table = PermissionsTable(publish=RulesTable(deny=("a",)))
        settings = Settings(permissions={"*": table})
        self.cluster.servers["hub"] = PubSub(settings, self.cluster.world)
        client = self.client(self.cluster.node())
        for _ in range(50):
            self.say(client, pub(b"a", b"x"))
        self.cluster.run(QUIET)
        self.say(client, pub(b"a", b"x"))
        words = 'hub:4222 says: Permissions Violation for Publish to "a"; complaints: '
        self.assertEqual(self.cluster.logged()[1:], [f"{words}1", f"{words}50"])

    def test_publisher_waits(self) -> None:
        """Nothing is read of a client that is held, and as soon as it is let go on it is heard again."""
        client = self.left.factory(Options(Spoken.NATS)).buildProtocol(None)
        peer = PeerTransport(client)
        peer.send(b"CONNECT {}\r\n")
        client.hold()
        self.assertFalse(peer.reading)
        client.release()
        self.assertTrue(peer.reading)
        edge = self.left.house.broker.elsewhere
        assert isinstance(edge, Edge)
        edge.hold(client)
        peer.finish()
        self.assertEqual(len(edge._held), 0)
        edge.hold(client)
        self.assertEqual(len(edge._held), 0)
        client.release()
        self.assertFalse(peer.reading)


class CutOffTests(ClusterTestCase):
    def setUp(self) -> None:
        """Start a node that may choose between two servers."""
        self.cluster = Cluster("one", "two")
        self.left = self.cluster.node()
        (self.linked,) = self._linked()
        (self.spare,) = {"one", "two"} - {self.linked}

    def _linked(self) -> set[str]:
        return {line.split()[-1].removesuffix(":4222") for line in self.cluster.logged()}

    def test_next_server(self) -> None:
        """When its server dies, the node goes to the next one and says there what it wants."""
        self.client(self.left, b"SUB a 1\r\nSUB b q 2\r\n")
        self.cluster.kill(self.linked)
        self.assertIn(
            f"cut off from {self.linked}:4222: the connection was closed", self.cluster.logged()[-1]
        )
        self.cluster.run(1)
        self.assertEqual(self.cluster.logged()[-1], f"linked to {self.spare}:4222")
        self.assertEqual(self.cluster.servers[self.spare].figures().subscriptions, 2)

    def test_buffer(self) -> None:
        """Meanwhile messages are heard here, and wait for the rest of the cluster."""
        client = self.client(self.left, b"SUB a 1\r\n")
        other = self.client(self.spare, b"SUB a 1\r\n")
        self.cluster.kill(self.linked)
        self.say(client, pub(b"a", b"x"), pub(b"a", b"y"))
        self.assertEqual(client.heard(), msg(b"a", 1, b"x") + msg(b"a", 1, b"y"))
        self.assertEqual(other.heard(), b"")
        self.cluster.run(1)
        self.assertEqual(other.heard(), msg(b"a", 1, b"x") + msg(b"a", 1, b"y"))
        self.assertEqual(client.heard(), b"")

    def test_drop(self) -> None:
        """Or they are dropped and counted, where the operator wants that; then nobody hears a request."""
        self.left.stopService()
        self.left = self.cluster.node(
            when_cut_off=WhenCutOff.DROP, servers=(f"nats://{self.linked}", f"nats://{self.spare}")
        )
        client = self.client(self.left, b"SUB in 1\r\n")
        other = self.client(self.spare, b"SUB a 1\r\n")
        figures = self.left.fabric_figures()
        assert figures is not None
        self.cluster.kill(figures.server.removesuffix(":4222"))
        self.say(client, pub(b"a", b"x"), b"PUB b in 1\r\nx\r\n")
        self.assertEqual(client.heard(), b"HMSG in 1 16 16\r\nNATS/1.0 503\r\n\r\n\r\n")
        self.cluster.run(1)
        self.assertEqual(other.heard(), b"")
        figures = self.left.fabric_figures()
        assert figures is not None
        self.assertEqual((figures.dropped, figures.out_messages), (2, 0))

    def test_bounded(self) -> None:
        """No more waits than there is room for; the rest is dropped and counted."""
        self.left.stopService()
        self.left = self.cluster.node(buffer_bytes=3000)
        client = self.client(self.left)
        for name in tuple(self.cluster.servers):
            self.cluster.kill(name)
        self.say(client, *(pub(b"a", b"x" * 99) + pub(b"b", b"") for _ in range(100)))
        figures = self.left.fabric_figures()
        assert figures is not None
        self.assertLessEqual(figures.pending_bytes, 3000)
        self.assertEqual(figures.pending_messages + figures.dropped, 200)
        self.assertGreater(figures.pending_messages, 2)

    def test_groups(self) -> None:
        """Meanwhile groups here get what is published here; that goes nowhere else afterwards."""
        client = self.client(self.left, b"SUB a q 1\r\n")
        other = self.client(self.spare, b"SUB a q 1\r\n")
        self.cluster.kill(self.linked)
        self.say(client, pub(b"a", b"x"))
        self.assertEqual(client.heard(), msg(b"a", 1, b"x"))
        self.cluster.run(1)
        self.assertEqual((client.heard(), other.heard()), (b"", b""))
        figures = self.left.fabric_figures()
        assert figures is not None
        self.assertEqual(figures.kept, 1)

    def test_silent_server(self) -> None:
        """A server that answers no ping is left."""
        self.cluster.freeze(self.linked)
        for _ in range(4):
            self.cluster.run(20)
        lines = self.cluster.logged()
        self.assertIn(f"cut off from {self.linked}:4222: 2 pings are not answered", lines[1])
        self.assertEqual(lines[-1], f"linked to {self.spare}:4222")

    def test_backoff(self) -> None:
        """Where no server is there attempts are made, for ever, and with longer and longer waits."""
        self.cluster.kill(self.linked)
        self.cluster.kill(self.spare)
        asked = len(self.cluster.asked)
        for _ in range(3000):
            self.cluster.run(0.1)
        self.assertLess(len(self.cluster.asked) - asked, 30)
        self.assertIn("nobody is there; the next attempt is in", self.cluster.logged()[-1])


_PATTERNS = [b"a.b", b"a.*", b"a.>", b">", b"*.b", b"c"]


class AnythingTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=60)
    @given(
        st.lists(
            st.tuples(
                st.integers(0, 2), st.sampled_from(_PATTERNS), st.sampled_from([b"", b"q", b"r"])
            ),
            max_size=8,
        ),
        st.lists(
            st.tuples(st.integers(0, 2), st.sampled_from([b"a.b", b"c", b"a.x.y"])), max_size=8
        ),
    )
    def test_once(
        self, subscriptions: list[tuple[int, bytes, bytes]], published: list[tuple[int, bytes]]
    ) -> None:
        """Whoever subscribes to what anywhere hears each message once, and of each group one does."""
        cluster = Cluster("hub")
        places: list[PubSub | str] = [cluster.node(), cluster.node(), "hub"]
        clients = [
            (cluster.client(places[place], b"SUB %b %b 1\r\n" % (pattern, queue)), pattern, queue)
            for place, pattern, queue in subscriptions
        ]
        publishers = [cluster.client(place) for place in places]
        for number, (place, subject) in enumerate(published):
            publishers[place].say(pub(subject, b"<%d>" % number))
        cluster.run()
        heard = [(client.heard(), pattern, queue) for client, pattern, queue in clients]
        for number, (_, subject) in enumerate(published):
            counts: dict[bytes, list[int]] = {}
            for words, pattern, queue in heard:
                if covers(pattern, subject):
                    counts.setdefault(queue, []).append(words.count(b"<%d>" % number))
                else:
                    self.assertNotIn(b"<%d>" % number, words)
            self.assertEqual(set(counts.pop(b"", [1])), {1})
            for group in counts.values():
                self.assertEqual(sum(group), 1)

    @settings(deadline=None, max_examples=40)
    @given(st.lists(st.sampled_from(["left", "right", "one", "two", "time", "bytes"]), max_size=30))
    def test_never_twice(self, steps: list[str]) -> None:
        """However servers come and go, nobody hears anything twice or out of order, nor does a group."""
        cluster = Cluster("one", "two")
        urls = ("nats://one", "nats://two")
        nodes = {name: cluster.node(servers=urls) for name in ("left", "right")}
        talkers = {name: cluster.client(node) for name, node in nodes.items()}
        plain = [cluster.client(node, b"SUB a.* 1\r\n") for node in nodes.values()]
        group = [cluster.client(node, b"SUB a.* q 1\r\n") for node in nodes.values()]
        for number, step in enumerate(steps):
            if step in talkers:
                talkers[step].say(pub(b"a." + step.encode(), b"<%d>" % number))
            elif step in cluster.servers:
                cluster.kill(step)
            elif step in ("one", "two"):
                cluster.start(step)
            elif step == "time":
                cluster.run(0.5)
            else:
                for pump in tuple(cluster.pumps):
                    pump.pump()
        for _ in range(3):
            cluster.run(40)
        for who in (b"a.left", b"a.right"):
            said = [number for number, step in enumerate(steps) if b"a." + step.encode() == who]
            by_plain = [_numbers(client.output, who) for client in plain]
            by_group = [_numbers(client.output, who) for client in group]
            for heard in by_plain + by_group:
                self.assertEqual(heard, sorted(set(heard)))
            both = by_group[0] + by_group[1]
            self.assertEqual(len(both), len(set(both)))
            self.assertEqual(by_plain[who == b"a.right"], said)


def _numbers(output: bytes, subject: bytes) -> list[int]:
    """Return the numbers that came on a subject."""
    found = re.findall(rb"MSG %b 1 \d+\r\n<(\d+)>" % re.escape(subject), output)
    return [int(one) for one in found]
