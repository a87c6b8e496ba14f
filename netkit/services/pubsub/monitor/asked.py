"""What a request for connections asks for, from its query, in the words of NATS. Pure.

Rule: what asks for something that is not to be had here is said to be wrong, and not passed over: the
answer would be read as one to the question.
"""

from collections.abc import Callable, Mapping
from enum import Enum
from typing import TypeVar
from urllib.parse import parse_qsl

from attrs import frozen

_Value = TypeVar("_Value")

MOST = 1024
"""The most connections in one answer."""

_FIELDS = 32
_DIGITS = 18
_NOT_OFFERED = ("acc", "user", "mqtt_client", "filter_subject")
_TRUE = ("1", "t", "true")
_FALSE = ("0", "f", "false", "")


class AskedError(ValueError):
    """The query asks for nothing that could be had; the answer to it is 400."""


class Sort(Enum):
    """By what connections are sorted; by `cid` and `start` the least comes first, else the most."""

    CID = "cid"
    START = "start"
    SUBSCRIPTIONS = "subs"
    PENDING = "pending"
    MESSAGES_TO = "msgs_to"
    MESSAGES_FROM = "msgs_from"
    BYTES_TO = "bytes_to"
    BYTES_FROM = "bytes_from"
    LAST = "last"
    IDLE = "idle"
    UPTIME = "uptime"
    ROUND_TRIP = "rtt"


class Listed(Enum):
    """What is said of each connection's subscriptions besides their number."""

    NOTHING = "0"
    SUBJECTS = "1"
    DETAIL = "detail"


@frozen(kw_only=True)
class Asked:
    """At most `limit` connections behind the first `offset`, or the one with the number `cid`.

    `auth`: with the names of those who have logged in.
    """

    sort: Sort = Sort.CID
    offset: int = 0
    limit: int = MOST
    cid: int = 0
    auth: bool = False
    listed: Listed = Listed.NOTHING


def asked(query: bytes) -> Asked:
    """Return what is asked for; AskedError says what is wrong. What nobody knows is passed over."""
    named = _named(query)
    for name in _NOT_OFFERED:
        if named.get(name):
            raise AskedError(f"{name} is not offered here")
    if named.get("state", "").lower() not in {"", "open"}:
        raise AskedError("a state is open; connections that are closed are not kept")
    cid = _read(named, "cid", _number, 0)
    limit = min(_read(named, "limit", _number, MOST) or MOST, MOST)
    return Asked(
        sort=_read(named, "sort", _sort, Sort.CID),
        offset=_read(named, "offset", _number, 0),
        limit=1 if cid else limit,
        cid=cid,
        auth=_read(named, "auth", _flag, False),  # noqa: FBT003 (the default)
        listed=_read(named, "subs", _listed, Listed.NOTHING),
    )


def _named(query: bytes) -> Mapping[str, str]:
    try:
        return dict(
            parse_qsl(query.decode("ascii"), keep_blank_values=True, max_num_fields=_FIELDS)
        )
    except ValueError:
        raise AskedError("the query has too many parameters, or is not ASCII") from None


def _read(
    named: Mapping[str, str], name: str, read: Callable[[str], _Value], default: _Value
) -> _Value:
    if not named.get(name):
        return default
    try:
        return read(named[name])
    except ValueError as wrong:
        raise AskedError(f"{name} is {wrong}") from None


def _number(written: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) <= _DIGITS):
        raise ValueError("a whole number of 0 or more")
    return int(written)


def _flag(written: str) -> bool:
    if written.lower() not in _TRUE + _FALSE:
        raise ValueError("1 or 0")
    return written.lower() in _TRUE


def _listed(written: str) -> Listed:
    if written.lower() == Listed.DETAIL.value:
        return Listed.DETAIL
    if written.lower() not in _TRUE + _FALSE:
        raise ValueError("1, 0 or detail")
    return Listed.SUBJECTS if written.lower() in _TRUE else Listed.NOTHING


def _sort(written: str) -> Sort:
    try:
        return Sort(written.lower())
    except ValueError:
        raise ValueError(f"one of {', '.join(each.value for each in Sort)}") from None
