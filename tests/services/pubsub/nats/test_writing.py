"""What is sent: the other side reads it as it was meant."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.messages import NO_HEADERS, Published
from netkit.services.pubsub.nats import writing
from netkit.services.pubsub.nats.grammar import CLIENT, SERVER, Grammar
from netkit.services.pubsub.nats.greeting import Connect, Info
from netkit.services.pubsub.nats.verbs import (
    UNKNOWN,
    Complaint,
    Event,
    Signal,
    Subscribe,
    Unsubscribe,
)
from netkit.services.pubsub.nats.wire import Reader
from netkit.services.pubsub.nats.writing import Delivered

_RUNS = st.builds(
    Published,
    st.sampled_from([b"a", b"b.c"]),
    st.lists(st.binary(min_size=4, max_size=9), min_size=1, max_size=20)
    | st.lists(st.binary(min_size=5, max_size=5), min_size=1, max_size=20),
    st.sampled_from([b"", b"r.x"]),
    st.sampled_from([NO_HEADERS, 4]),
)


def _to_client(piece: bytes) -> list[Event]:
    return Reader(Grammar(CLIENT)).feed(piece)


def _to_server(piece: bytes) -> list[Event]:
    return Reader(Grammar(SERVER)).feed(piece)


class DeliveredTests(SynchronousTestCase):
    def test_run(self) -> None:
        """A run is one piece of bytes, in the protocol's words."""
        self.assertEqual(
            Delivered(b"1")(Published(b"a", [b"hi", b"yo"])),
            b"MSG a 1 2\r\nhi\r\nMSG a 1 2\r\nyo\r\n",
        )
        self.assertEqual(
            Delivered(b"1")(Published(b"a", [b"hi", b""], b"r")),
            b"MSG a 1 r 2\r\nhi\r\nMSG a 1 r 0\r\n\r\n",
        )
        self.assertEqual(
            Delivered(b"1")(Published(b"a", [b"hey"], header_bytes=2)), b"HMSG a 1 2 3\r\nhey\r\n"
        )

    def test_without_headers(self) -> None:
        """A client that takes no headers gets the messages behind them."""
        run = Published(b"a", [b"hhx", b"hhyz"], b"r", 2)
        self.assertEqual(
            Delivered(b"1", headers=False)(run), b"MSG a 1 r 1\r\nx\r\nMSG a 1 r 2\r\nyz\r\n"
        )

    def test_same_form(self) -> None:
        """Subscribers with the same sid want the same form."""
        self.assertEqual(hash(Delivered(b"1")), hash(Delivered(b"1")))
        self.assertEqual(len({Delivered(b"1"), Delivered(b"1"), Delivered(b"1", headers=False)}), 2)

    @settings(deadline=None, max_examples=200)
    @given(_RUNS, st.sampled_from([b"1", b"abc"]))
    def test_round(self, run: Published, sid: bytes) -> None:
        """A client reads the run as it was published, under its sid, and so does the next one."""
        for name in (sid, b"other"):
            meant = Published(run.subject, run.payloads, run.reply, run.header_bytes, name)
            self.assertEqual(_to_client(Delivered(name)(run)), [meant])

    @settings(deadline=None, max_examples=100)
    @given(_RUNS)
    def test_published(self, run: Published) -> None:
        """A server reads what a client publishes as it was meant."""
        self.assertEqual(_to_server(writing.published(run)), [run])

    def test_nobody(self) -> None:
        """Whoever asks where nobody is hears so, once for each request."""
        run = writing.nobody(Published(b"a", [b"1", b"2"], b"r"))
        self.assertEqual(Delivered(b"7")(run), b"HMSG r 7 16 16\r\nNATS/1.0 503\r\n\r\n\r\n" * 2)


class LinesTests(SynchronousTestCase):
    def test_to_a_server(self) -> None:
        """A server reads a client's lines as they were meant."""
        for event, line in (
            (Connect(verbose=False), writing.connect(Connect(verbose=False))),
            (Subscribe(b"a.>", b"1"), writing.subscribe(Subscribe(b"a.>", b"1"))),
            (Subscribe(b"a", b"1", b"q"), writing.subscribe(Subscribe(b"a", b"1", b"q"))),
            (Unsubscribe(b"1"), writing.unsubscribe(Unsubscribe(b"1"))),
            (Unsubscribe(b"1", 5), writing.unsubscribe(Unsubscribe(b"1", 5))),
            (Signal.PING, writing.PING),
            (Signal.PONG, writing.PONG),
        ):
            with self.subTest(line):
                self.assertEqual(_to_server(line), [event])

    def test_to_a_client(self) -> None:
        """A client reads a server's lines as they were meant."""
        for event, line in (
            (Info(server_id="S", port=1), writing.info(Info(server_id="S", port=1))),
            (Signal.OK, writing.OK),
            (Complaint(UNKNOWN.words), writing.refusal(UNKNOWN)),
        ):
            with self.subTest(line):
                self.assertEqual(_to_client(line), [event])
        self.assertEqual(writing.refusal(UNKNOWN), b"-ERR 'Unknown Protocol Operation'\r\n")
