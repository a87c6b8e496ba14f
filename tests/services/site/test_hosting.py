"""A site's hosts: whose request it is, HTTPS, HSTS, redirects and header rules on the way."""

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import Response
from netkit.services.site.fields import FieldRule
from netkit.services.site.hosting import Host
from netkit.services.site.redirects import Redirect
from netkit.services.site.service import Settings
from tests.http.fakes import content, field
from tests.services.site.sites import Built, says
from tests.services.site.test_hosts import RUBBISH


class HostCase(SynchronousTestCase):
    settings = Settings((says("default"),))

    def setUp(self) -> None:
        """Build the site."""
        self.built = Built(self.settings)

    def got(self, target: bytes | str = "/", **kw: Any) -> Response:
        """Return the answer to a GET."""
        return self.successResultOf(self.built.ask(target, **kw))

    def location(self, target: bytes | str = "/", **kw: Any) -> bytes | None:
        """Return where the answer to a GET sends the visitor."""
        return field(self.got(target, **kw), b"Location")


class VirtualHosts(HostCase):
    settings = Settings(
        (says("default"),),
        host=(
            Host((says("one"), says("app", "/app")), names=("Example.org", "*.example.org")),
            Host((says("two"),), names=("www.example.org", "::1")),
        ),
    )

    def test_by_name(self) -> None:
        """A request is answered by the mounts of the host that it is for."""
        for authority, target, word in (
            (b"example.org", "/x", b"one  /x"),
            (b"example.org", "/app", b"app /app "),
            (b"EXAMPLE.ORG.:8080", "/", b"one  /"),
            (b"a.b.example.org", "/", b"one  /"),
            (b"www.example.org", "/app", b"two  /app"),
            (b"[0::1]:80", "/", b"two  /"),
            (b"127.0.0.1", "/app", b"default  /app"),
            (b"", "/", b"default  /"),
        ):
            self.assertEqual(content(self.got(target, authority=authority)), word)

    def test_rubbish(self) -> None:
        """What is no host gets 400, and no word of it back."""
        for authority in RUBBISH:
            answer = self.got(authority=authority)
            self.assertEqual(answer.status, 400)
            self.assertNotIn(authority, (content(answer),))

    def test_absolute_form(self) -> None:
        """The authority decides, which the server takes from the target where it has one."""
        answer = self.got(b"http://www.example.org/a", authority=b"www.example.org")
        self.assertEqual(content(answer), b"two  /a")
        answer = self.got(b"http://evil.example/a", authority=b"www.example.org")
        self.assertEqual(content(answer), b"two  /a")

    def test_misdirected(self) -> None:
        """Who asked TLS for the name of one host gets nothing from another (RFC 9110 15.5.20)."""
        for server_name, authority, status in (
            ("example.org", b"example.org", 200),
            ("example.org", b"other.example.org:8443", 200),
            ("WWW.example.org", b"www.example.org", 200),
            ("example.org", b"www.example.org", 421),
            ("www.example.org", b"example.org", 421),
            ("a.example.org", b"unknown.example", 421),
            ("unknown.example", b"example.org", 421),
            ("unknown.example", b"another.example", 200),
            (None, b"example.org", 200),
        ):
            answer = self.got(authority=authority, secure=True, server_name=server_name)
            self.assertEqual(answer.status, status, (server_name, authority))

    def test_no_host_at_all(self) -> None:
        """A request of HTTP/1.0 without a host is for the host of its certificate."""
        answer = self.got(authority=b"", secure=True, server_name="www.example.org")
        self.assertEqual(content(answer), b"two  /")


class WithoutDefault(HostCase):
    settings = Settings(host=(Host((says("one"),), names=("example.org",)),))

    def test_nobody(self) -> None:
        """Where no mount is for the default host, an unknown name gets 421."""
        self.assertEqual(self.got().status, 200)
        for authority in (b"other.example", b"127.0.0.1", b""):
            self.assertEqual(self.got(authority=authority).status, 421)


class NothingConfigured(HostCase):
    def test_as_it_is(self) -> None:
        """Without rules the answer is the mount's own, repeatable or not."""
        answer = self.got("/x", authority=b"what?ever", secure=True, server_name="x")
        self.assertEqual((content(answer), answer.repeatable), (b"default  /x", True))
        self.assertEqual(len(answer.headers), 2)


class OverTls(HostCase):
    settings = Settings(
        (says("default"),),
        https=8443,
        redirect=(Redirect("/old", "/new"),),
        host=(
            Host((says("one"),), names=("*.example.org", "example.org"), https=True, hsts=60),
            Host(
                (says("two"),),
                names=("two.example",),
                hsts=31_536_000,
                hsts_subdomains=True,
                hsts_preload=True,
                redirect=(Redirect("/old", "/new"),),
            ),
        ),
    )

    def test_redirect(self) -> None:
        """A visitor without TLS is sent to the same place with it, before anything else."""
        for target, authority, location in (
            ("/a%20b?c=d", b"example.org:8080", b"https://example.org/a%20b?c=d"),
            ("/", b"A.EXAMPLE.ORG.", b"https://a.example.org/"),
            ("/", b"", b"https://default.example:8443/"),
            ("/old", b"192.0.2.1:80", b"https://192.0.2.1:8443/old"),
            ("/", b"[::1]:80", b"https://[::1]:8443/"),
            ("http://EXAMPLE.org:80?q", b"example.org", b"https://example.org/?q"),
            ("http://example.org/a?q", b"example.org", b"https://example.org/a?q"),
            ("//evil.example/", b"example.org", b"https://example.org//evil.example/"),
            ("/\\evil.example", b"example.org", b"https://example.org/\\evil.example"),
        ):
            if authority:
                answer = self.got(target, authority=authority)
                self.assertEqual((answer.status, field(answer, b"Location")), (308, location))
            else:
                self.assertEqual(self.got(target, authority=authority).status, 400)

    def test_not_where_there_is_tls(self) -> None:
        """A visitor with TLS is answered."""
        answer = self.got("/x", secure=True)
        self.assertEqual(content(answer), b"one  /x")

    def test_no_open_redirect(self) -> None:
        """What is no host, or no path, is no part of a redirect."""
        for authority in RUBBISH:
            self.assertEqual(self.got(authority=authority).status, 400)
        for target in (b"*", b"@evil.example/", b".evil.example", b"/a\r\nX: y", b"/\x80", b"/%00"):
            self.assertEqual(self.got(target).status, 400)

    def test_strict(self) -> None:
        """Browsers are told over TLS alone, whatever the answer is."""
        name = b"Strict-Transport-Security"
        self.assertEqual(field(self.got(secure=True), name), b"max-age=60")
        self.assertIsNone(field(self.got(), name))
        for target in ("/", "/old", "/%00"):
            self.assertEqual(
                field(self.got(target, authority=b"two.example", secure=True), name),
                b"max-age=31536000; includeSubDomains; preload",
            )
        self.assertIsNone(field(self.got(authority=b"two.example"), name))
        self.assertTrue(self.got(secure=True).repeatable)

    def test_old_clients(self) -> None:
        """A client that names no host is sent to the first whole name of the one it is for."""
        settings = Settings(redirect=(Redirect("/", "/a"),), https=True)
        self.built = Built(settings)
        self.assertEqual(self.got(authority=b"").status, 400)
        host = Host((says("x"),), names=("*.b.example", "b.example"), https=True)
        self.built = Built(Settings(host=(host,)))
        answer = self.got("/x", authority=b"", server_name="a.b.example")
        self.assertEqual(field(answer, b"Location"), b"https://b.example/x")


class Rules(HostCase):
    settings = Settings(
        (says("default"),),
        redirect=(Redirect("/old/*", "/new/*", 307), Redirect("/", "/home", 302)),
        headers=(
            FieldRule(set={"X-Frame-Options": "DENY"}, remove=("X-Content-Type-Options",)),
            FieldRule("/new/*", set={"Cache-Control": "max-age=60"}),
        ),
    )

    def test_redirects(self) -> None:
        """A redirect comes before the mounts, by the decoded path, with the query kept."""
        self.assertEqual(self.location("/old/a?b"), b"/new/a?b")
        self.assertEqual(self.location("/%6fld/./x/../a%2520"), b"/new/a%2520")
        self.assertEqual(self.location("/"), b"/home")
        self.assertEqual(content(self.got("/home")), b"default  /home")

    def test_fields(self) -> None:
        """Rules are for every answer to a path, redirects and refusals too."""
        for target in ("/x", "/old/x"):
            answer = self.got(target)
            self.assertEqual(field(answer, b"X-Frame-Options"), b"DENY")
            self.assertIsNone(field(answer, b"X-Content-Type-Options"))
            self.assertIsNone(field(answer, b"Cache-Control"))
            self.assertTrue(answer.repeatable)
        self.assertEqual(field(self.got("/new/x"), b"Cache-Control"), b"max-age=60")
