"""What was counted, as a page for people and as JSON for programs. Pure.

Words are others', and are escaped like everything else on a page.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus

from attrs import frozen

from netkit.http.messages import Response
from netkit.http.pages import NOSNIFF, Html, html, page
from netkit.services.proxy.words.tally import Reason, Tally

VARY = (b"Vary", b"Accept")
FRESH = (b"Cache-Control", b"no-cache")

_WHY = {
    Reason.CODING: "came in a coding that is not read here, such as br or zstd",
    Reason.BUSY: "came while too much else waited to be counted",
    Reason.LONG: "had more to them than is counted",
    Reason.LATE: "took too long to come",
    Reason.CUT: "broke off before their end",
    Reason.MALFORMED: "were not in the coding that they claimed",
}


@frozen
class Report:
    """What a tally said at one time; `top` are the words to show, the most frequent first."""

    documents: int
    words: int
    octets: int
    forgotten: int
    left_out: Mapping[Reason, int]
    in_part: Mapping[Reason, int]
    top: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, tally: Tally, top: list[tuple[str, int]]) -> "Report":
        """Return the figures of `tally`, which may go on."""
        return cls(
            tally.documents,
            tally.words,
            tally.octets,
            tally.forgotten,
            dict(tally.left_out),
            dict(tally.in_part),
            tuple(top),
        )


def as_json(report: Report | None) -> Response:
    """Return the figures as an object; None: nothing is counted."""
    shown: dict[str, object] = {"counting": report is not None}
    if report is not None:
        shown |= {
            "documents": report.documents,
            "words": report.words,
            "bytes": report.octets,
            "forgotten": report.forgotten,
            "left_out": {why.value: number for why, number in report.left_out.items()},
            "in_part": {why.value: number for why, number in report.in_part.items()},
            "top": [{"word": word, "count": count} for word, count in report.top],
        }
    fields = ((b"Content-Type", b"application/json"), NOSNIFF, VARY, FRESH)
    return Response(HTTPStatus.OK, fields, json.dumps(shown, indent=1).encode() + b"\n")


def as_html(report: Report | None) -> Response:
    """Return the figures as a page; None: nothing is counted."""
    if report is None:
        return _page(Html(_OFF))
    figures, notes = _figures(report), _notes(report)
    if report.top:
        bars, widths = _bars(report.top)
        return _page(Html(f"{_LEAD}\n{figures}\n{bars}\n{notes}"), widths)
    if report.documents or report.left_out:
        return _page(Html(f"{_LEAD}\n{figures}\n{_NO_WORDS}\n{notes}"))
    return _page(Html(_EMPTY))


def _page(body: Html, widths: str = "") -> Response:
    body = html("<h1>Words</h1>\n{body}", body=body)
    return page("Words", body, headers=(VARY, FRESH), style=_STYLE + widths)


def _bars(top: tuple[tuple[str, int], ...]) -> tuple[Html, str]:
    """Return the bars, and the style that says how long they are."""
    most = max(count for _, count in top)
    rows = (
        html(_ROW, place=str(place), word=word, count=_grouped(count))
        for place, (word, count) in enumerate(top)
    )
    widths = (
        f"#bar{place} {{ width: {100 * count / most:.2f}%; }}\n"
        for place, (_, count) in enumerate(top)
    )
    return Html('<ol class="bars">\n' + "\n".join(rows) + "\n</ol>"), "".join(widths)


def _figures(report: Report) -> Html:
    left_out = sum(report.left_out.values())
    shown = [
        (_grouped(report.words), "word" if report.words == 1 else "words"),
        (_grouped(report.documents), "page" if report.documents == 1 else "pages"),
        (_size(report.octets), "of HTML"),
        (_grouped(left_out), "left out"),
    ]
    rows = (
        html("<p><b>{figure}</b> {unit}</p>", figure=figure, unit=unit) for figure, unit in shown
    )
    return Html('<div class="figures">\n' + "\n".join(rows) + "\n</div>")


def _notes(report: Report) -> Html:
    rows = [
        *(_note("left out", number, why) for why, number in _listed(report.left_out)),
        *(_note("counted in part", number, why) for why, number in _listed(report.in_part)),
    ]
    if report.forgotten:
        text = "<li><b>{number}</b> rare words forgotten: there were more than are remembered.</li>"
        rows.append(html(text, number=_grouped(report.forgotten)))
    return Html('<ul class="notes">\n' + "\n".join(rows) + "\n</ul>" if rows else "")


def _listed(reasons: Mapping[Reason, int]) -> list[tuple[Reason, int]]:
    return [(why, reasons[why]) for why in Reason if reasons.get(why)]


def _note(what: str, number: int, why: Reason) -> Html:
    text = "<li><b>{number}</b> {pages} {what}: {why}.</li>"
    pages = "page" if number == 1 else "pages"
    return html(text, number=_grouped(number), pages=pages, what=what, why=_why(why, number))


def _why(why: Reason, number: int) -> str:
    """Return the words for a reason, where one page has them in the singular."""
    words = _WHY[why]
    if number != 1:
        return words
    return (
        words.replace("were ", "was ")
        .replace("they ", "it ")
        .replace("their ", "its ")
        .replace("to them", "to it")
    )


def _grouped(number: int) -> str:
    return f"{number:,}".replace(",", "\u202f")


_THOUSAND = 1000
_TEN = 10


def _size(octets: int) -> str:
    """Return a number of bytes in a unit that makes it short."""
    size, units = float(octets), iter(("B", "kB", "MB", "GB", "TB", "PB"))
    unit = next(units)
    while size >= _THOUSAND - 0.5:
        size, unit = size / _THOUSAND, next(units, "EB")
    short = size >= _TEN - 0.05 or unit == "B"
    return f"{size:.0f}\u202f{unit}" if short else f"{size:.1f}\u202f{unit}"


_ROW = '<li><span>{word}</span><i><i id="bar{place}"></i></i><b>{count}</b></li>'

_LEAD = """<p class="quiet">Most frequent in the pages of http:// that went through the proxy. HTTPS goes through
it in tunnels, and those are not looked into.</p>"""

_OFF = """<p>Counting is off.</p>
<p class="quiet">Write <code>count_words = true</code> in the table of the proxy, and this page shows the
words that are most frequent in the pages that go through it.</p>"""

_EMPTY = """<p>No page has gone through the proxy yet.</p>
<p class="quiet">Begin with one: <code>curl -x <i>proxy:port</i> http://example.org/</code>, or name the proxy
in the settings of a browser; then load this page again.</p>
<p class="quiet">Only pages of http:// are counted: HTTPS goes through the proxy in tunnels, and those are not
looked into.</p>"""

_NO_WORDS = "<p>No word was found in them so far.</p>"

_STYLE = """.figures { display: flex; flex-wrap: wrap; gap: .75rem 2.5rem; margin: 1.75rem 0;
  padding: 1.1rem 0; border: solid var(--line); border-width: 1px 0; }
.figures p { margin: 0; color: var(--quiet); font-size: .9rem; line-height: 1.3; }
.figures b { display: block; color: var(--ink); font-size: 1.5rem; font-weight: 600;
  font-variant-numeric: tabular-nums; letter-spacing: -.01em; white-space: nowrap; }
.bars { display: grid; grid-template-columns: fit-content(45%) 1fr auto; gap: .4rem 1rem;
  align-items: center; margin: 1.75rem 0; padding: 0; line-height: 1.4; list-style: none; }
.bars li { display: contents; }
.bars i { display: block; height: .8rem; border-radius: .25rem; }
.bars i i { min-width: 2px; background: var(--accent); }
.bars b { color: var(--quiet); font-size: .95rem; font-weight: 400; text-align: right;
  font-variant-numeric: tabular-nums; white-space: nowrap; }
.notes { margin: 1.75rem 0 0; padding: 1.1rem 0 0; border-top: 1px solid var(--line);
  color: var(--quiet); font-size: .95rem; list-style: none; }
.notes li { margin: .25rem 0; }
.notes b { color: var(--ink); font-weight: 600; font-variant-numeric: tabular-nums; }
code { padding: .1em .35em; border-radius: .3em; background: var(--card); box-shadow: 0 0 0 1px var(--line);
  font-size: .9em; -webkit-box-decoration-break: clone; box-decoration-break: clone; }
"""
