"""Bodies out of their codings."""

import gzip
import zlib

import brotli  # type: ignore[import-untyped]  # it has no types
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.decoding import Decoder, Gzip, MalformedError, decoder
from tests.net.splits import split

CONTENT = b"The quick brown fox. " * 500
CODED = {
    b"": CONTENT,
    b"identity": CONTENT,
    b"gzip": gzip.compress(CONTENT),
    b" X-GZip": gzip.compress(CONTENT[:3000]) + gzip.compress(b"") + gzip.compress(CONTENT[3000:]),
    b"deflate": zlib.compress(CONTENT),
    b"Deflate": zlib.compress(CONTENT)[2:-4],
    b"br": brotli.compress(CONTENT),
}


def decoded(coding: bytes, *pieces: bytes, at_most: int = 2048) -> bytes:
    """Return the content of a body that comes in `pieces`, read `at_most` bytes at a time."""
    kind = decoder(coding)
    assert kind is not None
    decodes = kind()
    content = []
    for piece in pieces:
        decodes.take(piece)
        while not decodes.hungry:
            content.append(decodes.content(at_most))
            assert len(content[-1]) <= at_most
    return b"".join(content)


def fed(coding: bytes, body: bytes) -> Decoder:
    """Return a decoder that has decoded all there is of `body`."""
    kind = decoder(coding)
    assert kind is not None
    decodes: Decoder = kind()
    decodes.take(body)
    while not decodes.hungry:
        decodes.content(2048)
    return decodes


class DecodingTests(SynchronousTestCase):
    def test_codings(self) -> None:
        """Bodies are decoded: plain ones, gzip, and both things that are called deflate."""
        for coding, body in CODED.items():
            self.assertEqual(decoded(coding, body), CONTENT, coding)

    def test_unknown(self) -> None:
        """Other codings, and several at once, are not known."""
        for coding in (b"zstd", b"compress", b"gzip, gzip", b"gzip,", b"\xff"):
            self.assertIsNone(decoder(coding))

    @settings(deadline=None, max_examples=60)
    @given(st.sampled_from(sorted(CODED)), st.data())
    def test_any_split(self, coding: bytes, data: st.DataObject) -> None:
        """However a body is split, its content is the same."""
        body = CODED[coding]
        pieces = split(body, data.draw)
        self.assertEqual(decoded(coding, *pieces, at_most=500), CONTENT)

    def test_bytes(self) -> None:
        """Bodies may come a byte at a time."""
        for coding, body in CODED.items():
            pieces = [body[at : at + 1] for at in range(len(body))]
            self.assertEqual(decoded(coding, *pieces), CONTENT, coding)

    def test_bomb(self) -> None:
        """A step gives no more than it was asked for, whatever the ratio."""
        bomb = gzip.compress(bytes(10_000_000))
        self.assertLess(len(bomb), 11_000)
        self.assertEqual(len(decoded(b"gzip", bomb, at_most=4096)), 10_000_000)

    def test_many_members(self) -> None:
        """A step ends one member at most."""
        decodes = Gzip()
        decodes.take(gzip.compress(b"x") * 100)
        self.assertEqual([decodes.content(1000) for _ in range(100)], [b"x"] * 100)
        self.assertTrue(decodes.hungry)

    def test_bomb_of_brotli(self) -> None:
        """So it is with brotli, whose library gives more than it is asked for."""
        bomb = brotli.compress(bytes(10_000_000))
        self.assertLess(len(bomb), 100)
        self.assertEqual(len(decoded(b"br", bomb, at_most=4096)), 10_000_000)

    def test_whole(self) -> None:
        """A body that was cut is told from a whole one; none at all is whole."""
        for coding in sorted(set(CODED) - {b"", b"identity", b" X-GZip"}):
            body = CODED[coding]
            for end in (*range(0, len(body), 7), len(body)):
                decodes = fed(coding, body[:end])
                self.assertEqual(decodes.whole, end in {0, len(body)}, (coding, end))

    def test_behind_the_end(self) -> None:
        """What is behind the end is let be; brotli's library cannot tell where that is."""
        for coding in (b"gzip", b"deflate"):
            self.assertEqual(decoded(coding, CODED[coding], b"rest", b"rest"), CONTENT)
            self.assertEqual(decoded(coding, CODED[coding] + b"rest", b"rest"), CONTENT)

        for rest in ((b"rest",), (b"", b"rest")):
            with self.assertRaises(MalformedError):
                decoded(b"br", CODED[b"br"] + rest[0], *rest[1:])

    def test_truncated(self) -> None:
        """Of a body that was cut there is what came."""
        for coding in (b"gzip", b"deflate", b"Deflate", b"br"):
            body = CODED[coding]
            for end in range(0, len(body), 7):
                self.assertTrue(CONTENT.startswith(decoded(coding, body[:end])))

    def test_malformed(self) -> None:
        """A body that is not in its coding is told."""
        for coding in (b"gzip", b"deflate", b"br"):
            with self.assertRaises(MalformedError):
                decoded(coding, b"<p>Hello</p>" * 10)

    @settings(deadline=None, max_examples=200)
    @given(st.sampled_from(sorted(CODED)), st.lists(st.binary(max_size=50), max_size=6))
    def test_any_bytes(self, coding: bytes, pieces: list[bytes]) -> None:
        """No bytes raise anything but MalformedError."""
        try:
            decoded(coding, *pieces)
        except MalformedError:
            self.assertNotIn(coding, (b"", b"identity"))
