"""What is asked for, in NATS's words; what is not to be had is said to be wrong."""

from urllib.parse import urlencode

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.monitor.asked import MOST, Asked, AskedError, Listed, Sort, asked

_NAMES = ("sort", "limit", "offset", "cid", "auth", "subs", "state", "user", "js-enabled-only")
_VALUES = st.one_of(st.text(max_size=8), st.sampled_from(("1", "0", "open", "detail", "cid", "-1")))


class AskedTests(SynchronousTestCase):
    def test_nothing(self) -> None:
        """Without a query there are the first 1024 by their numbers; empty values say nothing."""
        for query in (b"", b"sort=&limit=&state=&subs=&cid=&user=", b"limit=0", b"x=y&js-x=1"):
            self.assertEqual(asked(query), Asked())

    def test_all(self) -> None:
        """Everything at once, in either case."""
        self.assertEqual(
            asked(b"sort=MSGS_TO&limit=5&offset=2&auth=true&subs=Detail&state=OPEN"),
            Asked(sort=Sort.MESSAGES_TO, limit=5, offset=2, auth=True, listed=Listed.DETAIL),
        )
        self.assertEqual(asked(b"subs=1&auth=0"), Asked(listed=Listed.SUBJECTS))
        self.assertEqual(asked(b"subs=false"), Asked())

    def test_one(self) -> None:
        """One number is one connection."""
        self.assertEqual(asked(b"cid=7&limit=9"), Asked(cid=7, limit=1))

    def test_most(self) -> None:
        """No answer has more connections than the most."""
        self.assertEqual(asked(b"limit=999999").limit, MOST)

    def test_wrong(self) -> None:
        """What is wrong is said, with what would be right."""
        for query, text in (
            (b"limit=x", "limit is a whole number of 0 or more"),
            (b"offset=-1", "offset is a whole number of 0 or more"),
            (b"cid=" + b"9" * 19, "cid is a whole number of 0 or more"),
            (b"auth=perhaps", "auth is 1 or 0"),
            (b"subs=all", "subs is 1, 0 or detail"),
            (b"state=closed", "a state is open; connections that are closed are not kept"),
            (b"state=all", "a state is open; connections that are closed are not kept"),
            (b"user=ann", "user is not offered here"),
            (b"filter_subject=a", "filter_subject is not offered here"),
            (b"&".join([b"x=1"] * 33), "the query has too many parameters, or is not ASCII"),
            (b"\xff=1", "the query has too many parameters, or is not ASCII"),
        ):
            with self.subTest(query):
                error = self.assertRaises(AskedError, asked, query)
                self.assertEqual(str(error), text)
        error = self.assertRaises(AskedError, asked, b"sort=stop")
        self.assertTrue(str(error).startswith("sort is one of cid, start, subs, "))

    @settings(deadline=None, max_examples=200)
    @given(st.dictionaries(st.sampled_from(_NAMES), _VALUES), st.binary(max_size=20))
    def test_whatever(self, named: dict[str, str], rest: bytes) -> None:
        """Any query asks for something bounded, or is refused."""
        query = urlencode(named, errors="replace").encode() + rest
        try:
            found = asked(query)
        except AskedError:
            return
        self.assertTrue(1 <= found.limit <= MOST)
        self.assertGreaterEqual(found.offset, 0)
