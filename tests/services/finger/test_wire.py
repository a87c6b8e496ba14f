"""The wire format, by plain calls: RFC 1288 2.2 and 2.3."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.document.values import printable
from netkit.services.finger.wire import Query, QueryReader, QueryTooLongError, line, parse, render

QUERIES = settings(deadline=None, max_examples=150, database=None)


def fed(data: bytes, cuts: list[int], at_most: int) -> Query | str | None:
    """Return what a reader makes of `data` cut at `cuts`: a query, "too long", or None yet."""
    reader = QueryReader(at_most)
    ends = sorted({min(cut, len(data)) for cut in cuts} | {len(data)})
    start = 0
    for end in ends:
        try:
            query = reader.feed(data[start:end])
        except QueryTooLongError:
            return "too long"
        if query is not None:
            return query
        start = end
    return None


class ParseTests(SynchronousTestCase):
    def test_grammar(self) -> None:
        """Each form of {Q1} and {Q2} is read as RFC 1288 2.3 has it."""
        for written, query in (
            (b"", Query()),
            (b"moshez", Query("moshez")),
            (b"/W", Query(verbose=True)),
            (b"/W moshez", Query("moshez", verbose=True)),
            (b"/w   moshez", Query("moshez", verbose=True)),
            (b"@host", Query(hosts=("host",))),
            (b"moshez@host", Query("moshez", hosts=("host",))),
            (b"/W moshez@a@b", Query("moshez", verbose=True, hosts=("a", "b"))),
            (b"/W @a", Query(verbose=True, hosts=("a",))),
        ):
            self.assertEqual(query, parse(written), written)

    def test_only_the_token_is_the_token(self) -> None:
        """Only a first word /W asks for more; any other word is part of the name."""
        self.assertEqual(Query("/Wmoshez"), parse(b"/Wmoshez"))
        self.assertEqual(Query("moshez /W"), parse(b"moshez /W"))
        self.assertEqual(Query("-l moshez"), parse(b"-l moshez"))

    def test_blanks(self) -> None:
        """Blanks and tabs around words say nothing, and one stands between two words."""
        self.assertEqual(Query("Moshe Z."), parse(b"  Moshe \t Z. "))
        self.assertEqual(Query("moshez", hosts=("a",)), parse(b"moshez @ a"))

    def test_empty_host(self) -> None:
        """An @ without a host still asks for forwarding."""
        self.assertEqual(Query("moshez", hosts=("",)), parse(b"moshez@"))

    def test_not_utf8(self) -> None:
        """Bytes that are not UTF-8 become escapes; UTF-8 is read."""
        self.assertEqual(Query("\\xff\\xfe"), parse(b"\xff\xfe"))
        self.assertEqual(Query("jos\u00e9"), parse("jos\u00e9".encode()))

    @QUERIES
    @given(st.binary(max_size=60))
    def test_any_line_is_a_query(self, line: bytes) -> None:
        """Whatever the line, it is a query, and the query written out is the same query."""
        query = parse(line)
        self.assertEqual(query, parse(str(query).encode()))


class QueryReaderTests(SynchronousTestCase):
    def test_line_ends(self) -> None:
        """CRLF and a bare LF both end the query."""
        self.assertEqual(Query("moshez"), QueryReader().feed(b"moshez\r\n"))
        self.assertEqual(Query("moshez"), QueryReader().feed(b"moshez\n"))
        self.assertEqual(Query(), QueryReader().feed(b"\r\n"))

    def test_bare_cr_ends_nothing(self) -> None:
        """A CR without LF is a character of the name."""
        self.assertIsNone(QueryReader().feed(b"moshez\r"))
        self.assertEqual(Query("a\rb"), QueryReader().feed(b"a\rb\r\n"))

    def test_one_byte_at_a_time(self) -> None:
        """The query is there with the last byte and not before."""
        reader = QueryReader()
        *before, last = (reader.feed(bytes([byte])) for byte in b"/W moshez\r\n")
        self.assertEqual({None}, set(before))
        self.assertEqual(Query("moshez", verbose=True), last)

    def test_rest_is_dropped(self) -> None:
        """What follows the query is not part of it."""
        self.assertEqual(Query("a"), QueryReader().feed(b"a\r\nb\r\n"))

    def test_limit(self) -> None:
        """A line may have exactly as many bytes as the limit says, its end included."""
        self.assertEqual(Query("a" * 1022), QueryReader().feed(b"a" * 1022 + b"\r\n"))
        self.assertEqual(Query("a" * 1023), QueryReader().feed(b"a" * 1023 + b"\n"))
        self.assertRaises(QueryTooLongError, QueryReader().feed, b"a" * 1023 + b"\r\n")
        self.assertRaises(QueryTooLongError, QueryReader().feed, b"a" * 1024)

    def test_megabyte_without_end(self) -> None:
        """Of a flood no more than the limit is kept."""
        reader = QueryReader(at_most=64)
        self.assertRaises(QueryTooLongError, reader.feed, b"a" * 2**20)
        self.assertEqual(64, len(reader._line))

    @QUERIES
    @given(
        st.binary(max_size=40) | st.lists(st.sampled_from([b"a", b"\r", b"\n"])).map(b"".join),
        st.lists(st.integers(0, 40)),
        st.integers(1, 40),
    )
    def test_any_split(self, data: bytes, cuts: list[int], at_most: int) -> None:
        """However the bytes are cut, the same comes out."""
        self.assertEqual(fed(data, [], at_most), fed(data, cuts, at_most))


class RenderTests(SynchronousTestCase):
    def test_lines_end_in_crlf(self) -> None:
        """Every line ends in CRLF, however the text ended its lines."""
        self.assertEqual(b"a\r\nb\r\n", render("a\nb"))
        self.assertEqual(b"a\r\nb\r\n", render("a\r\nb\n"))
        self.assertEqual(b"a\r\n\r\nb\r\n", render("a\n\nb\n"))
        self.assertEqual(b"", render(""))

    def test_utf8(self) -> None:
        """Characters beyond ASCII go out as UTF-8."""
        self.assertEqual("Jos\u00e9 \u2615\r\n".encode(), render("Jos\u00e9 \u2615"))

    def test_tabs_become_blanks(self) -> None:
        """A tab is written as the blanks up to the next of its places."""
        self.assertEqual(b"a       b\r\n", render("a\tb"))

    def test_nothing_for_a_terminal(self) -> None:
        """Escape sequences, NUL, C1, a lone CR and marks of direction go out as escapes."""
        text = "\x1b]0;x\x07\x00\x9b31m\r\x7f\u202e\u2028\ud800"
        right = rb"\x1b]0;x\x07\x00\x9b31m\r\x7f\u202e\u2028\ud800" + b"\r\n"
        self.assertEqual(right, render(text))

    def test_at_most(self) -> None:
        """A text that is too long loses its last lines, and says so."""
        self.assertEqual(b"1234\r\n1234\r\n", render("1234\n1234\n", at_most=12))
        cut = b"1234\r\n[the answer is cut here]\r\n"
        self.assertEqual(cut, render("1234\n1234\n", at_most=11))
        self.assertEqual(b"[the answer is cut here]\r\n", render("1" * 100, at_most=99))

    @QUERIES
    @given(st.text(st.characters(exclude_categories=())), st.integers(0, 100))
    def test_printable_and_bounded(self, text: str, at_most: int) -> None:
        """Whatever the text, its bytes are printable lines in CRLF, and no more than allowed."""
        data = render(text, at_most)
        self.assertLessEqual(len(data), at_most + len(b"[the answer is cut here]\r\n"))
        for each in data.decode().removesuffix("\r\n").split("\r\n"):
            self.assertEqual(printable(each), each)


class LineTests(SynchronousTestCase):
    def test_grammar(self) -> None:
        """A client's line is {Q1} or {Q2} with /W before it where more is wanted, and CRLF behind."""
        for query, sent in (
            (Query(), b"\r\n"),
            (Query("moshez"), b"moshez\r\n"),
            (Query("moshez", verbose=True), b"/W moshez\r\n"),
            (Query("Zo\u00eb", hosts=("a", "b")), b"Zo\xc3\xab@a@b\r\n"),
            (Query(hosts=("a",), verbose=True), b"/W @a\r\n"),
        ):
            self.assertEqual(line(query), sent)

    def test_not_two(self) -> None:
        """What would end the line, or act on somebody's terminal, cannot be asked for."""
        for name in ("a\r\nb", "a\nb", "\x1b[2J", "a\x00"):
            with self.assertRaises(ValueError):
                line(Query(name))

    @QUERIES
    @given(
        st.text(
            st.characters(codec="utf-8", exclude_categories=("C", "Z"), exclude_characters="@/")
        ),
        st.booleans(),
        st.lists(st.text("abc.", min_size=1), max_size=2),
    )
    def test_read_back(self, name: str, verbose: bool, hosts: list[str]) -> None:
        """A server reads from it what was asked."""
        query = Query(name, verbose, tuple(hosts))
        self.assertEqual(parse(line(query).removesuffix(b"\r\n")), query)
