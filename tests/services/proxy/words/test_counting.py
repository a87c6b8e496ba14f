"""Answers are counted as they pass, and pass as if they were not."""

import gzip
from collections.abc import AsyncIterator, Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.logger import LogEvent
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import BodyCutError, Headers, Pieces, Request, Response, Takeover
from netkit.services.proxy.words.counting import REST_SECONDS, SLICE_STEPS, Counting, built
from netkit.services.proxy.words.document import STEP_BYTES, Document
from netkit.services.proxy.words.settings import CountWords
from netkit.services.proxy.words.tally import Reason, Tally
from tests.http.fakes import NarrowTransport, Visit, asked, recorded

HTML = ((b"Server", b"x"), (b"Content-Type", b"text/html"))
BODY = b"<p>one two two"


async def stream(*pieces: bytes, cut: bool = False) -> AsyncIterator[bytes]:
    """Yield `pieces`; then, if `cut`, break off."""
    for piece in pieces:
        yield piece
    if cut:
        raise BodyCutError("it broke off")


def taken(body: Any) -> list[bytes]:
    """Return the pieces of a stream that has them at hand."""

    async def collect() -> list[bytes]:
        return [piece async for piece in body]

    found: list[list[bytes]] = []
    Deferred.fromCoroutine(collect()).addCallback(found.append)
    return found[0]


class CountingCase(SynchronousTestCase):
    """A proxy's counting, with a clock that is turned here."""

    def setUp(self) -> None:
        """Count with the default limits."""
        self.events: list[LogEvent] = []
        self.limit()

    def limit(self, **limits: Any) -> None:
        """Count with limits from here on."""
        self.clock = Clock()
        self.counting = Counting(CountWords(**limits), self.clock, recorded(self.events))
        self.tally: Tally = self.counting.tally

    def watched(self, body: Any, headers: Headers = HTML, status: int = 200) -> Response:
        """Return the answer with this body as it goes to the client."""
        return self.counting.watched(asked(), Response(status, headers, body))

    def work(self, slices: int = 1000) -> None:
        """Let time pass."""
        self.clock.pump([REST_SECONDS] * slices)


class Watching(CountingCase):
    """Which answers are counted."""

    def test_whole(self) -> None:
        """A page at hand is counted a little later, and the answer stays the same."""
        response = Response(200, HTML, BODY)
        self.assertIs(self.counting.watched(asked(), response), response)
        self.assertEqual(self.tally.words, 0)
        self.work()
        self.assertEqual(self.tally.most_common(9), [("two", 2), ("one", 1)])
        self.assertEqual((self.tally.documents, self.tally.octets), (1, len(BODY)))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_others(self) -> None:
        """Answers that are no pages, or not whole ones, are not looked at."""
        closing = Pieces(stream(BODY))
        others: tuple[tuple[Request, Response], ...] = (
            (asked(method=b"HEAD"), Response(200, HTML, closing)),
            (asked(), Response(206, HTML, BODY)),
            (asked(), Response(304, HTML)),
            (asked(), Response(404, HTML, BODY)),
            (asked(), Response(200, HTML, b"")),
            (asked(), Response(200, HTML, Takeover(Protocol()))),
            (asked(), Response(200, (), BODY)),
            (asked(), Response(200, ((b"Content-Type", b"text/htmlx"),), BODY)),
            (asked(), Response(200, ((b"Content-Type", b"text/plain"),), closing)),
        )
        for request, response in others:
            self.assertIs(self.counting.watched(request, response), response)
        self.work()
        self.assertEqual((self.tally.documents, self.tally.left_out), (0, {}))

    def test_described(self) -> None:
        """Charset and coding are taken from the fields, whatever their case."""
        fields = (
            (b"CONTENT-TYPE", b'Text/HTML; Charset="windows-1251"'),
            (b"content-encoding", b"GZIP"),
        )
        self.watched(gzip.compress("<p>привет".encode("cp1251")), fields)
        self.work()
        self.assertEqual(self.tally.most_common(9), [("привет", 1)])

    def test_unknown_coding(self) -> None:
        """A page in a coding that is not known is left out, and told."""
        for coding in (b"compress", b"zstd"):
            self.watched(BODY, (*HTML, (b"Content-Encoding", coding)))
        self.watched(BODY, (*HTML, (b"Content-Encoding", b"gzip"), (b"Content-Encoding", b"br")))
        self.work()
        self.assertEqual((self.tally.documents, self.tally.left_out), (0, {Reason.CODING: 3}))

    def test_built(self) -> None:
        """Counting is off, on, or on with limits."""
        log = recorded([])
        self.assertIsNone(built(False, self.clock, log))
        for setting in (True, CountWords()):
            counting = built(setting, self.clock, log)
            assert counting is not None
            counting.stop()


class Streams(CountingCase):
    """Answers that come in pieces."""

    def test_pieces(self) -> None:
        """The pieces are the same, in the same order, and the length is the stream's."""
        pieces = [b"<p>one t", b"", b"wo t", b"wo"]
        body: Any = self.watched(Pieces(stream(*pieces), 14)).body
        self.assertEqual(body.length, 14)
        self.assertEqual(taken(body), pieces)
        self.work()
        self.assertEqual(self.tally.most_common(9), [("two", 2), ("one", 1)])
        self.assertEqual(self.tally.in_part, {})

    def test_client_first(self) -> None:
        """A piece is counted after it went to the client, and the next is not asked for earlier."""
        asked_for: list[int] = []

        async def origin() -> AsyncIterator[bytes]:
            for number in range(3):
                asked_for.append(number)
                yield b"x "

        body: Any = self.watched(Pieces(origin())).body
        pieces = body.__aiter__()
        for number in range(3):
            with self.assertRaises(StopIteration):
                pieces.__anext__().send(None)
            self.assertEqual(asked_for[-1], number)
            self.assertEqual(self.counting._waiting > 0, number > 0)
        body.close()

    def test_cut(self) -> None:
        """A stream that breaks off does so for the client too."""
        body: Any = self.watched(Pieces(stream(b"one tw", cut=True))).body

        async def collect() -> list[bytes]:
            return [piece async for piece in body]

        self.failureResultOf(Deferred.fromCoroutine(collect()), BodyCutError)
        self.work()
        self.assertEqual((self.tally.words, self.tally.in_part), (1, {Reason.CUT: 1}))

    def test_client_leaves(self) -> None:
        """A stream that is closed closes what it comes from; what went out is counted."""
        closed: list[None] = []
        answer = self.watched(Pieces(stream(BODY, BODY), None, lambda: closed.append(None)))
        answer.close()
        answer.close()
        self.assertEqual(len(closed), 2)
        self.work()
        self.assertEqual(self.tally.in_part, {Reason.CUT: 1})
        self.assertEqual(self.counting._open, {})

    def test_through_a_server(self) -> None:
        """A slow client gets what it would have got, and is waited for as it would have been."""
        pieces = [b"<p>%d word " % number * 3000 for number in range(10)]
        seen: list[bytes] = []
        for counting in (None, self.counting):
            taken_by_server: list[int] = []

            async def origin(noted: list[int] = taken_by_server) -> AsyncIterator[bytes]:
                for piece in pieces:
                    noted.append(len(piece))
                    yield piece

            def handler(
                request: Request,
                origin: Callable[[], AsyncIterator[bytes]] = origin,
                counting: Counting | None = counting,
            ) -> Response:
                response = Response(200, HTML, Pieces(origin(), sum(map(len, pieces))))
                return response if counting is None else counting.watched(request, response)

            transport = NarrowTransport()
            visit = Visit(handler, transport)
            visit.send(b"GET / HTTP/1.1\r\nHost: test\r\n\r\n")
            self.assertLess(len(taken_by_server), len(pieces))
            received = b""
            while transport.value():
                received += transport.drain()
                visit.clock.advance(0)
            seen.append(received.partition(b"\r\n\r\n")[2])
        self.assertEqual(seen, [b"".join(pieces)] * 2)
        self.work()
        self.assertEqual(self.tally.most_common(1), [("word", 30_000)])


class Bounds(CountingCase):
    """What counting may cost."""

    def test_slices(self) -> None:
        """The work is done in slices, with rests between them."""
        self.watched(b"word " * 10_000)
        slices = 0
        while self.clock.getDelayedCalls():
            before = self.tally.octets
            self.clock.advance(REST_SECONDS / 2)
            self.assertEqual(self.tally.octets, before)
            self.clock.advance(REST_SECONDS / 2)
            self.assertLessEqual(self.tally.octets - before, SLICE_STEPS * STEP_BYTES)
            slices += 1
        self.assertGreater(slices, 2)
        self.assertEqual(self.tally.words, 10_000)

    def test_turns(self) -> None:
        """Documents take turns: a short one need not wait for a long one."""
        self.watched(b"long " * 100_000)
        self.watched(b"short")
        self.work(2)
        self.assertIn(("short", 1), self.tally.most_common(2))

    def test_documents(self) -> None:
        """Of more documents at once than may be, the others are left out."""
        self.limit(documents=2)
        for _ in range(5):
            self.watched(Pieces(stream(BODY)))
        self.assertEqual((self.tally.documents, self.tally.left_out), (2, {Reason.BUSY: 3}))

    def test_waiting_bytes(self) -> None:
        """Where too much waits, a document is left out, or ends, and what waits stays bounded."""
        self.limit(waiting_bytes=1000)
        self.watched(b"x " * 300)
        self.assertEqual(taken(self.watched(Pieces(stream(*[b"y "] * 300))).body), [b"y "] * 300)
        self.assertLess(self.counting._waiting, 1200)
        self.watched(BODY)
        self.work()
        self.assertEqual(self.tally.left_out, {Reason.BUSY: 1})
        self.assertEqual(self.tally.in_part, {Reason.BUSY: 1})
        self.assertEqual((self.counting._waiting, self.counting._open), (0, {}))

    def test_document_bytes(self) -> None:
        """Of a long document a part is counted, the client gets all of it."""
        self.limit(document_bytes=100)
        self.assertEqual(len(taken(self.watched(Pieces(stream(*[b"word "] * 100))).body)), 100)
        self.work()
        self.assertEqual((self.tally.words, self.tally.in_part), (20, {Reason.LONG: 1}))

    def test_document_seconds(self) -> None:
        """A document that takes too long is counted as far as it came, and makes room."""
        self.limit(document_seconds=5.0, documents=1)
        slow: Any = self.watched(Pieces(stream(BODY, BODY))).body
        pieces = slow.__aiter__()
        with self.assertRaises(StopIteration):
            pieces.__anext__().send(None)
        self.clock.advance(6)
        with self.assertRaises(StopIteration):
            pieces.__anext__().send(None)
        self.work()
        self.assertEqual(self.tally.in_part, {Reason.LATE: 1})
        idle = self.watched(Pieces(stream(BODY)))
        self.clock.advance(6)
        self.watched(BODY)
        self.work()
        self.watched(BODY)
        self.work()
        self.assertEqual(self.tally.in_part, {Reason.LATE: 2})
        self.assertEqual(self.tally.words, 3)
        idle.close()

    def test_queue_seconds(self) -> None:
        """A document whose turns take too long is counted as far as that went."""
        self.limit(document_seconds=10 * REST_SECONDS)
        self.watched(b"word " * 100_000)
        self.work()
        self.assertEqual(self.tally.in_part, {Reason.LATE: 1})
        self.assertLessEqual(self.tally.octets, 10 * SLICE_STEPS * STEP_BYTES)
        self.assertEqual((self.counting._waiting, self.counting._open), (0, {}))

    def test_distinct_words(self) -> None:
        """No more words are remembered than may be."""
        self.limit(distinct_words=100)
        self.watched(" ".join(f"w{number}" for number in range(1000)).encode())
        self.work()
        self.assertLessEqual(len(self.tally), 100)
        self.assertGreaterEqual(self.tally.forgotten, 900)

    def test_stop(self) -> None:
        """A proxy that stops leaves nothing to do."""
        body: Any = self.watched(Pieces(stream(BODY))).body
        self.watched(BODY)
        self.counting.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(taken(body), [BODY])
        self.watched(BODY)
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertEqual(self.counting._waiting, 0)

    def test_mistakes(self) -> None:
        """A mistake in counting is noted, and ends that document alone."""

        class Broken(Document):
            def step(self, tally: Tally) -> None:
                raise RuntimeError("a mistake")

        self.watched(BODY)
        [document] = self.counting._open
        document.__class__ = Broken
        self.watched(BODY)
        self.work()
        self.assertEqual(self.tally.words, 3)
        self.assertEqual(self.counting._open, {})
        self.assertEqual(len(self.flushLoggedErrors(RuntimeError)), 0)
        [event] = self.events
        self.assertIn("could not be counted", event["log_format"])
