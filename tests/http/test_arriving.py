"""The body of an answer on its way."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.arriving import Arriving
from netkit.http.chunked import ChunkedError
from netkit.http.messages import CHUNKED, BodyCutError, ResponseHead
from tests.net.splits import split


class Source:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.news: list[str] = []

    def go_on(self) -> None:
        self.news.append("go on")

    def let_go(self) -> None:
        self.news.append("let go")


class ArrivingTests(SynchronousTestCase):
    def body(self, length: int | None = 5, *, until_close: bool = False) -> Arriving:
        """Return a body of which nothing has come."""
        self.source = Source()
        head = ResponseHead(status=200, length=length, until_close=until_close)
        return Arriving(head, self.source)

    def taking(self, body: Arriving) -> Deferred[bytes]:
        """Return all of it, once that has come."""

        async def take() -> bytes:
            return b"".join([piece async for piece in body])

        return Deferred.fromCoroutine(take())

    @settings(deadline=None, max_examples=100)
    @given(st.data())
    def test_framings(self, data: st.DataObject) -> None:
        """However it is split, a body ends where its framing says; the rest is none of it."""
        chunked = data.draw(st.booleans())
        sent = b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n" if chunked else b"hello"
        body = self.body(CHUNKED if chunked else 5)
        taken = self.taking(body)
        rest = b""
        for piece in split(sent + b"rest", data.draw):
            if body.finished:
                rest += piece
                continue
            rest += body.feed(piece)
            body.tell()
        self.assertEqual(self.successResultOf(taken), b"hello")
        self.assertEqual(rest, b"rest")

    def test_until_close(self) -> None:
        """Without a framing the body ends when it is said to."""
        body = self.body(None, until_close=True)
        taken = self.taking(body)
        self.assertEqual(body.feed(b"0\r\n\r\n"), b"")
        body.tell()
        self.assertNoResult(taken)
        body.finished = True
        body.tell()
        self.assertEqual(self.successResultOf(taken), b"0\r\n\r\n")

    def test_cut(self) -> None:
        """What has come before a cut is had before the error."""
        for before in (True, False):
            body = self.body()
            pieces: Any = aiter(body)
            first = Deferred.fromCoroutine(anext(pieces))
            body.feed(b"he")
            if before:
                body.cut("gone")
            else:
                body.tell()
            self.assertEqual(self.successResultOf(first), b"he")
            second = Deferred.fromCoroutine(anext(pieces))
            body.cut("gone")
            self.failureResultOf(second, BodyCutError)

    def test_not_cut(self) -> None:
        """What has come whole is not cut any more."""
        body = self.body()
        body.feed(b"hello")
        body.cut("too late")
        self.assertEqual(self.successResultOf(self.taking(body)), b"hello")

    def test_malformed(self) -> None:
        """A chunk that is none is an error."""
        with self.assertRaises(ChunkedError):
            self.body(CHUNKED).feed(b"x\r\n")

    def test_cancelled(self) -> None:
        """Whoever waits may stop waiting, and wait again."""
        body = self.body()
        waiting = self.taking(body)
        self.assertTrue(body.wanted)
        waiting.cancel()
        self.failureResultOf(waiting, CancelledError)
        self.assertFalse(body.wanted)
        body.feed(b"hello")
        body.tell()
        self.assertEqual(self.successResultOf(self.taking(body)), b"hello")
        self.assertEqual(self.source.news, ["go on"])

    def test_closed(self) -> None:
        """Who closes a body that is not whole lets its source go, once; a whole one has none."""
        body = self.body()
        body.close()
        body.close()
        self.assertEqual(self.source.news, ["let go"])
        self.failureResultOf(self.taking(body), BodyCutError)
        body = self.body()
        body.feed(b"hello")
        body.close()
        self.assertEqual(self.source.news, [])
