"""What a peer's bytes say, however they are split, and what they cost."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.messages import NO_HEADERS, Published
from netkit.services.pubsub.nats.grammar import CLIENT, SERVER, Grammar
from netkit.services.pubsub.nats.greeting import Connect
from netkit.services.pubsub.nats.verbs import (
    BAD_SUBJECT,
    LINE_TOO_LONG,
    PAYLOAD_TOO_LONG,
    UNKNOWN,
    Event,
    Refusal,
    Signal,
    Subscribe,
    Unsubscribe,
)
from netkit.services.pubsub.nats.wire import Reader

_LINES = st.sampled_from(
    [
        b"PING\r\n", b"pong\n", b"SUB a.* 1\r\n", b"sub a  q\t2 \r\n", b"UNSUB 1 5\r\n",
        b'CONNECT {"verbose":false}\r\n', b"SUB a..b 1\r\n", b"SUB a 1\n",
    ]
)  # fmt: skip
_PAYLOADS = st.binary(max_size=12) | st.sampled_from(
    [b"", b"\r\n", b"\r\nPUB a 12\r\n"[:12], b"\r\nPUB a 0\r\n", b"PUB a 5\r\nab"]
)
_MESSAGES = st.builds(
    lambda verb, subject, reply, payload: (
        b"%b %b%b%d\r\n%b\r\n" % (verb, subject, reply, len(payload), payload)
    ),
    st.sampled_from([b"PUB", b"pub"]),
    st.sampled_from([b"a ", b"a  ", b"b.c ", b"a..b "]),
    st.sampled_from([b"", b"", b"r "]),
    _PAYLOADS,
)
_WITH_HEADERS = st.builds(
    lambda header, payload: (
        b"HPUB a %d %d\r\n%b%b\r\n" % (len(header), len(header + payload), header, payload)
    ),
    _PAYLOADS,
    _PAYLOADS,
)
_RUNS = st.builds(
    lambda message, count: message * count, _MESSAGES | _WITH_HEADERS, st.integers(1, 30)
)
_RUBBISH = st.sampled_from(
    [b"NOPE\r\n", b"PUB a -1\r\n", b"PUB a 3\r\nabXcdef", b"\r\n", b"x" * 99]
)
_STREAMS = st.lists(_LINES | _MESSAGES | _RUNS, max_size=6).map(b"".join)


def _single(events: list[Event]) -> list[Event]:
    """Return the events with every message alone."""
    return [
        alone
        for event in events
        for alone in (
            [event.part(slice(n, n + 1)) for n in range(len(event.payloads))]
            if isinstance(event, Published)
            else [event]
        )
    ]


def _fed(stream: bytes, cuts: list[int], grammar: Grammar) -> list[Event]:
    reader = Reader(grammar)
    events: list[Event] = []
    edges = [0, *sorted(cut % (len(stream) + 1) for cut in cuts), len(stream)]
    for start, end in pairwise(edges):
        events += reader.feed(stream[start:end])
    return _single(events)


class FeedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.reader = Reader(Grammar(SERVER, line_bytes=60, payload_bytes=100))

    def test_run(self) -> None:
        """Consecutive messages with the same subject are one run, of whatever sizes."""
        data = (
            b"PUB a 2\r\nhi\r\n" * 3 + b"PUB a 5\r\nhello\r\n" + b"PUB b 1\r\n1\r\nPUB a 0\r\n\r\n"
        )
        self.assertEqual(
            self.reader.feed(data),
            [
                Published(b"a", [b"hi", b"hi", b"hi", b"hello"]),
                Published(b"b", [b"1"]),
                Published(b"a", [b""]),
            ],
        )

    def test_long_run(self) -> None:
        """A run has all messages of a read, however many."""
        for count in (1, 2, 7, 8, 9, 71, 72, 73, 74, 1000):
            payloads = [b"%05d" % number for number in range(count)]
            data = b"".join(b"PUB a 5\r\n%b\r\n" % payload for payload in payloads)
            with self.subTest(count):
                self.assertEqual(self.reader.feed(data), [Published(b"a", payloads)])
                self.assertEqual(
                    self.reader.feed(data + b"PING\r\n"), [Published(b"a", payloads), Signal.PING]
                )
                *rest, last = self.reader.feed(data + b"PUB a 5\r\n0000")
                self.assertEqual([*rest, last], [Published(b"a", payloads)])
                self.assertEqual(self.reader.feed(b"0\r\n"), [Published(b"a", [b"00000"])])

    def test_what_else_parts_runs(self) -> None:
        """A message with another reply or other header bytes begins a new run, as does a verb."""
        data = (
            b"PUB a 1\r\n1\r\nPUB a r 1\r\n2\r\nPUB a r 1\r\n3\r\nHPUB a 1 1\r\n4\r\n"
            b"PUB a 1\r\n5\r\nPING\r\nPUB a 1\r\n6\r\n"
        )
        self.assertEqual(
            self.reader.feed(data),
            [
                Published(b"a", [b"1"]),
                Published(b"a", [b"2", b"3"], b"r"),
                Published(b"a", [b"4"], b"", 1),
                Published(b"a", [b"5"]),
                Signal.PING,
                Published(b"a", [b"6"]),
            ],
        )

    def test_payload_like_the_protocol(self) -> None:
        """A payload may hold anything, messages of its own run included."""
        between = b"\r\nPUB a 20\r\n"
        for payload in (
            (between * 2)[:20],
            (b"x" * 8 + between)[:20],
            (b"x" * 10 + between)[:20],
            (between[2:] * 3)[:20],
        ):
            message = b"PUB a 20\r\n%b\r\n" % payload
            plain = b"PUB a 20\r\n%b\r\n" % (b"p" * 20)
            for data, payloads in (
                (message * 20, [payload] * 20),
                ((plain + message) * 20, [b"p" * 20, payload] * 20),
                (
                    plain * 10 + message + plain * 10,
                    [*[b"p" * 20] * 10, payload, *[b"p" * 20] * 10],
                ),
            ):
                self.assertEqual(self.reader.feed(data), [Published(b"a", payloads)])

    def test_source(self) -> None:
        """Every run says whose it is."""
        reader = Reader(Grammar(SERVER), "127.0.0.1:5")
        self.assertEqual(
            reader.feed(b"PUB a 2\r\nhi\r\n"), [Published(b"a", [b"hi"], source="127.0.0.1:5")]
        )

    def test_dies_within(self) -> None:
        """A message whose payload has not come is kept and nothing is said of it."""
        self.assertEqual(self.reader.feed(b"PUB a 5\r\nhel"), [])
        self.assertEqual(self.reader.held, 12)
        self.assertFalse(self.reader.broken)

    def test_lying_length(self) -> None:
        """A payload that does not end where it should breaks the connection; those before count."""
        for data in (b"PUB a 2\r\nhi!\r\n", b"PUB a 2\r\nhi\n\n", b"PUB a 2\r\nh\r\n\r\n"):
            with self.subTest(data):
                reader = Reader(Grammar(SERVER))
                self.assertEqual(
                    reader.feed(b"PUB a 2\r\nok\r\n" * 3 + data),
                    [Published(b"a", [b"ok"] * 3), UNKNOWN],
                )
                self.assertTrue(reader.broken)
                self.assertEqual((reader.feed(b"PING\r\n"), reader.held), ([], 0))

    def test_payload_too_long(self) -> None:
        """A length beyond the limit is refused by its line; nothing of it is kept."""
        self.assertEqual(
            self.reader.feed(b"PING\r\nPUB a 101\r\n"), [Signal.PING, PAYLOAD_TOO_LONG]
        )
        self.assertTrue(self.reader.broken)

    def test_line_too_long(self) -> None:
        """A line of one byte too many is refused, whether or not its end has come."""
        for line in (
            b"SUB %b 1" % (b"a" * 54),
            b"x" * 60,
            b"SUB a 1" + b" " * 53,
            b"PING" + b"\r" * 56,
        ):
            for end in (b"\r\n", b"\n"):
                reader = Reader(Grammar(SERVER, line_bytes=60))
                self.assertNotIn(LINE_TOO_LONG, reader.feed(line + end))
                reader = Reader(Grammar(SERVER, line_bytes=60))
                self.assertEqual(reader.feed(line + b"y" + end), [LINE_TOO_LONG])
        for endless in (b"x", b"\r", b" "):
            reader = Reader(Grammar(SERVER, line_bytes=60))
            self.assertEqual([reader.feed(endless) for _ in range(60)], [[]] * 60)
            self.assertEqual(reader.feed(endless * 2), [LINE_TOO_LONG])
            self.assertEqual((reader.feed(b"x"), reader.held), ([], 0))

    def test_bad_subject(self) -> None:
        """A message to no subject is passed over with its payload, and the next one counts."""
        self.assertEqual(
            self.reader.feed(b"PUB a..b 4\r\nPING\r\nPUB a 1\r\nx\r\n"),
            [BAD_SUBJECT, Published(b"a", [b"x"])],
        )
        self.assertEqual(self.reader.feed(b"PUB a. 1\r\nx\r\n" * 3), [BAD_SUBJECT] * 3)

    def test_order(self) -> None:
        """What comes in one read keeps its order."""
        data = b"CONNECT {}\r\nPING\r\nSUB a 1\r\nPUB a 2\r\nhi\r\nUNSUB 1\r\nPONG\r\n"
        self.assertEqual(
            self.reader.feed(data),
            [
                Connect(),
                Signal.PING,
                Subscribe(b"a", b"1"),
                Published(b"a", [b"hi"]),
                Unsubscribe(b"1"),
                Signal.PONG,
            ],
        )

    def test_keeps_no_more_than_a_message(self) -> None:
        """However a long message comes in, no more is kept of it than has come."""
        reader = Reader(Grammar(SERVER))
        message = b"PUB a 100000\r\n" + b"x" * 100_000 + b"\r\n"
        for size in (1, 7, 1000, 65_536):
            came, events = 0, list[Event]()
            for start in range(0, len(message), size):
                events += reader.feed(message[start : start + size])
                came = min(came + size, len(message))
                self.assertLessEqual(reader.held, came)
            self.assertEqual(events, [Published(b"a", [b"x" * 100_000])])
            self.assertEqual(reader.held, 0)

    def test_client(self) -> None:
        """To a client, messages come with the sid they are for."""
        reader = Reader(Grammar(CLIENT))
        data = b"MSG a 1 2\r\nhi\r\n" * 2 + b"MSG a 2 2\r\nhi\r\nHMSG b 2 r 1 3\r\nhey\r\n"
        self.assertEqual(
            reader.feed(data),
            [
                Published(b"a", [b"hi", b"hi"], b"", NO_HEADERS, b"1"),
                Published(b"a", [b"hi"], b"", NO_HEADERS, b"2"),
                Published(b"b", [b"hey"], b"r", 1, b"2"),
            ],
        )


class AnySplitTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=200)
    @given(_STREAMS, st.just(b"") | _RUBBISH, st.lists(st.integers(0, 5000), max_size=20))
    def test_cuts(self, stream: bytes, rubbish: bytes, cuts: list[int]) -> None:
        """Any split of the same bytes gives the same events."""
        grammar = Grammar(SERVER, line_bytes=60, payload_bytes=100)
        stream += rubbish
        self.assertEqual(_fed(stream, cuts, grammar), _fed(stream, [], grammar))

    def test_every_split(self) -> None:
        """So does every split of every frame in two, and one byte at a time."""
        grammar = Grammar(SERVER, line_bytes=60, payload_bytes=100)
        for frame in (
            b"PUB a 5\r\nhello\r\n", b"PUB a r 0\r\n\r\n", b"HPUB a 12 14\r\nNATS/1.0\r\n\r\nhi\r\n",
            b"SUB a.> q 1\r\n", b"UNSUB 1 2\r\n", b"PING\r\n", b'CONNECT {"name":"x"}\r\n',
            b"PUB a 2\r\nhi!!", b"NOPE\r\n", b"PUB a 101\r\n", b"x" * 63, b"PUB a..b 1\r\nx\r\n",
        ):  # fmt: skip
            whole = _fed(frame, [], grammar)
            self.assertEqual(len(whole), 1)
            for cut in range(len(frame)):
                self.assertEqual(_fed(frame, [cut], grammar), whole)
            self.assertEqual(_fed(frame, list(range(len(frame))), grammar), whole)

    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.binary(max_size=80), max_size=10), st.booleans())
    def test_rubbish(self, reads: list[bytes], server: bool) -> None:
        """Whatever is sent, nothing is raised, what is kept is bounded, and a refusal is the last."""
        reader = Reader(Grammar(SERVER if server else CLIENT, line_bytes=60, payload_bytes=100))
        events = [event for data in reads for event in reader.feed(data)]
        self.assertLessEqual(reader.held, 60 + 2 + 100 + 2)
        fatal = [isinstance(event, Refusal) and event.fatal for event in events]
        self.assertFalse(any(fatal[:-1]))
        self.assertEqual(any(fatal), reader.broken)

    @settings(deadline=None, max_examples=200)
    @given(_STREAMS.map(bytearray), st.lists(st.tuples(st.integers(0), st.integers(0, 255))))
    def test_damage(self, stream: bytearray, damage: list[tuple[int, int]]) -> None:
        """Streams with bytes exchanged raise nothing either, and are read the same in any split."""
        for position, byte in damage:
            if stream:
                stream[position % len(stream)] = byte
        grammar = Grammar(SERVER, line_bytes=60, payload_bytes=100)
        every = list(range(len(stream)))
        self.assertEqual(_fed(bytes(stream), every, grammar), _fed(bytes(stream), [], grammar))
