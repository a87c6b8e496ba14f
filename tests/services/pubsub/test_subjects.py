"""Which subjects and patterns there are, and which pattern stands for which subjects."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.subjects import (
    WILD_TOKENS,
    covers,
    is_pattern,
    is_subject,
    is_wild,
    overlap,
)

_TOKENS = st.sampled_from([b"a", b"b", b"*", b">"])
_PATTERNS = st.lists(_TOKENS, min_size=1, max_size=4).map(b".".join).filter(is_pattern)
_SUBJECTS = st.lists(st.sampled_from([b"a", b"b", b"c"]), min_size=1, max_size=4).map(b".".join)


def naive(pattern: list[bytes], subject: list[bytes]) -> bool:
    """Return whether a subject matches, as the words of the documentation say it."""
    if not pattern or not subject:
        return not pattern and not subject
    if pattern[0] == b">":
        return True
    return pattern[0] in (b"*", subject[0]) and naive(pattern[1:], subject[1:])


class ValidTests(SynchronousTestCase):
    def test_subjects(self) -> None:
        """A subject has tokens of one character at least, with dots between them."""
        for subject in (b"a", b"a.b.c", b"$JS.API.INFO", b"_INBOX.x-1", b"a*.>b", b"**", b">>.a"):
            with self.subTest(subject):
                self.assertTrue(is_subject(subject))
                self.assertTrue(is_pattern(subject))
                self.assertFalse(is_wild(subject))

    def test_neither(self) -> None:
        """Empty tokens, blanks, controls and NUL are in no subject and in no pattern."""
        for octets in (b"", b".", b"a.", b".a", b"a..b", b"a b", b"a\tb", b"a\r", b"\n", b"a\0b"):
            with self.subTest(octets):
                self.assertFalse(is_subject(octets))
                self.assertFalse(is_pattern(octets))
        for control in (*range(0x21), 0x7F):
            self.assertFalse(is_subject(b"a%cb" % control))

    def test_no_charset(self) -> None:
        """Any other byte may be in a subject, as NATS asks for no UTF-8."""
        for byte in range(0x80, 0x100):
            self.assertTrue(is_subject(b"%c.a" % byte))

    def test_patterns(self) -> None:
        """A wildcard is a token of its own, and nothing follows on `>`; neither is in a subject."""
        for pattern in (b"*", b">", b"a.*", b"*.a", b"a.*.b.>", b"*.*", b"*.>"):
            with self.subTest(pattern):
                self.assertTrue(is_pattern(pattern))
                self.assertTrue(is_wild(pattern))
                self.assertFalse(is_subject(pattern))
        for wrong in (b">.a", b"a.>.b", b">.>", b"a.>.", b"*."):
            with self.subTest(wrong):
                self.assertFalse(is_pattern(wrong))

    def test_tokens(self) -> None:
        """A pattern with wildcards has a limited number of tokens; a subject has not."""
        self.assertTrue(is_pattern(b"a." * (WILD_TOKENS - 1) + b"*"))
        self.assertFalse(is_pattern(b"a." * WILD_TOKENS + b"*"))
        self.assertTrue(is_pattern(b"a." * 2000 + b"a"))
        self.assertTrue(is_subject(b"a." * 2000 + b"a"))

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=30))
    def test_whatever(self, octets: bytes) -> None:
        """A subject is a pattern without wildcards, whatever the bytes."""
        self.assertEqual(is_subject(octets), is_pattern(octets) and not is_wild(octets))


class CoversTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=300)
    @given(_PATTERNS, _SUBJECTS)
    def test_subject(self, pattern: bytes, subject: bytes) -> None:
        """A pattern covers the subjects that match it."""
        self.assertEqual(covers(pattern, subject), naive(pattern.split(b"."), subject.split(b".")))

    @settings(deadline=None, max_examples=300)
    @given(_PATTERNS, _PATTERNS, _SUBJECTS)
    def test_pattern(self, pattern: bytes, other: bytes, subject: bytes) -> None:
        """What matches a pattern that is covered matches the one that covers it."""
        if covers(pattern, other) and covers(other, subject):
            self.assertTrue(covers(pattern, subject))

    def test_wider(self) -> None:
        """A pattern does not cover what reaches further."""
        for pattern, other in ((b"a", b"*"), (b"*", b">"), (b"a.*", b"a.>"), (b"a.>", b"a")):
            with self.subTest(pattern):
                self.assertFalse(covers(pattern, other))
        for pattern, other in ((b">", b"*.a"), (b"a.>", b"a.*.>"), (b"*.a", b"b.a"), (b"*", b"*")):
            with self.subTest(pattern):
                self.assertTrue(covers(pattern, other))

    @settings(deadline=None, max_examples=300)
    @given(_PATTERNS, _PATTERNS, _SUBJECTS)
    def test_overlap(self, one: bytes, other: bytes, subject: bytes) -> None:
        """Two patterns overlap where a subject matches both, whichever comes first."""
        self.assertEqual(overlap(one, other), overlap(other, one))
        if covers(one, subject) and covers(other, subject):
            self.assertTrue(overlap(one, other))

    def test_apart(self) -> None:
        """Patterns that no subject can match both do not overlap."""
        for one, other in ((b"a", b"b"), (b"a.*", b"b.*"), (b"a.>", b"a"), (b"*", b"*.*")):
            with self.subTest(one):
                self.assertFalse(overlap(one, other))
