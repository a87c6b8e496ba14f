"""Hosts as people write them: names, addresses, networks.

Pure. Rule: what is scanned is what was written, and nothing that is found on the way.
"""

import re
from collections.abc import Iterable, Sequence
from ipaddress import ip_network

from attrs import frozen

from netkit.document.values import quoted
from netkit.net.addresses import Address, host, literal

MOST_ADDRESSES = 65_536
"""So many addresses are scanned in one go: an IPv4 network of /16, an IPv6 one of /112."""

_PREFIX = re.compile("[0-9]{1,3}")


@frozen
class Target:
    """A host or a network as it was written: a `name` to look up, or else `addresses`."""

    written: str
    name: str = ""
    addresses: Sequence[Address] = ()


def parse(text: str) -> Target:
    """Return what `text` names; ValueError with what is wrong and what would be right."""
    if "://" in text:
        raise ValueError(f"{quoted(text)} is a URL; a host name, an address or a network")
    if "/" in text:
        return Target(text, addresses=_network(text))
    try:
        found = host(text)
    except ValueError as error:
        raise ValueError(f"{error}{_advice(text)}") from None
    if isinstance(found, str):
        return Target(text, name=found)
    if found.is_unspecified:
        raise ValueError(f"{quoted(text)} is the address of no host; 127.0.0.1 is this one")
    return Target(text, addresses=(found,))


def parse_all(texts: Iterable[str]) -> tuple[Target, ...]:
    """Return what `texts` name; ValueError also where that is too much."""
    targets = tuple(map(parse, texts))
    count = sum(len(target.addresses) or 1 for target in targets)
    if count > MOST_ADDRESSES:
        raise ValueError(f"{count:,} addresses are too many; {MOST_ADDRESSES:,} at most")
    return targets


def _network(text: str) -> tuple[Address, ...]:
    base, _, prefix = text.partition("/")
    address = literal(base)
    if address is None or "%" in base or not _PREFIX.fullmatch(prefix):
        raise ValueError(f"{quoted(text)} is no network; as in 192.0.2.0/24")
    if int(prefix) > address.max_prefixlen:
        raise ValueError(f"{quoted(text)} is no network; /{address.max_prefixlen} at most")
    network = ip_network(
        (int(address).to_bytes(address.max_prefixlen // 8), int(prefix)), strict=False
    )
    if network.num_addresses > MOST_ADDRESSES:
        smallest = address.max_prefixlen - MOST_ADDRESSES.bit_length() + 1
        raise ValueError(
            f"{quoted(text)} has too many addresses; /{smallest} or longer, {MOST_ADDRESSES:,} addresses"
        )
    if network.network_address.is_unspecified:
        raise ValueError(
            f"{quoted(text)} has {network.network_address} in it, the address of no host"
        )
    return tuple(network)


def _advice(text: str) -> str:
    begun, colon, end = text.rpartition(":")
    return f"; as in: scan {begun} {end}" if colon and begun and end.isdigit() else ""
