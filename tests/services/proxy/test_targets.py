"""What a target asks a proxy for, however absurd it is."""

from ipaddress import ip_address

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.asking import AskError
from netkit.http.heads import request_head
from netkit.http.limits import DEFAULTS
from netkit.http.messages import RequestHead
from netkit.http.sections import RefusedError
from netkit.services.proxy.targets import NotForProxyError, Target, target


def head(line: bytes) -> RequestHead:
    """Return the head of a request as the server reads it."""
    return request_head(line + b" HTTP/1.1\r\nHost: other\r\n\r\n", DEFAULTS)


class TargetTests(SynchronousTestCase):
    def test_absolute(self) -> None:
        """The host is read from the target; what is behind it is for the origin, as it was written."""
        for line, host, port, path, authority in (
            (b"GET http://Example.ORG", "example.org", 80, b"/", b"Example.ORG"),
            (b"GET HTTP://a:8080/x?y=/?", "a", 8080, b"/x?y=/?", b"a:8080"),
            (b"GET http://a?b", "a", 80, b"/?b", b"a"),
            (b"GET http://a://b/c", "a", 80, b"//b/c", b"a"),
            (b"GET http://a:/", "a", 80, b"/", b"a"),
            (b"GET http://a.//b", "a.", 80, b"//b", b"a."),
            (b"OPTIONS http://a", "a", 80, b"*", b"a"),
            (b"OPTIONS http://a/", "a", 80, b"/", b"a"),
            (b"CONNECT a:443", "a", 443, b"", b"a:443"),
            (b"CONNECT A.b.:1", "a.b.", 1, b"", b"A.b.:1"),
        ):
            with self.subTest(line):
                self.assertEqual(target(head(line)), Target(host, port, path, authority))

    def test_addresses(self) -> None:
        """What a C library takes for an address is that address."""
        for written, address in (
            (b"127.0.0.1", "127.0.0.1"),
            (b"2130706433", "127.0.0.1"),
            (b"0x7f.1", "127.0.0.1"),
            (b"0177.0.0.01", "127.0.0.1"),
            (b"127.0.0.1.", "127.0.0.1"),
            (b"[::ffff:7f00:1]", "::ffff:127.0.0.1"),
        ):
            found = target(head(b"GET http://" + written + b"/"))
            self.assertEqual(found.host, ip_address(address))

    def test_statuses(self) -> None:
        """An absurd target has a status, from the server or from the proxy."""
        for line in (
            b"GET http:///x",
            b"GET http://:80/",
            b"GET http://user@a/",
            b"GET http://user:secret@a/",
            b"GET http://a:0/",
            b"GET http://a:99999/",
            b"GET http://a:-1/",
            b"GET http://[fe80::1%25eth0]/",
            b"GET http://[::1/",
            b"GET http://a b/",
            b"GET http://%6c%6fcalhost/",
            b"GET http://\xc2\xb9.1/",
            b"GET http://a..b/",
            b"GET http://1.2.3.4.5/",
            b"GET http://256.256.256.256/",
            b"GET http://0x/",
            b"GET http://" + b"a" * 300 + b"/",
            b"GET https://a/",
            b"GET ftp://a/",
            b"CONNECT a",
            b"CONNECT a:",
            b"CONNECT a:0",
            b"CONNECT a:70000",
            b"CONNECT user@a:443",
            b"CONNECT [::1%25lo]:443",
            b"CONNECT http://a:443/",
            b"CONNECT :443",
        ):
            with self.subTest(line):
                self.assertRaises((AskError, RefusedError), lambda line=line: target(head(line)))

    def test_no_proxy(self) -> None:
        """A target without a host is for a web server."""
        for line in (b"GET /", b"GET /http://a/", b"OPTIONS *"):
            self.assertRaises(NotForProxyError, target, head(line))

    @settings(max_examples=150, deadline=None)
    @given(
        st.text("abz019.:[]%@/?x-_~", max_size=30), st.sampled_from([b"GET http://", b"CONNECT "])
    )
    def test_any(self, written: str, begin: bytes) -> None:
        """Whatever stands there is a target, or has a status."""
        try:
            found = target(head(begin + (written or "x").encode()))
        except (AskError, RefusedError):
            return
        self.assertIn(found.port, range(1, 65536))
        self.assertNotIn("@", str(found))
