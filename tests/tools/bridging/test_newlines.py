"""LF becomes CRLF, by plain calls."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.bridging.newlines import Newlines

PIECES = st.lists(st.text("\r\nab", max_size=6).map(str.encode), max_size=8)


def fed(*pieces: bytes) -> bytes:
    newlines = Newlines()
    return b"".join(map(newlines.feed, pieces))


class NewlinesTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """An LF gets a CR, one that has it keeps it, and a CR alone is a CR."""
        for written, sent in (
            (b"a\nb\n", b"a\r\nb\r\n"),
            (b"a\r\n", b"a\r\n"),
            (b"\n\n\r\n", b"\r\n\r\n\r\n"),
            (b"a\rb", b"a\rb"),
            (b"\r\r\n", b"\r\r\n"),
            (b"", b""),
        ):
            self.assertEqual(fed(written), sent, written)

    @settings(deadline=None, max_examples=300, database=None)
    @given(PIECES)
    def test_any_split(self, pieces: list[bytes]) -> None:
        """However the bytes are split, what comes out is the same."""
        whole = b"".join(pieces)
        self.assertEqual(fed(*pieces), re.sub(rb"(?<!\r)\n", b"\r\n", whole))
