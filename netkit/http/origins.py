"""Which pages a browser's request may come from (RFC 6454).

A browser sends some requests from any page to any server, with the passwords it knows of that
server, and only the server can tell a page of its own from a foreign one. Pure. Rule: a browser's
page is let in because its origin is known, never because nobody asked.
"""

import re
from collections.abc import Collection
from typing import Annotated

from netkit.document.values import Matching
from netkit.http.messages import Request

ANY_ORIGIN = "*"

OriginText = Annotated[
    str,
    Matching(
        re.compile(r"\*|https?://(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?"),
        'an origin as in "https://app.example.org", or "*" for all',
    ),
]

_PORTS = {b"http": b"80", b"https": b"443"}


def let_in(request: Request, origins: Collection[str] = ()) -> bool:
    """Return whether the page that `request` comes from is one of the server itself, or let in.

    `origins` are those let in beside the server's own, as in `https://app.example.org` (RFC 6454
    6.1); ANY_ORIGIN lets in every page. A client that names no origin is no browser, and let in.
    """
    origin = request.header(b"origin")
    return origin is None or is_listed(origin, origins) or _is_own(origin.lower(), request)


def is_listed(origin: bytes, origins: Collection[str]) -> bool:
    """Return whether `origin` is one of `origins`, or all are let in."""
    return ANY_ORIGIN in origins or origin.decode("latin-1") in origins


def _is_own(origin: bytes, request: Request) -> bool:
    """Return whether `origin` has the host and port of `request`.

    A page that came by https is our own also where TLS ended before us; one that came by http, and
    may be anybody's by now, is foreign to a connection with TLS.
    """
    scheme, _, authority = origin.partition(b"://")
    port = _PORTS.get(scheme)
    if port is None or not authority or (scheme == b"http" and request.client.secure):
        return False
    return _with_port(authority, port) == _with_port(request.head.authority.lower(), port)


def _with_port(authority: bytes, default: bytes) -> bytes:
    _, colon, port = authority.rpartition(b":")
    if colon and port.isdigit():
        return authority
    return authority.removesuffix(b":") + b":" + default
