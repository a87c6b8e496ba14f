"""Which of two forms of a page a visitor wants (RFC 9110 12.5.1)."""

from urllib.parse import parse_qsl

from netkit.http.fields import items
from netkit.http.messages import Request


def wants_json(request: Request) -> bool:
    """Return whether JSON is wanted rather than HTML: as the query's `format` says, or else as Accept does."""
    form = dict(parse_qsl(request.query.decode("latin-1"))).get("format")
    if form in {"json", "html"}:
        return form == "json"
    weights = {each.value: each.weight for each in items(request.header(b"accept") or b"")}
    page_weight = weights.get(b"text/html", weights.get(b"text/*", 0))
    return weights.get(b"application/json", 0) > page_weight
