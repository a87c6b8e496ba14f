"""The cookies of one run."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import ResponseHead
from netkit.tools.web.cookies import LONGEST, MOST, MOST_OF_A_HOST, Cookies, parse
from netkit.tools.web.urls import parse as url

NOW = 1_000_000_000.0


class CookieTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Know nothing."""
        self.cookies = Cookies()

    def set(self, where: str, *values: str, now: float = NOW) -> None:
        """Hear an answer that sets cookies."""
        fields = tuple((b"Set-Cookie", value.encode()) for value in values)
        self.cookies.hear(url(where), ResponseHead(status=200, headers=fields), now)

    def sent(self, where: str, now: float = NOW) -> str:
        """Return what is sent there."""
        return self.cookies.header(url(where), now).decode()

    def test_same_host(self) -> None:
        """A cookie goes back to the host that set it, at any port, and to no other."""
        self.set("http://a.example/", "x=1; Path=/", "y = 2 ")
        self.assertEqual(self.sent("http://a.example/z"), "x=1; y=2")
        self.assertEqual(self.sent("http://a.example:8080/"), "x=1; y=2")
        for other in ("http://b.example/", "http://b.a.example/", "http://example/"):
            self.assertEqual(self.sent(other), "")

    def test_domain(self) -> None:
        """A cookie for a domain goes to all in it; only who is in it can set one."""
        self.set("http://www.firm.example/", "x=1; Domain=.Firm.example")
        self.assertEqual(self.sent("http://firm.example/"), "x=1")
        self.assertEqual(self.sent("http://a.b.firm.example/"), "x=1")
        self.assertEqual(self.sent("http://otherfirm.example/"), "")
        self.set("http://evil.example/", "y=1; Domain=firm.example")
        self.assertEqual(self.sent("http://firm.example/"), "x=1")

    def test_public_suffixes(self) -> None:
        """A domain that may be a registry's is nobody's."""
        for domain in ("example", "co.uk", "com.au"):
            self.set(f"http://firm.{domain}/", f"x=1; Domain={domain}")
            self.assertEqual(self.sent(f"http://other.{domain}/"), "")
        self.set("http://1.2.3.4/", "x=1; Domain=3.4")
        self.assertEqual(self.sent("http://9.9.3.4/"), "")

    def test_path(self) -> None:
        """A cookie goes to its path and below, the longest first; by default to the folder."""
        self.set("http://a/b/c", "x=1", "y=2; Path=/b/d", "z=3; Path=/")
        self.assertEqual(self.sent("http://a/b/d/e"), "y=2; x=1; z=3")
        self.assertEqual(self.sent("http://a/b"), "x=1; z=3")
        self.assertEqual(self.sent("http://a/bc"), "z=3")

    def test_secure(self) -> None:
        """A secure cookie is set and sent over TLS alone, and a name may ask for it."""
        self.set("https://a/", "x=1; Secure")
        self.set("http://a/", "y=1; Secure", "__Secure-z=1", "__Host-z=1; Path=/; Secure")
        self.set("https://a/", "__Host-w=1; Secure; Path=/b", "__Host-v=1; Secure; Path=/")
        self.assertEqual(self.sent("https://a/"), "x=1; __Host-v=1")
        self.assertEqual(self.sent("http://a/"), "")

    def test_age(self) -> None:
        """A cookie goes when its time has come, or when it is taken back."""
        self.set("http://a/", "x=1; Max-Age=10", "y=1; Expires=Sun, 09-Sep-2001 01:46:50 GMT")
        self.assertEqual(self.sent("http://a/"), "x=1; y=1")
        self.assertEqual(self.sent("http://a/", NOW + 11), "")
        self.set("http://a/", "x=; Max-Age=0")
        self.assertEqual(self.sent("http://a/"), "y=1")
        self.set("http://a/", "y=2")
        self.assertEqual(self.sent("http://a/", NOW + 11), "y=2")

    def test_bounds(self) -> None:
        """The size of a cookie is bounded, the number of a host's, and that of all."""
        self.set("http://a/", f"x={'y' * LONGEST}")
        self.assertEqual(self.sent("http://a/"), "")
        self.set("http://a/", *(f"x{number}=1" for number in range(MOST_OF_A_HOST + 9)))
        self.assertEqual(self.sent("http://a/").count("="), MOST_OF_A_HOST)
        for number in range(MOST):
            self.set(f"http://h{number}/", "x=1")
        self.assertEqual(self.sent(f"http://h{MOST - MOST_OF_A_HOST}/"), "")

    def test_too_much_to_send(self) -> None:
        """More than a server would take is not sent."""
        self.set("http://a/", *(f"x{number}={'y' * 4000}" for number in range(3)))
        self.assertEqual(self.sent("http://a/"), "")

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=60))
    def test_any_bytes(self, value: bytes) -> None:
        """No value raises."""
        for begun in (b"", b"x=1; expires=", b"x=1; max-age=", b"x=1; domain="):
            found = parse(url("http://a.example/"), begun + value, NOW)
            self.assertTrue(found is None or found.name)
