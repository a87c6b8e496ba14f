"""A document from bytes to words, step by step."""

import gzip
import zlib
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.decoding import decoder
from netkit.services.proxy.words.document import PIECE_BYTES, STEP_BYTES, Document
from netkit.services.proxy.words.tally import Reason, Tally
from tests.net.splits import split

PAGE = (
    "<title>Größe</title><p>one <b>t</b>wo&amp;three &eacute;t&eacute;<script>no</script>".encode()
)
WORDS = [("grösse", 1), ("one", 1), ("three", 1), ("two", 1), ("été", 1)]
AT_MOST = 100_000


def document(coding: bytes = b"", charset: bytes = b"utf-8", at_most: int = AT_MOST) -> Document:
    """Return a document."""
    decodes = decoder(coding)
    assert decodes is not None
    return Document(decodes, charset, at_most, 0)


def counted(each: Document, pieces: Iterable[bytes], reason: Reason | None = None) -> Tally:
    """Return what is counted of a document that comes in `pieces`."""
    tally = Tally(AT_MOST)
    for piece in pieces:
        each.put(piece)
    each.end(reason)
    while each.has_work:
        before = tally.octets
        each.step(tally)
        assert tally.octets - before <= STEP_BYTES
    return tally


class DocumentTests(SynchronousTestCase):
    def test_words(self) -> None:
        """The words of a document are counted, and its bytes as they were decoded."""
        tally = counted(document(), [PAGE])
        self.assertEqual(tally.most_common(10), WORDS)
        self.assertEqual((tally.words, tally.octets, tally.in_part), (5, len(PAGE), {}))

    @settings(deadline=None, max_examples=100)
    @given(st.sampled_from([b"", b"gzip", b"deflate"]), st.data())
    def test_any_split(self, coding: bytes, data: st.DataObject) -> None:
        """However a body is split, its words are the same."""
        bodies = {b"": PAGE, b"gzip": gzip.compress(PAGE), b"deflate": zlib.compress(PAGE)}
        pieces = split(bodies[coding], data.draw)
        self.assertEqual(counted(document(coding), pieces).most_common(10), WORDS)

    @settings(deadline=None, max_examples=200)
    @given(
        st.sampled_from([b"", b"gzip", b"deflate"]),
        st.sampled_from([b"", b"utf-16", b"gb18030", b"iso-2022-jp", b"x"]),
        st.lists(st.binary(max_size=100), max_size=8),
    )
    def test_any_bytes(self, coding: bytes, charset: bytes, pieces: list[bytes]) -> None:
        """Whatever comes, a document ends and raises nothing."""
        each = document(coding, charset)
        counted(each, pieces)
        self.assertTrue(each.done)
        self.assertEqual(each.waiting, 0)

    def test_long(self) -> None:
        """Of a document that is too long the first part is counted, without its last word."""
        tally = counted(document(at_most=10), [b"one two three"])
        self.assertEqual(tally.most_common(9), [("one", 1), ("two", 1)])
        self.assertEqual((tally.octets, tally.in_part), (10, {Reason.LONG: 1}))

    def test_exactly(self) -> None:
        """A document of just the most bytes is counted whole."""
        tally = counted(document(at_most=7), [b"one", b" two"])
        self.assertEqual((tally.words, tally.in_part), (2, {}))

    def test_bomb(self) -> None:
        """A bomb is let be when it has become as long as documents may be."""
        bomb = gzip.compress(b"boom " * 10_000_000, 9)
        self.assertLess(len(bomb), AT_MOST)
        tally = counted(document(b"gzip"), [bomb])
        self.assertEqual((tally.octets, tally.in_part), (AT_MOST, {Reason.LONG: 1}))

    def test_truncated(self) -> None:
        """Of a body that stops in the middle of its coding there are the words that came."""
        text = b"one two three " * 1000
        body = gzip.compress(text, 1)
        tally = counted(document(b"gzip"), [body[: len(body) // 2]])
        self.assertGreater(tally.words, 100)

    def test_malformed(self) -> None:
        """A body that is not in its coding is counted as that."""
        tally = counted(document(b"gzip"), [PAGE, PAGE])
        self.assertEqual((tally.words, tally.in_part), (0, {Reason.MALFORMED: 1}))

    def test_cut(self) -> None:
        """Of a document that breaks off the word in the middle of which it does is not counted."""
        tally = counted(document(), [b"<p>one two thr"], Reason.CUT)
        self.assertEqual(tally.most_common(9), [("one", 1), ("two", 1)])
        self.assertEqual(tally.in_part, {Reason.CUT: 1})

    def test_waiting(self) -> None:
        """What waits is told, small pieces with what it costs to keep them."""
        each = document(at_most=10)
        for _ in range(20):
            each.put(b"x")
        self.assertEqual(each.waiting, 10 * (1 + PIECE_BYTES))
        self.assertTrue(each.ended)

    def test_empty_pieces(self) -> None:
        """Pieces without bytes are not kept."""
        each = document()
        each.put(b"")
        self.assertFalse(each.has_work)
