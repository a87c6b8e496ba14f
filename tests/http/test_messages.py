"""Requests, responses and what they carry."""

from io import BytesIO

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import PIECE_BYTES, BodyCutError, BodyTooLargeError, FileRange, Response
from tests.http.fakes import GivenBody, asked


async def pieces(body: FileRange) -> list[bytes]:
    """Return all the pieces of `body`."""
    return [piece async for piece in body]


class Messages(SynchronousTestCase):
    def test_query(self) -> None:
        """The query is what follows the first question mark, and empty without one."""
        self.assertEqual(asked(target=b"/a?b?c=%3F").query, b"b?c=%3F")
        self.assertEqual(asked(target=b"/a").query, b"")

    def test_header(self) -> None:
        """A field is found whatever its case, and repeated ones are joined."""
        request = asked(headers=((b"Accept", b"a"), (b"X", b"1"), (b"ACCEPT", b"b")))
        self.assertEqual(request.header(b"accept"), b"a, b")
        self.assertIsNone(request.header(b"host"))

    def test_given_body(self) -> None:
        """The tests' own body keeps the limit that a body must keep."""
        body = GivenBody(b"abc")
        self.assertEqual(self.successResultOf(Deferred.fromCoroutine(body.read(3))), b"abc")
        self.failureResultOf(Deferred.fromCoroutine(body.read(2)), BodyTooLargeError)

    def test_range_in_pieces(self) -> None:
        """A range comes in pieces of at most PIECE_BYTES."""
        data = bytes(range(256)) * 600
        got = self.successResultOf(
            Deferred.fromCoroutine(pieces(FileRange(BytesIO(data), 10, 140_000)))
        )
        self.assertEqual(b"".join(got), data[10:140_010])
        self.assertEqual(max(map(len, got)), PIECE_BYTES)

    def test_range_cut(self) -> None:
        """A file that is shorter than its range is cut."""
        coroutine = pieces(FileRange(BytesIO(b"abc"), 1, 3))
        self.failureResultOf(Deferred.fromCoroutine(coroutine), BodyCutError)

    def test_close(self) -> None:
        """Closing a response closes its file, and is harmless where there is none."""
        file = BytesIO()
        Response(200, (), FileRange(file, 0, 0)).close()
        self.assertTrue(file.closed)
        Response(200).close()
