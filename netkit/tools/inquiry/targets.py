"""Whom to ask for whom: `user@host` as it is written on a command line.

Pure. Rule: the last host is the one that is asked, and what stands before it is what it is asked for;
who writes no host means this one.
"""

import re

from attrs import frozen

from netkit.document.values import quoted
from netkit.net.addresses import host
from netkit.services.finger.wire import Query, line

PORT = 79  # RFC 1288 2.1
HERE = "localhost"

_WITH_PORT = re.compile(r"(?P<host>\[[^]]*\]|[^:\[\]]*):(?P<port>[0-9]{1,5})")
_HIGHEST_PORT = 65535


@frozen
class Inquiry:
    """A query, and the server that is asked: a host, a name or an address, and a port."""

    query: Query
    host: str = HERE
    port: int = PORT

    @property
    def line(self) -> bytes:
        """What is sent."""
        return line(self.query)

    def __str__(self) -> str:
        return self.host if self.port == PORT else f"{_bracketed(self.host)}:{self.port}"


def inquiry(written: str, *, verbose: bool = False, port: int = PORT) -> Inquiry:
    """Return what `written` asks for: `user`, `user@host`, `@host`, or `user@next@host` to forward.

    The host may have a port of its own behind a colon; an IPv6 address may stand in brackets. Raises
    ValueError.
    """
    name, *hosts = written.split("@")
    asked = hosts.pop() if hosts else HERE
    own = _WITH_PORT.fullmatch(asked)
    if own:
        asked, port = own["host"], int(own["port"])
    if not 0 < port <= _HIGHEST_PORT:
        raise ValueError(f"{port} is not a port; 1 to {_HIGHEST_PORT}")
    if not asked:
        raise ValueError(f"{quoted(written)} names no host; as in user@host")
    found = Inquiry(Query(name, verbose, tuple(hosts)), str(host(asked)), port)
    line(found.query)
    return found


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
