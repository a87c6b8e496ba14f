"""Header sections as they come, and what is remembered of them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.answerheads import (
    HEAD_BYTES,
    HEADS,
    AnswerHeads,
    KnownHeads,
    TooMuchHeaderError,
)
from netkit.http.answers import BadAnswerError
from netkit.http.clientlimits import ClientLimits
from netkit.http.messages import ResponseHead
from tests.net.splits import split

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\n\r\n"


def statuses(*pieces: bytes, method: bytes = b"GET", **limits: int) -> tuple[list[int], bytes]:
    """Return the statuses of the heads in `pieces`, and what is behind them."""
    heads = AnswerHeads(KnownHeads(ClientLimits(**limits)), method)
    found: list[int] = []
    rest = b""
    for piece in pieces:
        if found and (found[-1] > 199 or found[-1] == 101):
            rest += piece
        else:
            found += [head.status for head in heads.feed(piece)]
            rest += heads.rest
    return found, rest


class AnswerHeadsTests(SynchronousTestCase):
    def test_final(self) -> None:
        """The final head ends the heads: what is behind it is none, whatever it looks like."""
        self.assertEqual(statuses(HINTS + OK + OK), ([103, 200], OK))
        switching = b"HTTP/1.1 101 x\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n"
        self.assertEqual(statuses(switching + OK), ([101], OK))

    @settings(deadline=None, max_examples=100)
    @given(st.data())
    def test_any_split(self, data: st.DataObject) -> None:
        """However they are split, the heads are the same."""
        pieces = split(HINTS * 2 + OK + b"hello", data.draw)
        found, rest = statuses(*pieces)
        self.assertEqual(found, [103, 103, 200])
        self.assertEqual(rest, b"hello")

    def test_refused_early(self) -> None:
        """What cannot become a head is refused as soon as that shows."""
        for start in (b"X", b"HTTP/2", b"\r\n", b"HTTP/1.1 200 OK\nA: b\n\n"):
            with self.subTest(start), self.assertRaises(BadAnswerError):
                statuses(start)

    def test_limits(self) -> None:
        """A section has a size and a number of fields; there are only so many interim ones."""
        for pieces in (
            (b"HTTP/1.1 200 OK\r\nX: ", b"y" * 90),
            (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 90 + b"\r\n\r\n",),
            (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 3 + b"\r\n",),
        ):
            with self.subTest(pieces), self.assertRaises(TooMuchHeaderError):
                statuses(*pieces, header_bytes=100, header_fields=2)
        with self.assertRaises(BadAnswerError):
            statuses(HINTS * 3 + OK, interim_answers=2)


class KnownHeadsTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Know nothing."""
        self.heads = KnownHeads(ClientLimits())

    def test_known(self) -> None:
        """A head is known until the second is over, for methods with the same sort of answer."""
        head = self.heads.head(OK, b"GET")
        self.assertEqual(self.heads.known(b"POST"), {OK: head})
        self.assertEqual(self.heads.known(b"HEAD"), {})
        self.assertEqual(self.heads.head(OK, b"HEAD").length, 0)
        self.heads.forget()
        self.assertEqual(self.heads.known(b"GET"), {})
        self.assertEqual(self.heads.known(b"HEAD"), {})

    def test_not_kept(self) -> None:
        """Interim heads, heads of tunnels and long ones are not known, nor is one too many."""
        self.heads.head(HINTS, b"GET")
        self.heads.head(OK, b"CONNECT")
        self.heads.head(OK[:-2] + b"X: %b\r\n\r\n" % (b"y" * HEAD_BYTES), b"GET")
        self.assertEqual(self.heads.known(b"GET"), {})
        self.assertEqual(self.heads.known(b"CONNECT"), {})
        for number in range(HEADS + 1):
            self.heads.head(OK[:-2] + b"X: %d\r\n\r\n" % number, b"GET")
        self.assertEqual(len(self.heads.known(b"GET")), HEADS)

    def test_final(self) -> None:
        """What is more than a whole, final head is left to who takes it bit by bit."""
        self.assertIsInstance(self.heads.final(OK, b"GET"), ResponseHead)
        long = OK[:-2] + b"X: %b\r\n\r\n" % (b"y" * 70000)
        for section in (OK[:-1], HINTS, b"X\r\n\r\n", long):
            self.assertIsNone(self.heads.final(section, b"GET"))
        self.assertIsNone(self.heads.final(OK, b"CONNECT"))
