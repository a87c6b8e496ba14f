"""What comes through a pipe, as a file of a form."""

from collections.abc import AsyncIterator

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.outcome import TroubleError
from netkit.tools.web.formdata import Content, Held
from netkit.tools.web.standardinput import content


async def _given(*each: bytes) -> AsyncIterator[bytes]:
    for piece in each:
        yield piece


async def _all(found: Content) -> bytes:
    return b"".join([piece async for piece in found.open()])


class ContentTests(SynchronousTestCase):
    def content(self, *each: bytes) -> Content:
        """Return the content that these pieces are, four bytes of which can be held."""
        return self.successResultOf(Deferred.fromCoroutine(content(_given(*each), 4)))

    def all(self, found: Content) -> bytes:
        """Return all of a content."""
        return self.successResultOf(Deferred.fromCoroutine(_all(found)))

    def test_short(self) -> None:
        """What can be held has a length, and can be sent again."""
        for each in ((), (b"a",), (b"ab", b"cd")):
            found = self.content(*each)
            self.assertEqual(found, Held(b"".join(each)))

    def test_long(self) -> None:
        """Of what cannot be held the beginning is, and all is sent, once."""
        for each in ((b"abcde",), (b"abcd", b"e"), (b"ab", b"cdef", b"g", b"h")):
            found = self.content(*each)
            self.assertIsNone(found.length)
            self.assertEqual(self.all(found), b"".join(each))
            self.assertRaises(TroubleError, found.open)
