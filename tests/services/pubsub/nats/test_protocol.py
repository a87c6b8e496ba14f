"""NATS clients of every sort, in memory."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from netkit.net.tls import Store
from netkit.services.kind import TakesTLS
from netkit.services.pubsub.gathering import PIECES
from netkit.services.pubsub.policies import Policy
from netkit.services.pubsub.settings import (
    Nats,
    Options,
    PermissionsTable,
    Protocol,
    RulesTable,
    Settings,
    SlowRule,
)
from tests.net.authorities import identities, issued
from tests.net.transports import PeerTransport
from tests.services.pubsub.clients import CONNECT, NatsTestCase
from tests.services.pubsub.test_door import HASH

_WORDS = [
    *b"PUB HPUB SUB UNSUB PING PONG CONNECT INFO MSG a b > * a.* untouched.x 1 2 0 12 {}".split(),
    b" ",
    b"\r\n",
    b"\n",
    b"\t",
    CONNECT,
    b"SUB a 1\r\n",
    b"SUB a q 2\r\n",
    b"UNSUB 1 2\r\n",
    b"PUB a 2\r\nab\r\n",
    b"PUB a b 0\r\n\r\n",
    b"HPUB a b 12 12\r\nNATS/1.0\r\n\r\n\r\n",
]
_ANN = b'CONNECT {"user":"ann","pass":"secret","verbose":false}\r\n'


class WelcomeTests(NatsTestCase):
    def test_info(self) -> None:
        """The first line says who we are, what we can do, and who the client is."""
        peer = self.connect(7)
        line = peer.take()
        self.assertTrue(line.startswith(b"INFO {") and line.endswith(b"}\r\n"))
        info = json.loads(line[5:])
        self.assertRegex(info["server_id"], "^N[0-9A-F]{30}$")
        self.assertRegex(info["version"], r"^2\.\d+\.\d+$")
        self.assertEqual((info["host"], info["port"]), ("192.0.2.254", 4222))
        self.assertEqual((info["client_id"], info["client_ip"]), (1, "192.0.2.1"))
        self.assertEqual((info["headers"], info["proto"]), (True, 1))
        self.assertEqual(info["max_payload"], 1_048_576)

    def test_flush(self) -> None:
        """After CONNECT and PING the next line is PONG, or +OK and PONG."""
        self.assertEqual(self.client(1, b"PING\r\n").take(), b"PONG\r\n")
        self.assertEqual(self.client(2, b"PING\r\n", b"CONNECT {}\r\n").take(), b"+OK\r\nPONG\r\n")

    def test_too_many(self) -> None:
        """Who is one too many is told so and let go; when one has left there is room."""
        self.serve(Settings(clients=1))
        one = self.client(1)
        two = self.connect(2)
        self.assertTrue(two.take().endswith(b"-ERR 'maximum connections exceeded'\r\n"))
        self.assertTrue(two.finished)
        two.finish()
        one.finish()
        one.take()
        self.assertEqual(self.client(3, b"PING\r\n").take(), b"PONG\r\n")


class MessagesTests(NatsTestCase):
    def test_one_write(self) -> None:
        """All that one read brings a client is one piece, shared with who gets the same."""
        one, two, three = self.client(1), self.client(2), self.client(3)
        for peer in (two, three):
            peer.send(b"SUB a 1\r\nSUB b 2\r\n")
        one.send(b"PUB a 1\r\nx\r\nPUB b 1\r\ny\r\nPUB a 1\r\nz\r\n")
        (piece,) = two._tempDataBuffer
        self.assertIs(piece, three._tempDataBuffer[0])
        self.assertEqual(two.take(), b"MSG a 1 1\r\nx\r\nMSG b 2 1\r\ny\r\nMSG a 1 1\r\nz\r\n")

    def test_lines(self) -> None:
        """Line clients and NATS clients hear each other on the subject of the lines."""
        nats, line = self.client(1, b"SUB lines 1\r\n"), self.line_client(2)
        line.send(b"hello\r\n")
        nats.send(b"PUB lines 5\r\nhi\nho\r\nPUB other 1\r\nx\r\n")
        self.assertEqual(line.take(), b"<192.0.2.1:2> hello\n<192.0.2.1:1> hi\n<192.0.2.1:1> ho\n")
        self.assertEqual(nats.take(), b"MSG lines 1 5\r\nhello\r\nMSG lines 1 5\r\nhi\nho\r\n")

    def test_byte_by_byte(self) -> None:
        """What comes byte by byte is the same."""
        peer = self.client(1)
        for byte in b"SUB a 1\r\nPUB a 2\r\nab\r\n":
            peer.send(bytes((byte,)))
        self.assertEqual(peer.take(), b"MSG a 1 2\r\nab\r\n")


class LeavingTests(NatsTestCase):
    def test_half_a_message(self) -> None:
        """Who dies between control line and payload leaves nothing behind; nobody hears of it."""
        one, two = self.client(1, b"SUB a 1\r\nPUB a 5\r\nab"), self.client(2, b"SUB a 1\r\n")
        one.abortConnection()
        two.send(b"PING\r\n")
        self.assertEqual(two.take(), b"PONG\r\n")
        self.assertEqual(self.service.figures().subscriptions, 1)
        two.abortConnection()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_fin(self) -> None:
        """Who has sent its FIN gets what was for it until then, and the end."""
        one = self.client(1, b"SUB a 1\r\nPUB a 1\r\nx\r\n")
        one.finish()
        self.assertEqual(one.take(), b"MSG a 1 1\r\nx\r\n")
        self.assertTrue(one.disconnected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_violation(self) -> None:
        """Who breaks the protocol is told why; then nothing is read, and it is let go in time."""
        one = self.client(1, b"SUB a 1\r\nRUBBISH\r\nPUB a 1\r\nx\r\n")
        self.assertEqual(one.take(), b"-ERR 'Unknown Protocol Operation'\r\n")
        self.assertTrue(one.finished)
        one.send(b"PUB a 1\r\nx\r\n")
        self.clock.advance(2)
        self.assertTrue(one.aborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_violation_of_one_that_never_reads(self) -> None:
        """Who does not even take why it is let go is let go all the same."""
        one = self.client(1, b"RUBBISH\r\n")
        self.clock.pump([1.0] * 10)
        self.assertTrue(one.aborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class LimitTests(NatsTestCase):
    def test_control_line(self) -> None:
        """A control line may have 4,096 bytes and not one more."""
        subject = b"a" * (4096 - len(b"SUB  1"))
        one, two = self.client(1, b"SUB %b 1\r\nPING\r\n" % subject), self.client(2)
        self.assertEqual(one.take(), b"PONG\r\n")
        two.send(b"SUB %ba 1\r\nPING\r\n" % subject)
        self.assertEqual(two.take(), b"-ERR 'maximum control line exceeded'\r\n")

    def test_payload(self) -> None:
        """A message too long is refused before it has come."""
        self.serve(Settings(nats=Nats(max_payload=10)))
        one, two = self.client(1, b"PUB a 10\r\n0123456789\r\nPING\r\n"), self.client(2)
        self.assertEqual(one.take(), b"PONG\r\n")
        two.send(b"PUB a 11\r\n")
        self.assertEqual(two.take(), b"-ERR 'Maximum Payload Violation'\r\n")

    def test_lengths_that_lie(self) -> None:
        """A length that is none, or too short for what follows, ends the connection."""
        for number, words in enumerate((b"-1", b"99999999999999999999", b"1x", b"")):
            peer = self.client(number, b"PUB a %b\r\n" % words)
            with self.subTest(words):
                self.assertIn(b"-ERR '", peer.take())
        liar = self.client(9, b"PUB a 2\r\nabc\r\n")
        self.assertEqual(liar.take(), b"-ERR 'Unknown Protocol Operation'\r\n")

    def test_subscriptions(self) -> None:
        """A client has so many subscriptions and not one more, however many it asks for."""
        peer = self.client(1)
        sent = b"".join(b"SUB a.%d %d\r\n" % (number, number) for number in range(10_001))
        peer.send(sent + b"PING\r\n")
        self.assertEqual(peer.take(), b"-ERR 'maximum subscriptions exceeded'\r\nPONG\r\n")
        self.assertEqual(self.service.figures().subscriptions, 10_000)
        peer.abortConnection()
        self.assertEqual(self.service.figures().subscriptions, 0)

    def test_subscriptions_and_never_reading(self) -> None:
        """Who asks for a million and takes no answer is read from no further, and let go in time."""
        peer = self.client(1)
        for first in range(0, 1_000_000, 5000):
            numbers = range(first, first + 5000)
            if not peer.send(b"".join(b"SUB a.%d %d\r\n" % (each, each) for each in numbers)):
                break
        self.assertFalse(peer.reading)
        self.assertLess(peer.waiting, 1_000_000)
        self.assertEqual(self.service.figures().subscriptions, 10_000)
        self.clock.pump([1.0] * 30)
        self.assertTrue(peer.aborted)
        self.assertEqual(self.service.figures().subscriptions, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class PingTests(NatsTestCase):
    def test_stale(self) -> None:
        """Who does not answer two PINGs is let go at the time of the third."""
        peer = self.client(1)
        self.clock.pump([1.0] * 239)
        self.assertEqual(peer.take(), b"")
        self.clock.pump([1.0] * 120)
        self.assertEqual(peer.take(), b"PING\r\n")
        self.clock.pump([1.0] * 121)
        self.assertEqual(peer.take(), b"PING\r\n-ERR 'Stale Connection'\r\n")
        self.assertIn("info: 192.0.2.1:1 is let go: Stale Connection", self.logged())

    def test_half_commands(self) -> None:
        """So is who stops in the middle of a command; others are served meanwhile."""
        halves = (b"P", b"PUB a", b"PUB a 5\r", b"PUB a 5\r\nab", b"SUB a", b"CONNECT {")
        peers = [self.client(number, half) for number, half in enumerate(halves, 1)]
        self.clock.pump([1.0] * 300)
        other = self.client(99, b"SUB a 1\r\nPUB a 1\r\nx\r\n")
        self.assertEqual(other.take(), b"MSG a 1 1\r\nx\r\n")
        self.clock.pump([1.0] * 180)
        for peer in peers:
            self.assertTrue(peer.take().endswith(b"-ERR 'Stale Connection'\r\n"))
            self.assertTrue(peer.finished)
        other.abortConnection()
        for peer in peers:
            peer.finish()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_answered(self) -> None:
        """Who answers stays for ever."""
        peer = self.client(1)
        for _ in range(20):
            self.clock.pump([1.0] * 60)
            if peer.take():
                peer.send(b"PONG\r\n")
        self.assertFalse(peer.aborted or peer.finished)

    def test_one_look(self) -> None:
        """A thousand clients have one delayed call together, and none when they are gone."""
        peers = [self.client(number) for number in range(1000)]
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        for peer in peers:
            peer.abortConnection()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class SlowTests(NatsTestCase):
    def crowd(self, settings: Settings) -> tuple[PeerTransport, PeerTransport, PeerTransport]:
        """Return one that never reads, one that talks, and one that reads."""
        self.serve(settings)
        said = b"SUB a 1\r\nSUB _MISSED.> 2\r\n"
        return self.client(1, said), self.client(2), self.client(3, said)

    def flood(self, talker: PeerTransport, other: PeerTransport, count: int) -> None:
        """Let `talker` publish so many messages of a kilobyte, and `other` read them."""
        for number in range(count):
            talker.send(b"PUB a 1000\r\n%01000d\r\n" % number)
            other.take()

    def test_disconnect(self) -> None:
        """One that never reads is told so at its limit, named and let go; the others lose nothing."""
        stalled, talker, other = self.crowd(Settings(pending_bytes=100_000))
        self.flood(talker, other, 200)
        self.assertEqual(self.service.figures().slow_consumers, 1)
        self.assertEqual(other.taken.count(b"MSG a 1 1000\r\n"), 200)
        (line,) = (line for line in self.logged() if "is let go" in line)
        self.assertIn("192.0.2.1:1 is let go: it is slow, 100", line)
        self.assertTrue(line.endswith("; subjects: a, _MISSED.>"))
        self.assertLess(stalled.waiting, 70_000)
        heard = stalled.take()
        self.assertTrue(heard.endswith(b"\r\n-ERR 'Slow Consumer'\r\n"))
        self.assertTrue(stalled.finished)

    def test_by_its_own_words(self) -> None:
        """Who is let go in the midst of a read for what came of its own words harms nobody."""
        self.serve(Settings(pending_bytes=100_000))
        other = self.client(2, b"SUB b.> 1\r\n")
        said = b"".join(b"SUB > %d\r\n" % number for number in range(1000))
        talker = self.client(1, said)
        talker.send(b"PUB b.a 0\r\n\r\nPUB b.b 0\r\n\r\n" * 300)
        self.assertEqual(self.service.figures().slow_consumers, 1)
        self.assertEqual(self.service.figures().subscriptions, 1)
        heard = other.take().count(b"MSG b.")
        self.assertTrue(PIECES // 1000 <= heard < 600, heard)
        self.assertTrue(talker.take().endswith(b"-ERR 'Slow Consumer'\r\n"))
        self.assertEqual([line for line in self.logged() if "critical" in line], [])

    def test_disconnect_for_good(self) -> None:
        """One that does not even take that is gone after ten seconds."""
        stalled, talker, other = self.crowd(Settings(pending_bytes=100_000))
        self.flood(talker, other, 200)
        self.clock.pump([1.0] * 11)
        self.assertTrue(stalled.aborted)

    def numbers(self, heard: bytes) -> list[int]:
        """Return the numbers of the messages in what a client has got."""
        frames = heard.split(b"MSG a 1 1000\r\n")[1:]
        return [int(frame[:1000]) for frame in frames]

    def test_drop_newest(self) -> None:
        """With drop-newest a slow client gets what it has room for, and hears how many it missed."""
        rule = SlowRule(subject="a", policy=Policy.DROP_NEWEST)
        stalled, talker, other = self.crowd(Settings(pending_bytes=100_000, slow=(rule,)))
        self.flood(talker, other, 300)
        self.assertEqual(other.taken.count(b"MSG a 1 1000\r\n"), 300)
        heard = stalled.take()
        numbers = self.numbers(heard)
        self.assertEqual(numbers, list(range(len(numbers))))
        missed = b"%d" % (300 - len(numbers))
        self.assertTrue(heard.endswith(b"MSG _MISSED.a 2 %d\r\n%b\r\n" % (len(missed), missed)))
        self.assertEqual(self.service.figures().missed, 300 - len(numbers))
        self.assertEqual(self.service.figures().slow_consumers, 0)
        talker.send(b"PUB a 1\r\nx\r\n")
        self.assertEqual(stalled.take(), b"MSG a 1 1\r\nx\r\n")

    def test_drop_oldest(self) -> None:
        """With drop-oldest a slow client gets what came last, and hears how many it missed."""
        rule = SlowRule(subject="*", policy=Policy.DROP_OLDEST)
        stalled, talker, other = self.crowd(Settings(pending_bytes=100_000, slow=(rule,)))
        self.flood(talker, other, 300)
        heard = stalled.take()
        numbers = self.numbers(heard)
        self.assertEqual(numbers, sorted(numbers))
        self.assertEqual((numbers[0], numbers[-1]), (0, 299))
        missed = b"%d" % (300 - len(numbers))
        self.assertTrue(heard.endswith(b"MSG _MISSED.a 2 %d\r\n%b\r\n" % (len(missed), missed)))

    def test_lines(self) -> None:
        """A slow line client is told in a line."""
        rule = SlowRule(subject="lines", policy=Policy.DROP_NEWEST)
        self.serve(Settings(pending_bytes=10_000, slow=(rule,)))
        line, talker = self.line_client(1), self.client(2)
        for _ in range(200):
            talker.send(b"PUB lines 1000\r\n%b\r\n" % (b"x" * 1000))
        heard = line.take()
        missed = 200 - heard.count(b"<192.0.2.1:2>")
        self.assertTrue(heard.endswith(b"too slow: %d messages were left out\n" % missed))


class StopTests(NatsTestCase):
    def test_lame_duck(self) -> None:
        """At a stop clients are told, still get what is published, and are let go within the time."""
        self.service.startService()
        one, two = self.client(1, b"SUB a 1\r\n"), self.client(2)
        line = self.line_client(3)
        stopped = self.service.stopService()
        self.assertIn(b'"ldm":true', one.take())
        line.take()
        self.assertTrue(line.disconnected)
        two.send(b"PUB a 1\r\nx\r\n")
        self.assertEqual(one.take(), b"MSG a 1 1\r\nx\r\n")
        self.clock.pump([0.1] * 51)
        self.successResultOf(stopped)
        one.take()
        two.take()
        self.assertTrue(one.disconnected and two.disconnected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_nobody(self) -> None:
        """Without clients nobody waits."""
        self.service.startService()
        self.successResultOf(self.service.stopService())


class RubbishTests(NatsTestCase):
    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.sampled_from(_WORDS) | st.binary(max_size=20), max_size=30), st.booleans())
    def test_whatever_is_sent(self, words: list[bytes], welcome: bool) -> None:
        """Whatever a client sends, nothing is raised, nobody else notices, and nothing stays behind."""
        self.serve(Settings())
        other = self.client(2, b"SUB untouched 1\r\n")
        one = self.client(1, b"", CONNECT if welcome else b"")
        for word in words:
            if not one.disconnected:
                one.send(word)
        one.abortConnection()
        other.send(b"PUB untouched 0\r\n\r\nPING\r\n")
        self.assertEqual(other.take(), b"MSG untouched 1 0\r\n\r\nPONG\r\n")
        self.assertEqual(self.service.figures().subscriptions, 1)
        other.abortConnection()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stalled_crowd(self) -> None:
        """Of a crowd that never reads each is let go at its limit; who reads loses nothing."""
        self.serve(Settings(pending_bytes=50_000))
        crowd = [self.client(number, b"SUB a 1\r\n") for number in range(10, 60)]
        talker, reader = self.client(1), self.client(2, b"SUB a 1\r\n")
        for _ in range(200):
            talker.send(b"PUB a 1000\r\n%b\r\n" % (b"x" * 1000))
            reader.take()
        self.assertEqual(reader.taken.count(b"MSG a 1 1000\r\n"), 200)
        self.assertEqual(self.service.figures().slow_consumers, 50)
        self.assertTrue(all(peer.waiting < 70_000 for peer in crowd))
        self.clock.pump([1.0] * 11)
        self.assertTrue(all(peer.aborted for peer in crowd))


class TLSTests(NatsTestCase):
    def test_who_begins(self) -> None:
        """A listener begins TLS itself, after the greeting, unless the handshake comes first."""
        tls = Store(identities(issued("a.example"))).creator()
        after = self.service.factory(Options(protocol=Protocol.NATS))
        first = self.service.factory(Options(protocol=Protocol.NATS, handshake_first=True))
        assert isinstance(after, TakesTLS) and isinstance(first, TakesTLS)
        self.assertTrue(after.take_tls(tls))
        self.assertFalse(first.take_tls(tls))
        self.assertNotIsInstance(self.service.factory(Options()), TakesTLS)


class FiguresTests(NatsTestCase):
    def test_figures(self) -> None:
        """The figures say who is there and what has gone round."""
        one = self.client(1, b"SUB a 1\r\nSUB b 2\r\nPUB a 3\r\nabc\r\n")
        self.client(2, CONNECT).abortConnection()
        figures = self.service.figures()
        self.assertEqual((figures.connections, figures.total_connections), (1, 2))
        self.assertEqual((figures.subscriptions, figures.in_messages), (2, 1))
        self.assertEqual((figures.in_bytes, figures.out_messages, figures.out_bytes), (3, 1, 3))
        one.abortConnection()


class LoginTests(NatsTestCase):
    def setUp(self) -> None:
        """Start with one user."""
        super().setUp()
        self.serve(Settings(users={"ann": HASH}))

    def test_info(self) -> None:
        """The first line says that a login is needed."""
        self.assertIn(b'"auth_required":true', self.connect(1).take())

    def test_right(self) -> None:
        """Who has logged in is answered, whatever it has said meanwhile included; nothing is read."""
        peer = self.client(1, b"SUB a 1\r\nPUB a 0\r\n\r\nPING\r\n", _ANN)
        self.assertEqual((peer.take(), peer.reading), (b"", False))
        self.look()
        self.assertEqual((peer.take(), peer.reading), (b"MSG a 1 0\r\n\r\nPONG\r\n", True))
        self.clock.pump([1.0] * 10)
        self.assertFalse(peer.aborted)

    def test_twice(self) -> None:
        """A second CONNECT needs no second login."""
        peer = self.client(1, _ANN * 1000 + b"PING\r\n", _ANN)
        self.look()
        self.assertEqual(peer.take(), b"PONG\r\n")
        peer.send(b"CONNECT {}\r\nPING\r\n")
        self.assertEqual(peer.take(), b"+OK\r\nPONG\r\n")

    def test_remembered(self) -> None:
        """A login that was right a moment ago is not looked into again."""
        self.client(1, b"PING\r\n", _ANN)
        self.look()
        self.assertEqual(self.client(2, b"PING\r\n", _ANN).take(), b"PONG\r\n")

    def test_wrong(self) -> None:
        """Who has not is told so and let go, and named in the log."""
        peer = self.client(1, b"PING\r\n", _ANN.replace(b"secret", b"wrong"))
        self.look()
        self.assertEqual(peer.take(), b"-ERR 'Authorization Violation'\r\n")
        self.assertTrue(peer.finished)
        self.assertIn('warn: auth failed for "ann" from 192.0.2.1', self.logged())
        peer.finish()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_without(self) -> None:
        """Who says anything without a login is let go at once."""
        peer = self.client(1, b"", b"SUB a 1\r\n")
        self.assertEqual(peer.take(), b"-ERR 'Authorization Violation'\r\n")
        self.assertEqual(self.client(2, b"").take(), b"-ERR 'Authorization Violation'\r\n")

    def test_silence(self) -> None:
        """Who says nothing has two seconds."""
        peer = self.connect(1)
        peer.take()
        self.clock.advance(1)
        self.assertEqual(peer.take(), b"")
        self.clock.advance(1)
        self.assertEqual(peer.take(), b"-ERR 'Authentication Timeout'\r\n")

    def test_gone_meanwhile(self) -> None:
        """Who leaves while its login is looked into leaves nothing behind."""
        peer = self.client(1, b"PING\r\n", _ANN)
        peer.abortConnection()
        self.look()
        self.assertEqual(self.service.figures().connections, 0)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_too_many_together(self) -> None:
        """All clients together have so many subscriptions; the log says so once."""
        self.serve(Settings(subscriptions=3))
        first = self.client(1, b"SUB a 1\r\nSUB b 2\r\n")
        second = self.client(2, b"SUB a 1\r\nSUB b 2\r\nSUB c 3\r\nPING\r\n")
        words = b"-ERR 'maximum subscriptions exceeded'\r\n"
        self.assertEqual((first.take(), second.take()), (b"", words * 2 + b"PONG\r\n"))
        self.assertEqual(len([line for line in self.logged() if "are the most" in line]), 1)
        first.finish()
        second.send(b"SUB c 3\r\nPING\r\n")
        self.assertEqual(second.take(), b"PONG\r\n")

    def test_what_the_service_says_itself(self) -> None:
        """Nobody tells others that they have missed messages but the service, whatever users may do."""
        for each in (
            Settings(),
            Settings(permissions={"*": PermissionsTable(publish=RulesTable(allow=("_MISSED.>",)))}),
        ):
            self.serve(each)
            other = self.client(1, b"SUB > 1\r\n")
            peer = self.client(2, b"PUB _MISSED.a 1\r\n9\r\nPING\r\n")
            words = b"-ERR 'Permissions Violation for Publish to \"_MISSED.a\"'\r\nPONG\r\n"
            self.assertEqual((peer.take(), other.take()), (words, b""))

    def test_open_by_permissions(self) -> None:
        """Where nobody has to log in, the permissions of * hold."""
        table = PermissionsTable(publish=RulesTable(deny=("a",)))
        self.serve(Settings(permissions={"*": table}))
        peer = self.client(1, b"SUB a 1\r\nPUB a 0\r\n\r\n")
        self.assertEqual(peer.take(), b"-ERR 'Permissions Violation for Publish to \"a\"'\r\n")
