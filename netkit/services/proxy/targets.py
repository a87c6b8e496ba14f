"""What a request's target asks the proxy for (RFC 9112 3.2). Pure.

Rule: the host is read once, here, as an address or as a name for a resolver, and whatever is decided or
connected to later is that value; nobody reads the target again.
"""

import re

from attrs import frozen

from netkit.http.asking import AskError, Problem
from netkit.http.messages import RequestHead
from netkit.net.addresses import Address, host

HTTP_PORT = 80

_ABSOLUTE = re.compile(rb"([A-Za-z][A-Za-z0-9+.\-]*)://[^/?]*(.*)")
_PORT = re.compile(rb":([0-9]*)\Z")
_PORTS = range(1, 65536)


@frozen(cache_hash=True)
class Target:
    """An origin server, and what to ask it for: `path` is the target for the origin itself.

    `authority` is the host and the port as the client wrote them.
    """

    host: Address | str
    port: int
    path: bytes = b""
    authority: bytes = b""

    def __str__(self) -> str:
        name = str(self.host)
        return f"[{name}]:{self.port}" if ":" in name else f"{name}:{self.port}"


class NotForProxyError(Exception):
    """Somebody takes the proxy for a web server."""


def target(head: RequestHead) -> Target:
    """Return what `head` asks for.

    Raise NotForProxyError for a target that names no host, AskError (400) for one that names none that
    there can be, or wants another scheme than http.
    """
    if head.method == b"CONNECT":
        return _target(head.authority, 0, b"")
    absolute = _ABSOLUTE.fullmatch(head.target)
    if absolute is None:
        raise NotForProxyError
    scheme, rest = absolute[1].lower(), absolute[2]
    if scheme == b"https":
        raise _bad("https:// is reached through CONNECT, which a client does by itself")
    if scheme != b"http":
        raise _bad("only http:// can be asked for, and CONNECT")
    if not rest and head.method == b"OPTIONS":
        return _target(head.authority, HTTP_PORT, b"*")  # RFC 9112 3.2.4
    return _target(head.authority, HTTP_PORT, rest if rest.startswith(b"/") else b"/" + rest)


def _target(authority: bytes, usual: int, path: bytes) -> Target:
    written = _PORT.search(authority)
    port = int(written[1] or usual) if written else usual
    if port not in _PORTS:
        raise _bad(f"{port} is no port; 1 to 65535")
    name = authority[: written.start()] if written else authority
    try:
        where = host(name.decode("ascii").lower())
    except ValueError as error:
        raise _bad(str(error)) from None
    return Target(where, port, path, authority.removesuffix(b":"))


def _bad(words: str) -> AskError:
    return AskError(Problem.HTTP_REQUEST_ERROR, words, untouched=True)
