"""Going on with a part of a file."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import ResponseHead
from netkit.tools.getting.continuing import (
    Part,
    Verdict,
    asking_for_rest,
    validator,
    verdict,
    whole_length,
)

NOW = 784111777.0
CHANGED = (b"Last-Modified", b"Sun, 06 Nov 1994 08:49:37 GMT")
TAG = b'"v1"'
PART = Part(4, TAG, 10)


def head(status: int, *fields: tuple[bytes, bytes]) -> ResponseHead:
    """Return the head of an answer of six bytes."""
    return ResponseHead(status=status, headers=fields, length=6)


def part(content_range: bytes, *fields: tuple[bytes, bytes]) -> ResponseHead:
    """Return the head of a part."""
    return head(206, (b"Content-Range", content_range), *fields)


class ValidatorTests(SynchronousTestCase):
    def test_strong_tag(self) -> None:
        """A strong ETag names exactly one content."""
        self.assertEqual(validator(head(200, (b"ETag", TAG), CHANGED), NOW), TAG)

    def test_weak(self) -> None:
        """A weak one does not, nor one that is none, nor a date beside it."""
        for tag in (b'W/"v1"', b"v1", b'"a"b"'):
            date = (b"Date", b"Sun, 06 Nov 1994 09:49:37 GMT")
            self.assertEqual(validator(head(200, (b"ETag", tag), CHANGED, date), NOW), b"")

    def test_date(self) -> None:
        """A date does where the second in which something changed was over (RFC 9110 8.8.2.2)."""
        later = (b"Date", b"Sun, 06 Nov 1994 08:49:38 GMT")
        same = (b"Date", CHANGED[1])
        self.assertEqual(validator(head(200, CHANGED, later), NOW), CHANGED[1])
        for fields in ((CHANGED, same), (CHANGED,), (later,), ((b"Last-Modified", b"x"), later)):
            self.assertEqual(validator(head(200, *fields), NOW), b"")


class VerdictTests(SynchronousTestCase):
    def test_asked(self) -> None:
        """The rest is asked for on the condition that it is of the same."""
        fields = asking_for_rest(PART)
        self.assertEqual(fields, ((b"Range", b"bytes=4-"), (b"If-Range", TAG)))

    def test_rest(self) -> None:
        """A part that begins where ours ends is the rest, also where its length is not told."""
        self.assertIs(verdict(part(b"bytes 4-9/10"), PART), Verdict.REST)
        self.assertIs(verdict(part(b"bytes 4-9/10", (b"ETag", TAG)), PART), Verdict.REST)
        self.assertIs(verdict(part(b"bytes 4-6/10"), PART), Verdict.REST)
        self.assertIs(verdict(part(b"bytes 4-9/*"), PART), Verdict.REST)
        self.assertIs(verdict(part(b"bytes 4-9/11"), Part(4, TAG, None)), Verdict.REST)

    def test_unfit(self) -> None:
        """Any other part fits nowhere."""
        for answer in (
            part(b"bytes 3-9/10"),
            part(b"bytes 5-9/10"),
            part(b"bytes 4-3/10"),
            part(b"bytes 4-10/10"),
            part(b"bytes 4-9/11"),
            part(b"lines 4-9/10"),
            part(b"bytes 4-9/10", (b"ETag", b'"v2"')),
            part(b"bytes 4-9/10", (b"Content-Encoding", b"gzip")),
            head(206),
            head(416),
            head(416, (b"Content-Range", b"bytes */11")),
            head(416, (b"Content-Range", b"bytes */3")),
        ):
            self.assertIs(verdict(answer, PART), Verdict.UNFIT, answer)

    def test_nothing(self) -> None:
        """Where all was there the server says so."""
        answer = head(416, (b"Content-Range", b"bytes */4"))
        self.assertIs(verdict(answer, Part(4, TAG, 4)), Verdict.NOTHING)
        self.assertIs(verdict(answer, Part(4, TAG, None)), Verdict.NOTHING)
        self.assertIs(verdict(answer, PART), Verdict.UNFIT)

    def test_whole(self) -> None:
        """What has changed comes whole; an error is an error."""
        self.assertIs(verdict(head(200), PART), Verdict.WHOLE)
        self.assertIs(verdict(head(404), PART), Verdict.OTHER)

    def test_length(self) -> None:
        """The length of the whole is told by the whole, or by a part."""
        self.assertEqual(whole_length(head(200)), 6)
        self.assertEqual(whole_length(part(b"bytes 4-9/10")), 10)
        self.assertIsNone(whole_length(part(b"bytes 4-9/*")))

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=30), st.sampled_from((200, 206, 416)))
    def test_any_bytes(self, value: bytes, status: int) -> None:
        """Only what says so plainly is the rest."""
        answer = head(status, (b"Content-Range", value))
        self.assertIs(verdict(answer, PART) is Verdict.REST, False)
        self.assertIsInstance(validator(head(200, (b"ETag", value)), NOW), bytes)
