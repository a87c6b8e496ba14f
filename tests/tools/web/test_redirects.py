"""Where answers lead to."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import Headers, ResponseHead
from netkit.tools.web.fetching import FetchError, Wanted
from netkit.tools.web.redirects import fit, led_on
from netkit.tools.web.urls import parse


def to(location: str, status: int = 302) -> ResponseHead:
    """Return an answer that leads to `location`."""
    return ResponseHead(
        status=status, headers=((b"Location", location.encode("utf-8", "surrogateescape")),)
    )


def wanted(method: bytes = b"GET", url: str = "https://a/b", **kw: object) -> Wanted:
    """Return a request."""
    return Wanted(url=parse(url), method=method, **kw)  # type: ignore[arg-type]  # passed through


class RedirectTests(SynchronousTestCase):
    def test_methods(self) -> None:
        """The method changes as RFC 9110 15.4 says, and no further."""
        for status, changes in {
            301: {b"POST": b"GET"},
            302: {b"POST": b"GET"},
            303: {b"POST": b"GET", b"PUT": b"GET", b"DELETE": b"GET"},
            307: {},
            308: {},
        }.items():
            for method in (b"GET", b"HEAD", b"POST", b"PUT", b"DELETE"):
                onward = led_on(wanted(method), to("/c", status))
                assert onward is not None
                self.assertEqual(onward.method, changes.get(method, method), (status, method))
                self.assertEqual(str(onward.url), "https://a/c")

    def test_body(self) -> None:
        """A body goes along where the method stays, and what is about it else goes, too."""
        headers: Headers = ((b"Content-Type", b"x/y"), (b"X", b"y"))
        post = wanted(b"POST", body=b"data", headers=headers)
        kept, dropped = led_on(post, to("/c", 307)), led_on(post, to("/c", 303))
        assert kept is not None
        assert dropped is not None
        self.assertEqual((kept.body, kept.headers), (b"data", headers))
        self.assertEqual((dropped.body, dropped.headers), (b"", headers[1:]))

    def test_no_redirect(self) -> None:
        """Other answers lead nowhere, nor does one without a Location."""
        for head in (to("/c", 200), to("/c", 300), to("/c", 304), ResponseHead(status=302)):
            self.assertIsNone(led_on(wanted(), head))

    def test_wrong(self) -> None:
        """A Location that is none is an error of one line."""
        for location in ("ftp://a/", "http://", "http://a:b/"):
            error = self.assertRaises(FetchError, led_on, wanted(), to(location))
            self.assertIn("https://a/b redirects to nowhere", str(error))

    def test_raw_bytes(self) -> None:
        """Bytes in a Location that are not ASCII are asked for as they are."""
        onward = led_on(wanted(), to("/\udce4"))
        assert onward is not None
        self.assertEqual(onward.url.target, "/%E4")

    def test_into_the_clear(self) -> None:
        """What was to be sent over TLS is not sent in the clear; what is only asked for is."""
        self.assertIsNotNone(led_on(wanted(), to("http://a/")))
        with self.assertRaises(FetchError):
            led_on(wanted(b"POST", body=b"x"), to("http://a/", 307))

    def test_fields(self) -> None:
        """A field that may be a secret goes to no other origin; what is harmless does."""
        headers = ((b"Authorization", b"x"), (b"X-Api-Key", b"y"), (b"Range", b"bytes=0-"))
        first = parse("https://a/b")
        self.assertEqual(fit(headers, parse("https://a/c"), first), headers)
        for other in ("https://b/", "http://a/", "https://a:444/"):
            self.assertEqual(fit(headers, parse(other), first), headers[2:])
