"""What may be tried again, and when.

Pure; chance and time come in by argument. Rule: what a server may have acted on already is tried again
only where that does no harm (RFC 9110 9.2.2).
"""

from http import HTTPStatus

from netkit.http.asking import IDEMPOTENT, AskError
from netkit.http.dates import parse_date
from netkit.http.messages import ResponseHead
from netkit.tools.web.fetching import LASTING

FIRST_DELAY = 1.0
LONGEST_DELAY = 60.0
LONGEST_WAIT = 300.0
"""Seconds; a server that wants to be left alone for longer is not asked again."""

_PASSING = frozenset(
    (
        HTTPStatus.REQUEST_TIMEOUT,
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.INTERNAL_SERVER_ERROR,
        HTTPStatus.BAD_GATEWAY,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.GATEWAY_TIMEOUT,
    )
)


def delay(attempt: int, chance: float) -> float:
    """Return how long to wait before the attempt number `attempt`, the second being 1, in seconds.

    `chance`, from 0 to 1, spreads those who were all refused at once.
    """
    most: float = min(FIRST_DELAY * 2.0 ** min(attempt - 1, 30), LONGEST_DELAY)
    return most * (0.5 + chance / 2)


def may_follow(error: AskError, method: bytes) -> bool:
    """Return whether a request by `method` may be sent again that failed with `error`."""
    return error.problem not in LASTING and (error.untouched or method in IDEMPOTENT)


def wait_for(
    head: ResponseHead, method: bytes, attempt: int, now: float, chance: float
) -> float | None:
    """Return how long to wait before asking again what was answered with `head`; None: do not.

    `now` is in seconds since 1970 (RFC 9110 10.2.3 has Retry-After as a date, or in seconds).
    """
    if head.status not in _PASSING or method not in IDEMPOTENT:
        return None
    own = delay(attempt, chance)
    asked = head.fields.get(b"retry-after", b"")
    if asked.isdigit():
        wanted = float(asked[:9])
    else:
        date = parse_date(asked, now)
        wanted = 0.0 if date is None else date - now
    return max(own, wanted) if wanted <= LONGEST_WAIT else None
