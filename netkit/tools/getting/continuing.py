"""Going on with a file of which a part is there (RFC 9110 13.1.5, 14). Pure.

Rule: two parts are put together only where the server has said that they are of the same thing, by a
validator that changes with every byte.
"""

import re
from enum import Enum, auto
from http import HTTPStatus

from attrs import frozen

from netkit.http.dates import parse_date
from netkit.http.messages import Headers, ResponseHead

CERTAIN_AFTER = 1
"""Seconds from Last-Modified to Date, behind which nothing changed twice in the same second (8.8.2.2)."""

_STRONG = re.compile(rb'"[\x21\x23-\x7e\x80-\xff]*"')
_RANGE = re.compile(rb"bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_UNSATISFIED = re.compile(rb"bytes \*/([0-9]{1,18})")


@frozen
class Part:
    """The first `size` bytes of what a URL had, as `validator` names it; `length` is of the whole."""

    size: int
    validator: bytes
    length: int | None


class Verdict(Enum):
    """What an answer is to who asked for the rest."""

    REST = auto()
    """The rest, or its beginning."""
    WHOLE = auto()
    """Everything anew: it has changed, or the server knows no ranges."""
    NOTHING = auto()
    """There is no rest: all was there."""
    UNFIT = auto()
    """Nothing that fits; the whole has to be asked for."""
    OTHER = auto()
    """An answer of another sort, as an error."""


def validator(head: ResponseHead, now: float) -> bytes:
    """Return what names exactly what came with `head`: a strong ETag or a date; empty for neither."""
    tag = head.fields.get(b"etag", b"")
    if _STRONG.fullmatch(tag):
        return tag
    changed = head.fields.get(b"last-modified", b"")
    seconds = parse_date(changed, now)
    date = parse_date(head.fields.get(b"date", b""), now)
    if tag or seconds is None or date is None or date - seconds < CERTAIN_AFTER:
        return b""
    return changed


def asking_for_rest(part: Part) -> Headers:
    """Return the fields that ask for what is behind `part`, or for all if that is of something else."""
    return ((b"Range", b"bytes=%d-" % part.size), (b"If-Range", part.validator))


def verdict(head: ResponseHead, part: Part) -> Verdict:
    """Return what `head` is in answer to `asking_for_rest`."""
    said = head.fields.get(b"content-range", b"")
    if head.status == HTTPStatus.PARTIAL_CONTENT:
        return Verdict.REST if _fits(said, head, part) else Verdict.UNFIT
    if head.status == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        found = _UNSATISFIED.fullmatch(said)
        is_all = found is not None and int(found[1]) == part.size == (part.length or part.size)
        return Verdict.NOTHING if is_all else Verdict.UNFIT
    return Verdict.WHOLE if head.status == HTTPStatus.OK else Verdict.OTHER


def _fits(said: bytes, head: ResponseHead, part: Part) -> bool:
    found = _RANGE.fullmatch(said)
    if found is None or head.fields.get(b"content-encoding"):
        return False
    first, last = int(found[1]), int(found[2])
    length = part.length if found[3] == b"*" else int(found[3])
    if first != part.size or last < first or (length is not None and last >= length):
        return False
    if part.length is not None and length != part.length:
        return False
    tag = head.fields.get(b"etag", part.validator)
    return not part.validator.startswith(b'"') or tag == part.validator


def whole_length(head: ResponseHead) -> int | None:
    """Return the length of the whole of which an answer has a part, or that of what it has, if known."""
    found = _RANGE.fullmatch(head.fields.get(b"content-range", b""))
    if head.status == HTTPStatus.PARTIAL_CONTENT and found is not None:
        return None if found[3] == b"*" else int(found[3])
    return head.length
