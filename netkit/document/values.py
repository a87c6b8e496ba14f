"""What a value in a file may be, beyond its type.

A setting's type is `Annotated[python type, Check]`; a check returns what is wrong and what would be
right, or None. The types stand here once, so that a port is a port in every table.
"""

import re
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Protocol, TypeAlias, TypeVar

from attrs import frozen

Item = TypeVar("Item")
Network: TypeAlias = IPv4Network | IPv6Network


class Check(Protocol):
    """Looks at a value of the right type."""

    def complaint(self, value: object) -> str | None:
        """Return what is wrong with `value` and what would be right, or None."""


@frozen
class Between:
    """A number of `unit` from `low` to `high`, both included."""

    low: float
    high: float
    unit: str

    def complaint(self, value: object) -> str | None:
        """Return the range where `value` is outside it."""
        if isinstance(value, int | float) and self.low <= value <= self.high:
            return None
        return f"{value} is out of range; {self.low:g} to {self.high:.15g} {self.unit}".rstrip()


@frozen
class Matching:
    """A text of the form `pattern`; `right` says it in words."""

    pattern: re.Pattern[str]
    right: str

    def complaint(self, value: object) -> str | None:
        """Return the form where `value` does not have it."""
        if self.pattern.fullmatch(str(value)):
            return None
        return f"{quoted(str(value))} is not right; {self.right}"


@frozen
class ReadBy:
    """A text that `read` can read, which raises ValueError with what is wrong and what would be right.

    What it shows of the text is its own affair: of a password nothing.
    """

    read: Callable[[str], object]

    def complaint(self, value: object) -> str | None:
        """Return what `read` says against `value`."""
        try:
            self.read(str(value))
        except ValueError as error:
            return str(error)
        return None


@frozen
class OneOrMore:
    """Marks a tuple that may be written as one value or as a list."""


_YEAR = 366 * 24 * 3600

Seconds = Annotated[float, Between(0.001, _YEAR, "seconds")]
SecondsOrNever = Annotated[float, Between(0, _YEAR, "seconds, 0 for never")]
Count = Annotated[int, Between(1, 10_000_000, "")]
Bytes = Annotated[int, Between(1, 2**40, "bytes")]
Port = Annotated[int, Between(1, 65535, "")]


def did_you_mean(written: str, right: Iterable[str]) -> str:
    """Return the advice for a name that is none of `right`: the nearest of them, or all."""
    names = sorted(right)
    begun = [name for name in names if written and name.startswith(written)]
    near = begun[:1] or get_close_matches(written, names, n=1)
    if near:
        return f"did you mean {quoted(near[0])}?"
    return f"one of {', '.join(map(quoted, names))}" if names else "nothing may stand here"


def quoted(text: str) -> str:
    """Return `text` in double quotes, without a control character, at most 80 characters of it."""
    shown = printable(text)
    return f'"{shown if len(shown) <= 80 else shown[:77] + "..."}"'  # noqa: PLR2004


def printable(text: str) -> str:
    """Return `text` with every character that a terminal could act on written as an escape.

    These are the C0 and C1 controls and DEL, the marks that turn the direction of writing
    (CVE-2021-42574), line separators and lone surrogates; everything else stays.
    """
    return text if text.isascii() and text.isprintable() else _UNPRINTABLE.sub(_escape, text)


_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def _escape(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode("ascii")
