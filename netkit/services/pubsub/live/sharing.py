"""What pages of other origins may read here, and how they ask (CORS; Fetch standard 3.2).

Rule: by default nothing. A page that is named may do what our own may, with the visitor's login; to
all pages together only what needs no login is given.
"""

from collections.abc import Collection
from http import HTTPStatus

from netkit.http.messages import Headers, Request, Response
from netkit.http.origins import ANY_ORIGIN, is_listed

_VARY = (b"Vary", b"Origin")
_PREFLIGHT = (
    (b"Access-Control-Allow-Methods", b"GET, POST"),
    (b"Access-Control-Allow-Headers", b"Content-Type, Last-Event-ID"),
    (b"Access-Control-Max-Age", b"600"),
)


def shared(request: Request, origins: Collection[str]) -> Headers:
    """Return the fields by which a browser lets the page that asks read the answer, if any."""
    if not origins:
        return ()
    if ANY_ORIGIN in origins:
        return ((b"Access-Control-Allow-Origin", ANY_ORIGIN.encode()),)
    origin = request.header(b"origin")
    if origin is None or not is_listed(origin, origins):
        return (_VARY,)
    return (
        _VARY,
        (b"Access-Control-Allow-Origin", origin),
        (b"Access-Control-Allow-Credentials", b"true"),
    )


def preflight(request: Request, origins: Collection[str], *methods: bytes) -> Response:
    """Return the answer to OPTIONS, by which a browser asks beforehand."""
    fields = shared(request, origins)
    more = _PREFLIGHT if len(fields) != fields.count(_VARY) else ()
    allowed = (b"Allow", b", ".join((*methods, b"OPTIONS")))
    return Response(HTTPStatus.NO_CONTENT, (allowed, *fields, *more))
