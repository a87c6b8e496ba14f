"""The pages that netkit writes itself."""

import re
from base64 import b64encode
from hashlib import sha256
from html import unescape
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.pages import (
    Html,
    error_page,
    html,
    link,
    method_not_allowed,
    page,
    redirect,
    text,
)
from tests.http.fakes import content, field


class Escaping(SynchronousTestCase):
    @settings(deadline=None, max_examples=100)
    @given(st.text())
    def test_text_is_escaped(self, words: str) -> None:
        """Any text comes through `html` without a character that ends text or an attribute."""
        made = html('<p title="{words}">{words}</p>', words=words)
        inner = made[len('<p title="') : -len("</p>")]
        written, _, again = inner.partition('">')
        self.assertEqual(written, again)
        self.assertFalse(set(written) & set("<>\"'"))
        self.assertEqual(unescape(written), unescape(again))

    def test_html_stays(self) -> None:
        """What is Html already stays as it is, braces included."""
        self.assertEqual(html("<b>{inner}</b>", inner=Html("<i>{x}</i>")), "<b><i>{x}</i></b>")

    def test_title_is_escaped(self) -> None:
        """The title of a page is text."""
        made = content(page("<script>", Html("")))
        self.assertIn(b"<title>&lt;script&gt;</title>", made)


class Pages(SynchronousTestCase):
    def test_headers(self) -> None:
        """A page is HTML in UTF-8, not to be sniffed, and forbids scripts."""
        made = page("t", Html("\u00fc"))
        self.assertEqual(field(made, b"Content-Type"), b"text/html; charset=utf-8")
        self.assertEqual(field(made, b"X-Content-Type-Options"), b"nosniff")
        self.assertIn(b"default-src 'none'", field(made, b"Content-Security-Policy") or b"")
        self.assertIn("\u00fc".encode(), content(made))

    def test_style_is_allowed_by_its_hash(self) -> None:
        """The policy allows the page's own style, whatever was added to it."""
        made = page("t", Html(""), style="body { color: red; }")
        style = re.search(b"<style>(.*)</style>", content(made), re.DOTALL)
        assert style is not None
        self.assertTrue(style[1].endswith(b"body { color: red; }"))
        digest = b64encode(sha256(style[1]).digest())
        self.assertIn(b"'sha256-" + digest + b"'", field(made, b"Content-Security-Policy") or b"")

    def test_script_is_allowed_by_its_hash(self) -> None:
        """A page has a script only where it was given one, and the policy allows no other."""
        made = page("t", Html("<p>x</p>"), script="if (1 < 2) { run(); }")
        script = re.search(b"<p>x</p>\n<script>(.*)</script>", content(made), re.DOTALL)
        assert script is not None
        self.assertEqual(script[1], b"if (1 < 2) { run(); }")
        policy = field(made, b"Content-Security-Policy") or b""
        digest = b64encode(sha256(script[1]).digest())
        self.assertIn(b"; script-src 'sha256-" + digest + b"'; connect-src 'self'", policy)
        plain = page("t", Html(""))
        self.assertNotIn(b"script", content(plain))
        self.assertNotIn(b"script-src", field(plain, b"Content-Security-Policy") or b"")

    def test_lone_surrogates(self) -> None:
        """A character that UTF-8 cannot write does not stop a page."""
        self.assertIn(b"<p>?</p>", content(page("t", html("<p>{x}</p>", x="\ud800"))))

    def test_error_pages(self) -> None:
        """An error page has its status, in its title too, and words of its own or given ones."""
        made = error_page(HTTPStatus.NOT_FOUND)
        self.assertEqual(made.status, 404)
        self.assertIn(b"<h1>404 Not Found</h1>", content(made))
        self.assertIn(b"<p class", content(error_page(HTTPStatus.GATEWAY_TIMEOUT)))
        self.assertIn(b"&lt;b&gt;", content(error_page(HTTPStatus.NOT_FOUND, "<b>")))

    def test_method_not_allowed(self) -> None:
        """A 405 names what is allowed."""
        made = method_not_allowed(b"GET", b"HEAD")
        self.assertEqual((made.status, field(made, b"Allow")), (405, b"GET, HEAD"))

    def test_text(self) -> None:
        """Text is plain and not to be sniffed."""
        made = text(b"x", b"us-ascii")
        self.assertEqual(field(made, b"Content-Type"), b"text/plain; charset=us-ascii")
        self.assertEqual(field(made, b"X-Content-Type-Options"), b"nosniff")


class Redirects(SynchronousTestCase):
    def test_redirect(self) -> None:
        """A redirect leads to the path, with the query as it was."""
        made = redirect("/caf\u00e9/", b"a=%20")
        self.assertEqual((made.status, field(made, b"Location")), (301, b"/caf%C3%A9/?a=%20"))

    def test_other_hosts(self) -> None:
        """No path leads to another host."""
        for path in ("//evil/", "///evil/", "/\\evil/", "\\\\evil", "https://evil/", "/\t/evil"):
            location = (field(redirect(path), b"Location") or b"").decode()
            self.assertRegex(location, "^/[^/\\\\]")
            self.assertEqual(urlsplit(location).netloc, "")

    @settings(deadline=None, max_examples=100)
    @given(st.text(st.characters(exclude_categories=["Cs"])))
    def test_links_decode(self, path: str) -> None:
        """A link is ASCII without blanks or controls, and decodes to what it was made of."""
        self.assertRegex(link(path), r"^[!-~]*\Z")
        self.assertFalse(set(link(path)) & set('?#\\"<>'))
        self.assertEqual(unquote(link(path)), path)
