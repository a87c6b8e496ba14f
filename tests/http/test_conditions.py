"""Conditional requests."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.conditions import (
    MOST_TAGS,
    EntityTag,
    Validators,
    Verdict,
    entity_tags,
    judge,
    range_applies,
)
from netkit.http.dates import http_date

NOW = 1_780_000_000
MODIFIED = NOW - 1000
STRONG = Validators(EntityTag(b'"a"'), MODIFIED, dated=True)
WEAK = Validators(EntityTag(b'"a"', weak=True), MODIFIED)

SAME, BEFORE, AFTER = (http_date(MODIFIED + step) for step in (0, -1, 1))


def verdict(current: Validators = STRONG, method: bytes = b"GET", **fields: bytes) -> Verdict:
    """Return the verdict on a request with `fields`, written if_match=."""
    named = {name.replace("_", "-").encode(): value for name, value in fields.items()}
    return judge(named, method, current, NOW)


class Single(SynchronousTestCase):
    def test_none(self) -> None:
        """A request without conditions proceeds."""
        self.assertIs(verdict(), Verdict.PROCEED)

    def test_if_match(self) -> None:
        """If-Match holds by a strong tag of the list or by the star, and by no mistake."""
        for value in (b'"a"', b'"b", "a"', b"*", b' , "a",', b'"b","a"'):
            self.assertIs(verdict(if_match=value), Verdict.PROCEED, value)
        for value in (b'"b"', b'W/"a"', b"a", b"", b'"A"', b'*, "a"', b'"b" "a"', b'x, "a"'):
            self.assertIs(verdict(if_match=value), Verdict.FAILED, value)
        self.assertIs(verdict(WEAK, if_match=b'W/"a"'), Verdict.FAILED)
        self.assertIs(verdict(WEAK, if_match=b"*"), Verdict.PROCEED)
        self.assertIs(verdict(Validators(), if_match=b'"a"'), Verdict.FAILED)

    def test_if_none_match(self) -> None:
        """If-None-Match compares weakly; what matches is no news, and for other methods fails."""
        for value in (b'"a"', b'W/"a"', b'"b", W/"a"', b"*"):
            self.assertIs(verdict(if_none_match=value), Verdict.NOT_MODIFIED, value)
            self.assertIs(verdict(WEAK, b"HEAD", if_none_match=value), Verdict.NOT_MODIFIED)
            self.assertIs(verdict(STRONG, b"PUT", if_none_match=value), Verdict.FAILED)
        for value in (b'"b"', b"a", b"", b'w/"a"', b'W/ "a"', b'"a', b'"a"x'):
            self.assertIs(verdict(if_none_match=value), Verdict.PROCEED, value)

    def test_if_modified_since(self) -> None:
        """If-Modified-Since is of use for GET and HEAD, and where it is a date."""
        for value, expected in (
            (SAME, Verdict.NOT_MODIFIED),
            (AFTER, Verdict.NOT_MODIFIED),
            (BEFORE, Verdict.PROCEED),
            (b"nonsense", Verdict.PROCEED),
            (SAME + b", " + SAME, Verdict.PROCEED),
        ):
            self.assertIs(verdict(if_modified_since=value), expected)
        self.assertIs(verdict(STRONG, b"PUT", if_modified_since=SAME), Verdict.PROCEED)
        self.assertIs(verdict(Validators(), if_modified_since=SAME), Verdict.PROCEED)

    def test_if_unmodified_since(self) -> None:
        """If-Unmodified-Since fails where there was a change after a date."""
        for value, expected in (
            (SAME, Verdict.PROCEED),
            (AFTER, Verdict.PROCEED),
            (BEFORE, Verdict.FAILED),
            (b"nonsense", Verdict.PROCEED),
        ):
            self.assertIs(verdict(if_unmodified_since=value), expected)


class Order(SynchronousTestCase):
    def test_tags_before_dates(self) -> None:
        """A date is not looked at where there is the tag's condition (steps 2 and 4)."""
        self.assertIs(verdict(if_match=b'"a"', if_unmodified_since=BEFORE), Verdict.PROCEED)
        self.assertIs(verdict(if_none_match=b'"b"', if_modified_since=SAME), Verdict.PROCEED)
        self.assertIs(verdict(if_none_match=b'"a"', if_modified_since=BEFORE), Verdict.NOT_MODIFIED)

    def test_failure_before_news(self) -> None:
        """A request that fails is not found to be no news (steps 1 and 2 before 3 and 4)."""
        self.assertIs(verdict(if_match=b'"b"', if_none_match=b'"a"'), Verdict.FAILED)
        self.assertIs(verdict(if_unmodified_since=BEFORE, if_none_match=b'"a"'), Verdict.FAILED)
        self.assertIs(verdict(if_match=b'"a"', if_none_match=b'"a"'), Verdict.NOT_MODIFIED)
        self.assertIs(verdict(if_match=b"*", if_modified_since=SAME), Verdict.NOT_MODIFIED)


class IfRange(SynchronousTestCase):
    def test_tags(self) -> None:
        """A tag is compared strongly, and there is one only."""
        self.assertTrue(range_applies(None, WEAK, NOW))
        self.assertTrue(range_applies(b'"a"', STRONG, NOW))
        for value in (b'"b"', b'W/"a"', b"a", b"", b"*", b'"a", "a"', b'"a", "b"'):
            self.assertFalse(range_applies(value, STRONG, NOW), value)
        self.assertFalse(range_applies(b'W/"a"', WEAK, NOW))
        self.assertFalse(range_applies(b'"a"', WEAK, NOW))

    def test_dates(self) -> None:
        """A date has to be exactly that of a representation that no other has."""
        self.assertTrue(range_applies(SAME, STRONG, NOW))
        for value in (BEFORE, AFTER, b"nonsense"):
            self.assertFalse(range_applies(value, STRONG, NOW))
        self.assertFalse(range_applies(SAME, WEAK, NOW))
        self.assertFalse(range_applies(SAME, Validators(), NOW))


class Tags(SynchronousTestCase):
    @settings(deadline=None, max_examples=200)
    @given(st.lists(st.builds(
        EntityTag,
        st.from_regex(rb'"[\x21\x23-\x7e\x80-\xff]*"', fullmatch=True),
        st.booleans(),
    )))  # fmt: skip
    def test_lists(self, tags: list[EntityTag]) -> None:
        """Tags come out of a list as they went in, commas and backslashes in them included."""
        self.assertEqual(list(entity_tags(b" ,".join(map(bytes, tags)))), tags)

    @settings(deadline=None, max_examples=200)
    @given(st.one_of(
        st.binary(),
        st.lists(st.sampled_from([b'"', b"W/", b",", b" ", b"a", b"\\", b"*"])).map(b"".join),
    ))  # fmt: skip
    def test_never_raises(self, value: bytes) -> None:
        """Any bytes in any field give a verdict."""
        for name in (b"if-match", b"if-none-match", b"if-modified-since", b"if-unmodified-since"):
            judge({name: value}, b"GET", STRONG, NOW)
        range_applies(value, STRONG, NOW)

    def test_many(self) -> None:
        """Of a list without end the first thousand tags are compared."""
        self.assertEqual(len(list(entity_tags(b'"a",' * 2 * MOST_TAGS))), MOST_TAGS)
        self.assertIs(verdict(if_match=b'"b",' * MOST_TAGS + b'"a"'), Verdict.FAILED)

    def test_long(self) -> None:
        """A value of 64 KiB takes one pass."""
        for piece in (b'"', b",", b'"",', b" ", b'"a" ', b'W/"'):
            verdict(if_none_match=piece * (65536 // len(piece)))
