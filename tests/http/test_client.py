"""A connection to a server: what is sent, what counts as an answer, and what ends it."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.asking import Problem
from netkit.http.exchange import WHOLE_BYTES
from netkit.http.messages import BodyCutError, BodyTooLargeError, ResponseHead
from netkit.http.patience import CLOSE_SECONDS
from netkit.http.sending import CONTINUE_SECONDS
from tests.http.origins import Asker, Asking, Origin, reset
from tests.http.test_channel import Pieces
from tests.net.splits import split

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"
CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3;x=y\r\n wo\r\n0\r\n\r\n"
)
CLOSED = b"HTTP/1.1 200 OK\r\n\r\nhello"
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
BIG = WHOLE_BYTES + 1


def asked(answer: bytes, method: bytes = b"GET", **kw: Any) -> tuple[Asking, Asker]:
    """Ask, and let `answer` come at once."""
    asker = Asker()
    asking = asker.ask(method, **kw)
    asker.origin.answer(answer)
    return asking, asker


class Sent(SynchronousTestCase):
    """What a server is sent."""

    def sent(self, method: bytes = b"GET", **kw: Any) -> bytes:
        """Return it."""
        asker = Asker()
        asker.ask(method, **kw)
        return asker.origin.end.take()

    def test_bodiless(self) -> None:
        """Only a method that expects a body says that there is none (RFC 9110 8.6)."""
        opening = b" / HTTP/1.1\r\nHost: origin\r\n"
        self.assertEqual(self.sent(b"GET"), b"GET" + opening + b"\r\n")
        self.assertEqual(self.sent(b"DELETE"), b"DELETE" + opening + b"\r\n")
        for method in (b"POST", b"PUT", b"PATCH"):
            self.assertEqual(self.sent(method), method + opening + b"Content-Length: 0\r\n\r\n")

    def test_bytes(self) -> None:
        """A body that is at hand goes with its head."""
        sent = self.sent(b"POST", body=b"hello")
        self.assertTrue(sent.endswith(b"\r\nContent-Length: 5\r\n\r\nhello"))

    def test_streams(self) -> None:
        """A stream is framed by its length, or in chunks; it is closed when it is sent."""
        body = Pieces(b"he", b"", b"llo", length=5)
        self.assertTrue(self.sent(b"PUT", body=body).endswith(b"Content-Length: 5\r\n\r\nhello"))
        self.assertEqual(body.closed, 1)
        sent = self.sent(b"PUT", body=Pieces(b"he", b"llo"))
        framed = b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
        self.assertTrue(sent.endswith(framed))

    def test_upgrade(self) -> None:
        """A wish for another protocol is about the connection (RFC 9110 7.8)."""
        sent = self.sent(upgrade=b"websocket")
        self.assertTrue(sent.endswith(b"Connection: upgrade\r\nUpgrade: websocket\r\n\r\n"))

    def test_wrong_streams(self) -> None:
        """A stream that is cut, or is not as long as it said, is never ended as a whole one is."""
        for body, error in (
            (Pieces(b"he", BodyCutError("gone"), length=5), BodyCutError),
            (Pieces(b"he", BodyCutError("gone")), BodyCutError),
            (Pieces(b"he", BodyTooLargeError()), BodyTooLargeError),
            (Pieces(b"hello!", length=5), BodyCutError),
            (Pieces(b"hell", length=5), BodyCutError),
            (Pieces(b"he", KeyError("a bug")), KeyError),
        ):
            with self.subTest(body.pieces):
                asker = Asker()
                asking = asker.ask(b"PUT", body=body)
                self.assertIsInstance(asking.errors[0], error)
                self.assertTrue(asker.origin.end.aborted)
                self.assertFalse(asker.origin.end.taken.endswith((b"0\r\n\r\n", b"hello")))
                self.assertEqual(body.closed, 1)

    def test_back_pressure(self) -> None:
        """A stream is asked for no more than the server takes."""
        body = Pieces(*[b"x" * 65536] * 10, length=655360)
        asker = Asker()
        asking = asker.ask(b"PUT", body=body)
        self.assertLess(asker.origin.end.waiting, 3 * 65536)
        self.assertEqual(body.closed, 0)
        while asker.origin.end.take():
            pass
        self.assertEqual(body.closed, 1)
        self.assertGreater(len(asker.origin.end.taken), 655360)
        asker.origin.answer(OK)
        self.assertEqual(asking.answer.body, b"hello")
        self.assertEqual(asker.pool.counts.idle, 1)

    def test_early_answer(self) -> None:
        """An answer before the body is sent is delivered; the connection is not used again."""
        for body in (Pieces(*[b"x" * 65536] * 10, length=655360), b"x" * 655360):
            asker = Asker()
            asking = asker.ask(b"PUT", body=body)
            asker.origin.end.take(100)
            asker.origin.end.send(OK)
            self.assertEqual(asking.answer.body, b"hello")
            self.assertTrue(asker.origin.end.aborted)
            self.assertEqual(asker.pool.counts.idle, 0)
            if isinstance(body, Pieces):
                self.assertEqual(body.closed, 1)

    def test_answer_while_sending(self) -> None:
        """While a longer answer comes, the body is still sent; a cut ends both."""
        more: Deferred[bytes] = Deferred()

        class Slow(Pieces):
            async def __aiter__(self) -> Any:
                """Yield two pieces, the second one later."""
                yield b"one"
                yield await more

        asker = Asker()
        asking = asker.ask(b"PUT", body=Slow())
        asker.origin.answer(CHUNKED[:60])
        self.assertTrue(asker.origin.end.taken.endswith(b"3\r\none\r\n"))
        asking.take_all()
        more.callback(b"two")
        self.assertTrue(asker.origin.end.take().endswith(b"3\r\ntwo\r\n0\r\n\r\n"))
        asker.origin.answer(CHUNKED[60:])
        self.assertEqual(asking.body, b"hello wo")
        self.assertEqual(asker.pool.counts.idle, 1)


class Expecting(SynchronousTestCase):
    """Expect: 100-continue (RFC 9110 10.1.1)."""

    def ask(self, body: Any) -> tuple[Asking, Asker]:
        """Ask, with the head taken by the server."""
        asker = Asker()
        asking = asker.ask(b"PUT", body=body, expects=True)
        self.assertTrue(asker.origin.end.take().endswith(b"Expect: 100-continue\r\n\r\n"))
        return asking, asker

    def test_wanted(self) -> None:
        """The body goes when the server says 100."""
        for body in (Pieces(b"hello", length=5), b"hello"):
            asking, asker = self.ask(body)
            asker.origin.answer(CONTINUE)
            self.assertEqual(asker.origin.end.take(), b"hello")
            asker.origin.answer(OK)
            self.assertEqual(asking.answer.head.status, 200)
            self.assertEqual(asker.pool.counts.idle, 1)
            self.assertEqual(len(asker.clock.getDelayedCalls()), 1)  # the pool's tick

    def test_silence(self) -> None:
        """The body goes when the server says nothing for a while."""
        _, asker = self.ask(Pieces(b"hello", length=5))
        asker.clock.advance(CONTINUE_SECONDS)
        self.assertEqual(asker.origin.end.take(), b"hello")

    def test_refused(self) -> None:
        """The body does not go, nor is it read, where the server has answered."""
        body = Pieces(b"hello", length=5)
        asking, asker = self.ask(body)
        asker.origin.answer(b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n")
        self.assertEqual(asking.answer.head.status, 413)
        asker.wait(2)
        self.assertTrue(asker.origin.end.aborted)
        self.assertEqual(body.closed, 0)

    def test_nothing_to_send(self) -> None:
        """Without a body there is nothing to expect."""
        for body in (b"", Pieces(length=0)):
            asker = Asker()
            asker.ask(b"PUT", body=body, expects=True)
            self.assertTrue(asker.origin.end.take().endswith(b"Content-Length: 0\r\n\r\n"))


class Answered(SynchronousTestCase):
    """What counts as an answer."""

    def test_small(self) -> None:
        """A body that came with its head is there as bytes, and the connection is free."""
        for answer, body in ((OK, b"hello"), (CHUNKED, b"hello wo")):
            asking, asker = asked(answer)
            self.assertEqual(asking.answer.body, body)
            self.assertEqual(asker.pool.counts.idle, 1)

    def test_known_head(self) -> None:
        """The same answer again is the same."""
        asker = Asker()
        for _ in range(3):
            asking = asker.ask()
            asker.origin.answer(OK)
            self.assertEqual(asking.answer.body, b"hello")
        self.assertEqual(len(asker.origin.ends), 1)
        asking = asker.ask(b"HEAD")
        asker.origin.answer(OK[:-5])
        self.assertEqual(asking.answer.body, b"")

    def test_small_in_two(self) -> None:
        """A small body that comes a little later than its head goes with it."""
        asking, asker = asked(OK[:-5])
        self.assertEqual(asking.answers, [])
        asker.origin.answer(OK[-5:])
        self.assertEqual(asking.answer.body, b"hello")

    def test_small_and_late(self) -> None:
        """An answer waits for its small body no longer than two looks."""
        asking, asker = asked(OK[:-3])
        asker.wait(2)
        asking.take_all()
        self.assertEqual(asking.body, b"he")
        asker.origin.answer(OK[-3:])
        self.assertEqual(asking.body, b"hello")
        self.assertTrue(asking.ended)
        self.assertEqual(asker.pool.counts.idle, 1)

    def test_no_body(self) -> None:
        """Answers without a body leave the connection free, whatever their fields say."""
        for status, method in ((b"204", b"GET"), (b"304", b"GET"), (b"200", b"HEAD")):
            head = b"HTTP/1.1 %b x\r\nContent-Length: 5\r\n\r\n" % status
            asking, asker = asked(head, method)
            self.assertEqual(asking.answer.body, b"")
            self.assertEqual(asker.pool.counts.idle, 1)

    def test_ahead(self) -> None:
        """No more than one read is ahead of whoever takes a body, and time does not run then."""
        asking, asker = asked(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\nabc" % BIG)
        end = asker.origin.end
        self.assertEqual(getattr(asking.answer.body, "length", None), BIG)
        self.assertFalse(end.reading)
        asker.wait(1000)
        asking.take()
        self.assertEqual(asking.pieces, [b"abc"])
        self.assertFalse(end.reading)
        asking.take()
        self.assertTrue(end.reading)
        end.send(b"def")
        self.assertEqual(asking.pieces, [b"abc", b"def"])
        self.assertTrue(end.send(b"ghi"))
        self.assertFalse(end.reading)
        asking.take_all()
        self.assertTrue(end.send(b"x" * (BIG - 9)))
        self.assertTrue(asking.ended)
        self.assertTrue(end.reading)
        self.assertEqual(asker.pool.counts.idle, 1)

    def test_until_close(self) -> None:
        """A body without a length ends with the connection, if that ends well."""
        for is_lost, ends in ((False, True), (True, False)):
            asking, asker = asked(CLOSED)
            asking.take_all()
            if is_lost:
                reset(asker.origin.end)
            else:
                asker.origin.end.finish()
            self.assertEqual(asking.body, b"hello")
            self.assertEqual(asking.ended, ends)
            self.assertEqual(len(asking.cuts), 1 - ends)

    def test_until_close_without_half_close(self) -> None:
        """Over TLS a clean end is heard as the connection being lost."""
        asking, asker = asked(CLOSED)
        asking.take_all()
        asker.origin.end.connectionLost(Failure(ConnectionDone()))
        self.assertTrue(asking.ended)

    def test_closed_stream(self) -> None:
        """Whoever wants no more of a body ends the connection, and only then."""
        asking, asker = asked(CHUNKED[:60])
        asking.answer.close()
        self.assertTrue(asker.origin.end.aborted)
        asking.take()
        self.assertIsInstance(asking.cuts[0], BodyCutError)
        asking, asker = asked(CHUNKED[:60])
        asking.take_all()
        asker.origin.answer(CHUNKED[60:])
        asking.answer.close()
        self.assertEqual(asker.pool.counts.idle, 1)

    def test_interim(self) -> None:
        """Interim answers are told, but for 100, and none of them counts as the answer."""
        informed: list[ResponseHead] = []
        asking, _ = asked(INTERIM + CONTINUE + INTERIM + OK, informed=informed.append)
        self.assertEqual([head.status for head in informed], [103, 103])
        self.assertEqual(informed[0].headers, ((b"Link", b"</a>"),))
        self.assertEqual(asking.answer.head.status, 200)
        asking, _ = asked(INTERIM + OK)
        self.assertEqual(asking.answer.head.status, 200)

    def test_too_many_interim(self) -> None:
        """There is an end to interim answers."""
        asking, asker = asked(INTERIM * 17 + OK)
        self.assertIs(asking.error.problem, Problem.HTTP_PROTOCOL_ERROR)
        self.assertTrue(asker.origin.end.aborted)

    def test_taken_back_while_informed(self) -> None:
        """Whoever hears of an interim answer may take the question back."""
        asker = Asker()
        askings: list[Asking] = []
        asking = asker.ask(informed=lambda _: askings[0].deferred.cancel())
        askings.append(asking)
        asker.origin.answer(INTERIM + OK)
        self.assertEqual(asking.answers, [])
        self.assertTrue(asker.origin.end.aborted)

    def test_too_much_header(self) -> None:
        """A header section has a size and a number of fields, whole or not."""
        lines = (b"X: %b\r\n" % (b"y" * 70000), b"X: y\r\n" * 201)
        for fields in lines:
            for end in (b"\r\n", b""):
                with self.subTest(fields=fields[:10], end=end):
                    asking, _ = asked(b"HTTP/1.1 200 OK\r\n" + fields + end)
                    if end or len(fields) > 65536:
                        wrong = Problem.HTTP_RESPONSE_HEADER_SECTION_SIZE
                        self.assertIs(asking.error.problem, wrong)
                        self.assertFalse(asking.error.untouched)

    def test_none(self) -> None:
        """What could be understood in two ways is no answer, and ends the connection."""
        ok = b"HTTP/1.1 200 OK\r\n"
        for answer in (
            ok + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            ok + b"Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
            ok + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
            ok + b"Content-Length: +5\r\n\r\nhello",
            ok + b"Content-Length: -5\r\n\r\nhello",
            ok + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            ok + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            ok + b"Transfer-Encoding: chunked\r\n\r\n+5\r\nhello\r\n0\r\n\r\n",
            ok + b"Transfer-Encoding: chunked\r\n\r\n5\nhello\n0\n\n",
            b"HTTP/1.1 200 O\nK: x\r\nContent-Length: 0\r\n\r\n",
            ok + b"X: y\r\n z\r\nContent-Length: 0\r\n\r\n",
            ok + b"X: \x00\r\nContent-Length: 0\r\n\r\n",
            b"HTTP/1.1 103 Hints\r\nContent-Length: 5\r\n\r\nhello" + OK,
            b"\r\n" + OK,
            b"SSH-2.0-OpenSSH_9.6\r\n",
            b"HTTP/1.1 200 OK\nContent-Length: 0\n\n",
            b"\x15\x03\x01\x00\x02\x02\x16",
        ):
            with self.subTest(answer):
                asking, asker = asked(answer)
                if not asking.errors:
                    asking.take()
                self.assertEqual(asking.answers, [])
                self.assertIn("HTTP_", asking.error.problem.name)
                self.assertTrue(asker.origin.end.aborted)
                self.assertEqual(asker.pool.counts.connections, 0)

    def test_bytes_behind(self) -> None:
        """What comes behind a whole answer counts to none."""
        evil = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
        for answer in (OK, CHUNKED, OK[:15] + b"X: y\r\n" + OK[15:]):
            asking, asker = asked(answer + evil)
            self.assertTrue(asking.answer.body)
            self.assertEqual(asker.pool.counts.idle, 0)
            asker.ask()
            self.assertEqual(len(asker.origin.ends), 2)

    def test_bytes_between(self) -> None:
        """What comes while nobody asked ends the connection."""
        _, asker = asked(OK)
        asker.origin.answer(OK)
        self.assertTrue(asker.origin.end.aborted)
        self.assertEqual(asker.pool.counts.connections, 0)

    def test_last_question(self) -> None:
        """A question may be the last on its connection: the server is told, and nobody asks there again."""
        asker = Asker()
        asking = asker.ask(last=True)
        self.assertTrue(asker.origin.end.take().endswith(b"\r\nConnection: close\r\n\r\n"))
        asker.origin.answer(OK)
        self.assertEqual(asking.answer.body, b"hello")
        self.assertEqual(asker.pool.counts.idle, 0)

    def test_last(self) -> None:
        """A connection that the server will close is not used again."""
        for answer in (
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello",
            b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello",
        ):
            asking, asker = asked(answer)
            self.assertEqual(asking.answer.body, b"hello")
            self.assertEqual(asker.pool.counts.idle, 0)
            self.assertTrue(asker.origin.end.disconnecting)

    @settings(deadline=None, max_examples=150)
    @given(st.data())
    def test_any_split(self, data: st.DataObject) -> None:
        """However an answer is split, it is the same."""
        interim = data.draw(st.lists(st.sampled_from((INTERIM, CONTINUE)), max_size=3))
        answer = data.draw(st.sampled_from((OK, CHUNKED, CLOSED)))
        informed: list[ResponseHead] = []
        asker = Asker()
        asking = asker.ask(informed=informed.append)
        asker.origin.end.take()
        for piece in filter(None, split(b"".join(interim) + answer, data.draw)):
            asker.origin.end.protocol.dataReceived(piece)
        if answer is CLOSED:
            asker.origin.end.finish()
        asking.take_all()
        self.assertTrue(asking.ended)
        self.assertEqual(asking.body, b"hello wo" if answer is CHUNKED else b"hello")
        self.assertEqual(len(informed), interim.count(INTERIM))
        self.assertEqual(asker.pool.counts.idle, int(answer is not CLOSED))

    @settings(deadline=None, max_examples=150)
    @given(st.data())
    def test_any_split_of_rubbish(self, data: st.DataObject) -> None:
        """Whatever comes, the answer or the error is the same however it is split."""
        parts = (
            b"HTTP/1.1 200 OK\r\n",
            b"HTTP/1.1 103 x\r\n\r\n",
            b"A: b\r\n",
            b"\r\n",
            b"\n",
            b"5",
        )
        stream = b"".join(data.draw(st.lists(st.sampled_from(parts), max_size=8)))
        outcomes = []
        for pieces in ([stream], split(stream, data.draw)):
            asker = Asker()
            asking = asker.ask()
            for piece in filter(None, pieces):
                asker.origin.end.protocol.dataReceived(piece)
            asker.origin.end.finish()
            asking.take_all() if asking.answers else None
            heads = [answer.head for answer in asking.answers]
            outcomes.append((heads, asking.body, bool(asking.errors or asking.cuts)))
        self.assertEqual(*outcomes)


class Truncated(SynchronousTestCase):
    """Answers that end too early."""

    def test_every_byte(self) -> None:
        """Wherever an answer is cut off, that is seen, whether the end is clean or not."""
        for answer in (OK, CHUNKED, INTERIM + OK, CLOSED):
            for at in range(len(answer)):
                for end in (reset, lambda end: end.finish()):
                    asking, asker = asked(answer[:at])
                    end(asker.origin.end)
                    asker.origin.end.take()
                    if asking.answers:
                        asking.take_all()
                    clean = answer is CLOSED and at >= len(CLOSED) - 5 and end is not reset
                    with self.subTest(answer[:at]):
                        self.assertEqual(asking.ended, clean)
                        self.assertEqual(len(asking.errors + asking.cuts), 1 - clean)
                        self.assertEqual(asker.pool.counts.connections, asker.pool.counts.idle)

    def test_problem(self) -> None:
        """The error says how far the answer got."""
        for at, problem in (
            (0, Problem.CONNECTION_TERMINATED),
            (20, Problem.CONNECTION_TERMINATED),
            (len(OK) - 1, Problem.HTTP_RESPONSE_INCOMPLETE),
        ):
            asking, asker = asked(OK[:at])
            asker.origin.end.finish()
            self.assertIs(asking.error.problem, problem)
            self.assertFalse(asking.error.untouched)

    def test_bad_chunk(self) -> None:
        """A chunk that is none cuts a body that has begun."""
        asking, asker = asked(CHUNKED[:60])
        asking.take_all()
        asker.origin.answer(b"zz\r\n" * 10)
        self.assertIsInstance(asking.cuts[0], BodyCutError)
        self.assertTrue(asker.origin.end.aborted)


class Deadlines(SynchronousTestCase):
    """How long a server may take."""

    def late(self, asker: Asker, asking: Asking, seconds: int) -> Problem:
        """Return the problem, which there is after so many seconds and not much before."""
        asker.wait(seconds - 1)
        self.assertEqual(asking.errors, [])
        asker.wait(3)
        self.assertTrue(asker.origin.end.aborted)
        return asking.error.problem

    def test_header(self) -> None:
        """The header section is there in time, whatever trickles."""
        asker = Asker(header_timeout=10)
        asking = asker.ask()
        asker.origin.end.take()
        asker.origin.answer(b"HTTP/1.1 200")
        self.assertIs(self.late(asker, asking, 10), Problem.HTTP_RESPONSE_TIMEOUT)

    def test_write(self) -> None:
        """A server takes what is sent in time; while it takes some, it has more."""
        asker = Asker(write_timeout=10)
        asking = asker.ask(b"PUT", body=Pieces(*[b"x" * 65536] * 4))
        for _ in range(3):
            asker.wait(8)
            asker.origin.end.take(100)
        self.assertIs(self.late(asker, asking, 10), Problem.CONNECTION_WRITE_TIMEOUT)

    def test_slow_asker(self) -> None:
        """No time runs while the body of the request is still to come."""
        asker = Asker(write_timeout=2, header_timeout=2)

        class Never(Pieces):
            async def __aiter__(self) -> Any:
                """Yield one piece, and no more for a long time."""
                yield b"one"
                await Deferred()

        asking = asker.ask(b"PUT", body=Never())
        asker.origin.end.take()
        asker.wait(100)
        self.assertEqual(asking.errors, [])
        asking.deferred.cancel()

    def test_read(self) -> None:
        """A server that goes silent in a body is cut off; one that goes on is not."""
        asking, asker = asked(CHUNKED[:-5])
        asking.take_all()
        for _ in range(3):
            asker.wait(58)
            asker.origin.answer(b"1\r\nx\r\n")
        asker.wait(58)
        self.assertEqual(asking.cuts, [])
        asker.wait(4)
        self.assertIsInstance(asking.cuts[0], BodyCutError)
        self.assertTrue(asker.origin.end.aborted)

    def test_closing(self) -> None:
        """A server that does not agree to an end is not waited for."""
        _, asker = asked(OK)
        asker.ask(upgrade=b"x").deferred.cancel()
        asking, asker = asked(OK.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
        self.assertFalse(asker.origin.end.aborted)
        asker.wait(int(CLOSE_SECONDS) + 2)
        self.assertTrue(asker.origin.end.aborted)
        self.assertTrue(asking.answer)

    def test_taken_back(self) -> None:
        """A question that is taken back ends its connection at once."""
        asker = Asker()
        for pieces in ((), (b"HTTP/1.1",), (OK[:-5],)):
            asking = asker.ask()
            for piece in pieces:
                asker.origin.answer(piece)
            asking.deferred.cancel()
            self.assertTrue(asker.origin.end.aborted)
            self.assertEqual(asker.pool.counts.connections, 0)
            self.assertEqual(asking.answers, [])


class Successor(Protocol):
    """Notes what it is given."""

    def __init__(self) -> None:
        self.received = b""
        self.reason: Failure | None = None

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.reason = reason


class HandedOver(SynchronousTestCase):
    """Connections that are HTTP no longer."""

    SWITCHED = b"HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\n\r\n"

    def upgraded(self) -> tuple[Any, Asker]:
        """Return a handover, with something behind its head."""
        asking, asker = asked(self.SWITCHED + b"early", upgrade=b"websocket")
        self.assertEqual(asking.answer.head.status, 101)
        return asking.answer.body, asker

    def test_upgrade(self) -> None:
        """Who takes the connection gets the transport, what has come, and what comes."""
        handover, asker = self.upgraded()
        end = asker.origin.end
        self.assertFalse(end.reading)
        successor = Successor()
        handover.hand_over(successor)
        self.assertIs(successor.transport, end)
        self.assertTrue(end.reading)
        end.send(b", late")
        self.assertEqual(successor.received, b"early, late")
        asker.wait(1000)
        handover.close()
        self.assertFalse(end.aborted)
        end.finish()
        self.assertTrue(end.disconnecting)
        reset(end)
        self.assertIsNotNone(successor.reason)
        self.assertEqual(asker.pool.counts.connections, 0)

    def test_lost_before(self) -> None:
        """Who takes a connection that is lost hears that right after."""
        handover, asker = self.upgraded()
        reset(asker.origin.end)
        successor = Successor()
        handover.hand_over(successor)
        self.assertEqual(successor.received, b"early")
        self.assertIsNotNone(successor.reason)

    def test_nobody(self) -> None:
        """A connection that nobody takes is closed."""
        handover, asker = self.upgraded()
        handover.close()
        handover.close()
        self.assertTrue(asker.origin.end.aborted)

    def test_connect(self) -> None:
        """The 2xx to a CONNECT begins a tunnel, other answers are answers."""
        asking, asker = asked(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi", b"CONNECT")
        successor = Successor()
        handover: Any = asking.answer.body
        handover.hand_over(successor)
        self.assertEqual(successor.received, b"hi")
        asker.pool.abort()
        self.assertTrue(asker.origin.end.aborted)
        asking, _ = asked(OK.replace(b"200", b"403"), b"CONNECT")
        self.assertEqual(asking.answer.body, b"hello")

    def test_not_asked(self) -> None:
        """A 101 that nobody asked for, or to something else, is an error."""
        asking, _ = asked(self.SWITCHED)
        self.assertIs(asking.error.problem, Problem.HTTP_PROTOCOL_ERROR)
        asking, _ = asked(self.SWITCHED, upgrade=b"h2c, other")
        self.assertIs(asking.error.problem, Problem.HTTP_UPGRADE_FAILED)
        asking, _ = asked(b"HTTP/1.1 101 x\r\n\r\n", upgrade=b"h2c")
        self.assertIs(asking.error.problem, Problem.HTTP_PROTOCOL_ERROR)

    def test_too_early(self) -> None:
        """A 101 before the request is sent whole is an error."""
        asker = Asker()
        asking = asker.ask(b"PUT", body=b"hello", expects=True, upgrade=b"websocket")
        asker.origin.answer(self.SWITCHED)
        self.assertIs(asking.error.problem, Problem.HTTP_PROTOCOL_ERROR)

    def test_declined(self) -> None:
        """A server may answer instead of switching."""
        asking, asker = asked(OK, upgrade=b"websocket")
        self.assertEqual(asking.answer.body, b"hello")
        self.assertEqual(asker.pool.counts.idle, 1)


class Eager(SynchronousTestCase):
    def test_speaks_first(self) -> None:
        """A server that speaks before it is asked is not asked."""
        origin = Origin(slow=True)
        asker = Asker(origin)
        asking = asker.ask()
        connecting, factory = origin.attempts.pop()
        protocol = origin._meet(factory)
        origin.end.send(b"220 mail.example ESMTP\r\n")
        connecting.callback(protocol)
        self.assertTrue(asking.error.untouched)
        self.assertEqual(asker.pool.counts.connections, 0)
