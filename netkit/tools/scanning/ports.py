"""Ports as people write them: "22", "1-200", "80,443,8000-8100", "http".

Pure. Rule: what is read is a set of ports, in ascending order, each once, whatever it was written as.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from netkit.document.values import quoted

HIGHEST = 65535

_RANGE = re.compile("([0-9]{0,5})-([0-9]{0,5})")
_NUMBER = re.compile("[0-9]{1,5}")
_RIGHT = f'a port (1 to {HIGHEST}), a range such as "1-200", or the name of a service'


def looks_like_ports(text: str) -> bool:
    """Return whether `text`, the last argument of a command line, is for ports and not for a host.

    It is where it has a comma, or is a digit and then digits and hyphens. So a single service is
    written "http,", or where nothing but ports may stand.
    """
    return "," in text or re.fullmatch("[0-9][0-9-]*", text) is not None


def parse(text: str, by_name: Callable[[str], int | None]) -> tuple[int, ...]:
    """Return the ports that `text` names; `by_name` returns the port of a service, or None.

    A range without a beginning begins at 1, one without an end ends at 65535: "-" is all ports.
    Raise ValueError with what is wrong and what would be right.
    """
    spans = [_span(part, by_name) for part in map(str.strip, text.split(",")) if part]
    if not spans:
        raise ValueError(f"{quoted(text)} names no port; {_RIGHT}")
    return tuple(_merged(spans))


def spans(ports: Iterable[int]) -> str:
    """Return `ports`, in ascending order, in the shortest way to write them."""
    found: list[list[int]] = []
    for port in ports:
        if found and found[-1][1] == port - 1:
            found[-1][1] = port
        else:
            found.append([port, port])
    return ",".join(f"{low}" if low == high else f"{low}-{high}" for low, high in found)


def _span(part: str, by_name: Callable[[str], int | None]) -> tuple[int, int]:
    if _NUMBER.fullmatch(part):
        return _port(part), _port(part)
    named = by_name(part)  # before ranges: there are services with a hyphen in their name
    if named is not None:
        return named, named
    match = _RANGE.fullmatch(part)
    if match is None:
        raise ValueError(f"{quoted(part)} is no port and no known service; {_RIGHT}")
    low, high = _port(match[1] or "1"), _port(match[2] or str(HIGHEST))
    if low > high:
        raise ValueError(f'{quoted(part)} ends before it begins; "{high}-{low}"')
    return low, high


def _port(digits: str) -> int:
    port = int(digits)
    if not 0 < port <= HIGHEST:
        raise ValueError(f"{port} is not a port; 1 to {HIGHEST}")
    return port


def _merged(spans: Iterable[tuple[int, int]]) -> Iterator[int]:
    last = 0
    for low, high in sorted(spans):
        yield from range(max(low, last + 1), high + 1)
        last = max(last, high)
