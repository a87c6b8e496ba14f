"""How lines look to the others, whatever a peer has put into them."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.document.values import printable
from netkit.services.pubsub.lines import full, shown, too_long, written
from netkit.services.pubsub.messages import Published

_LINES = st.lists(st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")), min_size=1)


def _said(source: str, lines: Iterable[bytes]) -> Published:
    return Published(b"lines", list(lines), source=source)


class WrittenTests(SynchronousTestCase):
    def test_line(self) -> None:
        """A line goes out behind its source and a blank, ended by LF."""
        self.assertEqual(written(_said("127.0.0.1:1234", (b"hello",))), b"<127.0.0.1:1234> hello\n")

    def test_one_piece(self) -> None:
        """All lines of a read make one piece, in their order, empty ones included."""
        self.assertEqual(
            written(_said("[::1]:5", (b"a", b"", b"b"))), b"<[::1]:5> a\n<[::1]:5> \n<[::1]:5> b\n"
        )

    def test_text_stays(self) -> None:
        """Printable text in UTF-8 goes out as it came, and so do tabs."""
        line = "naïve\tdéjà vu 日本 ☃ \\ <x> &".encode()
        self.assertEqual(shown(line), line)

    def test_controls(self) -> None:
        """NUL, escape sequences, a lone CR and DEL become visible and harmless."""
        self.assertEqual(shown(b"\x00\x1b[2J\r\x08\x7f"), rb"\x00\x1b[2J\r\x08\x7f")

    def test_controls_of_unicode(self) -> None:
        """So do C1 controls and the marks that turn the direction of writing."""
        self.assertEqual(shown("\x9b2J\u202e\u2028".encode()), rb"\x9b2J\u202e\u2028")

    def test_invalid_utf8(self) -> None:
        """Bytes that are no UTF-8 are shown as what they are, and the text round them stays."""
        self.assertEqual(
            shown("é".encode() + b"\xff\xc0\xaf\xe2\x82"), "é".encode() + rb"\xff\xc0\xaf\xe2\x82"
        )

    def test_one_bad_line_among_good_ones(self) -> None:
        """Lines that are as they should be are not changed by their neighbours."""
        self.assertEqual(
            written(_said("a", (b"one", b"\x1b", b"\xe2", "zwölf".encode()))),
            b"<a> one\n<a> \\x1b\n<a> \\xe2\n<a> zw\xc3\xb6lf\n",
        )

    def test_every_character(self) -> None:
        """What is printable elsewhere in netkit is printable here: the table misses nothing."""
        characters = [chr(n) for n in range(0x10000) if not 0xD800 <= n < 0xE000 and chr(n) != "\t"]
        text = "".join(characters).replace("\n", "")
        self.assertEqual(shown(text.encode()).decode(), printable(text))

    def test_payloads_of_others(self) -> None:
        """A message of several lines has its source before each; header blocks are left out."""
        two = Published(b"lines", [b"one\r\ntwo\n", b"three"], source="a")
        self.assertEqual(written(two), b"<a> one\n<a> two\n<a> three\n")
        headed = Published(b"lines", [b"NATS/1.0\r\n\r\nx"], header_bytes=12, source="a")
        self.assertEqual(written(headed), b"<a> x\n")
        self.assertEqual(written(Published(b"lines", [b""], source="a")), b"<a> \n")

    @settings(deadline=None, max_examples=100)
    @given(_LINES)
    def test_whatever_is_sent(self, lines: list[bytes]) -> None:
        """Whatever the bytes, each line is one line of text without a control character."""
        out = written(_said("a", tuple(lines))).decode()
        self.assertTrue(out.endswith("\n"))
        shown_lines = out.split("\n")[:-1]
        self.assertEqual(len(shown_lines), len(lines))
        for line in shown_lines:
            self.assertTrue(line.startswith("<a> "))
            self.assertFalse(any(c < " " or "\x7f" <= c <= "\x9f" for c in line.replace("\t", "")))

    @settings(deadline=None, max_examples=100)
    @given(_LINES)
    def test_together_as_alone(self, lines: list[bytes]) -> None:
        """Lines of one read look as they would in reads of their own."""
        alone = b"".join(written(_said("a", (line,))) for line in lines)
        self.assertEqual(written(_said("a", tuple(lines))), alone)


class RefusalTests(SynchronousTestCase):
    def test_words(self) -> None:
        """A refusal says the limit, in one line that begins with no source."""
        self.assertEqual(full(1000), b"too many clients: 1000 are connected; try again later\n")
        self.assertEqual(too_long(4096), b"line too long: 4096 bytes are the most\n")
