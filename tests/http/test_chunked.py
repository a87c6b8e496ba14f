"""The chunked coding: any split is the same body, rubbish is none, and others' readers agree."""

import re
from collections.abc import Iterable

import h11
from attrs import frozen
from httptools import HttpParserError, HttpRequestParser
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.chunked import LAST, OVERHEAD_BYTES, ChunkedError, ChunkedReader, chunk
from tests.net.splits import split, streams

HEAD = b"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
LINE_BYTES = 4096

MALFORMED = (
    b"\r\n",
    b"\n",
    b" 5\r\nhello\r\n",
    b"5 \r\nhello\r\n",
    b"5 ;x\r\nhello\r\n",
    b"+5\r\nhello\r\n",
    b"-5\r\nhello\r\n",
    b"0x5\r\nhello\r\n",
    b"5_0\r\nhello",
    b"5h\r\nhello",
    b";x\r\n",
    b"00000000000000005\r\nhello\r\n",
    b"10000000000000000\r\n",
    b"5\nhello\r\n",
    b"5\rhello\r\n",
    b"5;a\nhello\r\n",
    b"5;a\rb\r\nhello\r\n",
    b"5;a\x00\r\nhello\r\n",
    b"5\r\nhello\n0\r\n\r\n",
    b"5\r\nhello\r\r\n",
    b"5\r\nhello!\r\n",
    b"5\r\nhello0\r\n\r\n",
    b"0\r\nno field\r\n\r\n",
    b"0\r\n: x\r\n\r\n",
    b"0\r\na : x\r\n\r\n",
    b"0\r\n folded: x\r\n\r\n",
    b"0\r\na: \x00\r\n\r\n",
    b"0\r\na: x\n\r\n",
    b"0\r\n\n",
    b"0\r\n\r\r\n",
)


@frozen
class Read:
    """A whole body, what came behind it, and whether it has ended."""

    body: bytes
    rest: bytes
    finished: bool


def _read(pieces: Iterable[bytes]) -> Read | None:
    """Return what a reader makes of `pieces`; None: they are no chunked body."""
    reader = ChunkedReader()
    body = rest = b""
    try:
        for piece in pieces:
            if reader.finished:
                rest += piece
            else:
                body += b"".join(reader.feed(piece))
    except ChunkedError:
        return None
    return Read(body, reader.rest + rest, reader.finished)


def _read_by_h11(coded: bytes) -> Read | None:
    """Return what h11 makes of `coded`."""
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(HEAD + coded)
    body = b""
    try:
        while True:
            match connection.next_event():
                case h11.Data(data=data):
                    body += data
                case h11.EndOfMessage():
                    return Read(body, connection.trailing_data[0], finished=True)
                case h11.NEED_DATA:
                    return Read(body, b"", finished=False)
    except h11.RemoteProtocolError:
        return None


class _Body:
    """What llhttp tells of a body."""

    def __init__(self) -> None:
        self.content = b""
        self.finished = False

    def on_body(self, data: bytes) -> None:
        """Take a piece, of the first message."""
        self.content += b"" if self.finished else data

    def on_message_complete(self) -> None:
        """Note the end."""
        self.finished = True


def _read_by_llhttp(coded: bytes) -> Read | None:
    """Return what llhttp makes of `coded`, without what came behind it."""
    told = _Body()
    try:
        HttpRequestParser(told).feed_data(HEAD + coded)
    except HttpParserError:
        if not told.finished:
            return None
    return Read(told.content, b"", told.finished)


_PARTS = (
    chunk(b"hello"),
    chunk(b"x" * 300),
    b"0005;name=value;other\r\nhello\r\n",
    b"A\r\n0123456789\r\n",
    LAST,
    b"0\r\na: b\r\nc:\r\n\r\n",
)
_BODIES = streams(*_PARTS[:4]).flatmap(
    lambda body: st.sampled_from(_PARTS[4:]).map(lambda last: body + last)
)
_LAXER = re.compile(
    rb"[0-9A-Fa-f][ \t]+[;\r]"  # h11 takes spaces behind a size
    rb"|[0-9A-Fa-f]{17,20}[;\r]"  # and sizes of twenty digits
    rb"|(?<!\r)\n"  # and trailers that end in a bare LF
    rb"|\r(?!\n)"  # and a bare CR in an extension
    rb"|\n[ \t]"  # and folded trailers
    rb"|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"  # and controls there and in extensions
)
_ODD = st.sampled_from((*(b"%c" % at for at in b"\x00\t\n\r ;:+-x05aF_\x7f\xff"), b"\r\n", b""))


@st.composite
def _mutated(draw: st.DrawFn) -> bytes:
    """Make a chunked body with bytes that do not belong there."""
    coded: bytes = draw(_BODIES)
    for _ in range(draw(st.integers(1, 2))):
        at = draw(st.integers(0, len(coded) - 1))
        coded = coded[:at] + draw(_ODD) + coded[at + draw(st.integers(0, 1)) :]
    return coded


class Bodies(SynchronousTestCase):
    """Bodies as they should be."""

    @settings(deadline=None, max_examples=60)
    @given(st.lists(st.binary(min_size=1, max_size=50)), st.binary(max_size=9), st.data())
    def test_there_and_back(self, pieces: list[bytes], rest: bytes, data: st.DataObject) -> None:
        """Pieces that were written as chunks are read again, up to the rest, however they come."""
        coded = b"".join(map(chunk, pieces)) + LAST + rest
        expected = Read(b"".join(pieces), rest, finished=True)
        self.assertEqual(_read(split(coded, data.draw)), expected)

    def test_extensions_and_trailers(self) -> None:
        """Extensions and trailers are dropped, digits may be large or small and begin with zeros."""
        coded = (
            b'00a;x="y";z\r\n0123456789\r\nB\r\n0123456789a\r\n000;last\r\nT: x\r\nu:\r\n\r\nGET'
        )
        self.assertEqual(_read([coded]), Read(b"01234567890123456789a", b"GET", finished=True))

    def test_in_one_piece(self) -> None:
        """What comes at once is one piece, in however many chunks it came."""
        self.assertEqual(ChunkedReader().feed(b"1\r\na\r\n" * 100 + b"1\r\n"), [b"a" * 100])

    def test_piece_by_piece(self) -> None:
        """Data is passed on as it comes, before its chunk is whole."""
        reader = ChunkedReader()
        self.assertEqual(reader.feed(b"ffffffffffffffff\r\nab"), [b"ab"])
        self.assertEqual(reader.feed(b"c"), [b"c"])
        self.assertFalse(reader.finished)


class AnyBytes(SynchronousTestCase):
    """Bytes of whatever kind."""

    def test_malformed(self) -> None:
        """Signs, spaces, prefixes, overlong sizes and bare line ends are no chunked body."""
        for coded in MALFORMED:
            self.assertIsNone(_read([coded]), coded)
            self.assertIsNone(_read(coded[at : at + 1] for at in range(len(coded))), coded)

    @settings(deadline=None, max_examples=150)
    @given(st.one_of(_mutated(), st.binary(max_size=40)), st.data())
    def test_any_split(self, coded: bytes, data: st.DataObject) -> None:
        """However the same bytes are split, they are the same body, or none."""
        self.assertEqual(_read(split(coded, data.draw)), _read([coded]))


class Limits(SynchronousTestCase):
    """What is no data costs its sender, not the server."""

    def test_lines(self) -> None:
        """A line may be as long as its limit, whether it ends or not."""
        for begun in (b"1;", b"0\r\na:"):
            room = LINE_BYTES - len(begun.rpartition(b"\n")[2]) - 2
            self.assertIsNotNone(_read([begun + b"x" * room + b"\r\n"]))
            self.assertIsNone(_read([begun + b"x" * (room + 1) + b"\r\n"]))
            self.assertIsNone(_read([begun + b"x" * (room + 3)]))

    def test_overhead(self) -> None:
        """Extensions and trailers together have a limit, which data has not."""
        extended = b"1;" + b"x" * 1023 + b"\r\nd\r\n"
        trailer = b"a:" + b"x" * 1020 + b"\r\n"
        full = extended * 8 + b"0\r\n" + trailer * 8
        self.assertEqual(OVERHEAD_BYTES, 16 * 1024)
        self.assertEqual(_read([full + b"\r\n"]), Read(b"d" * 8, b"", finished=True))
        self.assertIsNone(_read([full + b"a:\r\n\r\n"]))
        self.assertIsNone(_read([extended * 17]))
        self.assertIsNotNone(_read([chunk(b"d") * OVERHEAD_BYTES]))


class BesideOthers(SynchronousTestCase):
    """h11 and llhttp find the same body, or it is known why not."""

    @settings(deadline=None, max_examples=150)
    @given(st.one_of(_BODIES, _mutated()))
    def test_h11(self, coded: bytes) -> None:
        """What is a body here is the same to h11; it takes more, and stops nowhere else."""
        ours, theirs = _read([coded]), _read_by_h11(coded)
        if ours is not None and ours.finished:
            self.assertEqual(ours, theirs)
        elif ours is None and theirs is not None and theirs.finished:
            self.assertRegex(coded, _LAXER)

    @settings(deadline=None, max_examples=150)
    @given(st.one_of(_BODIES, _mutated()))
    def test_llhttp(self, coded: bytes) -> None:
        """What is a body to either is the same to both, but for the grammar of extensions.

        They are dropped here, as RFC 9112 7.1.1 says, so it is enough that they stay in their line.
        """
        ours, theirs = _read([coded]), _read_by_llhttp(coded)
        if ours is not None and ours.finished and theirs is None:
            self.assertRegex(coded, rb"[0-9A-Fa-f];")
        elif ours is not None and ours.finished:
            self.assertEqual(Read(ours.body, b"", finished=True), theirs)
        elif ours is None and theirs is not None:
            self.assertFalse(theirs.finished, coded)
