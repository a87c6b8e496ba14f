"""The lines of an input: as they come, and no longer than they may be."""

import os
from collections.abc import AsyncIterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.messaging.lines import lines
from netkit.tools.outcome import TroubleError


class LinesTests(SynchronousTestCase):
    def lines(self, *pieces: bytes | OSError, longest: int = 10) -> list[bytes]:
        """Return the lines of an input from which `pieces` are read, and then its end."""
        found: list[bytes] = []
        wanted = False

        async def read() -> AsyncIterator[bytes]:
            for piece in pieces:
                self.assertTrue(wanted, "nothing is read that nobody has asked for")
                if isinstance(piece, OSError):
                    raise piece
                yield piece

        async def gather() -> None:
            nonlocal wanted
            wanted = True
            async for line in lines(read(), longest):
                wanted = False
                found.append(line)
                wanted = True

        results: list[Any] = []
        Deferred.fromCoroutine(gather()).addBoth(results.append)
        if isinstance(results[0], Failure):
            results[0].raiseException()
        return found

    def test_ends(self) -> None:
        """Lines end by LF or CRLF, and the last one by the end."""
        self.assertEqual(self.lines(b"one\r\nt", b"wo\n\nthree"), [b"one", b"two", b"", b"three"])
        self.assertEqual(self.lines(b"one\n"), [b"one"])
        self.assertEqual(self.lines(), [])

    @given(st.lists(st.text("ab\n", min_size=1, max_size=5).map(str.encode), max_size=8))
    @settings(max_examples=50, deadline=None)
    def test_any_split(self, pieces: list[bytes]) -> None:
        """However it comes, the lines are the same."""
        whole = b"".join(pieces)
        wanted = whole.removesuffix(b"\n").split(b"\n") if whole else []
        self.assertEqual(self.lines(*pieces, longest=100), wanted)

    def test_too_long(self) -> None:
        """A line that is too long is an error, whether its end has come or not."""
        for pieces in ((b"ok\n12345678901\n",), (b"ok\n123456", b"78901")):
            with self.assertRaisesRegex(TroubleError, "a line is longer than 10 bytes"):
                self.lines(*pieces)

    def test_broken(self) -> None:
        """What goes wrong with the input is told."""
        with self.assertRaises(OSError):
            self.lines(b"one\n", OSError(5, os.strerror(5)))
