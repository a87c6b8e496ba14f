"""The mount `colors`: a page for each of the 16.7 million colours, and a list of those just seen."""

import re
from http import HTTPStatus
from typing import Annotated

from attrs import frozen

from netkit.document.values import Between
from netkit.http.messages import Handler, Request, Response
from netkit.http.pages import (
    NOSNIFF,
    READING,
    Html,
    error_page,
    html,
    link,
    method_not_allowed,
    page,
    redirect,
)
from netkit.services.kind import MountKind, World

SUGGESTED = ("0b6b73", "e4572e", "f3a712", "6a4c93", "00abef")

_COLOR = re.compile("/color/([0-9A-Fa-f]{6})")


@frozen
class Settings:
    """`remembered` is how many of the colours seen last the index shows."""

    remembered: Annotated[int, Between(1, 1000, "")] = 100


class Colors:
    """Remembers the colours whose pages were visited, the latest last and each once."""

    def __init__(self, remembered: int) -> None:
        self._remembered = remembered
        self._seen: dict[str, None] = {}

    def answer(self, request: Request) -> Response:
        """Return the home, the index, the style sheet or the page of a colour."""
        if request.method not in READING:
            return method_not_allowed(*READING)
        match request.path:
            case "" | "/color":
                return redirect(request.base + request.path + "/", request.query)
            case "/":
                return _home(request.base)
            case "/styles.css":
                return Response(HTTPStatus.OK, _CSS_HEADERS, _STYLES)
            case "/color/":
                return _index(request.base, tuple(reversed(self._seen)))
        color = _COLOR.fullmatch(request.path)
        return self._page(request.base, color[1].lower()) if color else _not_found()

    def _page(self, base: str, color: str) -> Response:
        self._seen.pop(color, None)
        self._seen[color] = None
        if len(self._seen) > self._remembered:
            del self._seen[next(iter(self._seen))]
        ink = ink_on(color)
        style = f"body, a {{ color: {ink}; }} :root {{ background: #{color}; --paper: #{color}; }}"
        body = html(_PAGE, color=color, index=link(base) + "/color/")
        return page(f"#{color}", body, style=style)


def ink_on(color: str) -> str:
    """Return the better of black and white to write on `color` (WCAG 2.2, relative luminance)."""
    red, green, blue = (_linear(part / 255) for part in bytes.fromhex(color))
    luminance = 0.2126 * red + 0.7152 * green + 0.0722 * blue
    return "#000" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "#fff"


def _linear(part: float) -> float:
    return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004


def _home(base: str) -> Response:
    body = html(
        _HOME,
        styles=link(base) + "/styles.css",
        swatches=_swatches(base, SUGGESTED),
        index=link(base) + "/color/",
    )
    return page("Colours", body, style=_backgrounds(SUGGESTED))


def _index(base: str, seen: tuple[str, ...]) -> Response:
    body = html(
        _INDEX,
        styles=link(base) + "/styles.css",
        found=_swatches(base, seen) if seen else Html('<p class="quiet">None yet.</p>'),
        home=link(base) + "/",
    )
    return page("Colours seen so far", body, style=_backgrounds(seen))


def _swatches(base: str, colors: tuple[str, ...]) -> Html:
    items = (
        html(
            '<li><a href="{base}/color/{color}"><i class="c{color}"></i>{color}</a></li>',
            base=link(base),
            color=color,
        )
        for color in colors
    )
    return Html('<ul class="swatches">\n' + "\n".join(items) + "\n</ul>")


def _backgrounds(colors: tuple[str, ...]) -> str:
    return "".join(f".c{color} {{ background: #{color}; }}\n" for color in colors)


def _not_found() -> Response:
    return error_page(HTTPStatus.NOT_FOUND, "A colour is six hexadecimal digits, as in 00abef.")


def build(settings: Settings, shown: None, world: World) -> Handler:  # noqa: ARG001
    """Return the mount, which has seen nothing yet."""
    return Colors(settings.remembered).answer


KIND = MountKind(name="colors", settings=Settings, build=build)

_HOME = """<link rel="stylesheet" href="{styles}">
<h1>Colours</h1>
<p>Every colour has a page: write its six hexadecimal digits behind <code>color/</code>, or begin with
one of these.</p>
{swatches}
<p><a href="{index}">Colours seen so far</a></p>"""

_INDEX = """<link rel="stylesheet" href="{styles}">
<h1>Colours seen so far</h1>
{found}
<p><a href="{home}">Home of the colours</a></p>"""

_PAGE = """<h1>#{color}</h1>
<p>This page is on a background of #{color}.</p>
<p><a href="{index}">Colours seen so far</a></p>"""

_CSS_HEADERS = ((b"Content-Type", b"text/css; charset=utf-8"), NOSNIFF)

_STYLES = b"""/* The swatches of the colours. */
.swatches { display: grid; grid-template-columns: repeat(auto-fill, minmax(7rem, 1fr)); gap: 1rem;
  margin: 1.5rem 0; padding: 0; list-style: none; }
.swatches a { display: block; color: inherit; font: .9rem ui-monospace, monospace;
  text-align: center; text-decoration: none; }
.swatches i { display: block; height: 4.5rem; margin-bottom: .4rem; border: 1px solid var(--line);
  border-radius: .6rem; }
.swatches a:hover i, .swatches a:focus-visible i { outline: 2px solid var(--accent);
  outline-offset: 2px; }
"""
