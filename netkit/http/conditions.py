"""Conditional requests (RFC 9110 13): what a request's conditions say of the representation that
would be sent. Pure.

Rule: the order is that of 13.2.2. A date that is none is as if it were absent; of a list of entity
tags what stands behind the first mistake is left out, so that a condition never holds by a mistake.
"""

import re
from collections.abc import Iterator, Mapping
from enum import Enum, auto

from attrs import frozen

from netkit.http.dates import parse_date

READING = (b"GET", b"HEAD")

MOST_TAGS = 1000

_TAG = re.compile(rb'[ \t,]*+(W/)?+("[\x21\x23-\x7e\x80-\xff]*+")[ \t]*+(?=,|\Z)')


@frozen
class EntityTag:
    """An entity tag (RFC 9110 8.8.3); `opaque` has its quotes."""

    opaque: bytes
    weak: bool = False

    def __bytes__(self) -> bytes:
        return b"W/" + self.opaque if self.weak else self.opaque


@frozen
class Validators:
    """What tells one version of a representation from another (RFC 9110 8.8).

    `modified` is in seconds since 1970. `dated` says that no other version can have the same
    `modified`, which makes it a strong validator (8.8.2.2).
    """

    tag: EntityTag | None = None
    modified: int | None = None
    dated: bool = False


class Verdict(Enum):
    """What becomes of a request with conditions."""

    PROCEED = auto()
    NOT_MODIFIED = auto()
    FAILED = auto()


def judge(fields: Mapping[bytes, bytes], method: bytes, current: Validators, now: float) -> Verdict:
    """Return what the conditions in `fields` (names in lower case) make of a request (13.2.2).

    `current` are the validators of what would be sent with a 2xx; without one there is nothing to
    judge (13.2.1).
    """
    if not _may_proceed(fields, current, now):
        return Verdict.FAILED
    if not _is_news(fields, method, current, now):
        return Verdict.NOT_MODIFIED if method in READING else Verdict.FAILED
    return Verdict.PROCEED


def _may_proceed(fields: Mapping[bytes, bytes], current: Validators, now: float) -> bool:
    wanted = fields.get(b"if-match")
    if wanted is not None:
        return _is_any(wanted) or _matches_strongly(wanted, current)
    date = _date(fields, b"if-unmodified-since", now)
    return date is None or current.modified is None or current.modified <= date


def _is_news(fields: Mapping[bytes, bytes], method: bytes, current: Validators, now: float) -> bool:
    known = fields.get(b"if-none-match")
    if known is not None:
        return not (_is_any(known) or _matches_weakly(known, current))
    if method not in READING:
        return True
    date = _date(fields, b"if-modified-since", now)
    return date is None or current.modified is None or current.modified > date


def range_applies(if_range: bytes | None, current: Validators, now: float) -> bool:
    """Return whether a range is to be sent, rather than the whole, by the field If-Range (13.1.5)."""
    if if_range is None:
        return True
    date = parse_date(if_range, now)
    if date is not None:
        return current.dated and date == current.modified
    tags = tuple(entity_tags(if_range))
    return len(tags) == 1 and _matches_strongly(if_range, current)


def entity_tags(value: bytes) -> Iterator[EntityTag]:
    """Yield the entity tags of a list, up to the first mistake in it, and at most MOST_TAGS."""
    place = 0
    for _ in range(MOST_TAGS):
        found = _TAG.match(value, place)
        if found is None:
            return
        yield EntityTag(found[2], found[1] is not None)
        place = found.end()


def _is_any(value: bytes) -> bool:
    return value.strip(b" \t") == b"*"


def _matches_strongly(value: bytes, current: Validators) -> bool:
    tag = current.tag
    return tag is not None and not tag.weak and tag in entity_tags(value)


def _matches_weakly(value: bytes, current: Validators) -> bool:
    tag = current.tag
    return tag is not None and any(each.opaque == tag.opaque for each in entity_tags(value))


def _date(fields: Mapping[bytes, bytes], name: bytes, now: float) -> int | None:
    value = fields.get(name)
    return None if value is None else parse_date(value, now)
