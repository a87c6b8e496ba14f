"""What an asker is told: users as text, in the short and the long form of the classic finger.

Rule: plain values in, text out; how text becomes bytes is `wire`'s business.
"""

from collections.abc import Iterable, Sequence
from enum import Enum

from attrs import frozen

from netkit.document.values import printable
from netkit.services.finger.directory import Profile, User
from netkit.services.finger.wire import Query

_WIDEST = 32


class Outcome(Enum):
    """How a query ended, in the words of the log."""

    FOUND = "found"
    LISTED = "listed"
    NO_SUCH_USER = "no such user"
    LIST_DENIED = "list denied"
    FORWARDING_DENIED = "forwarding denied"
    FAILED = "internal error"
    LEFT = "left before the answer"
    LATE = "no answer in time"


@frozen
class Answer:
    """An answer's text, and what the log says of it."""

    text: str
    outcome: Outcome


NO_SUCH_USER = Answer("No such user", Outcome.NO_SUCH_USER)
INTERNAL_ERROR = Answer("Internal error in server", Outcome.FAILED)
# The words of RFC 1288 3.2.1 and 3.2.2.
FORWARDING_DENIED = Answer("Finger forwarding service denied", Outcome.FORWARDING_DENIED)
LIST_DENIED = Answer("Finger online user list denied", Outcome.LIST_DENIED)
QUERY_TOO_LONG = "Query too long"


def refusal(query: Query, *, listing: bool) -> Answer | None:
    """Return the answer to a query that is refused whoever the users are, else None."""
    if query.hosts:
        return FORWARDING_DENIED
    if not query.name and not listing:
        return LIST_DENIED
    # Keeps what could act on a terminal away from backends, and so from what they write to logs.
    return NO_SUCH_USER if printable(query.name) != query.name else None


def short_form(users: Sequence[User]) -> str:
    """Return a table with a line for each of `users`."""
    if not users:
        return "Nobody is listed"
    rows = [("Login", "Name", "Office", "Phone"), *map(_cells, users)]
    widths = [min(max(map(len, column)), _WIDEST) for column in zip(*rows, strict=True)]
    return _text(_row(row, widths) for row in rows)


def long_form(profile: Profile) -> str:
    """Return everything about one user."""
    login, name, office, phone = _cells(profile.user)
    lines = [_pair(f"Login: {login}", f"Name: {name}")]
    if office or phone:
        lines.append(_pair(office and f"Office: {office}", phone and f"Phone: {phone}"))
    project, plan = profile.project.rstrip(), profile.plan.rstrip()
    lines += ["Project:", project] if project else []
    lines += ["Plan:", plan] if plan else ["No Plan."]
    return _text(lines)


def long_forms(profiles: Iterable[Profile]) -> str:
    """Return everything about several users, a blank line between two."""
    return "\n".join(map(long_form, profiles))


def _cells(user: User) -> tuple[str, str, str, str]:
    return (
        printable(user.login),
        printable(user.name),
        printable(user.office),
        printable(user.phone),
    )


def _row(cells: Iterable[str], widths: Iterable[int]) -> str:
    padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
    return "  ".join(padded).rstrip()


def _pair(left: str, right: str) -> str:
    return f"{left:<39} {right}".strip() if left else right


def _text(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
