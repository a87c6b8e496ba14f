"""Server-sent events: a browser hears what was pushed, and a slow client is bounded."""

import tracemalloc
from collections.abc import Coroutine
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.events import Event, EventStream, Overflow, event_response, last_event_id
from tests.http.eventsource import EventSource, Heard
from tests.http.fakes import asked, field

_CHARACTERS = st.characters(exclude_categories=["Cs"])
_TEXTS = st.text(_CHARACTERS | st.sampled_from(" :\r\n\0\x0b\x85\u2028\ufeff"), max_size=30)
_LINES = st.text(_CHARACTERS, max_size=10).filter(lambda text: not set(text) & set("\r\n\0"))


def _heard(*events: Event) -> list[Heard]:
    return EventSource().read(b"".join(event.encode() for event in events)).heard


class Format(SynchronousTestCase):
    @settings(deadline=None, max_examples=200)
    @given(_TEXTS, _LINES, _LINES)
    def test_a_browser_hears_it(self, data: str, event: str, name: str) -> None:
        """Any text arrives under its name and id, its line ends as LF, and nothing beside it."""
        lines = data.replace("\r\n", "\n").replace("\r", "\n")
        expected = [Heard(event or "message", lines, name)]
        self.assertEqual(_heard(Event(data=data, event=event, id=name)), expected)

    def test_lines(self) -> None:
        """Each line of the data has its own field."""
        made = Event(data="a\nb\r\nc\rd\n", event="tick", id="7", retry=500).encode()
        self.assertEqual(
            made,
            b"event: tick\nid: 7\nretry: 500\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n",
        )

    def test_empty_data(self) -> None:
        """Empty data is an event; no data is none, but counts for id and retry."""
        self.assertEqual(_heard(Event(data="")), [Heard("message", "", "")])
        source = EventSource().read(Event(id="9", retry=10).encode())
        self.assertEqual((source.heard, source.last_event_id, source.retry), ([], "9", 10))

    def test_what_may_not_be(self) -> None:
        """A name or id of several lines is refused, an id with a NUL, and a time that is past."""
        for wrong in (
            {"event": "a\nb"},
            {"event": "a\rdata: x"},
            {"id": "1\n2"},
            {"id": "1\r"},
            {"id": "1\0"},
            {"retry": -1},
        ):
            with self.subTest(wrong):
                arguments: dict[str, Any] = dict(wrong)
                self.assertRaises(ValueError, Event, **arguments)

    def test_lone_surrogates(self) -> None:
        """A character that UTF-8 cannot write does not stop an event."""
        self.assertEqual(_heard(Event(data="\ud800")), [Heard("message", "?", "")])

    def test_last_event_id(self) -> None:
        """What a client has seen last is a text, or None where that is none of ours."""
        for value, expected in (
            (b"7", "7"),
            ("\u20ac".encode(), "\u20ac"),
            (b"", None),
            (b"\xff", None),
        ):
            request = asked(headers=((b"Last-Event-ID", value),))
            self.assertEqual(last_event_id(request), expected)
        self.assertIsNone(last_event_id(asked()))

    def test_response(self) -> None:
        """The response is an event stream that nobody stores or gathers."""
        stream = EventStream(Clock())
        response = event_response(stream)
        self.assertEqual(response.status, 200)
        self.assertEqual(field(response, b"Content-Type"), b"text/event-stream")
        self.assertEqual(field(response, b"Cache-Control"), b"no-store")
        self.assertEqual(field(response, b"X-Accel-Buffering"), b"no")
        self.assertIs(response.body, stream)
        self.assertIsNone(stream.length)


class _Client:
    """Asks a stream for piece after piece, as a server does for a client that keeps up."""

    def __init__(self, **options: Any) -> None:
        self.clock = Clock()
        self.left = 0
        self.stream = EventStream(self.clock, closing=self._leave, **options)
        self.taken: list[bytes] = []
        self.ended = False
        self.waits: Deferred[None] | None = None

    def _leave(self) -> None:
        self.left += 1

    async def _take(self, most: int) -> None:
        while len(self.taken) < most:
            try:
                self.taken.append(await anext(aiter(self.stream)))
            except StopAsyncIteration:
                self.ended = True
                return

    def take(self, pieces: int = 10**9) -> None:
        """Take so many pieces, waiting for them."""
        taking: Coroutine[Deferred[Any], Any, None] = self._take(len(self.taken) + pieces)
        self.waits = Deferred.fromCoroutine(taking)

    @property
    def source(self) -> EventSource:
        """What a browser makes of the pieces."""
        return EventSource().read(b"".join(self.taken))

    @property
    def data(self) -> list[str]:
        """The data of the events that a browser hears."""
        return [heard.data for heard in self.source.heard]


class Streams(SynchronousTestCase):
    def test_first_piece(self) -> None:
        """Something goes out at once, before there is an event, so that the client is answered."""
        client = _Client()
        client.take()
        self.assertEqual((len(client.taken), client.source.comments, client.data), (1, 1, []))

    def test_at_once(self) -> None:
        """An event goes out as it is pushed; many that wait go out together."""
        client = _Client()
        client.stream.push(Event(data="1"))
        client.stream.push(Event(data="2").encode())
        client.take()
        self.assertEqual((len(client.taken), client.data), (1, ["1", "2"]))
        self.assertTrue(client.stream.push(Event(data="3")))
        self.assertEqual((len(client.taken), client.data), (2, ["1", "2", "3"]))
        self.assertEqual((client.stream.pending, client.stream.missed), (0, 0))

    def test_pieces(self) -> None:
        """What waits goes out in pieces of a size that the server can send by and by."""
        client = _Client()
        for _ in range(10):
            client.stream.push(b"data: " + b"x" * 19_992 + b"\n\n")
        client.take()
        self.assertEqual([len(piece) for piece in client.taken], [60_000] * 3 + [20_000])

    def test_keep_alive(self) -> None:
        """A comment goes out for every 15 s without an event, and none while there are events."""
        client = _Client()
        client.take()
        client.clock.pump([1] * 14)
        self.assertEqual(client.source.comments, 1)
        client.clock.advance(1)
        self.assertEqual(client.source.comments, 2)
        client.clock.pump([1] * 45)
        self.assertEqual(client.source.comments, 5)
        for _ in range(60):
            client.stream.push(Event(data="x"))
            client.clock.advance(1)
        self.assertEqual((client.source.comments, len(client.data)), (5, 60))
        self.assertEqual(len(client.clock.getDelayedCalls()), 1)

    def test_no_comment_for_who_takes_nothing(self) -> None:
        """Nothing is kept alive by more bytes for a client that takes none."""
        client = _Client()
        client.take(1)
        client.clock.pump([1] * 100)
        self.assertEqual((client.stream.pending, client.clock.getDelayedCalls()), (0, []))
        client.take()
        client.clock.pump([1] * 15)
        self.assertEqual(client.source.comments, 2)

    def test_end(self) -> None:
        """A stream that is ended sends what waits, and no more."""
        client = _Client()
        client.stream.push(Event(data="last"))
        client.stream.end()
        self.assertFalse(client.stream.push(Event(data="late")))
        client.take()
        self.assertTrue(client.ended)
        self.assertEqual((client.data, client.stream.missed), (["last"], 1))

    def test_end_wakes(self) -> None:
        """The end of a stream that is waited for comes at once."""
        client = _Client()
        client.take()
        client.stream.end()
        self.assertTrue(client.ended)

    def test_close(self) -> None:
        """A response that is over lets go of everything, and its owner is told once."""
        client = _Client()
        client.take(2)
        client.stream.push(Event(data="1"))
        client.stream.push(Event(data="2"))
        for _ in range(2):
            client.stream.close()
        self.assertEqual((client.left, client.stream.pending), (1, 0))
        self.assertFalse(client.stream.push(Event(data="3")))
        self.assertEqual(client.clock.getDelayedCalls(), [])

    def test_client_leaves_while_waiting(self) -> None:
        """A server that stops asking, and then closes, leaves nothing behind."""
        client = _Client()
        client.take()
        assert client.waits is not None
        client.waits.cancel()
        self.failureResultOf(client.waits, CancelledError)
        client.stream.push(Event(data="x"))
        client.stream.close()
        self.assertEqual((client.left, client.clock.getDelayedCalls()), (1, []))

    def test_owner_pushes_while_closing(self) -> None:
        """An owner that pushes to all in `closing` meets a stream that takes nothing."""
        stream = EventStream(Clock(), closing=lambda: pushed.append(stream.push(Event(data="x"))))
        pushed: list[bool] = []
        stream.close()
        self.assertEqual(pushed, [False])


class Overflows(SynchronousTestCase):
    """A client that does not keep up costs `pending_bytes`; each event here has 10 bytes."""

    def _pushed(self, overflow: Overflow, count: int) -> _Client:
        client = _Client(overflow=overflow, pending_bytes=50)
        for number in range(count):
            client.stream.push(Event(data=f"{number:02}"))
            self.assertLessEqual(client.stream.pending, 50)
        return client

    def test_within_the_limit(self) -> None:
        """What the limit allows is kept, whatever the policy."""
        for overflow in Overflow:
            client = self._pushed(overflow, 5)
            client.take()
            self.assertEqual((len(client.data), client.stream.missed), (5, 0))

    def test_end(self) -> None:
        """END: the events before the first that is missed arrive, and then the stream ends."""
        client = self._pushed(Overflow.END, 20)
        client.take()
        self.assertEqual(client.data, ["00", "01", "02", "03", "04"])
        self.assertEqual((client.ended, client.stream.missed), (True, 15))

    def test_drop_oldest(self) -> None:
        """DROP_OLDEST: the newest arrive, and the stream goes on."""
        client = self._pushed(Overflow.DROP_OLDEST, 20)
        client.take()
        client.stream.push(Event(data="on"))
        self.assertEqual(client.data, ["15", "16", "17", "18", "19", "on"])
        self.assertEqual((client.ended, client.stream.missed), (False, 15))

    def test_drop_newest(self) -> None:
        """DROP_NEWEST: the oldest arrive, and the stream goes on."""
        client = self._pushed(Overflow.DROP_NEWEST, 20)
        client.take()
        client.stream.push(Event(data="on"))
        self.assertEqual(client.data, ["00", "01", "02", "03", "04", "on"])
        self.assertEqual((client.ended, client.stream.missed), (False, 15))

    def test_one_large_event(self) -> None:
        """An event larger than the limit goes to a client that keeps up, and replaces what waits."""
        large = Event(data="x" * 1000)
        for overflow in Overflow:
            client = _Client(overflow=overflow, pending_bytes=50)
            self.assertTrue(client.stream.push(large))
            self.assertEqual(client.stream.push(large), overflow is Overflow.DROP_OLDEST)
            client.take()
            self.assertEqual((len(client.data), client.stream.missed), (1, 1))

    @settings(deadline=None, max_examples=100)
    @given(
        st.sampled_from(Overflow),
        st.lists(st.integers(0, 40) | st.none(), max_size=60),
    )
    def test_nothing_is_lost_uncounted(self, overflow: Overflow, acts: list[int | None]) -> None:
        """Whatever is pushed and taken (None), each event arrives in order or is counted."""
        client = _Client(overflow=overflow, pending_bytes=100)
        pushed = []
        for number, size in enumerate(acts):
            if size is None:
                client.take(1)
            else:
                pushed.append(f"{number} {'x' * size}")
                client.stream.push(Event(data=pushed[-1]))
        client.stream.end()
        client.take()
        self.assertEqual(len(client.data) + client.stream.missed, len(pushed))
        rest = iter(pushed)
        self.assertTrue(all(each in rest for each in client.data), "in order")

    def test_idle_is_cheap(self) -> None:
        """A stream that waits costs little: itself, one wait and one delayed call."""
        clock = Clock()

        def connect() -> tuple[object, ...]:
            stream = EventStream(clock)
            Deferred.fromCoroutine(anext(aiter(stream)))  # type: ignore[arg-type]
            return stream, Deferred.fromCoroutine(anext(aiter(stream)))  # type: ignore[arg-type]

        connect()
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        before, _ = tracemalloc.get_traced_memory()
        idle = [connect() for _ in range(100)]
        after, _ = tracemalloc.get_traced_memory()
        self.assertLess((after - before) / len(idle), 3000)
