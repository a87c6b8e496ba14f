"""An answer as text: RFC 1288 3.3."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.document.values import printable
from netkit.tools.inquiry.reading import text


class TextTests(SynchronousTestCase):
    def test_lines(self) -> None:
        """Lines end in LF whatever they ended in; tabs stay, and so do empty lines."""
        for answer, shown in (
            (b"", ""),
            (b"a\r\nb\r\n", "a\nb\n"),
            (b"a\nb", "a\nb\n"),
            (b"\r\n\r\na\r\r\n", "\n\na\n"),
            (b"Login:\tada", "Login:\tada\n"),
        ):
            self.assertEqual(text(answer), shown, answer)

    def test_character_sets(self) -> None:
        """A line that is UTF-8 is read so, and any other as ISO 8859-1."""
        self.assertEqual(text("Zoë\r\n".encode()), "Zoë\n")
        self.assertEqual(text("Zoë\r\n".encode("latin-1") + "Zoë".encode()), "Zoë\nZoë\n")

    def test_escapes(self) -> None:
        """What a terminal could act on is shown and does nothing."""
        self.assertEqual(
            text(b"\x1b[2J\x07a\rb\x00\x9b1m\x7f\n"), "\\x1b[2J\\x07a\\rb\\x00\\x9b1m\\x7f\n"
        )
        self.assertEqual(text("\u202eevil".encode()), "\\u202eevil\n")

    @settings(deadline=None, max_examples=300, database=None)
    @given(st.binary())
    def test_harmless(self, answer: bytes) -> None:
        """Whatever the answer is, nothing but tabs and ends of lines is left of its controls."""
        shown = text(answer)
        bare = shown.replace("\n", "").replace("\t", "")
        self.assertEqual(printable(bare), bare)
        self.assertTrue(shown == "" or shown.endswith("\n"))
