"""The fields that an agent sends."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.web.fetching import FetchError
from netkit.tools.web.requests import merged, own_fields, request
from netkit.tools.web.urls import parse


class RequestTests(SynchronousTestCase):
    def test_own(self) -> None:
        """A request says whom it is for, who asks, and what is understood."""
        fields = own_fields(parse("http://a:81/b"), b"netkit", codings=True)
        self.assertEqual(
            fields,
            (
                (b"Host", b"a:81"),
                (b"User-Agent", b"netkit"),
                (b"Accept", b"*/*"),
                (b"Accept-Encoding", b"gzip, deflate, br"),
            ),
        )
        plain = own_fields(parse("http://a"), b"netkit", codings=False)
        self.assertEqual(plain[-1], (b"Accept-Encoding", b"identity"))

    def test_merged(self) -> None:
        """What the caller says replaces what the agent would, and nothing leaves a field out."""
        own = ((b"Host", b"a"), (b"Accept", b"*/*"), (b"Cookie", b""))
        callers = ((b"accept", b"x/y"), (b"X", b"1"), (b"X", b"2"), (b"HOST", b""))
        self.assertEqual(merged(own, callers), (callers[0], callers[1], callers[2]))

    def test_shown(self) -> None:
        """What is shown has no password and no cookie in it; what is sent has."""
        fields = (
            (b"Authorization", b"Basic c2VjcmV0"),
            (b"proxy-authorization", b"c2VjcmV0"),
            (b"Cookie", b"a=c2VjcmV0; b"),
        )
        made = request(b"GET", b"/", fields)
        self.assertEqual(made.opening.count(b"c2VjcmV0"), 3)
        self.assertNotIn(b"c2VjcmV0", made.shown)
        self.assertIn(b"Authorization: Basic *\r\n", made.shown)
        self.assertNotIn("c2VjcmV0", repr(made))

    def test_wrong(self) -> None:
        """What could break out of its line is refused."""
        with self.assertRaises(FetchError):
            request(b"GET", b"/", ((b"X", b"a\r\nY: b"),))
