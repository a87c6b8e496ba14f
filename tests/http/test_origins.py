"""Which pages a browser's request may come from."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.http.origins import ANY_ORIGIN, let_in
from tests.http.fakes import Visitor, asked


class OriginTests(SynchronousTestCase):
    def test_own(self) -> None:
        """A page of the same host and port is let in, also where TLS ended before us."""
        for origin, expected in (
            (b"http://test", True),
            (b"HTTP://TEST:80", True),
            (b"https://test", True),
            (b"https://test:80", False),
            (b"http://test:8080", False),
            (b"http://test.example", False),
            (b"ftp://test", False),
            (b"null", False),
            (b"", False),
            (b"\xff", False),
        ):
            with self.subTest(origin):
                self.assertEqual(let_in(asked(headers=((b"Origin", origin),))), expected)

    def test_a_page_without_tls(self) -> None:
        """A page that came without TLS may be anybody's, to a connection with TLS."""
        for origin, expected in ((b"http://test:80", False), (b"https://test", True)):
            request = asked(headers=((b"Origin", origin),), client=Visitor(secure=True))
            self.assertEqual(let_in(request), expected)

    def test_no_browser(self) -> None:
        """Who names no origin is no browser, and let in."""
        self.assertTrue(let_in(asked()))

    def test_named(self) -> None:
        """Origins that are named are let in, exactly as they are; or all."""
        request = asked(headers=((b"Origin", b"https://app.example.org"),))
        self.assertTrue(let_in(request, ("https://app.example.org",)))
        self.assertFalse(let_in(request, ("https://example.org", "http://app.example.org")))
        self.assertTrue(let_in(request, (ANY_ORIGIN,)))
