"""What goes on to the origin and what comes back."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.proxy.forwarding import (
    VIA,
    Destination,
    NotForwardedError,
    destination,
    passed_on,
)


class Destinations(SynchronousTestCase):
    def test_right(self) -> None:
        """A URL of http is a host, a port and a target, which is passed on as it was written."""
        for url, host, port, target in (
            (b"http://host/", "host", 80, b"/"),
            (b"HTTP://Host.example", "Host.example", 80, b"/"),
            (b"http://host:8080/a//b;c?d=http://e/?", "host", 8080, b"/a//b;c?d=http://e/?"),
            (b"http://host:?q", "host", 80, b"/?q"),
            (b"http://127.0.0.1//x/../%2e", "127.0.0.1", 80, b"//x/../%2e"),
            (b"http://[::1]:1/", "::1", 1, b"/"),
            (b"http://under_score:65535/", "under_score", 65535, b"/"),
        ):
            self.assertEqual(destination(url), Destination(host, port, target))

    def test_authority(self) -> None:
        """The Host field has the port where it is not 80, and brackets where they belong."""
        for url, authority in (
            (b"http://host:80/", b"host"),
            (b"http://host:81/", b"host:81"),
            (b"http://[::1]/", b"[::1]"),
            (b"http://[::1]:81/", b"[::1]:81"),
        ):
            self.assertEqual(destination(url).authority, authority)

    def test_absurd(self) -> None:
        """What is no such URL is refused with words."""
        for url in (
            b"",
            b"/",
            b"*",
            b"host:443",
            b"http:",
            b"http://",
            b"http:///path",
            b"http://:80/",
            b"http://host:0/",
            b"http://host:65536/",
            b"http://host:99999/",
            b"http://host:+80/",
            b"http://host:" + b"9" * 5000 + b"/",
            b"http://user@host/",
            b"http://user:password@host/",
            b"http://ho%73t/",
            b"http://[::1/",
            b"http://a:b:c/",
            b"http://host/#fragment",
            b"http://host/\x80",
            b"http://" + b"a" * 300 + b"/",
            b"https://host/",
            b"ftp://host/",
            b"file:///etc/passwd",
            b"javascript:alert(1)",
        ):
            error = self.assertRaises(NotForwardedError, destination, url)
            self.assertTrue(str(error).endswith("."))

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=40))
    def test_rubbish(self, rubbish: bytes) -> None:
        """Any target is refused, or names a port that exists and a target of printable bytes."""
        for target in (rubbish, b"http://" + rubbish, b"http://h:" + rubbish):
            try:
                found = destination(target)
            except NotForwardedError:
                continue
            self.assertIn(found.port, range(1, 65536))
            self.assertRegex(found.target, rb"^/[!-~]*\Z")
            self.assertRegex(found.host, r"^[0-9A-Za-z._~:-]+\Z")


class PassedOn(SynchronousTestCase):
    def test_kept(self) -> None:
        """Fields go on in their order, repeated ones too, and Via is appended."""
        fields = ((b"B", b"1"), (b"a", b"2"), (b"b", b"3"), (b"Via", b"1.0 x"))
        self.assertEqual(passed_on(fields), (*fields, VIA))

    def test_dropped(self) -> None:
        """Framing, fields of this hop and what is said to the proxy alone are dropped."""
        names = (
            "Host Content-Length transfer-encoding TE Trailer Upgrade Keep-Alive Connection "
            "Proxy-Connection Proxy-Authorization PROXY-AUTHENTICATE Expect"
        )
        self.assertEqual(passed_on(tuple((n.encode(), b"x") for n in names.split())), (VIA,))

    def test_named_by_connection(self) -> None:
        """Fields that a Connection field names are dropped, wherever it stands."""
        fields = ((b"X-a", b"1"), (b"x-B", b"2"), (b"X-C", b"3"), (b"X-D", b"4"))
        kept = passed_on(
            ((b"Connection", b"x-A , close"), (b"connection", b"X-b"), *fields), b"x-c"
        )
        self.assertEqual(kept, ((b"X-D", b"4"), VIA))
