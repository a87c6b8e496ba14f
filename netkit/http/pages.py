"""The pages that netkit writes itself: one skeleton, and answers that many services give.

Rule: text reaches a page through `html`, which escapes all that is not `Html` already. A policy in
the headers (CSP 3) forbids foreign resources and every script but the page's own on top of that.
"""

from base64 import b64encode
from hashlib import sha256
from html import escape
from http import HTTPStatus
from string import Formatter
from urllib.parse import quote

from netkit.http.messages import Headers, Response

READING = (b"GET", b"HEAD")

NOSNIFF = (b"X-Content-Type-Options", b"nosniff")

_STYLE = """
:root { color-scheme: light dark; --ink: #1d2430; --paper: #fbfaf8; --quiet: #616b78;
  --line: #dedad2; --card: #fff; --accent: #0b6b73; --on-accent: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e7e5e0; --paper: #15181d; --quiet: #9aa4b0;
  --line: #2d343d; --card: #1c2026; --accent: #6fc6cd; --on-accent: #10252a; } }
* { box-sizing: border-box; }
body { max-width: 42rem; margin: 0 auto; padding: 3.5rem 1.5rem; color: var(--ink);
  background: var(--paper); font: 1.0625rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { margin: 0 0 1rem; font-size: 1.9rem; line-height: 1.2; letter-spacing: -.02em; }
a { color: var(--accent); text-underline-offset: .15em; }
.quiet { color: var(--quiet); }
fieldset { margin: 1.5rem 0; padding: 1rem 1.25rem; border: 1px solid var(--line);
  border-radius: .6rem; background: var(--card); }
legend { padding: 0 .4rem; font-weight: 600; }
label { margin-right: 1.25rem; white-space: nowrap; }
input { accent-color: var(--accent); }
input[type=text] { width: 100%; padding: .5rem .7rem; color: inherit; background: var(--paper);
  border: 1px solid var(--line); border-radius: .4rem; font: inherit; }
button { padding: .6rem 1.4rem; border: 0; border-radius: .4rem; color: var(--on-accent);
  background: var(--accent); font: inherit; font-weight: 600; cursor: pointer; }
dl { margin: 1.5rem 0; padding: .25rem 1.25rem; border: 1px solid var(--line);
  border-radius: .6rem; background: var(--card); }
dt { margin-top: .8rem; color: var(--quiet); font-size: .9rem; }
dd { margin: 0; white-space: pre-wrap; }
dd:last-child { margin-bottom: .8rem; }
"""

_WORDS = {
    HTTPStatus.BAD_REQUEST: "This request cannot be understood.",
    HTTPStatus.FORBIDDEN: "This is not for you.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This page does not take requests of this kind.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "This is more than this page takes.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something went wrong here, and it has been noted.",
}


class Html(str):
    """Text that is HTML already."""

    __slots__ = ()


def html(template: str, /, **values: str) -> Html:
    """Return `template` with each `{name}` replaced by its value, escaped unless it is Html."""
    return Html(_EscapingFormatter().vformat(template, (), values))


def page(  # noqa: PLR0913 (a page has many parts)
    title: str,
    body: Html,
    *,
    status: int = HTTPStatus.OK,
    headers: Headers = (),
    style: str = "",
    script: str = "",
) -> Response:
    """Return a whole page; `style` is CSS for this page alone, and never a visitor's words.

    Nor is `script`, JavaScript that runs behind the body and may talk to this same server.
    """
    style = _STYLE + style
    policy = (
        f"default-src 'none'; img-src data:; style-src 'self' {_source(style)}; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    if script:
        policy += f"; script-src {_source(script)}; connect-src 'self'"
        body = Html(f"{body}\n<script>{script}</script>")
    text = html(_SKELETON, title=title, style=Html(style), body=body)
    fields = (
        (b"Content-Type", b"text/html; charset=utf-8"),
        NOSNIFF,
        (b"Content-Security-Policy", policy.encode()),
    )
    return Response(status, (*fields, *headers), text.encode(errors="replace"))


def _source(written: str) -> str:
    """Return what in a policy stands for a style or a script as it is written in the page."""
    return f"'sha256-{b64encode(sha256(written.encode()).digest()).decode()}'"


def error_page(status: HTTPStatus, words: str = "", headers: Headers = ()) -> Response:
    """Return a page that says what is wrong; `words` instead of the usual ones for `status`."""
    title = f"{status.value} {status.phrase}"
    words = words or _WORDS.get(status, status.description)
    body = html('<h1>{title}</h1>\n<p class="quiet">{words}</p>', title=title, words=words)
    return page(title, body, status=status, headers=headers)


def method_not_allowed(*allowed: bytes) -> Response:
    """Return a 405 that names the methods that are `allowed` (RFC 9110 15.5.6)."""
    return error_page(HTTPStatus.METHOD_NOT_ALLOWED, headers=((b"Allow", b", ".join(allowed)),))


def text(body: bytes, charset: bytes = b"utf-8") -> Response:
    """Return `body` as plain text."""
    return Response(
        HTTPStatus.OK, ((b"Content-Type", b"text/plain; charset=" + charset), NOSNIFF), body
    )


def redirect(path: str, query: bytes = b"") -> Response:
    """Return a 301 to `path` (decoded) of this same site, whatever `path` begins with.

    A `//host` in it, or one with a backslash, names no other host: one slash is left of several, and
    the rest is encoded.
    """
    location = "/" + link(path).lstrip("/")
    target = location.encode() + (b"?" + query if query else b"")
    body = html('<h1>Moved</h1>\n<p>It is <a href="{location}">here</a>.</p>', location=location)
    return page(
        "Moved", body, status=HTTPStatus.MOVED_PERMANENTLY, headers=((b"Location", target),)
    )


def link(path: str) -> str:
    """Return a decoded path as it stands in a URL (RFC 3986 3.3)."""
    return quote(path, safe="/:@!$&'()*+,;=~")


class _EscapingFormatter(Formatter):
    def format_field(self, value: str, format_spec: str) -> str:
        return str(value) if isinstance(value, Html) else escape(format(value, format_spec))


_SKELETON = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
{body}
</body>
</html>
"""
