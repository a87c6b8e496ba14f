"""A connection of the server, seen from both ends of a connection in memory."""

import contextlib
import os
import re
from collections.abc import AsyncIterator
from copy import copy
from itertools import pairwise
from tempfile import TemporaryFile
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IProtocolNegotiationFactory,
    ISSLTransport,
)
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import alsoProvides, implementer

from netkit.http.accesslog import Exchange
from netkit.http.channel import AHEAD_BYTES, DRAINED_BYTES
from netkit.http.limits import Limits
from netkit.http.messages import BodyCutError, FileRange, Handler, Request, Response, Takeover
from netkit.http.outgoing import TURN_BYTES
from netkit.http.pages import text
from netkit.http.remembered import NAMES
from netkit.net.farewell import LINGER_SECONDS
from tests.http.fakes import PEER, ClosingTransport, NarrowTransport, Visit, answers

GET = b"GET / HTTP/1.1\r\nHost: test\r\n\r\n"


def hello(_: Request) -> Response:
    """Answer every request alike."""
    return text(b"hello")


async def length_of_body(request: Request) -> Response:
    """Answer with the number of bytes that came."""
    return text(b"%d" % len(await request.body.read(Limits().body_bytes)))


class Pieces:
    """A stream of given pieces, which knows whether it was closed."""

    def __init__(self, *pieces: bytes | Exception, length: int | None = None) -> None:
        self.pieces = pieces
        self.length = length
        self.closed = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces, and raise those that are exceptions."""
        for piece in self.pieces:
            if isinstance(piece, Exception):
                raise piece
            yield piece

    def close(self) -> None:
        """Count."""
        self.closed += 1


class Requests(SynchronousTestCase):
    """What a handler is told of a request."""

    def seen(self, data: bytes) -> Request:
        """Return what the handler sees of `data`."""
        requests: list[Request] = []

        def note(request: Request) -> Response:
            requests.append(request)
            return text(b"")

        Visit(note).send(data)
        [request] = requests
        return request

    def test_as_received(self) -> None:
        """Target, method, version and the fields in their order and case are as received."""
        request = self.seen(
            b"PUT //a/%2e%2E?x=%00&y HTTP/1.1\r\nhOST: h\r\nX-b: 2\r\nx-A:  1 \r\nX-B: 3\r\n\r\n"
        )
        self.assertEqual(request.method, b"PUT")
        self.assertEqual(request.target, b"//a/%2e%2E?x=%00&y")
        self.assertEqual(request.query, b"x=%00&y")
        self.assertEqual(request.head.version, b"HTTP/1.1")
        self.assertEqual(
            request.headers, ((b"hOST", b"h"), (b"X-b", b"2"), (b"x-A", b"1"), (b"X-B", b"3"))
        )
        self.assertEqual(request.header(b"x-b"), b"2, 3")
        self.assertIsNone(request.header(b"x-c"))
        self.assertEqual(request.client.peer, PEER)

    def test_http_1_0(self) -> None:
        """A request of HTTP/1.0 needs no Host, and its connection ends with the answer."""
        visit = Visit(hello)
        visit.send(b"GET / HTTP/1.0\r\n\r\n")
        self.assertEqual(visit.answer().body, b"hello")
        self.assertTrue(visit.transport.disconnecting)

    def test_exactly_one_host(self) -> None:
        """A request of HTTP/1.1 with no Host field or with two is answered 400."""
        for fields in (b"", b"Host: a\r\nHost: b\r\n"):
            visit = Visit(hello)
            visit.send(b"GET / HTTP/1.1\r\n" + fields + b"\r\n")
            self.assertEqual(visit.answer().status, 400)

    def test_body_with_length(self) -> None:
        """A body of a given length reaches the handler."""
        visit = Visit(length_of_body)
        visit.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello")
        self.assertEqual(visit.answer().body, b"5")

    def test_body_in_chunks(self) -> None:
        """A chunked body reaches the handler."""
        visit = Visit(length_of_body)
        visit.send(b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n")
        visit.send(b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
        self.assertEqual(visit.answer().body, b"5")

    @settings(deadline=None, max_examples=40)
    @given(st.lists(st.integers(0, 170), max_size=6))
    def test_any_split(self, cuts: list[int]) -> None:
        """However the bytes of three requests are cut, the answers are the same."""
        data = (
            b"POST /a HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
            b"POST /b HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nde" + GET
        )
        visit = Visit(length_of_body)
        edges = [0, *sorted(cuts), len(data)]
        for start, end in pairwise(edges):
            visit.send(data[start:end])
        self.assertEqual([a.body for a in answers(visit.transport.value())], [b"3", b"2", b"0"])


class Answers(SynchronousTestCase):
    """What becomes of a handler's answer."""

    def test_bytes(self) -> None:
        """Bytes are sent with their length, the date, and netkit's name."""
        answer = Visit(hello, wall=lambda: 784111777.0).get()
        self.assertEqual(answer.status, 200)
        self.assertEqual(answer.body, b"hello")
        self.assertEqual(answer.headers["Content-Length"], "5")
        self.assertEqual(answer.headers["Server"], "netkit")
        self.assertEqual(answer.headers["Date"], "Sun, 06 Nov 1994 08:49:37 GMT")
        self.assertEqual(answer.headers["Content-Type"], "text/plain; charset=utf-8")

    def test_repeated_fields(self) -> None:
        """Fields of one name are all sent, in their order."""
        answer = Visit(lambda _: Response(200, ((b"X-A", b"1"), (b"X-A", b"2")))).get()
        self.assertEqual(answer.headers.get_all("X-A"), ["1", "2"])

    def test_deferred_and_coroutine(self) -> None:
        """An answer may come later, by a Deferred or a coroutine."""
        waiting: list[Deferred[Response]] = []

        def later(_: Request) -> Deferred[Response]:
            waiting.append(Deferred())
            return waiting[-1]

        async def wait(request: Request) -> Response:
            return await later(request)

        for handler in (later, wait):
            visit = Visit(handler)
            visit.send(GET)
            self.assertEqual(visit.transport.value(), b"")
            waiting.pop().callback(text(b"late"))
            self.assertEqual(visit.answer().body, b"late")

    def test_head(self) -> None:
        """HEAD gets the fields of GET, the length among them, and no body."""
        visit = Visit(hello)
        visit.send(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
        self.assertIn(b"Content-Length: 5\r\n", visit.transport.value())
        self.assertTrue(visit.transport.value().endswith(b"\r\n\r\n"))

    def test_head_closes_stream(self) -> None:
        """A stream is closed unread after HEAD, its length sent."""
        stream = Pieces(b"abc", length=3)
        visit = Visit(lambda _: Response(200, (), stream))
        visit.send(b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
        self.assertIn(b"Content-Length: 3\r\n", visit.transport.value())
        self.assertNotIn(b"abc", visit.transport.value())
        self.assertEqual(stream.closed, 1)

    def test_bodiless_statuses(self) -> None:
        """204 and 304 have neither body nor length."""
        for status in (204, 304):
            visit = Visit(lambda _, status=status: Response(status, (), b"no"))  # type: ignore[misc]
            visit.send(GET)
            self.assertTrue(visit.transport.value().endswith(b"\r\n\r\n"))
            self.assertNotIn(b"Content-Length", visit.transport.value())

    def test_stream_of_known_length(self) -> None:
        """A stream of known length is sent under that length and closed."""
        stream = Pieces(b"ab", b"c", length=3)
        answer = Visit(lambda _: Response(200, (), stream)).get()
        self.assertEqual((answer.body, answer.headers["Content-Length"]), (b"abc", "3"))
        self.assertEqual(stream.closed, 1)

    def test_stream_of_unknown_length(self) -> None:
        """A stream of unknown length goes in chunks."""
        answer = Visit(lambda _: Response(200, (), Pieces(b"ab", b"c"))).get()
        self.assertEqual((answer.body, answer.headers["Transfer-Encoding"]), (b"abc", "chunked"))

    def test_pipelined(self) -> None:
        """Requests sent at once are answered in their order, however late an answer comes."""
        waiting: list[Deferred[Response]] = []

        def handler(_: Request) -> Deferred[Response]:
            waiting.append(Deferred())
            return waiting[-1]

        visit = Visit(handler)
        visit.send(GET * 3)
        self.assertEqual(len(waiting), 1)
        for number in range(3):
            waiting[number].callback(text(b"%d" % number))
        self.assertEqual([a.body for a in answers(visit.transport.value())], [b"0", b"1", b"2"])

    def test_tls_negotiation(self) -> None:
        """HTTP/1.1 is what TLS may negotiate, and nothing else."""
        negotiation = IProtocolNegotiationFactory(Visit(hello).factory)
        self.assertEqual(negotiation.acceptableProtocols(), [b"http/1.1"])

    def test_served(self) -> None:
        """Whoever asked to be told is told of each exchange: status, bytes, seconds."""
        waiting: Deferred[Response] = Deferred()
        visit = Visit(lambda _: waiting)
        visit.send(GET)
        visit.clock.advance(1.5)
        waiting.callback(text(b"hello"))
        [exchange] = visit.exchanges
        self.assertEqual((exchange.status, exchange.sent, exchange.seconds), (200, 5, 1.5))
        self.assertTrue(exchange.whole)


class Files(SynchronousTestCase):
    """Ranges of files as answers."""

    def file(self, data: bytes) -> Any:
        """Return an open file with `data`."""
        file = TemporaryFile(buffering=0)  # noqa: SIM115 (the server closes it)
        self.addCleanup(file.close)
        file.write(data)
        return file

    def test_range(self) -> None:
        """Exactly the range is sent, and the file closed."""
        file = self.file(b"0123456789")
        answer = Visit(lambda _: Response(200, (), FileRange(file, 2, 5))).get()
        self.assertEqual(answer.body, b"23456")
        self.assertTrue(file.closed)

    def test_slow_reader(self) -> None:
        """While a peer does not read, no more than the buffer and a piece is read from the file."""
        data = os.urandom(400_000)
        file = self.file(data)
        transport = NarrowTransport(peerAddress=PEER)
        visit = Visit(lambda _: Response(200, (), FileRange(file, 0, len(data))), transport)
        visit.send(GET)
        got = b""
        while not file.closed:
            self.assertLess(len(transport.value()), 200_000)
            got += transport.drain()
        [answer] = answers(got + transport.drain())
        self.assertEqual(answer.body, data)

    def test_leaves_in_the_middle(self) -> None:
        """A client that leaves in the middle has the file closed, and the exchange is not whole."""
        file = self.file(bytes(400_000))
        transport = NarrowTransport(peerAddress=PEER)
        visit = Visit(lambda _: Response(200, (), FileRange(file, 0, 400_000)), transport)
        visit.send(GET)
        self.assertFalse(file.closed)
        visit.leave(cleanly=False)
        self.assertTrue(file.closed)
        self.assertFalse(visit.exchanges[0].whole)
        self.assertEqual(visit.lines, [])

    def test_gives_way(self) -> None:
        """A fast reader of a large file lets others have their turn every TURN_BYTES."""
        size = 3 * TURN_BYTES
        file = self.file(bytes(size))
        visit = Visit(lambda _: Response(200, (), FileRange(file, 0, size)))
        visit.send(GET)
        self.assertLess(len(visit.transport.value()), TURN_BYTES + 1000)
        visit.clock.pump([0] * 5)
        self.assertTrue(file.closed)
        self.assertEqual(len(visit.answer().body), size)

    def test_shrinks(self) -> None:
        """A file that becomes shorter while it is sent ends in an aborted connection."""
        file = self.file(b"12345")
        visit = Visit(lambda _: Response(200, (), FileRange(file, 0, 10)))
        visit.send(GET)
        self.assertTrue(visit.transport.disconnected)
        self.assertTrue(file.closed)
        self.assertFalse(visit.exchanges[0].whole)

    def test_grows(self) -> None:
        """Of a file that has grown no more is sent than was announced."""
        file = self.file(b"1234567")
        self.assertEqual(
            Visit(lambda _: Response(200, (), FileRange(file, 0, 5))).get().body, b"12345"
        )


class Failures(SynchronousTestCase):
    """Handlers and bodies that fail."""

    def test_handler_raises(self) -> None:
        """A handler that raises gives 500 with a number that stands in the log with the cause."""

        def broken(_: Request) -> Response:
            raise RuntimeError("the cause")

        visit = Visit(broken)
        answer = visit.get("/secret?password=x")
        self.assertEqual(answer.status, 500)
        self.assertNotIn(b"the cause", answer.body)
        number = re.search(rb"the number ([0-9a-f]{8})\.", answer.body)
        assert number is not None
        [line] = visit.lines
        self.assertIn(number[1].decode(), line)
        self.assertNotIn("password", line)
        self.assertIsInstance(visit.events[0]["log_failure"].value, RuntimeError)

    def test_later_failures(self) -> None:
        """A handler that fails later, or is cancelled by others, gives 500 too."""
        for failure in (ValueError("later"), CancelledError()):
            waiting: Deferred[Response] = Deferred()
            visit = Visit(lambda _, waiting=waiting: waiting)  # type: ignore[misc]
            visit.send(GET)
            waiting.errback(failure)
            self.assertEqual(visit.answer().status, 500)

    def test_connection_lives_on(self) -> None:
        """After a 500 the connection takes the next request."""

        def broken(_: Request) -> Response:
            raise RuntimeError

        visit = Visit(broken)
        visit.send(GET * 2)
        self.assertEqual([a.status for a in answers(visit.transport.value())], [500, 500])

    def test_stream_cut(self) -> None:
        """A stream that is cut, short or too long aborts the connection without a traceback."""
        for stream in (
            Pieces(b"ab", BodyCutError(), length=4),
            Pieces(b"ab", BodyCutError()),
            Pieces(b"ab", length=4),
            Pieces(b"ab", b"abc", length=4),
        ):
            visit = Visit(lambda _, stream=stream: Response(200, (), stream))  # type: ignore[misc]
            visit.send(GET)
            self.assertTrue(visit.transport.disconnected)
            self.assertNotIn(b"abc", visit.transport.value())
            self.assertEqual((stream.closed, visit.lines), (1, []))

    def test_stream_raises(self) -> None:
        """A stream that raises anything else aborts too, and the cause stands in the log."""
        visit = Visit(lambda _: Response(200, (), Pieces(b"ab", OSError("disk"))))
        visit.send(GET)
        self.assertTrue(visit.transport.disconnected)
        self.assertIsInstance(visit.events[0]["log_failure"].value, OSError)

    def test_no_response(self) -> None:
        """What comes later and is no response aborts, and the cause stands in the log."""
        waiting: Deferred[Any] = Deferred()
        visit = Visit(lambda _: waiting)
        visit.send(GET)
        waiting.callback(None)
        self.assertTrue(visit.transport.disconnected)
        self.assertIsInstance(visit.events[0]["log_failure"].value, AttributeError)

    def test_transport_raises(self) -> None:
        """A transport that takes no answer that comes later is aborted, and the log says why."""
        waiting: Deferred[Response] = Deferred()
        visit = Visit(lambda _: waiting, BrokenTransport(peerAddress=PEER))
        visit.send(GET)
        waiting.callback(Response(200, (), b"hello"))
        self.assertTrue(visit.transport.disconnected)
        self.assertIsInstance(visit.events[0]["log_failure"].value, RuntimeError)

    def test_impossible_field(self) -> None:
        """A field that cannot be sent gives 500, and stands in the log."""
        for field in ((b"bad name", b""), (b"X", b"a\r\nSet-Cookie: b"), (b"Content-Length", b"9")):
            for body in (b"whole", Pieces(b"piece")):
                visit = Visit(lambda _, field=field, body=body: Response(200, (field,), body))  # type: ignore[misc]
                visit.send(GET)
                self.assertEqual(visit.answer().status, 500)
                self.assertEqual(len(visit.events), 1)

    def test_served_raises(self) -> None:
        """Whoever is told of exchanges and raises does the visitor no harm."""

        def broken(_: Exchange) -> None:
            raise OSError("disk full")

        visit = Visit(hello)
        visit.factory.served = broken
        visit.send(GET * 2)
        self.assertEqual([a.body for a in answers(visit.transport.value())], [b"hello"] * 2)
        self.assertFalse(visit.transport.disconnecting)
        self.assertEqual(len(visit.events), 2)


class Leaving(SynchronousTestCase):
    """Clients that leave while their answer is made."""

    def test_pending_handler_is_cancelled(self) -> None:
        """The handler's Deferred is cancelled when the client leaves, and nothing is logged."""
        cancelled: list[object] = []
        visit = Visit(lambda _: Deferred(cancelled.append))
        visit.send(GET)
        visit.leave()
        self.assertEqual(len(cancelled), 1)
        [exchange] = visit.exchanges
        self.assertEqual((exchange.status, exchange.whole), (499, False))
        self.assertEqual(visit.lines, [])

    def test_answer_after_leaving(self) -> None:
        """An answer that is made all the same is closed unsent."""
        stream = Pieces(b"abc")

        async def stubborn(_: Request) -> Response:
            with contextlib.suppress(CancelledError):
                await Deferred()
            return Response(200, (), stream)

        visit = Visit(stubborn)
        visit.send(GET)
        visit.leave()
        self.assertEqual(stream.closed, 1)
        self.assertEqual(visit.lines, [])

    def test_failure_after_leaving(self) -> None:
        """A handler that fails while it is cancelled is logged."""

        async def clumsy(_: Request) -> Response:
            try:
                await Deferred()
            finally:
                raise RuntimeError("while cleaning up")
            return text(b"")

        visit = Visit(clumsy)
        visit.send(GET)
        visit.leave()
        self.assertEqual(len(visit.lines), 1)

    def test_half_close_after_answer(self) -> None:
        """A client that closes its side once it has sent all gets what is still to be sent."""
        transport = NarrowTransport(peerAddress=PEER)
        visit = Visit(lambda _: Response(200, (), Pieces(*[bytes(60_000)] * 4)), transport)
        visit.send(GET)
        half_close = IHalfCloseableProtocol(visit.protocol)
        half_close.readConnectionLost()
        half_close.writeConnectionLost()
        self.assertFalse(transport.disconnecting)
        got = b"".join(transport.drain() for _ in range(5))
        [answer] = answers(got)
        self.assertEqual(len(answer.body), 240_000)
        self.assertTrue(transport.disconnecting)

    def test_half_close_before_answer(self) -> None:
        """One that closes its side before its answer has begun, or idly, has left."""
        for data in (b"", b"GET / HT", GET):
            visit = Visit(lambda _: Deferred())
            visit.send(data)
            visit.protocol.readConnectionLost()
            self.assertTrue(visit.transport.disconnecting)


class Limiting(SynchronousTestCase):
    """Requests that are too much, too slow, or no requests."""

    def refused(self, data: bytes, status: int, **kw: Any) -> Visit:
        """Assert that `data` gets one answer, `status`, after which the connection ends."""
        visit = Visit(length_of_body, **kw)
        visit.send(data)
        visit.send(GET)
        [answer] = answers(visit.transport.value())
        self.assertEqual(answer.status, status)
        self.assertEqual(answer.headers["Connection"], "close")
        self.assertFalse(visit.transport.disconnecting)
        visit.protocol.writeConnectionLost()
        visit.clock.advance(LINGER_SECONDS)
        self.assertTrue(visit.transport.disconnected)
        self.assertEqual(visit.exchanges, [])
        [line] = visit.lines
        self.assertTrue(line.startswith(f"192.0.2.7 was refused: {status} "))
        return visit

    def test_announced_too_large(self) -> None:
        """A body announced as too large is refused before it comes, without 100 Continue."""
        self.refused(
            b"POST / HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\nabc",
            413,
            limits=Limits(body_bytes=10),
        )

    def test_chunks_too_large(self) -> None:
        """A chunked body is refused as soon as it is too large, even when it ends in that read."""
        head = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
        body = b"6\r\n123456\r\n6\r\n123456\r\n0\r\n\r\n"
        self.refused(head + body, 413, limits=Limits(body_bytes=10))

    def test_largest_body(self) -> None:
        """A body of exactly the limit is taken."""
        visit = Visit(length_of_body, limits=Limits(body_bytes=10))
        visit.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\n0123456789")
        self.assertEqual(visit.answer().body, b"10")

    def test_handler_wants_less(self) -> None:
        """A handler that wants less of a body than came answers 413 by that alone."""

        async def modest(request: Request) -> Response:
            await request.body.read(2)
            return text(b"")

        visit = Visit(modest)
        visit.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc" + GET)
        self.assertEqual([a.status for a in answers(visit.transport.value())], [413, 200])

    def test_absurd_length(self) -> None:
        """A Content-Length of five thousand digits is refused, and no traceback follows."""
        data = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n"
        self.refused(data, 400)

    def test_bad_requests(self) -> None:
        """What is no request is refused with 400, and nothing after it is parsed."""
        for data in (
            b"rubbish\r\n\r\n",
            b"\x16\x03\x01\x02\x00\x01\x00\r\n",
            b"GET / HTTP/1.1\r\nHost : h\r\nX: y\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\nX: y\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
        ):
            self.refused(data, 400)

    def test_other_refusals(self) -> None:
        """The status says what it is that is not served."""
        for status, data in (
            (417, b"GET / HTTP/1.1\r\nHost: h\r\nExpect: more\r\n\r\n"),
            (431, b"GET / HTTP/1.1\r\nHost: h\r\n" + b"X: y\r\n" * 100 + b"\r\n"),
            (501, b"BREW / HTTP/1.1\r\nHost: h\r\n\r\n"),
            (505, b"GET / HTTP/2.0\r\n\r\n"),
        ):
            self.refused(data, status)

    def test_endless_lines(self) -> None:
        """A request line or a field without an end is refused with 414 or 431."""
        self.refused(b"GET /" + b"a" * 40_000, 414)
        self.refused(b"GET / HTTP/1.1\r\nHost: " + b"a" * 40_000, 431)
        self.refused(b"rubbish\r\n" + b"a" * 40_000, 400)

    def test_refused_peer_never_stops(self) -> None:
        """What a refused peer goes on sending is thrown away."""
        visit = self.refused(b"rubbish\r\n\r\n", 400)
        written = visit.transport.value()
        visit.send(b"more" * 10_000)
        self.assertEqual(visit.transport.value(), written)

    def test_idle(self) -> None:
        """A connection that asks nothing more ends after the time for that, without a line."""
        visit = Visit(hello)
        visit.send(GET)
        visit.clock.pump([1] * 60)
        self.assertFalse(visit.transport.disconnecting)
        visit.clock.pump([1] * 2)
        self.assertTrue(visit.transport.disconnecting)
        self.assertEqual(visit.lines, [])

    def test_idle_for_ever(self) -> None:
        """A keep_alive_timeout of 0 keeps connections."""
        visit = Visit(hello, limits=Limits(keep_alive_timeout=0.0))
        visit.clock.pump([1] * 1000)
        self.assertFalse(visit.transport.disconnecting)

    def test_trickle(self) -> None:
        """A header section that trickles is answered 408 after its time."""
        visit = Visit(hello)
        visit.send(b"GET /")
        for _ in range(31):
            self.assertEqual(visit.transport.value(), b"")
            visit.send(b"a")
            visit.clock.advance(1)
        self.assertEqual(visit.answer().status, 408)
        self.assertIn("it did not finish its header", visit.lines[0])

    def test_trickling_body(self) -> None:
        """So is a body that comes slower than the least rate, while somebody waits for it."""
        visit = Visit(length_of_body)
        visit.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(32):
            visit.send(b"a" * 499)
            visit.clock.advance(1)
        self.assertEqual(visit.answer().status, 408)
        self.assertIn("bytes in 30 s", visit.lines[0])

    def test_slow_honest_body(self) -> None:
        """One that comes at the least rate is taken whole, however long that takes."""
        visit = Visit(length_of_body)
        visit.send(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n")
        for _ in range(200):
            visit.send(b"a" * 500)
            visit.clock.advance(1)
        self.assertEqual(visit.answer().body, b"100000")

    def test_handler_may_take_long(self) -> None:
        """An answer may take any time; afterwards the idle time runs anew."""
        waiting: Deferred[Response] = Deferred()
        visit = Visit(lambda _: waiting)
        visit.send(GET)
        visit.clock.pump([1] * 1000)
        self.assertFalse(visit.transport.disconnecting)
        waiting.callback(text(b"late"))
        visit.clock.pump([1] * 60)
        self.assertFalse(visit.transport.disconnecting)
        visit.clock.pump([1] * 2)
        self.assertTrue(visit.transport.disconnecting)

    def test_slow_reader(self) -> None:
        """Who takes nothing of an answer is let go, and the log says how slow it was."""
        transport = NarrowTransport(peerAddress=PEER)
        visit = Visit(lambda _: Response(200, (), Pieces(*[bytes(60_000)] * 4)), transport)
        visit.send(GET)
        visit.clock.pump([1] * 32)
        self.assertTrue(transport.disconnected)
        self.assertIn("took only 0 bytes in 30 s", visit.lines[0])

    def test_pipelines_unread(self) -> None:
        """A peer that sends requests and reads no answers costs a buffer, not all the answers."""
        transport = NarrowTransport(peerAddress=PEER)
        visit = Visit(lambda _: text(bytes(10_000)), transport)
        visit.send(GET * 3000)
        self.assertLess(len(transport.value()), 100_000)
        self.assertEqual(transport.producerState, "paused")
        while len(visit.exchanges) < 3000:
            transport.drain()
        self.assertEqual(transport.producerState, "producing")

    def test_reads_no_further(self) -> None:
        """While an answer waits, for its handler or its peer, a bounded amount is read ahead."""
        handlers: tuple[Handler, ...] = (lambda _: Deferred(), lambda _: text(bytes(100_000)))
        for handler in handlers:
            transport = NarrowTransport(peerAddress=PEER)
            visit = Visit(handler, transport)
            visit.send(GET)
            while transport.producerState == "producing":
                visit.send(GET)
                self.assertLess(len(visit.protocol._buffer), 2 * AHEAD_BYTES)

    def test_factory_keeps_no_timer(self) -> None:
        """Starting and stopping the factory leaves no timer behind and opens nothing."""
        visit = Visit(hello)
        visit.leave()
        visit.factory.doStart()
        visit.factory.doStop()
        self.assertEqual(visit.clock.getDelayedCalls(), [])

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.binary(max_size=60), max_size=4))
    def test_rubbish(self, pieces: list[bytes]) -> None:
        """Whatever comes, nothing raises, and the log has refusals alone."""
        visit = Visit(length_of_body)
        for piece in pieces:
            visit.send(piece + b"\r\n")
        self.assertTrue(all(" was refused: " in line for line in visit.lines))


POST = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: %d\r\n%b\r\n"
EXPECTS = b"Expect: 100-continue\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class Gate:
    """A handler that reads the body as often as the test lets it, and answers how much came."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self._waiting: Deferred[None] = Deferred()

    def open(self) -> None:
        """Let the handler go on by one piece."""
        waiting, self._waiting = self._waiting, Deferred()
        waiting.callback(None)

    async def __call__(self, request: Request) -> Response:
        """Read a piece each time that the gate is opened."""
        await self._waiting
        async for piece in request.body:
            self.pieces.append(piece)
            await self._waiting
        return text(b"%d" % sum(map(len, self.pieces)))


class Continuing(SynchronousTestCase):
    """Clients that wait for a 100 before they send a body (RFC 9110 10.1.1)."""

    def test_once_wanted(self) -> None:
        """The 100 is sent once the handler asks for the body, not before, and once only."""
        gate = Gate()
        visit = Visit(gate)
        visit.send(POST % (5, EXPECTS))
        self.assertEqual(visit.transport.value(), b"")
        gate.open()
        self.assertEqual(visit.transport.value(), CONTINUE)
        visit.transport.clear()
        for piece in (b"ab", b"cde"):
            visit.send(piece)
            gate.open()
        self.assertEqual(visit.answer().body, b"5")
        self.assertFalse(visit.transport.disconnecting)

    def test_body_came(self) -> None:
        """Who sends the body, or a part of it, without waiting needs no 100."""
        for pieces in (
            (POST % (5, EXPECTS) + b"ab", b"cde"),
            (POST % (5, EXPECTS), b"ab", b"cde"),
            (POST % (5, EXPECTS) + b"abcde",),
        ):
            gate = Gate()
            visit = Visit(gate)
            for piece in pieces:
                visit.send(piece)
            for _ in (*pieces, 0):
                gate.open()
            self.assertEqual(visit.answer().body, b"5")

    def test_answer_has_begun(self) -> None:
        """A handler that asks for the body after its answer has begun sends no 100 into that."""

        async def reads_late(request: Request) -> AsyncIterator[bytes]:
            yield b"early;"
            yield b"%d" % len(await request.body.read(5))

        class Late(Pieces):
            def __init__(self, request: Request) -> None:
                super().__init__()
                self.request = request

            def __aiter__(self) -> AsyncIterator[bytes]:
                return reads_late(self.request)

        visit = Visit(lambda request: Response(200, (), Late(request)))
        visit.send(POST % (5, EXPECTS))
        self.assertNotIn(b"100 Continue", visit.transport.value())
        visit.send(b"abcde")
        self.assertEqual(visit.answer().body, b"early;5")
        self.assertEqual(visit.lines, [])

    def test_refused_by_handler(self) -> None:
        """An answer in place of the 100 ends the connection: nobody knows what comes then."""
        visit = Visit(hello)
        visit.send(POST % (5, EXPECTS))
        visit.send(b"abcde" + GET)
        [answer] = answers(visit.transport.value())
        self.assertEqual((answer.body, answer.headers["Connection"]), (b"hello", "close"))
        self.assertTrue(visit.transport.half_closed)  # type: ignore[attr-defined]

    def test_http_1_0(self) -> None:
        """A client of HTTP/1.0 gets no 100."""
        visit = Visit(length_of_body)
        visit.send((POST % (5, EXPECTS)).replace(b"HTTP/1.1", b"HTTP/1.0"))
        self.assertEqual(visit.transport.value(), b"")
        visit.send(b"abcde")
        self.assertEqual(visit.answer().body, b"5")


class Bodies(SynchronousTestCase):
    """Bodies that are read as they come, and those that nobody reads."""

    def test_back_pressure(self) -> None:
        """Of a body that is not read no more than AHEAD_BYTES come; as it is read, more does."""
        for head, wrap in (
            (POST % (300_000, b""), bytes),
            (
                b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
                lambda data: b"%x\r\n%b\r\n" % (len(data), data),
            ),
        ):
            gate = Gate()
            visit = Visit(gate)
            visit.send(head)
            sent = 0
            while sent < 300_000:
                while visit.transport.producerState == "producing" and sent < 300_000:
                    visit.send(wrap(bytes(10_000)))
                    sent += 10_000
                self.assertLess(sent - sum(map(len, gate.pieces)), AHEAD_BYTES + 20_000)
                while visit.transport.producerState == "paused":
                    gate.open()
            if b"chunked" in head:
                visit.send(b"0\r\n\r\n")
            while not visit.transport.value():
                gate.open()
            self.assertEqual(visit.answer().body, b"300000")
            self.assertFalse(visit.transport.disconnecting)

    def test_little_unwanted(self) -> None:
        """A little body that nobody wanted is thrown away, and the next request answered."""
        visit = Visit(hello)
        visit.send(POST % (1000, b""))
        visit.send(GET[:10] + bytes(500))
        visit.send(bytes(490) + GET)
        self.assertEqual([a.body for a in answers(visit.transport.value())], [b"hello"] * 2)
        self.assertFalse(visit.transport.disconnecting)
        self.assertEqual(visit.lines, [])

    def test_much_unwanted(self) -> None:
        """Behind a large one, or one of unknown length, the connection ends, and it is lingered."""
        for head in (
            POST % (DRAINED_BYTES + 1, b""),
            b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n",
        ):
            visit = Visit(hello)
            visit.send(head)
            visit.send(GET)
            [answer] = answers(visit.transport.value())
            self.assertEqual((answer.body, answer.headers["Connection"]), (b"hello", "close"))
            self.assertTrue(visit.transport.half_closed)  # type: ignore[attr-defined]
            self.assertFalse(visit.transport.disconnected)
            visit.protocol.writeConnectionLost()
            visit.clock.advance(LINGER_SECONDS)
            self.assertTrue(visit.transport.disconnected)
            self.assertEqual(len(visit.exchanges), 1)

    def test_drained_slowly(self) -> None:
        """An unwanted body that never comes is not waited for without end."""
        visit = Visit(hello)
        visit.send(POST % (1000, b""))
        visit.clock.pump([1] * 65)
        self.assertTrue(visit.transport.disconnecting or visit.transport.disconnected)

    def test_cut(self) -> None:
        """A body that is cut short is never taken for a whole one."""
        read: list[bytes] = []

        async def note(request: Request) -> Response:
            read.append(await request.body.read(10))
            return text(b"")

        visit = Visit(note)
        visit.send(POST % (5, b"") + b"abcd")
        visit.protocol.readConnectionLost()
        visit.leave()
        self.assertEqual((read, visit.lines), ([], []))


class Note(Protocol):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.heard: list[bytes | str] = []

    def connectionMade(self) -> None:
        """Note it."""
        self.heard.append("made")

    def dataReceived(self, data: bytes) -> None:
        """Note it."""
        self.heard.append(data)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Note it."""
        self.heard.append("lost")


@implementer(IHalfCloseableProtocol)
class NoteHalves(Note):
    """Goes on after a half-close, and notes that too."""

    def readConnectionLost(self) -> None:
        """Note it."""
        self.heard.append("read lost")

    def writeConnectionLost(self) -> None:
        """Note it."""
        self.heard.append("write lost")


class Takeovers(SynchronousTestCase):
    """Connections that become another protocol's."""

    def taken(self, note: Note, rest: bytes = b"") -> Visit:
        """Return a visit whose connection is the protocol's, with `rest` behind the request."""
        headers = ((b"Connection", b"Upgrade"), (b"Upgrade", b"x"))
        visit = Visit(lambda _: Response(101, headers, Takeover(note)))
        fields = b"Connection: Upgrade\r\nUpgrade: x\r\n"
        visit.send(b"GET / HTTP/1.1\r\nHost: h\r\n" + fields + b"\r\n" + rest)
        self.assertTrue(visit.transport.value().startswith(b"HTTP/1.1 101 "))
        self.assertTrue(visit.transport.value().endswith(b"\r\n\r\n"))
        return visit

    def test_what_came_along(self) -> None:
        """The protocol is given first what came with the request, then what follows, all as it is."""
        note = NoteHalves()
        visit = self.taken(note, GET)
        visit.send(b"more")
        self.assertEqual(note.heard, ["made", GET, b"more"])
        self.assertIsNone(visit.transport.producer)
        visit.clock.pump([1] * 100)
        self.assertFalse(visit.transport.disconnecting)
        self.assertEqual(len(visit.exchanges), 1)

    def test_ends(self) -> None:
        """It is told of each half that closes, and of the end."""
        note = NoteHalves()
        visit = self.taken(note)
        visit.protocol.readConnectionLost()
        visit.protocol.writeConnectionLost()
        self.assertFalse(visit.transport.disconnecting)
        visit.leave()
        self.assertEqual(note.heard, ["made", "read lost", "write lost", "lost"])
        self.assertEqual((visit.lines, visit.clock.getDelayedCalls()), ([], []))

    def test_knows_no_halves(self) -> None:
        """For one that knows no half-close the connection ends with the peer's half."""
        note = Note()
        visit = self.taken(note)
        visit.protocol.readConnectionLost()
        self.assertTrue(visit.transport.disconnecting)
        visit.leave()
        self.assertEqual(note.heard, ["made", "lost"])

    def test_was_held_back(self) -> None:
        """A client that was held back while the handler thought is read from again."""
        waiting: Deferred[Response] = Deferred()
        visit = Visit(lambda _: waiting)
        visit.send(GET)
        visit.send(bytes(AHEAD_BYTES + 1))
        self.assertEqual(visit.transport.producerState, "paused")
        note = Note()
        waiting.callback(Response(200, (), Takeover(note)))
        self.assertEqual(visit.transport.producerState, "producing")
        self.assertEqual(note.heard, ["made", bytes(AHEAD_BYTES + 1)])


class BrokenTransport(ClosingTransport):
    """A transport that takes nothing."""

    def write(self, data: bytes) -> None:
        """Refuse `data`."""
        raise RuntimeError(len(data))


class UnreadTransport(NarrowTransport):
    """A transport that says, as Twisted's own do, how much its peer has not read."""

    offset = _tempDataLen = 0

    @property
    def dataBuffer(self) -> bytes:
        """Return what has not been read."""
        unread: bytes = self.value()
        return unread


class SecureTransport(ClosingTransport):
    """A transport whose TLS client asked for a name."""

    def __init__(self, name: bytes) -> None:
        super().__init__(peerAddress=PEER)
        alsoProvides(self, ISSLTransport)
        self.name = name

    def getHandle(self) -> "SecureTransport":
        """Return what knows the name."""
        return self

    def get_servername(self) -> bytes:
        """Return it."""
        return self.name

    def getPeerCertificate(self) -> None:
        """There is none."""


class Repeating(SynchronousTestCase):
    """Answers that may be given again."""

    def setUp(self) -> None:
        """Count what the handler is asked."""
        self.asked = 0

    def count(self, request: Request) -> Response:
        """Answer with the name of the server that was asked, and how often."""
        self.asked += 1
        name = f"{request.client.server_name} {self.asked}"
        return Response(200, (), name.encode(), repeatable=True)

    def also(self, visit: Visit, transport: ClosingTransport) -> Visit:
        """Return another visit to the same server."""
        other = copy(visit)
        other.transport = transport
        other.protocol = visit.factory.buildProtocol(PEER)
        other.protocol.makeConnection(transport)
        return other

    def bodies(self, visit: Visit) -> list[bytes]:
        """Return the bodies of all answers."""
        return [answer.body for answer in answers(visit.transport.value())]

    def test_once_a_second(self) -> None:
        """The handler is asked once a second for the same bytes, and each exchange is noted."""
        visit = Visit(self.count)
        for _ in range(3):
            visit.send(GET)
        visit.clock.advance(1)
        visit.send(GET)
        self.assertEqual(self.bodies(visit), [b"None 1"] * 3 + [b"None 2"])
        noted = [(each.status, each.sent, each.whole) for each in visit.exchanges]
        self.assertEqual(noted, [(200, 6, True)] * 4)
        self.assertTrue(all(each.request.client.peer == PEER for each in visit.exchanges))

    def test_other_bytes(self) -> None:
        """Other bytes are another request."""
        visit = Visit(self.count)
        visit.send(GET)
        visit.send(GET.replace(b"test", b"TEST"))
        visit.send(GET + GET)
        self.assertEqual(len(self.bodies(visit)), 4)
        self.assertGreaterEqual(self.asked, 2)

    def test_every_connection(self) -> None:
        """No connection, the first or a later, hears an answer of another second."""
        visit = Visit(self.count)
        visit.send(GET)
        others = [self.also(visit, ClosingTransport(peerAddress=PEER)) for _ in range(3)]
        for other in others:
            other.send(GET)
        visit.clock.advance(1)
        asked = self.asked
        late = self.also(visit, ClosingTransport(peerAddress=PEER))
        late.send(GET)
        self.assertEqual(self.bodies(late), [b"None %d" % (asked + 1)])

    def test_server_names(self) -> None:
        """An answer for one TLS server name is given for no other, nor without TLS."""
        visit = Visit(self.count)
        transports = [SecureTransport(name) for name in (b"a", b"a", b"b", b"b", b"a")]
        for transport in (*transports, *map(SecureTransport, (b"b", b"a"))):
            other = self.also(visit, transport)
            other.send(GET)
            other.send(GET)
            for body in self.bodies(other):
                self.assertTrue(body.startswith(transport.name + b" "), body)
        visit.send(GET)
        self.assertTrue(self.bodies(visit)[0].startswith(b"None "))

    def test_more_names_than_are_remembered(self) -> None:
        """However many names are asked for, no answer is older than a second."""
        visit = Visit(self.count)
        others = [
            self.also(visit, SecureTransport(b"%d.test" % number)) for number in range(NAMES + 2)
        ]
        for _ in range(2):
            asked = self.asked
            for other in others:
                other.send(GET)
                self.assertGreater(int(self.bodies(other)[-1].split()[1]), asked)
            visit.clock.advance(1)

    def test_not_while_unread(self) -> None:
        """A client that does not read is given no more of them than of others."""
        transport = UnreadTransport(peerAddress=PEER)
        visit = Visit(lambda _: Response(200, (), bytes(10_000), repeatable=True), transport)
        for _ in range(100):
            visit.send(GET)
        self.assertLess(len(transport.value()), 100_000)
        got = b""
        while len(visit.exchanges) < 100:
            got += transport.drain()
        self.assertEqual(len(list(answers(got + transport.drain()))), 100)

    def test_not_for_the_last(self) -> None:
        """A request that ends its connection is answered so each time."""
        last = GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
        visit = Visit(self.count)
        for _ in range(2):
            other = self.also(visit, ClosingTransport(peerAddress=PEER))
            other.send(last)
            self.assertEqual(other.answer().headers["Connection"], "close")
            self.assertTrue(other.transport.disconnecting)

    def test_date_after_rest(self) -> None:
        """After an hour without a connection the Date of the first answer is right."""
        now = [784111777.0]
        visit = Visit(hello, wall=lambda: now[0])
        visit.send(GET)
        visit.leave()
        self.assertEqual(visit.clock.getDelayedCalls(), [])
        now[0] += 3600
        visit.clock.advance(3600)
        later = self.also(visit, ClosingTransport(peerAddress=PEER))
        later.send(GET)
        self.assertEqual(later.answer().headers["Date"], "Sun, 06 Nov 1994 09:49:37 GMT")


class LeavingAnywhere(SynchronousTestCase):
    """Clients that leave, in every phase of an exchange."""

    def test_nothing_is_left(self) -> None:
        """Nothing is logged, no timer is left, and what the handler held is let go of."""
        chunks = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab"
        big = Pieces(*[bytes(60_000)] * 4)
        phases: tuple[tuple[bytes, Handler], ...] = (
            (b"", hello),
            (b"GET / HT", hello),
            (GET, hello),
            (GET, lambda _: Deferred()),
            (GET * 3, lambda _: Deferred()),
            (POST % (5, EXPECTS), length_of_body),
            (POST % (5, b"") + b"ab", length_of_body),
            (POST % (5, b"") + b"ab", Gate()),
            (chunks, length_of_body),
            (POST % (1000, b"") + b"ab", hello),
            (POST % (DRAINED_BYTES + 1, b""), hello),
            (GET, lambda _: Response(200, (), big)),
            (GET * 30, lambda _: text(bytes(10_000))),
        )
        for data, handler in phases:
            for cleanly in (True, False):
                transport = NarrowTransport(peerAddress=PEER)
                visit = Visit(handler, transport)
                visit.send(data)
                visit.leave(cleanly=cleanly)
                self.assertEqual(visit.lines, [], data)
                self.assertEqual(visit.clock.getDelayedCalls(), [], data)
        self.assertEqual(big.closed, 2)

    def test_while_lingering(self) -> None:
        """So it is for one that leaves after it was refused, of which one line tells."""
        visit = Visit(hello)
        visit.send(b"rubbish\r\n\r\n")
        visit.protocol.writeConnectionLost()
        visit.leave()
        self.assertEqual((len(visit.lines), visit.clock.getDelayedCalls()), (1, []))
