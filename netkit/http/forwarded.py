"""Whom a proxy in front says it forwards for: Forwarded (RFC 7239) and X-Forwarded-For.

Pure. Rule: anybody can send these fields, and each proxy adds to the right of what it was sent. So they
are read from the right, as far as addresses that are trusted vouch for them, and nothing that
stands further left, however it is written, changes what was read by then.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from ipaddress import IPv6Address, ip_address
from itertools import islice

from netkit.document.values import Network
from netkit.net.addresses import Address, unmapped, within

HOPS = 32
"""So many proxies in a row are looked at, the nearest ones."""

FIELD_BYTES = 4096
"""So much of a field Forwarded is looked at, from its right end."""

_TCHARS = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_QUOTED = r'"((?:[\t \x21\x23-\x5b\x5d-\x7e\x80-\xff]|\\[\t \x21-\x7e\x80-\xff])*)"'
_PAIR = re.compile(rf"[ \t]*(?:({_TCHARS})=(?:({_TCHARS})|{_QUOTED})[ \t]*)?(?:;|\Z)")
_NODE = re.compile(r"(?:([0-9.]{7,15})|\[([0-9A-Fa-f]*:[0-9A-Fa-f:.]{1,44})\])(?::[0-9]{1,5})?")
_BACKWARDS = re.compile(r'"(\\*)|,')


class ClientField(Enum):
    """The field that trusted proxies write."""

    X_FORWARDED_FOR = "X-Forwarded-For"
    FORWARDED = "Forwarded"


def client(
    peer: Address | None, hops: Iterable[Address | None], trusted: Iterable[Network]
) -> Address | None:
    """Return the address nearest to `peer` that is none of the `trusted` proxies, or the last known.

    `hops` begins with whom `peer` forwards for, as the functions in READERS have it; None among them
    is an address that cannot be read, and ends the walk. The `peer` None is that of a UNIX socket,
    which is trusted: the socket's mode says who may connect.
    """
    trusted = tuple(trusted)
    nearest = peer
    for hop in hops:
        if hop is None or (nearest is not None and not within(nearest, trusted)):
            break
        nearest = hop
    return nearest


def listed(value: bytes) -> Iterator[Address | None]:
    """Yield the addresses of the field value X-Forwarded-For, the nearest first, None for rubbish."""
    parts = value.decode("latin-1").rsplit(",", HOPS)
    for part in islice(reversed(parts), HOPS):
        yield node_address(part.strip(" \t"))


def forwarded_for(value: bytes) -> Iterator[Address | None]:
    """Yield whom the elements of the field value Forwarded are for, as `listed` does."""
    for element in elements(value):
        yield node_address(element.get("for", "")) if element is not None else None


READERS: Mapping[ClientField, Callable[[bytes], Iterator[Address | None]]] = {
    ClientField.X_FORWARDED_FOR: listed,
    ClientField.FORWARDED: forwarded_for,
}


def elements(value: bytes) -> Iterator[dict[str, str] | None]:
    """Yield the elements of the field value Forwarded (RFC 7239 4), the nearest proxy's first.

    An element is what its parameters hold, by their names in lower case; None stands for one that is
    not well-formed. Empty elements are left out (RFC 9110 5.6.1).
    """
    kept = value[-FIELD_BYTES:].decode("latin-1")
    parts = _parted(kept, whole=len(value) <= FIELD_BYTES)
    for part in islice((part for part in parts if part.strip(" \t")), HOPS):
        yield _parameters(part)


def element(parameters: Mapping[str, str]) -> str:
    """Return an element of Forwarded with `parameters`; ValueError: one that cannot be sent."""
    return ";".join(f"{_token(name)}={_value(value)}" for name, value in parameters.items())


def node(address: Address) -> str:
    """Return `address` as a parameter's value has it (RFC 7239 6): IPv6 stands in brackets."""
    return f"[{address}]" if isinstance(address, IPv6Address) else str(address)


def node_address(text: str) -> Address | None:
    """Return the IP address of a node, with or without a port, or None: it is hidden, or rubbish.

    X-Forwarded-For has IPv6 without brackets, too, as long as there is no port.
    """
    match = _NODE.fullmatch(text)
    if match is None and (text.startswith("[") or "%" in text):
        return None
    try:
        return unmapped(ip_address(match[1] or match[2] if match else text))
    except ValueError:
        return None


def _parted(text: str, *, whole: bool) -> Iterator[str]:
    """Yield what stands between the commas of `text` that are in no quotes, the last first.

    From the right, a quote that somebody left open further left cannot hide the elements that stand
    behind it. Where `text` is not the `whole` field its beginning is left out.
    """
    end, in_quotes = len(text), False
    for match in _BACKWARDS.finditer(text[::-1]):
        place = len(text) - match.start()
        if match[0] != ",":
            in_quotes ^= len(match[1]) % 2 == 0
        elif not in_quotes:
            yield text[place:end]
            end = place - 1
    if whole:
        yield text[:end]


def _parameters(text: str) -> dict[str, str] | None:
    found: dict[str, str] = {}
    place = 0
    while place < len(text):
        match = _PAIR.match(text, place)
        if match is None:
            return None
        place = match.end()
        name, token, quoted = match.groups()
        if name is None:
            continue
        if name.lower() in found:
            return None
        found[name.lower()] = token if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
    return found


def _token(name: str) -> str:
    if not re.fullmatch(_TCHARS, name):
        raise ValueError("the name of a parameter is no token")
    return name


def _value(value: str) -> str:
    if re.fullmatch(_TCHARS, value):
        return value
    quoted = '"' + re.sub(r'(["\\])', r"\\\1", value) + '"'
    if not re.fullmatch(_QUOTED, quoted):
        raise ValueError("the value of a parameter has characters that cannot be sent")
    return quoted
