"""The page of the mount: the main figures, and where the others are."""

from netkit.http.messages import Headers, Response
from netkit.http.pages import Html, html, link, page
from netkit.services.pubsub.monitor.shapes import Moment, Server

_PAGES = (
    ("varz", "General"),
    ("connz", "Connections"),
    ("connz?subs=1&sort=bytes_to", "Who gets most, and from which subjects"),
    ("subsz", "Subscriptions"),
    ("leafz", "The cluster"),
    ("healthz", "Health"),
)


def monitor_page(server: Server, moment: Moment, headers: Headers) -> Response:
    """Return the page."""
    body = html(
        _BODY,
        name=server.info.server_name,
        uptime=moment.since(server.since),
        figures=_figures(server),
        links=_links(server.base),
    )
    return page("Monitor", body, style=_STYLE, headers=headers)


def _figures(server: Server) -> Html:
    here, fabric = server.figures, server.fabric
    rows = [
        ("Connections", f"{here.connections:,}", f"{here.total_connections:,} in all"),
        ("Subscriptions", f"{here.subscriptions:,}", ""),
        ("Messages in", f"{here.in_messages:,}", _size(here.in_bytes)),
        ("Messages out", f"{here.out_messages:,}", _size(here.out_bytes)),
        ("Slow clients let go", f"{here.slow_consumers:,}", f"{here.missed:,} messages left out"),
    ]
    if fabric is not None:
        waiting = f"{fabric.pending_messages:,} messages wait"
        rows.append(("Cluster", fabric.server or "cut off", waiting))
    return Html(
        "".join(html(_ROW, what=what, value=value, more=more) for what, value, more in rows)
    )


def _links(base: str) -> Html:
    return Html(
        "".join(
            html(_LINK, target=f"{link(base)}/{target}", path=f"/{target}", words=words)
            for target, words in _PAGES
        )
    )


def _size(count: int) -> str:
    """Return a number of bytes in the largest unit of which there is one."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:  # noqa: PLR2004 (the next unit)
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


_BODY = """<h1>Monitor</h1>
<p class="quiet"><code>{name}</code>, up for {uptime}</p>
<dl>{figures}</dl>
<ul>{links}</ul>"""

_ROW = "<div><dt>{what}</dt><dd><b>{value}</b> <span>{more}</span></dd></div>\n"

_LINK = '<li><a href="{target}"><code>{path}</code></a> <span class="quiet">{words}</span></li>\n'

_STYLE = """
dl { display: grid; grid-template-columns: repeat(auto-fill, minmax(13rem, 1fr)); gap: 0 1.5rem;
  padding: .75rem 1.25rem; }
dl div { padding: .35rem 0; }
dt { margin: 0; }
dd:last-child { margin: 0; }
dd b { font-variant-numeric: tabular-nums; }
dd span { color: var(--quiet); font-size: .875rem; }
ul { margin: 1.5rem 0 0; padding: 0; list-style: none; }
li { padding: .5rem 0; border-top: 1px solid var(--line); }
li .quiet { font-size: .9rem; }
li a { text-underline-offset: .3em; }
li:first-child { border-top: 0; }
code { font-family: ui-monospace, monospace; font-size: .95em; }
@media (max-width: 30rem) { body { padding: 1.5rem 1rem; } li .quiet { display: block; } }
"""
