"""Ranges of bytes (RFC 9110 14): which parts of a representation a client gets. Pure.

Rule: a range never costs more than the whole would, or not much: more than MOST ranges, or ranges of
more than TIMES the representation together, are not taken up and the client gets the whole (14.2).
"""

import re
from collections.abc import Sequence

from attrs import frozen

MOST = 10
TIMES = 2

_RANGE = re.compile(rb"(\d*+)-(\d*+)")
_DIGITS = 18


@frozen
class Span:
    """`length` bytes, at least one, from `offset`."""

    offset: int
    length: int


@frozen
class Multipart:
    """The body of a 206 with several ranges (RFC 9110 14.6): before each span its head, then `end`."""

    parts: tuple[tuple[bytes, Span], ...]
    end: bytes

    @property
    def length(self) -> int:
        """Return the number of bytes of the whole body."""
        return sum(len(head) + span.length for head, span in self.parts) + len(self.end)


def spans(value: bytes, size: int) -> tuple[Span, ...] | None:
    """Return what the field Range asks of a representation of `size` bytes, in the order asked for.

    None stands for a field that is not to be taken up: of another unit, with a mistake, or asking for
    too much. An empty tuple is a range that cannot be satisfied; the answer is 416.
    """
    unit, equals, written = value.partition(b"=")
    ranges = [each.strip(b" \t") for each in written.split(b",", 10 * MOST)]
    ranges = [each for each in ranges if each]
    if not equals or unit.lower() != b"bytes" or not 0 < len(ranges) <= MOST:
        return None
    found: list[Span] = []
    for each in ranges:
        bounds = _bounds(each)
        if bounds is None or (size == 0 and bounds[0] is None and bounds[1]):
            return None
        found += _span(*bounds, size)
    return None if sum(span.length for span in found) > TIMES * size else tuple(found)


def _bounds(written: bytes) -> tuple[int | None, int | None] | None:
    """Return the numbers on both sides of the hyphen, or None for what is no range."""
    found = _RANGE.fullmatch(written)
    if found is None or len(written) == 1:
        return None
    first, last = _number(found[1]), _number(found[2])
    return None if first is not None and last is not None and first > last else (first, last)


def _number(digits: bytes) -> int | None:
    """Return the number; one that is larger than any file is that of _DIGITS nines."""
    if not digits:
        return None
    digits = digits.lstrip(b"0") or b"0"
    return int(digits if len(digits) <= _DIGITS else b"9" * _DIGITS)


def _span(first: int | None, last: int | None, size: int) -> tuple[Span, ...]:
    if first is None:
        first, last = max(size - (last or 0), 0), size - 1
    end = size if last is None else min(last + 1, size)
    return (Span(first, end - first),) if first < end else ()


def content_range(span: Span, size: int) -> bytes:
    """Return the value of Content-Range for a part of `size` bytes (RFC 9110 14.4)."""
    return b"bytes %d-%d/%d" % (span.offset, span.offset + span.length - 1, size)


def unsatisfied(size: int) -> bytes:
    """Return the value of Content-Range for a 416."""
    return b"bytes */%d" % size


def multipart(parts: Sequence[Span], size: int, media_type: bytes, boundary: bytes) -> Multipart:
    """Return how several ranges are sent; `boundary` must be one that nobody can foresee."""
    heads = (
        b"\r\n--%b\r\nContent-Type: %b\r\nContent-Range: %b\r\n\r\n"
        % (boundary, media_type, content_range(span, size))
        for span in parts
    )
    return Multipart(tuple(zip(heads, parts, strict=True)), b"\r\n--%b--\r\n" % boundary)
