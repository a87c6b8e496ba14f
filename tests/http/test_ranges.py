"""Ranges of bytes."""

from email import message_from_bytes
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.ranges import (
    MOST,
    TIMES,
    Span,
    content_range,
    multipart,
    spans,
    unsatisfied,
)


class Spans(SynchronousTestCase):
    def test_one(self) -> None:
        """A range is cut to what there is; a suffix longer than that is the whole."""
        for value, expected in (
            (b"bytes=0-0", Span(0, 1)),
            (b"bytes=2-4", Span(2, 3)),
            (b"bytes=2-", Span(2, 8)),
            (b"bytes=-3", Span(7, 3)),
            (b"bytes=-10", Span(0, 10)),
            (b"bytes=-11", Span(0, 10)),
            (b"bytes=0-999999999999999999999999999999", Span(0, 10)),
            (b"bytes=-" + b"9" * 5000, Span(0, 10)),
            (b"bytes=00000000000000000000000000001-1", Span(1, 1)),
            (b"BYTES=0-0", Span(0, 1)),
            (b"bytes= 0-0\t, ,", Span(0, 1)),
        ):
            self.assertEqual(spans(value, 10), (expected,))

    def test_several(self) -> None:
        """Several ranges keep their order; those that cannot be satisfied are left out."""
        self.assertEqual(spans(b"bytes=8-,0-1", 10), (Span(8, 2), Span(0, 2)))
        self.assertEqual(spans(b"bytes=0-1,50-60,-0", 10), (Span(0, 2),))
        self.assertEqual(spans(b"bytes=0-,0-", 10), (Span(0, 10), Span(0, 10)))

    def test_unsatisfiable(self) -> None:
        """A range that begins behind the end, or of the last no bytes, cannot be satisfied."""
        for value in (b"bytes=10-", b"bytes=10-11", b"bytes=-0", b"bytes=20-,-0"):
            self.assertEqual(spans(value, 10), ())
        self.assertEqual(spans(b"bytes=0-", 0), ())

    def test_of_nothing(self) -> None:
        """The last bytes of an empty file are all of it, which is no part."""
        self.assertIs(spans(b"bytes=-5", 0), None)
        self.assertEqual(spans(b"bytes=-0", 0), ())

    def test_mistakes(self) -> None:
        """A field with a mistake, or of another unit, is as if it were absent."""
        for value in (
            b"",
            b"bytes",
            b"bytes=",
            b"bytes=,",
            b"bytes=-",
            b"bytes=a-b",
            b"bytes=5-4",
            b"bytes=0-1,5-4",
            b"bytes=1",
            b"bytes=+1-2",
            b"bytes=1 - 2",
            b"bytes =0-1",
            b"bytes=0-1;2-3",
            b"bytes=--1",
            b"bytes=0x1-2",
            b"items=0-1",
            b"bytes=\xd9\xa0-\xd9\xa1",  # digits, but not of ASCII
        ):
            self.assertIs(spans(value, 10), None, value)

    def test_too_much(self) -> None:
        """More than ten ranges, or more than twice the whole, are not taken up."""
        self.assertEqual(len(spans(b"bytes=" + b"0-0," * MOST, 100) or ()), MOST)
        self.assertIs(spans(b"bytes=" + b"0-0," * (MOST + 1), 100), None)
        self.assertIs(spans(b"bytes=" + b"0-," * 200, 100), None)
        self.assertIs(spans(b"bytes=" + b"0-," * 1_000_000, 100), None)
        self.assertIsNot(spans(b"bytes=0-,0-", 100), None)
        self.assertIs(spans(b"bytes=0-,0-,0-0", 100), None)

    @settings(deadline=None, max_examples=300)
    @given(
        st.one_of(
            st.binary(),
            st.lists(st.sampled_from([b"0", b"7", b"-", b",", b" ", b"30"])).map(
                lambda parts: b"bytes=" + b"".join(parts)
            ),
        ),
        st.integers(0, 40),
    )
    def test_within(self, value: bytes, size: int) -> None:
        """Whatever is asked for, what is given is inside, not empty, and not too much."""
        found = spans(value, size) or ()
        for span in found:
            self.assertTrue(0 <= span.offset < span.offset + span.length <= size)
        self.assertLessEqual(sum(span.length for span in found), TIMES * size)
        self.assertLessEqual(len(found), MOST)


class Written(SynchronousTestCase):
    def test_content_range(self) -> None:
        """The last byte is counted in."""
        self.assertEqual(content_range(Span(2, 3), 10), b"bytes 2-4/10")
        self.assertEqual(unsatisfied(0), b"bytes */0")

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.integers(0, 9), min_size=2, max_size=MOST))
    def test_multipart(self, offsets: list[int]) -> None:
        """Several ranges are parts that a mail program understands, of the announced length."""
        data = b"0123456789"
        made = multipart([Span(first, 10 - first) for first in offsets], 10, b"a/b", b"xyz")
        body = b"".join(
            head + data[span.offset : span.offset + span.length] for head, span in made.parts
        )
        body += made.end
        self.assertEqual(len(body), made.length)
        message = message_from_bytes(b"Content-Type: multipart/byteranges; boundary=xyz\r\n" + body)
        parts: Any = message.get_payload()
        self.assertEqual(
            [(part["Content-Range"], part.get_payload(decode=True)) for part in parts],
            [(f"bytes {first}-9/10", data[first:]) for first in offsets],
        )
