"""Answers as a terminal is given them."""

from collections.abc import AsyncIterator

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import Pieces, ResponseHead
from netkit.tools.web.fetching import Got
from netkit.tools.web.harmless import charset, harmless, media_type, text
from tests.tools.web.webs import Web


def got(*pieces: bytes, kind: bytes = b"text/plain; charset=UTF-8") -> Got:
    """Return an answer of that type, which comes in these pieces."""

    async def come() -> AsyncIterator[bytes]:
        for piece in pieces:
            yield piece

    answer = Web().got("http://a.example/", b"", 200, (b"Content-Type", kind))
    return evolve(answer, body=Pieces(come()))


async def _all(answer: Got) -> str:
    return "".join([shown async for shown in text(answer)])


class TextTests(SynchronousTestCase):
    def shown(self, *pieces: bytes, kind: bytes = b"text/plain; charset=UTF-8") -> str:
        """Return what a terminal is given."""
        return self.successResultOf(Deferred.fromCoroutine(_all(got(*pieces, kind=kind))))

    def test_controls(self) -> None:
        """What a terminal would act on is written as an escape; lines and tabs stay."""
        self.assertEqual(self.shown(b"a\x1b[2Jb\r\nc\td\x9b\n"), "a\\x1b[2Jb\nc\td\ufffd\n")
        self.assertEqual(self.shown("\u202e\x07\x9b".encode()), "\\u202e\\x07\\x9b\n")
        self.assertEqual(self.shown(b"over\rwritten"), "over\nwritten\n")

    def test_end(self) -> None:
        """There is a newline at the end, one."""
        for body in (b"", b"\n"):
            self.assertEqual(self.shown(body), body.decode())
        for body in (b"a", b"a\n", b"a\r\n", b"a\r"):
            self.assertEqual(self.shown(body), "a\n")

    def test_charset(self) -> None:
        """Characters are those of the charset that the server says."""
        self.assertEqual(self.shown(b"\xe9", kind=b"text/plain; charset=iso-8859-1"), "\xe9\n")
        self.assertEqual(self.shown(b"\xc3\xa9", kind=b"text/plain; charset=hex"), "\xe9\n")

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.binary(max_size=6) | st.sampled_from([b"\r", b"\n", b"\xc3", b"\xa9"])))
    def test_in_any_pieces(self, pieces: list[bytes]) -> None:
        """However it comes it looks the same, and nothing of it is a control."""
        shown = self.shown(*pieces)
        self.assertEqual(shown, self.shown(b"".join(pieces)))
        self.assertEqual(harmless(shown), shown)
        self.assertFalse(set(shown) & set(map(chr, (0x1B, 0x7, 0x8, 0xD, 0x9B))))


class TypeTests(SynchronousTestCase):
    def test_types(self) -> None:
        """The type of an answer is in lower case, its charset as said; both may be missing."""
        answer = got(kind=b"Text/HTML; Charset=Latin1")
        self.assertEqual((media_type(answer), charset(answer)), ("text/html", b"Latin1"))
        answer = evolve(answer, head=ResponseHead(status=200))
        self.assertEqual((media_type(answer), charset(answer)), ("", b""))
