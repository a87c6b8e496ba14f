"""Lines come out of a stream the same however it is cut."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.lines import LineSplitter
from tests.net.splits import split, streams

_STREAMS = streams(b"\n", b"\r\n", b"\r", b"a", b"bc", b"\x00", b"\xff", b"12345678")


def _read_whole(data: bytes, limit: int) -> tuple[tuple[bytes, ...], bool]:
    """Return what a reader without a buffer, a byte at a time, would say."""
    lines: list[bytes] = []
    for piece in data.split(b"\n")[:-1]:
        line = piece.removesuffix(b"\r")
        if len(line) > limit:
            return tuple(lines), True
        lines.append(line)
    rest = data.rpartition(b"\n")[2].removesuffix(b"\r")
    return tuple(lines), len(rest) > limit


class LineSplitterTests(SynchronousTestCase):
    def test_crlf_and_lf(self) -> None:
        """Lines end in CRLF or LF; a CR elsewhere belongs to its line."""
        self.assertEqual(
            LineSplitter(10).feed(b"one\r\ntwo\n\r\n\nth\rree\r\r\n"),
            (b"one", b"two", b"", b"", b"th\rree\r"),
        )

    def test_rest_is_kept(self) -> None:
        """What has no end yet comes with the bytes that end it."""
        splitter = LineSplitter(10)
        self.assertEqual(splitter.feed(b"one\ntw"), (b"one",))
        self.assertEqual(splitter.feed(b"o\r"), ())
        self.assertEqual(splitter.feed(b"\nthree\n"), (b"two", b"three"))

    def test_limit(self) -> None:
        """A line may have as many bytes as the limit, its end not counted."""
        splitter = LineSplitter(4)
        self.assertEqual(splitter.feed(b"1234\r\n1234\n1234\r"), (b"1234", b"1234"))
        self.assertFalse(splitter.too_long)
        self.assertEqual(splitter.feed(b"\n"), (b"1234",))
        self.assertFalse(splitter.too_long)

    def test_longer_than_the_limit(self) -> None:
        """The lines before one that is too long come out, and nothing after them."""
        splitter = LineSplitter(4)
        self.assertEqual(splitter.feed(b"1\n12345\n2\n"), (b"1",))
        self.assertTrue(splitter.too_long)
        self.assertEqual(splitter.feed(b"3\n"), ())

    def test_unended_line_that_is_too_long(self) -> None:
        """A line that cannot but be too long is not waited for."""
        splitter = LineSplitter(4)
        self.assertEqual(splitter.feed(b"12345"), ())
        self.assertTrue(splitter.too_long)

    def test_carriage_return_that_ends_nothing(self) -> None:
        """A CR that no LF follows counts."""
        splitter = LineSplitter(4)
        splitter.feed(b"1234\r")
        self.assertFalse(splitter.too_long)
        splitter.feed(b"\r")
        self.assertTrue(splitter.too_long)

    def test_megabyte_without_newline(self) -> None:
        """A peer that never ends its line makes the splitter keep nothing."""
        splitter = LineSplitter(4096)
        for _ in range(1024):
            self.assertEqual(splitter.feed(b"x" * 1024), ())
        self.assertTrue(splitter.too_long)
        self.assertEqual(len(splitter._rest), 0)

    @settings(deadline=None, max_examples=200)
    @given(_STREAMS, st.data(), st.integers(1, 9))
    def test_any_split(self, stream: bytes, data: st.DataObject, limit: int) -> None:
        """Any split of the same bytes gives the same lines, those of a plain reading."""
        splitter = LineSplitter(limit)
        lines: tuple[bytes, ...] = ()
        for piece in split(stream, data.draw):
            lines += splitter.feed(piece)
        self.assertEqual((lines, splitter.too_long), _read_whole(stream, limit))

    @settings(deadline=None, max_examples=100)
    @given(_STREAMS, st.integers(1, 9))
    def test_byte_by_byte(self, stream: bytes, limit: int) -> None:
        """One byte at a time gives the same lines as well, and no more is kept than the limit."""
        splitter = LineSplitter(limit)
        lines: tuple[bytes, ...] = ()
        for byte in stream:
            lines += splitter.feed(bytes((byte,)))
            self.assertLessEqual(len(splitter._rest), limit + 1)
        self.assertEqual((lines, splitter.too_long), _read_whole(stream, limit))
