"""URLs, as people type them and servers refer to them."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.document.values import printable
from netkit.http.framing import request_opening
from netkit.tools.web.urls import LONGEST, Url, parse

# RFC 3986 5.4, without what is of other schemes; a fragment is not asked for.
_REFERENCES = {
    "g": "http://a/b/c/g",
    "./g": "http://a/b/c/g",
    "g/": "http://a/b/c/g/",
    "/g": "http://a/g",
    "//g": "http://g/",
    "?y": "http://a/b/c/d;p?y",
    "g?y": "http://a/b/c/g?y",
    "#s": "http://a/b/c/d;p?q",
    "g#s": "http://a/b/c/g",
    "g?y#s": "http://a/b/c/g?y",
    ";x": "http://a/b/c/;x",
    "g;x?y#s": "http://a/b/c/g;x?y",
    "": "http://a/b/c/d;p?q",
    ".": "http://a/b/c/",
    "./": "http://a/b/c/",
    "..": "http://a/b/",
    "../g": "http://a/b/g",
    "../..": "http://a/",
    "../../../g": "http://a/g",
    "/./g": "http://a/g",
    "/../g": "http://a/g",
    "g.": "http://a/b/c/g.",
    "..g": "http://a/b/c/..g",
    "./g/.": "http://a/b/c/g/",
    "g/../h": "http://a/b/c/h",
    "g;x=1/../y": "http://a/b/c/y",
    "g?y/../x": "http://a/b/c/g?y/../x",
}


class ParseTests(SynchronousTestCase):
    """What a text stands for."""

    def test_forms(self) -> None:
        """Each text is the URL that it is plainly meant to be."""
        for text, right in {
            "example.org": "http://example.org/",
            "example.org:8080/x": "http://example.org:8080/x",
            "//example.org/x": "http://example.org/x",
            " HTTPS://Example.ORG:443/A/../b?c#d\n": "https://example.org/b?c",
            "http://example.org:80?q": "http://example.org/?q",
            "http://[::1]:8080/": "http://[::1]:8080/",
            "http://[FE80::1%25lo]/": "http://[fe80::1]/",
            "http://127.1/": "http://127.0.0.1/",
            "http://münchen.example/straße": "http://xn--mnchen-3ya.example/stra%C3%9Fe",
            "http://ex%61mple.org/": "http://example.org/",
            "http://a/b c|%41%zz\\?q=[ü]": "http://a/b%20c%7C%41%25zz%5C?q=%5B%C3%BC%5D",
            "http://a/\udcfc": "http://a/%FC",
            "localhost": "http://localhost/",
        }.items():
            self.assertEqual(str(parse(text)), right, text)

    def test_zone(self) -> None:
        """The zone of an address is for connecting, and for nobody else."""
        url = parse("https://[fe80::1%25lo]/")
        self.assertEqual((url.host, url.authority), ("fe80::1%lo", "[fe80::1]"))
        self.assertEqual(url.connect_authority, "[fe80::1]:443")

    def test_wrong(self) -> None:
        """What is no URL is told in one line, with what would be right, and without a password."""
        for text, words in {
            "": "empty",
            "ftp://a/": '"ftp" is no scheme of the web',
            "htp://a/": 'did you mean "http"?',
            "http://": "names no host",
            "http://u:secret@/x": "names no host",
            "http://u:secret@[::1/": "an IPv6 address as in",
            "http://a:b/": '"b" is not a port; 1 to 65535',
            "http://a:0/": '"0" is not a port',
            "http://a:99999/": '"99999" is not a port',
            "http://u:secret@a b/": "neither an address nor a host name",
            "http://1.2.3.4.5/": "neither an address nor a host name",
            "x" * (LONGEST + 1): "too long",
        }.items():
            with self.assertRaises(ValueError) as caught:
                parse(text)
            self.assertIn(words, str(caught.exception))
            self.assertNotIn("secret", str(caught.exception))

    def test_credentials(self) -> None:
        """A login is taken out of the text, decoded, and shown nowhere."""
        url = parse("http://m%40x:p%3Aq@example.org/")
        assert url.credentials is not None
        self.assertEqual((url.credentials.user, url.credentials.password), ("m@x", "p:q"))
        self.assertEqual(str(url), "http://example.org/")
        self.assertNotIn("p:q", repr(url))
        self.assertEqual(url, parse("http://example.org/"))

    def test_name(self) -> None:
        """The name is the last segment of the path, decoded."""
        self.assertEqual(parse("http://a/b/c%20d.iso?e=/f").name, "c d.iso")
        self.assertEqual(parse("http://a/b/").name, "")

    def test_origin(self) -> None:
        """An origin is a scheme, a host and a port."""
        self.assertEqual(parse("http://a/x").origin, parse("http://a:80/y").origin)
        self.assertNotEqual(parse("http://a/").origin, parse("https://a/").origin)
        self.assertNotEqual(parse("http://a/").origin, parse("http://a:81/").origin)

    @settings(deadline=None, max_examples=200)
    @given(st.text(max_size=40), st.booleans())
    def test_any_text(self, text: str, begun: bool) -> None:
        """Any text is refused, or is a URL that can be asked for and is its own text's."""
        try:
            url = parse(f"http://a/{text}" if begun else text)
        except ValueError as error:
            self.assertEqual(str(error), printable(str(error)))
            return
        request_opening(b"GET", url.target.encode("ascii"), ((b"Host", url.authority.encode()),))
        if "%" not in url.host:
            self.assertEqual(parse(str(url)), url)


class JoinTests(SynchronousTestCase):
    """What a reference leads to."""

    def test_examples(self) -> None:
        """The examples of RFC 3986 5.4 lead to where it says."""
        base = parse("http://a/b/c/d;p?q")
        for reference, right in _REFERENCES.items():
            self.assertEqual(str(base.joined(reference)), right, reference)

    def test_other_origins(self) -> None:
        """A reference may lead to another server, and takes no login there, nor brings one."""
        base = parse("https://u:p@a/b")
        self.assertEqual(base.joined("//c/d"), Url("https", "c", 443, "/d"))
        self.assertIsNone(base.joined("/x").credentials)
        self.assertIsNone(base.joined("https://x:y@a/").credentials)

    def test_wrong(self) -> None:
        """A reference to what is not of the web is refused."""
        base = parse("http://a/")
        for reference in ("mailto:x@a", "file:///etc/passwd", "javascript:x", "http:x", "http://"):
            self.assertRaises(ValueError, base.joined, reference)

    @settings(deadline=None, max_examples=200)
    @given(st.text(max_size=40))
    def test_any_reference(self, reference: str) -> None:
        """Any reference is refused, or leads to what can be asked for."""
        try:
            url = parse("http://a/b/c?d").joined(reference)
        except ValueError as error:
            self.assertEqual(str(error), printable(str(error)))
            return
        request_opening(b"GET", url.target.encode("ascii"), ())
