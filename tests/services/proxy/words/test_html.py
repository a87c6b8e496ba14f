"""The visible text of HTML."""

from html import escape
from html.parser import HTMLParser
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.proxy.words.html import VisibleText

BITS = st.sampled_from(
    [
        "<", ">", "/", "!", "-", "--", "<!--", "-->", "--!>", "&", "&amp", "&lt;", "&#65", "&#x41;",
        "&notin", "&#", ";", "a", "b", " ", "\n", "=", '"', "'", "<p", "<b>", "</b>", "<a href=",
        "<script", "<script>", "</script>", "</SCRIPT ", "<style>", "</style", "<title>", "</title>",
        "<template>", "</template>", "<textarea>", "<?x", "<!doctype html>", "é", "\0", "</", "</>",
    ]
)  # fmt: skip
DOCUMENTS = st.lists(BITS, max_size=60).map("".join)


def text(*pieces: str) -> str:
    """Return the text of a document that comes in `pieces`."""
    visible = VisibleText()
    return "".join(visible.text(piece) for piece in pieces) + visible.end()


def shown(document: str) -> list[str]:
    """Return the text of a document, split at blanks."""
    return text(document).split()


class VisibleTextTests(SynchronousTestCase):
    def test_text(self) -> None:
        """Text is shown, tags and their attributes are not."""
        document = "<!doctype html><p class=\"x y\">one <a href=/z title='it > is'>two</a> three"
        self.assertEqual(shown(document), ["one", "two", "three"])

    def test_attributes(self) -> None:
        """A tag ends at the first > outside quotes that open a value (WHATWG 13.2.5.32 to 39)."""
        for tag in (
            '<p a="b>c">', "<p a='b>c'>", '<p a = "b>c" >', "<p a=it's>", "<p it's>", '<p a=b"c>',
            '<p =">', "<p a= >", "<p a=>", "<p a/b='>'/>", "<p/>", '<p a==">', "<p a=\"\"b='>'>",
        ):  # fmt: skip
            self.assertEqual(text(tag + "x"), "\nx", tag)
            self.assertEqual(text(*tag, "x"), "\nx", tag)

    def test_hidden(self) -> None:
        """What is inside script, style and their like is left out, up to their own end tag."""
        self.assertEqual(shown("a<script>b<p></scripty></p></script >c"), ["ac"])
        self.assertEqual(shown("<style>p { }</STYLE>a"), ["a"])
        self.assertEqual(shown("<noscript>b</noscript><iframe>c</iframe>a"), ["a"])
        self.assertEqual(shown("a<script>b"), ["a"])

    def test_template(self) -> None:
        """Templates are left out, those inside others too."""
        self.assertEqual(shown("a<template>b<template>c</template>d</template>e"), ["ae"])
        self.assertEqual(shown("</template>a"), ["a"])

    def test_comments(self) -> None:
        """Comments are left out and separate nothing; odd ones end where browsers end them."""
        self.assertEqual(shown("a<!-- b > c -->d"), ["ad"])
        self.assertEqual(shown("<!-->a<!--->b<!--c--!>d<!x>e<?y>f</ z>g</>h"), ["abdefgh"])
        self.assertEqual(shown("a<!-- b"), ["a"])

    def test_title(self) -> None:
        """A title is text without tags."""
        self.assertEqual(shown("<title>a <b> &amp; c</title>d"), ["a", "<b>", "&", "c", "d"])

    def test_breaks(self) -> None:
        """Tags between words separate them, tags inside a word do not."""
        self.assertEqual(shown("<p>a</p><p>b<br>c<td>d"), ["a", "b", "c", "d"])
        self.assertEqual(shown("<b>w</b>or<wbr>d"), ["word"])

    def test_references(self) -> None:
        """Character references are resolved, with and without a semicolon, as browsers do."""
        self.assertEqual(text("&lt;b&gt; &eacute;&#233;&#xE9 &copy2 &ampx"), "<b> ééé ©2 &x")
        self.assertEqual(text("a &; &x; & b&"), "a &; &x; & b&")
        self.assertEqual(text("&amp", ";&am", "p"), "&&")
        self.assertEqual(text("&CounterClockwiseContourIntegral;"), "∳")

    def test_absurd_references(self) -> None:
        """Numbers that are no characters are replaced, however long they are."""
        self.assertEqual(text("&#x110000;"), "\ufffd")
        self.assertEqual(text("&#" + "9" * 5000)[0], "\ufffd")

    def test_less_than(self) -> None:
        """A < that opens nothing is text."""
        self.assertEqual(text("1 < 2 <3 <"), "1 < 2 <3 <")

    def test_little_is_kept(self) -> None:
        """Of text that does not end what it begins, next to nothing is kept."""
        for unit in (
            "<",
            "</",
            "<!--",
            "<a ",
            "<a b='",
            "&",
            "&a",
            "&#1",
            "<title></titl",
            "a",
            "-",
        ):
            visible = VisibleText()
            for _ in range(10):
                visible.text(unit * 1000)
                self.assertLess(len(visible._kept), 50, unit)
                self.assertLess(len(visible._name), 50, unit)

    def test_hostile(self) -> None:
        """What makes careless parsers take ages takes no longer than other text."""
        for unit in (
            "<", "</", "</>", "<a ", "<a b=c ", "<a b='", "<a b='>", "a=", "<!--", "<!-- -", "-",
            "<!>", "&", "&a", "&#", "&#" + "1" * 40, "<b>", "<script><", "<title></t", "<template>",
        ):  # fmt: skip
            document = unit * (300_000 // len(unit))
            with self.subTest(unit):
                self.assertEqual(text(document), text(document[:100_000], document[100_000:]))

    @settings(deadline=None, max_examples=300)
    @given(DOCUMENTS, st.lists(st.integers(0, 200), max_size=6))
    def test_any_split(self, document: str, cuts: list[int]) -> None:
        """However a document is split, its text is the same."""
        places = sorted({0, *(min(cut, len(document)) for cut in cuts), len(document)})
        pieces = [document[a:b] for a, b in pairwise(places)]
        self.assertEqual(text(*pieces), text(document))
        self.assertEqual(text(*document), text(document))

    @settings(deadline=None, max_examples=100)
    @given(st.text(max_size=200))
    def test_escaped(self, written: str) -> None:
        """What was escaped is read as it was written."""
        written = written.replace("\0", "")
        self.assertEqual(text(f"<p>{escape(written)}</p>"), f"\n{written}\n")

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.sampled_from(["<p>", "</p>", "<b a='1'>", "x ", "&amp;", "é"]), max_size=30))
    def test_as_the_library_has_it(self, bits: list[str]) -> None:
        """Of tame documents the standard library's parser finds the same text."""
        found: list[str] = []

        class Parser(HTMLParser):
            def handle_data(self, data: str) -> None:
                found.append(data)

        parser = Parser()
        parser.feed("".join(bits))
        parser.close()
        self.assertEqual(text("".join(bits)).replace("\n", ""), "".join(found))
