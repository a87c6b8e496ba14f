"""Redirects lead where their rule says, and nowhere else."""

from urllib.parse import urljoin, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.kind import Complaint
from netkit.services.site.redirects import (
    Destination,
    Redirect,
    Redirects,
    RedirectStatus,
    complaints,
)
from netkit.services.site.routes import BadTargetError, decoded_path
from tests.http.fakes import content, field


class Leading(SynchronousTestCase):
    rules = Redirects(
        (
            Redirect("/old", "/new", 301),
            Redirect("/blog/*", "/news/*"),
            Redirect("/blog/about", "https://example.org/about?from=blog", 302),
            Redirect("/gone/*", "/"),
            Redirect("/up/*", "/*"),
            Redirect("/away/*", "https://example.org/*"),
        )
    )

    def location(self, path: str, query: bytes = b"") -> bytes | None:
        """Return where a visitor of `path` is sent."""
        answer = self.rules.answer(path, query)
        return field(answer, b"Location") if answer is not None else None

    def test_rules(self) -> None:
        """Whole paths lead to one place, others take along what is below; longest first."""
        for path, query, location in (
            ("/old", b"", b"/new"),
            ("/old", b"a=b&c", b"/new?a=b&c"),
            ("/blog/", b"", b"/news/"),
            ("/blog/2024/caf\u00e9 x", b"q", b"/news/2024/caf%C3%A9%20x?q"),
            ("/blog/about", b"q", b"https://example.org/about?from=blog"),
            ("/gone/for/good", b"", b"/"),
            ("/away/a", b"q", b"https://example.org/a?q"),
            ("/old/", b"", None),
            ("/", b"", None),
        ):
            self.assertEqual(self.location(path, query), location)

    def test_answer(self) -> None:
        """An answer has its status, a page with the place, and is the same for everybody."""
        answer = self.rules.answer("/old", b'"><script>')
        assert answer is not None
        self.assertEqual((answer.status, answer.repeatable), (301, True))
        self.assertNotIn(b"<script>", content(answer))

    def test_no_way_out(self) -> None:
        """Whatever stands behind a path that stays on this host, it stays on this host."""
        for path in (
            "/up//evil.example",
            "/up///evil.example/x",
            "/up/\\evil.example",
            "/up/\t//evil",
            "/up//\\evil",
            "/up/%2f%2fevil",
            "/up/https://evil.example",
        ):
            location = (self.location(path) or b"").decode()
            self.assertEqual(
                urlsplit(urljoin("https://here.example/a", location)).hostname, "here.example"
            )
            self.assertFalse(location.startswith(("//", "/\\")), location)
            self.assertTrue(location.isprintable())

    @settings(deadline=None, max_examples=300)
    @given(
        st.sampled_from(["/up/", "/away/", "/blog/"]),
        st.binary(max_size=20) | st.text("/\\.%25fF@:evil", max_size=20).map(str.encode),
    )
    def test_any_path(self, start: str, rest: bytes) -> None:
        """Any path below a rule leads to this host, or to the one that the rule names."""
        try:
            path = decoded_path(start.encode() + rest)
        except BadTargetError:
            return
        location = (self.location(path) or b"/").decode("ascii")
        host = urlsplit(urljoin("https://here.example/", location)).hostname
        self.assertEqual(host, "example.org" if location.startswith("https://") else "here.example")
        self.assertNotIn("\\", location)
        self.assertTrue(location.isprintable() and " " not in location)


class Writing(SynchronousTestCase):
    def test_destinations(self) -> None:
        """A redirect leads to a path here or to a URL of http or https."""
        for to in (
            "/",
            "/new",
            "/a%20b/",
            "/new/*",
            "/*",
            "/a?b=c",
            "https://example.org/",
            "http://[::1]:8080/*",
            "https://example.org/a?b",
        ):
            self.assertIsNone(Destination().complaint(to))
        for to in (
            "",
            "new",
            "//evil",
            "//evil/*",
            "/a*",
            "/*/a",
            "/a b",
            "/a%2",
            "/caf\u00e9",
            "/a\\b",
            "https://example.org",
            "https://example.org*",
            "https://u@example.org/",
            "ftp://example.org/",
            "javascript:alert(1)",
            "/a\r\nX: y",
            "/a#b",
        ):
            self.assertIn("is not right; as in", Destination().complaint(to) or "")

    def test_statuses(self) -> None:
        """The statuses are those with a Location that browsers follow."""
        self.assertEqual(
            [status for status in range(200, 600) if RedirectStatus().complaint(status) is None],
            [301, 302, 303, 307, 308],
        )
        self.assertEqual(
            RedirectStatus().complaint(300), "300 is no redirect; 301, 302, 303, 307 or 308"
        )

    def test_endless(self) -> None:
        """A way that comes to no end is a complaint, by however many rules it leads."""
        for rules, wrong in (
            ((Redirect("/a", "/a"),), [0]),
            ((Redirect("/*", "/b/*"),), [0]),
            ((Redirect("/a/*", "/a/b/*"),), [0]),
            ((Redirect("/a", "/b"), Redirect("/b", "/c"), Redirect("/c", "/a?x")), [0, 1, 2]),
            ((Redirect("/x", "/a"), Redirect("/a", "/%61")), [0, 1]),
            ((Redirect("/a", "/b"), Redirect("/b", "/c")), []),
            ((Redirect("/a/*", "/*"),), []),
            ((Redirect("/*", "https://example.org/*"),), []),
        ):
            found = list(complaints(rules))
            self.assertEqual([each.path for each in found], [(index, "to") for index in wrong])

    def test_twice(self) -> None:
        """A path stands once."""
        rules = (Redirect("/a", "/b"), Redirect("/a", "/c"))
        self.assertEqual(
            list(complaints(rules)),
            [Complaint((1, "path"), '"/a" is taken; each redirect has its own path')],
        )
