"""What each control line means; the words of nats-server 2.15 for those that mean nothing."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.messages import NO_HEADERS
from netkit.services.pubsub.nats.grammar import (
    CLIENT,
    REMEMBERED,
    SERVER,
    SID_BYTES,
    Grammar,
    Opening,
)
from netkit.services.pubsub.nats.greeting import Connect, Info
from netkit.services.pubsub.nats.verbs import (
    BAD_SUBSCRIPTION,
    PAYLOAD_TOO_LONG,
    UNKNOWN,
    Complaint,
    Signal,
    Subscribe,
    Unsubscribe,
)


def _opening(
    line: bytes, size: int, *what: bytes, header_bytes: int = NO_HEADERS, sid: bytes = b""
) -> Opening:
    subject, *reply = what
    return Opening(size, b"\r\n" + line, subject, b"".join(reply), header_bytes, sid)


class ServerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.grammar = Grammar(SERVER)

    def test_publish(self) -> None:
        """A message has a subject, perhaps a reply, perhaps headers, and a length."""
        for line, opening in (
            (b"PUB a 5\r\n", _opening(b"PUB a 5\r\n", 5, b"a")),
            (b"PUB a.b r 0\r\n", _opening(b"PUB a.b r 0\r\n", 0, b"a.b", b"r")),
            (b"HPUB a 3 5\n", _opening(b"HPUB a 3 5\n", 5, b"a", header_bytes=3)),
            (b"HPUB a r 5 5\n", _opening(b"HPUB a r 5 5\n", 5, b"a", b"r", header_bytes=5)),
        ):
            with self.subTest(line):
                self.assertEqual(self.grammar.meaning(line), opening)

    def test_leading_zeros(self) -> None:
        """A length may have zeros in front, nine digits in all."""
        line = b"PUB a 000000002\r\n"
        self.assertEqual(self.grammar.meaning(line), _opening(line, 2, b"a"))
        self.assertEqual(self.grammar.meaning(b"PUB a 0000000002\r\n"), UNKNOWN)

    def test_empty_header_block(self) -> None:
        """A message with headers that has none is one without."""
        line = b"HPUB a 0 5\r\n"
        self.assertEqual(self.grammar.meaning(line), _opening(line, 5, b"a"))

    def test_subscribe(self) -> None:
        """A subscription has a pattern, perhaps a queue, and a sid."""
        meaning = self.grammar.meaning
        self.assertEqual(meaning(b"SUB a.* 1\r\n"), Subscribe(b"a.*", b"1"))
        self.assertEqual(meaning(b"SUB > q.x abc\r\n"), Subscribe(b">", b"abc", b"q.x"))
        self.assertEqual(meaning(b"UNSUB 1\r\n"), Unsubscribe(b"1"))
        self.assertEqual(meaning(b"UNSUB 1 5\r\n"), Unsubscribe(b"1", 5))

    def test_long_sid(self) -> None:
        """A sid goes out with every message, and has a limit that is much shorter than a line's."""
        sid = b"1" * SID_BYTES
        self.assertEqual(self.grammar.meaning(b"SUB a %b\r\n" % sid), Subscribe(b"a", sid))
        self.assertEqual(self.grammar.meaning(b"SUB a %b1\r\n" % sid), UNKNOWN)

    def test_unsubscribe_at_once(self) -> None:
        """A number of messages that is none, or 0, ends a subscription at once."""
        for most in (b"0", b"x", b"-1", b"9999999999"):
            self.assertEqual(self.grammar.meaning(b"UNSUB 1 %b\r\n" % most), Unsubscribe(b"1"))

    def test_signals(self) -> None:
        """PING and PONG say nothing else, and what stands behind them is passed over."""
        self.assertEqual(self.grammar.meaning(b"PING\r\n"), Signal.PING)
        self.assertEqual(self.grammar.meaning(b"pong what\n"), Signal.PONG)

    def test_connect(self) -> None:
        """CONNECT has a JSON object; without one it means nothing."""
        self.assertEqual(
            self.grammar.meaning(b'CONNECT {"verbose":false}\r\n'), Connect(verbose=False)
        )
        for text in (
            b"CONNECT\r\n",
            b"CONNECT x\r\n",
            b"CONNECT []\r\n",
            b'CONNECT {"echo":1}\r\n',
        ):
            with self.subTest(text):
                self.assertEqual(self.grammar.meaning(text), UNKNOWN)

    def test_blanks_and_case(self) -> None:
        """Verbs are in any case; runs of blanks and tabs part words, and may stand at the end."""
        meaning = self.grammar.meaning
        self.assertEqual(meaning(b"sub \t a   1  \r\n"), Subscribe(b"a", b"1"))
        line = b"Pub\tfoo  5 \t\r\n"
        self.assertEqual(meaning(line), _opening(line, 5, b"foo"))
        self.assertEqual(meaning(b"UNSUB 1 \n"), Unsubscribe(b"1"))
        self.assertEqual(meaning(b"connect \t {} \n"), Connect())

    def test_unknown(self) -> None:
        """Everything else is an unknown operation."""
        for text in (
            b"", b" ", b"NOPE", b" PING", b"PINGX", b"PUB", b"PUB a", b"PUB a b c 2", b"PUB a -1",
            b"PUB a +1", b"PUB a 1e3", b"PUB a 99999999999999999999", b"PUB a 5\r", b"PUB a r\x01 5",
            b"PUB a \xb2", b"HPUB a 5", b"HPUB a 20 10", b"HPUB a -1 5", b"HPUB a b c 1 2", b"SUB",
            b"SUB a", b"SUB a b c d", b"SUB a 1\x00", b"SUB a q\r 1", b"UNSUB", b"UNSUB 1 2 3",
            b"INFO {}", b"MSG a 1 5", b"+OK", b"-ERR 'x'", b"\x00", b"\xff\xfe 1",
        ):  # fmt: skip
            with self.subTest(text):
                self.assertEqual(self.grammar.meaning(text + b"\r\n"), UNKNOWN)

    def test_payload(self) -> None:
        """A payload may be as long as is allowed, header block included, and no longer."""
        grammar = Grammar(SERVER, payload_bytes=100)
        self.assertIsInstance(grammar.meaning(b"PUB a 100\r\n"), Opening)
        for line in (b"PUB a 101\r\n", b"HPUB a 90 101\r\n", b"PUB a r 999999999\r\n"):
            self.assertEqual(grammar.meaning(line), PAYLOAD_TOO_LONG)

    def test_invalid_subjects(self) -> None:
        """A message to what is no subject is passed over; a subscription to no pattern is refused."""
        for subject in (b"a..b", b".", b"a.", b"a.*", b">", b"a\0b", b"a\x0bb"):
            meaning = self.grammar.meaning(b"PUB %b 1\r\n" % subject)
            assert isinstance(meaning, Opening)
            self.assertIsNone(meaning.subject)
        for pattern in (b"a..b", b".", b"a.", b"a.>.b", b"a\0b", b"a\x0cb"):
            self.assertEqual(self.grammar.meaning(b"SUB %b 1\r\n" % pattern), BAD_SUBSCRIPTION)

    def test_not_fatal(self) -> None:
        """Of all refusals only that of a subject leaves the connection open."""
        self.assertFalse(BAD_SUBSCRIPTION.fatal)
        self.assertTrue(UNKNOWN.fatal and PAYLOAD_TOO_LONG.fatal)

    @settings(deadline=None, max_examples=200)
    @given(st.sampled_from(sorted({**SERVER, **CLIENT})), st.binary(max_size=40))
    def test_whatever(self, verb: bytes, words: bytes) -> None:
        """Any line means something, and raises nothing."""
        line = verb + b" " + words.replace(b"\n", b"") + b"\r\n"
        for grammar in (Grammar(SERVER), Grammar(CLIENT)):
            self.assertEqual(grammar.meaning(line), grammar.meaning(line))


class RememberedTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """Openings are remembered by their lines, unless there is a reply or the line is long."""
        grammar = Grammar(SERVER)
        opening = grammar.meaning(b"PUB a 5\r\n")
        grammar.meaning(b"PUB a reply 5\r\n")
        grammar.meaning(b"PUB %b 5\r\n" % (b"a" * 200))
        self.assertEqual(grammar.known, {b"PUB a 5\r\n": opening})

    def test_limit(self) -> None:
        """There is a limit to what is remembered."""
        grammar = Grammar(SERVER)
        for number in range(REMEMBERED + 10):
            grammar.meaning(b"PUB a.%d 5\r\n" % number)
        self.assertEqual(len(grammar.known), 10)


class ClientTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.meaning = Grammar(CLIENT).meaning

    def test_messages(self) -> None:
        """A server's message has the sid behind its subject."""
        for line, opening in (
            (b"MSG a 9 5\r\n", _opening(b"MSG a 9 5\r\n", 5, b"a", sid=b"9")),
            (b"MSG a 9 r 5\r\n", _opening(b"MSG a 9 r 5\r\n", 5, b"a", b"r", sid=b"9")),
            (
                b"HMSG a 9 r 3 5\r\n",
                _opening(b"HMSG a 9 r 3 5\r\n", 5, b"a", b"r", header_bytes=3, sid=b"9"),
            ),
        ):
            with self.subTest(line):
                self.assertEqual(self.meaning(line), opening)

    def test_others(self) -> None:
        """INFO, +OK, -ERR, PING and PONG are known to a client."""
        self.assertEqual(self.meaning(b'INFO {"port":1} \r\n'), Info(port=1))
        self.assertEqual(self.meaning(b"+ok\r\n"), Signal.OK)
        self.assertEqual(self.meaning(b"-ERR 'Slow Consumer'\r\n"), Complaint(b"Slow Consumer"))
        self.assertEqual(self.meaning(b"-ERR\r\n"), Complaint(b""))
        self.assertEqual(self.meaning(b"PING\r\n"), Signal.PING)

    def test_unknown(self) -> None:
        """What only a server hears, or nobody, is unknown to a client."""
        for text in (
            b"PUB a 5",
            b"SUB a 1",
            b"MSG a 5",
            b"MSG a 1 r x 5",
            b"HMSG a 1 5",
            b"INFO x",
        ):
            with self.subTest(text):
                self.assertEqual(self.meaning(text + b"\r\n"), UNKNOWN)
