"""A body on the standard output."""

import hashlib
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.framing import Framing
from netkit.http.messages import ResponseHead
from netkit.tools.getting.endings import Ending, ending
from netkit.tools.getting.showing import Showing, Shown, show
from netkit.tools.getting.telling import Telling, head_lines, status_words
from netkit.tools.outcome import TroubleError
from netkit.tools.progress import Silent
from netkit.tools.web.fetching import Got
from netkit.tools.web.urls import parse
from tests.tools.web.asked import pieces

URL = parse("http://a/b")


class Kept:
    """An output that keeps what is written."""

    def __init__(self) -> None:
        self.size = 0
        self.content = b""

    async def write(self, piece: bytes) -> None:
        """See `output.Output`."""
        self.content += piece
        self.size += len(piece)


class ShowTests(SynchronousTestCase):
    def shown(self, *parts: bytes, **kw: Any) -> Deferred[Shown]:
        """Show a body."""
        got = Got(
            url=URL,
            head=ResponseHead(status=200, length=None),
            body=pieces(*parts),
            framing=Framing.CHUNKED,
        )
        self.output = Kept()
        output: Any = self.output
        return Deferred.fromCoroutine(show(got, output, Showing(meter=Silent(), **kw)))

    def test_all(self) -> None:
        """All of it is shown, and how it ended is told."""
        shown = self.successResultOf(self.shown(b"ab", b"cd", digest=hashlib.sha256))
        self.assertEqual(self.output.content, b"abcd")
        self.assertEqual(shown, Shown(Ending.CHUNKED, hashlib.sha256(b"abcd").hexdigest()))

    def test_limit(self) -> None:
        """A limit ends it to the byte."""
        for limit, right in ((1, b"a"), (2, b"ab"), (3, b"abc")):
            shown = self.successResultOf(self.shown(b"ab", b"cd", at_most=limit))
            self.assertEqual((self.output.content, shown.ending), (right, Ending.LIMIT))
        shown = self.successResultOf(self.shown(b"ab", at_most=3))
        self.assertIs(shown.ending, Ending.CHUNKED)

    def test_no_text(self) -> None:
        """What is no text is kept from a terminal that is guarded."""
        self.failureResultOf(self.shown(b"\x7fELF\0", guarded=True), TroubleError)
        self.assertEqual(self.output.content, b"")
        self.successResultOf(self.shown(b"\x7fELF\0"))
        self.successResultOf(self.shown("h\u00e9\n".encode(), guarded=True))

    def test_endings(self) -> None:
        """There are words for every framing."""
        self.assertEqual({ending(each).value for each in Framing} & {""}, set())


class TellingTests(SynchronousTestCase):
    def test_harmless(self) -> None:
        """What a server wrote is harmless where it is told."""
        head = ResponseHead(
            status=200, reason=b"O\x1bK", headers=((b"X", b"\xc2\x9b31m"), (b"Y", b"\xff"))
        )
        lines = list(head_lines(head))
        self.assertEqual(lines, ["HTTP/1.1 200 O\\x1bK", "X: \\x9b31m", "Y: \ufffd"])
        self.assertEqual(status_words(head), "200 O\\x1bK")

    def test_marks(self) -> None:
        """What is sent and what comes are marked as curl does."""
        lines: list[str] = []
        telling = Telling(lines.append)
        telling.asks(URL, b"GET /b HTTP/1.1\r\nHost: a\r\n")
        telling.answered(URL, ResponseHead(status=204, reason=b""))
        telling.waits(1.25, "http://a/b: the server left")
        self.assertEqual(
            lines,
            [
                "* http://a/b",
                "> GET /b HTTP/1.1",
                "> Host: a",
                "< HTTP/1.1 204",
                "* http://a/b: the server left; trying again in 1.2 s",
            ],
        )
