"""Dates in fields (RFC 9110 5.6.7): one form goes out, three come in. Pure.

A date is seconds since 1970, without leap seconds.
"""

import re
from calendar import timegm
from collections.abc import Iterable
from email.utils import formatdate

LAST = 253402300799
"""The last second of the year 9999, behind which the form has no room."""

_DAYS = rb"Mon|Tue|Wed|Thu|Fri|Sat|Sun"
_LONG_DAYS = rb"Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday"
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun",
           b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")  # fmt: skip
_MONTH = b"(?P<month>" + b"|".join(_MONTHS) + b")"
_TIME = rb"(?P<hour>[01]\d|2[0-3]):(?P<minute>[0-5]\d):(?P<second>[0-5]\d|60)"


def _form(*parts: bytes) -> re.Pattern[bytes]:
    return re.compile(b"".join(parts))


_FIXED = _form(
    b"(?:", _DAYS, rb"), (?P<day>\d\d) ", _MONTH, rb" (?P<year>\d{4}) ", _TIME, b" GMT"
)  # fmt: skip
_RFC_850 = _form(
    b"(?:", _LONG_DAYS, rb"), (?P<day>\d\d)-", _MONTH, rb"-(?P<year>\d\d) ", _TIME, b" GMT"
)  # fmt: skip
_ASCTIME = _form(
    b"(?:", _DAYS, b") ", _MONTH, rb" (?P<day>\d\d| \d) ", _TIME, rb" (?P<year>\d{4})"
)  # fmt: skip

_CENTURY = 100
_AHEAD = 50  # years
_LENGTHS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def http_date(seconds: float) -> bytes:
    """Return the form that is sent, IMF-fixdate; a time that has none is as near as there is."""
    return formatdate(min(max(int(seconds), 0), LAST), usegmt=True).encode()


def parse_date(value: bytes, now: float) -> int | None:
    """Return the seconds of a date in any of the three forms, or None where it is none.

    A year of two digits is the one that is at most fifty years after `now`. The day of the week has
    to be one, and is not compared with the date.
    """
    for form in (_FIXED, _RFC_850, _ASCTIME):
        found = form.fullmatch(value)
        if found:
            month = _MONTHS.index(found["month"]) + 1
            clock = (int(found[name]) for name in ("hour", "minute", "second"))
            return _seconds(_year(found["year"], now), month, int(found["day"]), clock)
    return None


def _year(written: bytes, now: float) -> int:
    year = int(written)
    if len(written) > 2:  # noqa: PLR2004 (digits)
        return year
    present = int(http_date(now)[12:16])
    year += present // _CENTURY * _CENTURY
    if year > present + _AHEAD:
        return year - _CENTURY
    return year + _CENTURY if year + _CENTURY <= present + _AHEAD else year


def _seconds(year: int, month: int, day: int, clock: Iterable[int]) -> int | None:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    short = month == 2 and not leap  # noqa: PLR2004 (February)
    if year < 1 or not 1 <= day <= _LENGTHS[month - 1] - short:
        return None
    return timegm((year, month, day, *clock))
