"""Which encoding a document is in."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.charsets import SNIFFED, Characters, codec

META = b"<!doctype html><!-- <meta charset=koi8-r> --><META http-equiv=x content='text/html; charset=%s'>"
LABELS = [
    b"", b"utf-8", b"windows-1252", b"gb18030", b"shift_jis", b"euc-jp", b"iso-2022-jp", b"big5",
    b"euc-kr", b"utf-16", b"koi8-r", b"nonsense",
]  # fmt: skip


def text(declared: bytes, *pieces: bytes) -> str:
    """Return the text of a document that comes in `pieces`."""
    characters = Characters(declared)
    return "".join(characters.text(piece) for piece in pieces) + characters.end()


class CharsetTests(SynchronousTestCase):
    def test_declared(self) -> None:
        """What Content-Type says counts, in any of an encoding's names and cases."""
        self.assertEqual(text(b"KOI8-R", "привет".encode("koi8-r")), "привет")
        self.assertEqual(text(b" GB2312 ", "中文".encode("gb18030")), "中文")
        self.assertEqual(text(b"latin1", b"\x93\xe9\x94"), "“é”")
        self.assertEqual(text(b"utf-16", "é".encode("utf-16-le")), "é")

    def test_mark(self) -> None:
        """A byte order mark counts more than Content-Type."""
        for mark, name in (
            (b"\xef\xbb\xbf", "utf-8"),
            (b"\xff\xfe", "utf-16-le"),
            (b"\xfe\xff", "utf-16-be"),
        ):
            self.assertEqual(text(b"koi8-r", mark + "é".encode(name)), "é")

    def test_meta(self) -> None:
        """A meta among the first bytes counts where nothing else is said, in comments it does not."""
        document = META % b"windows-1251" + "привет".encode("cp1251")
        self.assertTrue(text(b"", document).endswith("привет"))
        self.assertTrue(text(b"nonsense", document).endswith("привет"))
        self.assertFalse(text(b"koi8-r", document).endswith("привет"))
        self.assertFalse(text(b"", b" " * SNIFFED + document).endswith("привет"))

    def test_meta_is_not_utf_16(self) -> None:
        """A meta that claims UTF-16 means UTF-8 (WHATWG HTML 13.2.3.2)."""
        self.assertTrue(text(b"", META % b"utf-16" + "é".encode()).endswith("é"))

    def test_guessed(self) -> None:
        """A document that says nothing is UTF-8, and what of it is not is windows-1252."""
        self.assertEqual(text(b"", "naïve привет".encode()), "naïve привет")
        self.assertEqual(text(b"", "naïve “x”".encode("cp1252")), "naïve “x”")
        self.assertEqual(text(b"", b"a\x81\xe2\x82"), "a\ufffdâ\u201a")

    def test_lies(self) -> None:
        """A charset that lies makes wrong characters, and no error."""
        self.assertEqual(text(b"utf-8", b"na\xefve"), "na\ufffdve")
        self.assertEqual(text(b"windows-1252", "é".encode()), "Ã©")

    def test_no_other_codec(self) -> None:
        """Only encodings of the table are asked, not whatever Python has under a name."""
        for label in (
            b"idna",
            b"punycode",
            b"hex",
            b"zlib",
            b"rot13",
            b"unicode_escape",
            b"utf-7",
            b"\xff",
        ):
            self.assertIsNone(codec(label))

    @settings(deadline=None, max_examples=300)
    @given(st.sampled_from(LABELS), st.lists(st.binary(max_size=400), max_size=6))
    def test_any_bytes(self, label: bytes, pieces: list[bytes]) -> None:
        """Any bytes are text, the same however they are split."""
        self.assertEqual(text(label, *pieces), text(label, b"".join(pieces)))

    @settings(deadline=None, max_examples=50)
    @given(st.sampled_from(LABELS), st.binary(max_size=100))
    def test_byte_by_byte(self, label: bytes, tail: bytes) -> None:
        """Behind the first bytes too, a byte at a time makes the same text."""
        body = b" " * SNIFFED + tail
        pieces = [body[at : at + 1] for at in range(SNIFFED - 1, len(body))]
        self.assertEqual(text(label, body[: SNIFFED - 1], *pieces), text(label, body))

    def test_every_codec(self) -> None:
        """Every encoding of the table is one that Python has."""
        from netkit.http.charsets import _CODECS  # noqa: PLC0415

        for label in _CODECS:
            self.assertEqual(text(label.encode(), b""), "")
