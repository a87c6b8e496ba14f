"""A body on its way: bounded, whole or not at all, and at the pace of whoever reads it."""

from collections.abc import Coroutine
from http import HTTPStatus
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.incoming import AHEAD_BYTES, NO_BODY, Incoming
from netkit.http.messages import CHUNKED, BodyCutError, BodyTooLargeError
from netkit.http.sections import RefusedError
from tests.net.splits import split


class _Source:
    """Counts how often more was asked for."""

    asked = 0

    def go_on(self) -> None:
        """Count."""
        self.asked += 1


def _reading(coroutine: Coroutine[Deferred[Any], Any, bytes]) -> Deferred[bytes]:
    return Deferred.fromCoroutine(coroutine)


class Bodies(SynchronousTestCase):
    """Bodies that come whole, and others."""

    def setUp(self) -> None:
        self.source = _Source()

    def incoming(self, length: int | None, limit: int = 1000) -> Incoming:
        """Return a body that is still to come."""
        return Incoming(length, limit, self.source)

    @settings(deadline=None, max_examples=50)
    @given(st.booleans(), st.data())
    def test_any_split(self, chunked: bool, data: st.DataObject) -> None:
        """However it is split, a body is the same, and what is behind it is handed back."""
        coded = b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n" if chunked else b"hello"
        body = self.incoming(CHUNKED if chunked else 5)
        rest = b""
        for piece in split(coded + b"GET", data.draw):
            rest += piece if body.finished else body.feed(piece)
        self.assertEqual(rest, b"GET")
        self.assertEqual(body.received, 5)
        self.assertEqual(self.successResultOf(_reading(body.read(5))), b"hello")
        self.assertEqual(self.source.asked, 0)

    def test_waiting(self) -> None:
        """Whoever reads waits for the end; the source is told each time."""
        body = self.incoming(4)
        read = _reading(body.read(4))
        self.assertTrue(body.begun)
        self.assertTrue(body.wanted)
        body.feed(b"ab")
        self.assertNoResult(read)
        self.assertEqual((body.left(), self.source.asked), (2, 2))
        body.feed(b"cd")
        self.assertEqual(self.successResultOf(read), b"abcd")
        self.assertFalse(body.wanted)

    def test_full(self) -> None:
        """What nobody has asked for makes the source rest at the limit, until it is read."""
        body = self.incoming(2 * AHEAD_BYTES)
        body.feed(b"x" * (AHEAD_BYTES - 1))
        self.assertFalse(body.full)
        body.feed(b"x")
        self.assertTrue(body.full)
        self.assertNoResult(_reading(body.read(2 * AHEAD_BYTES)))
        self.assertFalse(body.full)
        self.assertEqual(self.source.asked, 1)

    def test_drop(self) -> None:
        """A body that is dropped is read to its end and kept nowhere."""
        body = self.incoming(2 * AHEAD_BYTES)
        body.feed(b"x" * AHEAD_BYTES)
        body.drop()
        self.assertFalse(body.full)
        self.assertTrue(body.wanted)
        self.assertEqual(body.feed(b"x" * AHEAD_BYTES + b"GET"), b"GET")
        self.assertFalse(body.full)
        self.assertFalse(body.wanted)
        self.assertTrue(body.finished)

    def test_too_large_for_the_reader(self) -> None:
        """A reader that wants less than there is gets nothing, with a length before any of it."""
        body = self.incoming(5)
        self.failureResultOf(_reading(body.read(4)), BodyTooLargeError)
        self.assertFalse(body.begun)
        chunked = self.incoming(CHUNKED)
        read = _reading(chunked.read(4))
        chunked.feed(b"5\r\nhello")
        self.failureResultOf(read, BodyTooLargeError)

    def test_too_large_for_the_server(self) -> None:
        """A chunked body beyond the limit is refused with 413, and takes nothing more."""
        body = self.incoming(CHUNKED, 5)
        read = _reading(body.read(1000))
        body.feed(b"5\r\nhello\r\n")
        self.assertIsNone(body.refusal)
        self.assertEqual(body.feed(b"1\r\n!\r\n0\r\n\r\nGET"), b"GET")
        assert body.refusal is not None
        self.assertEqual(body.refusal.status, 413)
        self.failureResultOf(read, BodyTooLargeError)
        self.assertFalse(body.finished)
        self.assertEqual(body.feed(b"GET"), b"")

    def test_malformed(self) -> None:
        """A chunked body that is none is refused with 400, and cut for its reader."""
        body = self.incoming(CHUNKED)
        read = _reading(body.read(1000))
        body.feed(b"5\r\nhel")
        self.assertEqual(body.feed(b"lo!!"), b"")
        assert body.refusal is not None
        self.assertEqual(body.refusal.status, 400)
        self.failureResultOf(read, BodyCutError)
        self.assertFalse(body.finished)

    def test_cut(self) -> None:
        """A body whose client has left is never taken for a whole one."""
        body = self.incoming(5)
        read = _reading(body.read(5))
        body.feed(b"hell")
        body.cut()
        self.failureResultOf(read, BodyCutError)
        whole = self.incoming(1)
        whole.feed(b"x")
        whole.cut()
        self.assertEqual(self.successResultOf(_reading(whole.read(5))), b"x")

    def test_failed(self) -> None:
        """A reader is told that the server waits no longer; the refusal says why."""
        body = self.incoming(5)
        read = _reading(body.read(5))
        why = RefusedError(HTTPStatus.REQUEST_TIMEOUT, "too slow")
        body.fail(why)
        self.failureResultOf(read, BodyCutError)
        self.assertIs(body.refusal, why)

    def test_cancelled(self) -> None:
        """A reader that is cancelled wants nothing more, and the body still comes."""
        body = self.incoming(5)
        read = _reading(body.read(5))
        read.cancel()
        self.failureResultOf(read, CancelledError)
        self.assertFalse(body.wanted)
        self.assertEqual(body.feed(b"hello"), b"")
        self.assertTrue(body.finished)

    def test_none(self) -> None:
        """A request without a body has an empty one."""
        self.assertEqual(self.successResultOf(_reading(NO_BODY.read(0))), b"")
        self.assertTrue(NO_BODY.finished)
