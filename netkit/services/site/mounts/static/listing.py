"""A folder as a page for people, and as JSON for programs. Pure.

Names are others' words: they are escaped, and links to them are whole paths, as a name like
`javascript:x` would be taken for a URL of its own.
"""

import json
from email.utils import formatdate
from http import HTTPStatus
from urllib.parse import parse_qsl

from netkit.document.values import printable
from netkit.http.choosing import wants_json
from netkit.http.dates import LAST
from netkit.http.messages import Request, Response
from netkit.http.pages import NOSNIFF, Html, html, link, page
from netkit.services.site.mounts.static.folder import Entry, Page

_VARY = (b"Vary", b"Accept")
_DIGITS = 9
_UNITS = ("kB", "MB", "GB", "TB", "PB", "EB")
_THOUSAND = 1000
_TEN = 10


def page_number(request: Request) -> int:
    """Return the page that the query asks for; 1 where it does not."""
    written = _query(request).get("page", "")
    fits = written.isascii() and written.isdecimal() and len(written) <= _DIGITS
    return int(written) if fits else 1


def as_asked(shown: Page, request: Request) -> Response:
    """Return the listing as JSON or HTML: as the query's `format` says, or else as Accept does."""
    path = request.base + request.path
    return _as_json(shown, path) if wants_json(request) else _as_html(shown, path)


def _query(request: Request) -> dict[str, str]:
    return dict(parse_qsl(request.query.decode("latin-1")))


def _as_json(shown: Page, path: str) -> Response:
    listing = {
        "path": path,
        "page": shown.number,
        "pages": shown.count,
        "complete": shown.complete,
        "entries": [_described(entry) for entry in shown.entries],
    }
    fields = ((b"Content-Type", b"application/json"), NOSNIFF, _VARY)
    return Response(HTTPStatus.OK, fields, json.dumps(listing, indent=1).encode() + b"\n")


def _described(entry: Entry) -> dict[str, object]:
    kind = "folder" if entry.is_folder else "file"
    size = {} if entry.is_folder else {"size": entry.size}
    return {"name": entry.name, "type": kind, **size, "modified": _stamp(entry.modified)}


def _as_html(shown: Page, path: str) -> Response:
    body = html(
        _LISTING,
        path=printable(path),
        above=_above(path),
        rows=Html("\n".join(_row(entry, path) for entry in shown.entries)),
        notes=_notes(shown),
    )
    return page(f"Index of {printable(path)}", body, headers=(_VARY,), style=_STYLE)


def _above(path: str) -> Html:
    if path == "/":
        return Html("")
    parent = path.rstrip("/").rpartition("/")[0] + "/"
    return html('<p><a href="{parent}">Up one folder</a></p>', parent=link(parent))


def _row(entry: Entry, path: str) -> Html:
    slash = "/" if entry.is_folder else ""
    return html(
        _ROW,
        href=link(path + entry.name + slash),
        name=printable(entry.name) + slash,
        size="" if entry.is_folder else _readable(entry.size),
        modified=_stamp(entry.modified)[:16].replace("T", " "),
    )


def _notes(shown: Page) -> Html:
    notes = []
    if not shown.entries:
        notes.append(Html('<p class="quiet">Nothing is shown here.</p>'))
    if shown.count > 1:
        steps = [
            html('<a href="?page={number}">{text}</a>', number=str(number), text=text)
            for number, text in ((shown.number - 1, "Previous"), (shown.number + 1, "Next"))
            if 1 <= number <= shown.count
        ]
        where = f"Page {shown.number} of {shown.count}"
        notes.append(html("<p>{where} · {steps}</p>", where=where, steps=Html(" · ".join(steps))))
    if not shown.complete:
        notes.append(Html('<p class="quiet">There is more here than is listed.</p>'))
    return Html("\n".join(notes))


def _readable(size: int) -> str:
    """Return a number of bytes in a unit that makes it short."""
    if size < _THOUSAND:
        return f"{size} B"
    left, unit = size / _THOUSAND, 0
    while left >= _THOUSAND - 0.5 and unit < len(_UNITS) - 1:
        left, unit = left / _THOUSAND, unit + 1
    return f"{left:.1f} {_UNITS[unit]}" if left < _TEN - 0.05 else f"{left:.0f} {_UNITS[unit]}"


def _stamp(seconds: int) -> str:
    """Return a time as RFC 3339 writes it, in UTC."""
    date = formatdate(min(max(seconds, 0), LAST), usegmt=True)
    month = _MONTHS.index(date[8:11]) // 3 + 1
    return f"{date[12:16]}-{month:02}-{date[5:7]}T{date[17:25]}Z"


_MONTHS = "JanFebMarAprMayJunJulAugSepOctNovDec"

_LISTING = """<h1>{path}</h1>
{above}
<table>
<thead><tr><th>Name</th><th>Size</th><th>Modified (UTC)</th></tr></thead>
<tbody>
{rows}
</tbody>
</table>
{notes}"""

_ROW = '<tr><td><a href="{href}">{name}</a></td><td>{size}</td><td>{modified}</td></tr>'

_STYLE = """table { width: 100%; margin: 1rem 0; border-collapse: collapse; }
th { color: var(--quiet); font-size: .9rem; font-weight: 400; text-align: left; }
th, td { padding: .35rem 0 .35rem 1.25rem; border-bottom: 1px solid var(--line); }
th:first-child, td:first-child { padding-left: 0; }
td + td, th + th { width: 1%; color: var(--quiet); text-align: right; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
"""
