"""Which of a site's hosts a name belongs to. Pure.

A name is compared as RFC 9110 4.2.3 has it: without case and port, without the root's dot, addresses
in their canonical form, other scripts as IDNA writes them. A wildcard stands for one label or more,
as in nginx, and never for none; the longest that fits wins, and whole names win over all of them.
(A certificate's wildcard stands for exactly one label, RFC 9525 6.3: `a.b.example.org` can be
reached over TLS only with a certificate that says so.)
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Generic, TypeVar

from netkit.document.values import quoted
from netkit.net.addresses import host

T = TypeVar("T")

WILDCARD = "*."

_AUTHORITY = re.compile(r"(\[[^\[\]@]*\]|[^:\[\]@]*)(?::([0-9]{0,5}))?")
_REMEMBERED = 1024  # names, so that hosts are found at the price of a look-up


class BadAuthorityError(ValueError):
    """What a request says it is for is no host; the answer is 400."""


class Hosts(Generic[T]):
    """What stands for each name; what stands for none of them is the default."""

    def __init__(self, named: Iterable[tuple[Iterable[str], T]], default: T) -> None:
        """Take the patterns of each, in canonical form."""
        self._exact: dict[str, T] = {}
        self._wild: dict[str, T] = {}
        self._default = default
        for patterns, value in named:
            for pattern in patterns:
                table = self._wild if pattern.startswith(WILDCARD) else self._exact
                table[pattern.removeprefix(WILDCARD)] = value
        self.of_authority = lru_cache(_REMEMBERED)(self._of_authority)
        self.of_server_name = lru_cache(_REMEMBERED)(self._of_server_name)

    def _of_authority(self, authority: bytes) -> T:
        """Return what stands for the host of a request; BadAuthorityError: it is no host."""
        return self._of_name(host_of(authority))

    def _of_server_name(self, server_name: str) -> T:
        """Return what stands for the name that a client asked for by SNI; any may be asked for."""
        try:
            return self._of_name(canonical(server_name))
        except ValueError:
            return self._default

    def _of_name(self, name: str) -> T:
        if name in self._exact:
            return self._exact[name]
        parent = name
        while self._wild and parent:
            parent = parent.partition(".")[2]
            if parent in self._wild:
                return self._wild[parent]
        return self._default


def host_of(authority: bytes) -> str:
    """Return the host in an authority (RFC 3986 3.2), in canonical form, without its port.

    Raise BadAuthorityError for what has user information, or a host that is no name or address.
    """
    match = _AUTHORITY.fullmatch(authority.decode("latin-1"))
    if match is None or not authority.isascii():
        raise BadAuthorityError("the authority is no host")
    try:
        return canonical(match[1])
    except ValueError:
        raise BadAuthorityError("the authority is no host") from None


def canonical(name: str) -> str:
    """Return the name of a host as names are compared, an IPv6 address in brackets.

    Raise ValueError for what is neither a name nor an address, and for an address with a zone.
    """
    found = host(name)
    if isinstance(found, str):
        return found.lower().removesuffix(".")
    if isinstance(found, IPv6Address):
        if found.scope_id:
            raise ValueError(f"{quoted(name)} has a zone, which means nothing to others")
        return f"[{found}]"
    return str(found)


def pattern(written: str) -> str:
    """Return a name of `names` in canonical form; raise ValueError with what would be right."""
    bare = written.removeprefix(WILDCARD)
    try:
        name = canonical(bare)
    except ValueError:
        right = 'a host is written as "example.org", "*.example.org" or "192.0.2.1"'
        raise ValueError(f"{quoted(written)} is not right; {right}") from None
    address = not isinstance(host(bare), str)
    if address and bare != written:
        raise ValueError(f"{quoted(written)} is not right; an address has no wildcard")
    return name if bare == written else WILDCARD + name
