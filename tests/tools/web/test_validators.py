"""What is known of pages, how it changes, and how it is written down."""

import contextlib
import json
from collections.abc import Mapping

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.conditions import EntityTag
from netkit.http.dates import http_date
from netkit.tools.web.validators import (
    LONGEST_TAG,
    MOST_BYTES,
    MOST_PAGES,
    NewerError,
    NotOursError,
    Version,
    read,
    version,
    written,
)

EARLY, LATE = http_date(1), http_date(2)
PLACE = "http://a.example/"
STRONG, WEAK = EntityTag(b'"x"'), EntityTag(b'"x"', weak=True)


def page(
    tag: EntityTag | None = STRONG, modified: bytes = EARLY, digest: str = "0" * 64
) -> Version:
    """Return a version that was looked at long ago."""
    return Version(tag, modified, digest, PLACE, 10.0, 20.0)


_tags = st.none() | st.builds(
    EntityTag,
    st.lists(st.integers(0x23, 0x7E) | st.integers(0x80, 0xFF)).map(lambda it: b'"%b"' % bytes(it)),
    st.booleans(),
)
_times = st.integers(0, 2**40 * 1000 - 1).map(lambda ms: ms / 1000)
_pages = st.builds(
    Version,
    _tags,
    st.just(b"") | _times.map(http_date),
    st.text("0123456789abcdef", min_size=64, max_size=64),
    st.text(),
    _times,
    _times,
)


class WrittenTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=60)
    @given(st.dictionaries(st.text(), _pages, max_size=4))
    def test_there_and_back(self, pages: dict[str, Version]) -> None:
        """What is written is read as it was, times to a thousandth of a second."""
        found = read(written(pages))
        self.assertEqual(found, pages)
        for url, was in pages.items():
            self.assertEqual((found[url].changed, found[url].looked), (was.changed, was.looked))

    @settings(deadline=None, max_examples=60)
    @given(st.binary(max_size=60))
    def test_rubbish(self, text: bytes) -> None:
        """Whatever else there is, it is said that netkit did not write it."""
        self.assertRaises(NotOursError, read, text)

    @settings(deadline=None, max_examples=100)
    @given(_pages, st.integers(0, 400), st.integers(0, 400), st.binary(max_size=8))
    def test_damaged(self, page: Version, begin: int, end: int, put: bytes) -> None:
        """A file that was damaged is read or refused, and what is read can be written again."""
        text = written({"u": page})
        with contextlib.suppress(NotOursError, NewerError):
            found = read(text[:begin] + put + text[end:])
            self.assertEqual(read(written(found)), found)

    def test_almost(self) -> None:
        """What is almost right is not believed either, least of all what could break out of a field."""
        right = json.loads(written({"u": page()}))
        record = right["pages"]["u"]
        self.assertEqual(read(json.dumps(right).encode()), {"u": page()})
        for key, value in (
            ("etag", "x"),
            ("etag", '"x"\r\nCookie: y'),
            ("etag", '"x", "y"'),
            ("etag", '"\u1234"'),
            ("etag", None),
            ("last_modified", "yesterday"),
            ("last_modified", f"{EARLY.decode()}\r\nCookie: y"),
            ("sha256", "f" * 63),
            ("place", 1),
            ("looked", float("nan")),
            ("looked", float("inf")),
            ("looked", 10**400),
            ("looked", -1),
            ("looked", "1"),
            ("changed", None),
        ):
            with self.subTest(key, value=value):
                wrong = {**right, "pages": {"u": {**record, key: value}}}
                self.assertRaises(NotOursError, read, json.dumps(wrong).encode())
        for text in (
            '{"format": 0, "pages": {}}',
            '{"format": 1, "pages": []}',
            '{"format": 1}',
            "[]",
        ):
            self.assertRaises(NotOursError, read, text.encode())
        self.assertRaises(NotOursError, read, json.dumps({**right, "pages": {"u": 1}}).encode())
        self.assertRaises(NotOursError, read, b"[" * 100_000)

    def test_newer(self) -> None:
        """What a newer netkit wrote is told from rubbish."""
        self.assertRaises(NewerError, read, b'{"format": 2, "sites": []}')

    def test_bounded(self) -> None:
        """What was looked at longest ago goes where there are too many pages, or too many bytes."""
        pages = {
            f"{number}": evolve(page(), looked=float(number)) for number in range(MOST_PAGES + 9)
        }
        found = read(written(pages))
        self.assertEqual(len(found), MOST_PAGES)
        self.assertEqual(next(iter(found)), f"{MOST_PAGES + 8}")
        self.assertNotIn("8", found)
        long = {f"{number}": evolve(page(), place="x" * (MOST_BYTES // 3)) for number in range(5)}
        text = written(long)
        self.assertLessEqual(len(text), MOST_BYTES)
        self.assertEqual(len(read(text)), 2)
        self.assertRaises(NotOursError, read, b" " * (MOST_BYTES + 1))


class VersionTests(SynchronousTestCase):
    def test_from_an_answer(self) -> None:
        """An answer's validators are known by their forms; what has another is none."""
        fields = {b"etag": b' W/"x"', b"last-modified": EARLY}
        found = version(fields, "d", PLACE, 5.0)
        self.assertEqual(found, Version(WEAK, EARLY, "d", PLACE, 5.0, 5.0))
        nothing: tuple[Mapping[bytes, bytes], ...] = (
            {},
            {b"etag": b"x", b"last-modified": b"now"},
            {b"etag": b'"x", "y"'},
            {b"etag": b'"%b"' % (b"x" * LONGEST_TAG)},
        )
        for wrong in nothing:
            self.assertEqual(
                version(wrong, "d", PLACE, 5.0), Version(None, b"", "d", PLACE, 5.0, 5.0)
            )

    def test_conditions(self) -> None:
        """A server is asked by all the validators that it gave."""
        tag, date = (b"If-None-Match", b'"x"'), (b"If-Modified-Since", EARLY)
        self.assertEqual(page().conditions, (tag, date))
        self.assertEqual(page(tag=None).conditions, (date,))
        self.assertEqual(page(WEAK, b"").conditions, ((b"If-None-Match", b'W/"x"'),))
        self.assertEqual(page(None, b"").conditions, ())

    def test_like(self) -> None:
        """The same content is the same page whatever its validators; so are those with one weak tag."""
        other = "1" * 64
        for tag in (None, STRONG, WEAK, EntityTag(b'"y"')):
            self.assertTrue(page().is_like(page(tag, LATE)))
        self.assertTrue(page(WEAK).is_like(page(WEAK, digest=other)))
        self.assertFalse(page(WEAK).is_like(evolve(page(WEAK, digest=other), place="elsewhere")))
        self.assertFalse(page(STRONG).is_like(page(STRONG, digest=other)))
        self.assertFalse(page(None).is_like(page(None, digest=other)))

    def test_followed(self) -> None:
        """A page that says the same has new validators, and no change."""
        later = evolve(page(None, LATE), changed=30.0, looked=30.0)
        found = page().followed_by(later)
        self.assertEqual((found, found.changed, found.looked), (later, 10.0, 30.0))
        other = evolve(later, digest="1" * 64)
        self.assertEqual(page().followed_by(other).changed, 30.0)

    def test_freshened(self) -> None:
        """A 304 keeps what is known, and adds what is of the same version (RFC 9111 4.3.4)."""
        weak = page(WEAK)
        dated = page(None)
        for known, fields, expected in (
            (page(), {}, page()),
            (page(), {b"etag": b'"x"'}, page()),
            (page(), {b"etag": b'"x"', b"last-modified": LATE}, page(modified=LATE)),
            (page(), {b"etag": b'W/"x"', b"last-modified": LATE}, page(WEAK, LATE)),
            (page(), {b"last-modified": EARLY}, page()),
            # Of another version, or of nobody knows which: what is known stays.
            (page(), {b"last-modified": LATE}, page()),
            (page(), {b"etag": b'"y"', b"last-modified": LATE}, page()),
            (page(), {b"etag": b'W/"y"'}, page()),
            (weak, {b"etag": b'"x"'}, weak),
            (dated, {b"etag": b'"x"', b"last-modified": EARLY}, dated),
            (dated, {b"etag": b'W/"x"'}, dated),
            (page(), {b"etag": b"", b"last-modified": b"rubbish"}, page()),
        ):
            with self.subTest(known=known, fields=fields):
                found = known.freshened(fields, 50.0)
                self.assertEqual(found, expected)
                self.assertEqual((found.changed, found.looked), (10.0, 50.0))
