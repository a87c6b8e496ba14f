"""What a request for events asks for, right or wrong."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.live.asked import Asked, AskedError, asked, narrowed
from netkit.services.pubsub.subjects import covers

_PATTERNS = st.lists(
    st.lists(st.sampled_from([b"a", b"b", b"*"]), min_size=1, max_size=3).map(b".".join)
    | st.sampled_from([b">", b"a.>", b"*.>"]),
    min_size=1,
    max_size=5,
)


class AskedTests(SynchronousTestCase):
    def test_right(self) -> None:
        """Subjects, where to begin and the format are understood."""
        for query, expected in (
            (b"subject=a", Asked((b"a",))),
            (b"subject=a.>&subject=b", Asked((b"a.>", b"b"))),
            (b"subject=a.%3E&since=7", Asked((b"a.>",), 7)),
            (b"subject=%C3%BC&since=all&format=text", Asked((b"\xc3\xbc",), 0, text=True)),
            (b"subject=a&subject=a&format=json&what=ever", Asked((b"a",))),
        ):
            with self.subTest(query):
                self.assertEqual(asked(query, None, 10), expected)

    def test_wrong(self) -> None:
        """What a person has written wrong is an error."""
        for query in (
            b"",
            b"subject=",
            b"subject=a..b",
            b"subject=a.>.b",
            b"subject=a+b",
            b"subject=%00",
            b"subject=%ff",
            b"subject=\xff",
            b"subject=a&subject=b&subject=c",
            b"subject=a&since=",
            b"subject=a&since=-1",
            b"subject=a&since=yesterday",
            b"subject=a&since=1e9",
            b"subject=a&since=%D9%A1",
            b"subject=a&since=" + b"9" * 19,
            b"subject=a&format=xml",
            b"&".join([b"x=1"] * 100),
        ):
            with self.subTest(query):
                self.assertRaises(AskedError, asked, query, None, 2)

    def test_last_event_id(self) -> None:
        """The id of a browser that comes back counts more than its query, and is harmless if absurd."""
        for written, since in (
            ("9", 9),
            ("0", 0),
            ("-1", 5),
            ("x", 5),
            ("9" * 30, 5),
            ("\u0661", 5),
            ("7\n", 5),
            (None, 5),
        ):
            with self.subTest(written):
                self.assertEqual(asked(b"subject=a&since=5", written, 1).since, since)

    @settings(deadline=None, max_examples=300)
    @given(st.binary(max_size=40) | st.text("subject=&%.>*a0f+ince", max_size=40).map(str.encode))
    def test_anything(self, query: bytes) -> None:
        """Whatever a query is, it is understood or an error."""
        try:
            understood = asked(query, None, 3)
        except AskedError:
            return
        self.assertTrue(1 <= len(understood.patterns) <= 3)

    @settings(deadline=None, max_examples=200)
    @given(_PATTERNS)
    def test_narrowed(self, patterns: list[bytes]) -> None:
        """No pattern that is left covers another, and each that was given is covered."""
        left = narrowed(patterns)
        for one in left:
            self.assertFalse(any(other != one and covers(other, one) for other in left))
        for one in patterns:
            self.assertTrue(any(covers(other, one) for other in left))
