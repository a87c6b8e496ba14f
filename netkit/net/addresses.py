"""IP addresses and host names, as people, peers and the kernel write them.

Pure. Rule: what a C library would take for an address is that address here too, and what is neither
an address nor a name goes to no resolver, so that no way of writing an address gets past a check.
"""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address
from itertools import chain, zip_longest
from typing import TypeAlias

import idna
from attrs import frozen

from netkit.document.values import Network, quoted

Address: TypeAlias = IPv4Address | IPv6Address

LONGEST_NAME = 253  # characters, without a dot at the end (RFC 1035 2.3.4)

_ZONED = re.compile(r"[0-9A-Fa-f:.]+(?:%[A-Za-z0-9_.~-]{1,15})?")
_NAME = re.compile(
    r"(?:[A-Za-z0-9_-]{1,63}\.)*"
    r"(?!(?:[0-9]+|0[xX][0-9A-Fa-f]*)\.?\Z)"  # no top-level domain is a number (RFC 3696 2)
    r"[A-Za-z0-9_-]{1,63}\.?"
)
_NUMBER = re.compile(r"(0[0-7]*)|([1-9][0-9]*)|(0[xX][0-9A-Fa-f]+)")
_BASES = (0, 8, 10, 16)  # by the group that matched
_PARTS = 4


@frozen
class SocketAddress:
    """Where one end of a connection is."""

    host: Address
    port: int

    def __str__(self) -> str:
        bracketed = isinstance(self.host, IPv6Address)
        return f"[{self.host}]:{self.port}" if bracketed else f"{self.host}:{self.port}"


def host(text: str) -> Address | str:
    """Return the address that `text` stands for, or else the name for a resolver, in ASCII.

    Raise ValueError where it is neither.
    """
    in_ascii = _in_ascii(text)
    address = literal(in_ascii)
    if address is not None:
        return address
    if len(in_ascii.removesuffix(".")) > LONGEST_NAME or not _NAME.fullmatch(in_ascii):
        raise ValueError(f"{quoted(text)} is neither an address nor a host name")
    return in_ascii


def literal(text: str) -> Address | None:
    """Return the address that `text` stands for, or None where it stands for none.

    IPv4 is read as inet_aton(3) does (`0x7f.1` is 127.0.0.1), also with a dot at the end. IPv6 may
    stand in brackets, and may have a zone (RFC 4007 11; in brackets as in RFC 6874 too).
    """
    if len(text) > LONGEST_NAME:
        return None
    if text.startswith("[") and text.endswith("]"):
        return _v6(text[1:-1].replace("%25", "%", 1))
    return _v6(text) if ":" in text else _v4(text.removesuffix("."))


def plain(text: str) -> Address:
    """Return the address of a peer as a transport names it, without zone, unmapped from IPv6."""
    return unmapped(ip_address(text.partition("%")[0]))


def unmapped(address: Address) -> Address:
    """Return the IPv4 address where `address` is one, mapped to IPv6 (RFC 4291 2.5.5.2)."""
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def within(address: Address, networks: Iterable[Network]) -> bool:
    """Return whether `address` is in one of `networks`."""
    return any(address in network for network in networks)


def interleaved(addresses: Sequence[Address]) -> list[Address]:
    """Return `addresses` with the families taking turns, the first one's first (RFC 8305 4)."""
    first = [each for each in addresses if each.version == addresses[0].version]
    second = [each for each in addresses if each.version != addresses[0].version]
    pairs = chain.from_iterable(zip_longest(first, second))
    return [each for each in pairs if each is not None]


def _in_ascii(text: str) -> str:
    """Return `text` as IDNA has it (RFC 5891, UTS 46), which knows many ways to write a digit."""
    if text.isascii() or len(text) > LONGEST_NAME:
        return text
    try:
        return idna.encode(text, uts46=True).decode("ascii")
    except UnicodeError:
        return text


def _v6(text: str) -> IPv6Address | None:
    if not _ZONED.fullmatch(text):
        return None
    try:
        return IPv6Address(text)
    except ValueError:
        return None


def _v4(text: str) -> IPv4Address | None:
    parts = text.split(".")
    numbers = [number for number in map(_number, parts) if number is not None]
    if len(parts) > _PARTS or len(numbers) < len(parts):
        return None
    *leading, last = numbers
    if any(number > 0xFF for number in leading) or last >= 1 << 8 * (_PARTS - len(leading)):  # noqa: PLR2004
        return None
    high = sum(number << 8 * (_PARTS - 1 - place) for place, number in enumerate(leading))
    return IPv4Address(high + last)


def _number(text: str) -> int | None:
    """Return the value of a C number: `0x` before hexadecimal digits, `0` before octal ones."""
    match = _NUMBER.fullmatch(text)
    return int(text, _BASES[match.lastindex or 0]) if match else None
