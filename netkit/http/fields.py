"""What field values are made of: tokens, lists, quoted strings, parameters and weights (RFC 9110 5.6).

Pure. Rule: nothing a peer writes makes these raise, or take more than one pass over it; what cannot
be understood is left out, or is None where the caller has to know.
"""

import re
from collections.abc import Mapping
from itertools import islice

from attrs import frozen

MOST_ITEMS = 100

WHOLE = 1000
"""The weight of what is wanted most, in thousandths (RFC 9110 12.4.2)."""

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]++")
_QUOTED = re.compile(rb'"((?:[^"\\]++|\\.)*+)"', re.DOTALL)
_ESCAPED = re.compile(rb"\\(.)", re.DOTALL)
_WEIGHT = re.compile(rb"0(?:\.(\d{0,3}))?|1(?:\.0{0,3})?")


def _between(separator: bytes) -> re.Pattern[bytes]:
    """Return what matches up to the next `separator` that stands in no quoted string."""
    return re.compile(rb'(?:[^"' + separator + rb']++|"(?:[^"\\]++|\\.)*+(?:"|\\?\Z))++', re.DOTALL)


_MEMBER = _between(b",")
_PART = _between(b";")


@frozen
class Item:
    """A member of a list, in lower case, with its parameters; the names of these are in lower case."""

    value: bytes
    parameters: Mapping[bytes, bytes]

    @property
    def weight(self) -> int:
        """Return the weight in thousandths; one that cannot be understood is as if it were absent."""
        return weight(self.parameters.get(b"q", b"1"))


def is_token(value: bytes) -> bool:
    """Return whether `value` is a token (RFC 9110 5.6.2)."""
    return _TOKEN.fullmatch(value) is not None


def members(value: bytes) -> tuple[bytes, ...]:
    """Return the members of a list without those that are empty (RFC 9110 5.6.1).

    A comma in a quoted string separates nothing; a quoted string that does not end takes the rest.
    """
    return tuple(filter(None, (each.strip(b" \t") for each in _MEMBER.findall(value))))


def unquoted(value: bytes) -> bytes | None:
    """Return the content of a quoted string (RFC 9110 5.6.4), or a token as it is, or else None."""
    if is_token(value):
        return value
    quoted = _QUOTED.fullmatch(value)
    return _ESCAPED.sub(rb"\1", quoted[1]) if quoted else None


def item(member: bytes) -> Item:
    """Return a member taken apart (RFC 9110 5.6.6); of parameters of one name the first counts."""
    # The blank lets the value be found where it is empty.
    value, *parts = (part.strip(b" \t") for part in _PART.findall(b" " + member))
    parameters: dict[bytes, bytes] = {}
    for part in parts:
        name, equals, written = part.partition(b"=")
        content = unquoted(written)
        if equals and is_token(name) and content is not None:
            parameters.setdefault(name.lower(), content)
    return Item(value.lower(), parameters)


def items(value: bytes) -> tuple[Item, ...]:
    """Return the members of a list of preferences, taken apart; the first MOST_ITEMS of them."""
    found = (each[0].strip(b" \t") for each in _MEMBER.finditer(value))
    return tuple(item(each) for each in islice(found, MOST_ITEMS) if each)


def weight(written: bytes) -> int:
    """Return a weight in thousandths; one that cannot be understood counts as 1."""
    found = _WEIGHT.fullmatch(written)
    if found is None or written[:1] == b"1":
        return WHOLE
    return int((found[1] or b"0").ljust(3, b"0"))
