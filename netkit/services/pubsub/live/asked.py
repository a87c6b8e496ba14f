"""What a request for events asks for, from its query and fields. Pure.

Rule: what a person has written wrong is said to be wrong; what a browser sends by itself, and could
only send again, is passed over.
"""

import re
from urllib.parse import parse_qsl

from attrs import frozen

from netkit.services.pubsub.subjects import covers, is_pattern

_MANY = 16
"""Parameters of a query beside the patterns."""

_NUMBER = re.compile(r"[0-9]{1,18}")
_FORMATS = ("json", "text")


class AskedError(ValueError):
    """The query asks for nothing that could be had; the answer to it is 400."""


@frozen
class Asked:
    """The patterns, none of which covers another, and from which message on: those after `since`.

    Without `since` only new messages are wanted. With `text` they are wanted as text, else as JSON.
    """

    patterns: tuple[bytes, ...]
    since: int | None = None
    text: bool = False


def asked(query: bytes, last_event_id: str | None, most: int) -> Asked:
    """Return what is asked for, by at most `most` patterns; AskedError says what is wrong.

    The id of the last event, which a browser sends that comes back, counts more than the query.
    """
    try:
        parameters = parse_qsl(
            query.decode("ascii"),
            keep_blank_values=True,
            errors="surrogateescape",
            max_num_fields=most + _MANY,
        )
    except ValueError:
        raise AskedError("the query has too many parameters, or is not ASCII") from None
    named = dict(parameters)
    since = _since(named.get("since"))
    if last_event_id is not None and _NUMBER.fullmatch(last_event_id):
        since = int(last_event_id)
    form = named.get("format", "json")
    if form not in _FORMATS:
        raise AskedError("a format is json or text")
    patterns = [_pattern(value) for name, value in parameters if name == "subject"]
    if not 1 <= len(patterns) <= most:
        raise AskedError(f"write 1 to {most} subjects, as in ?subject=a.b&subject=c.>")
    return Asked(narrowed(patterns), since, form == "text")


def narrowed(patterns: list[bytes]) -> tuple[bytes, ...]:
    """Return the patterns without those that another one covers."""
    different = tuple(dict.fromkeys(patterns))
    return tuple(
        each
        for each in different
        if not any(other != each and covers(other, each) for other in different)
    )


def text_subject(written: str) -> bytes:
    """Return a subject or pattern as bytes; AskedError: it was no UTF-8."""
    try:
        return written.encode()
    except UnicodeEncodeError:
        raise AskedError("a subject is written in UTF-8") from None


def _pattern(written: str) -> bytes:
    pattern = text_subject(written)
    if not is_pattern(pattern):
        raise AskedError("a subject is words with dots between; * and > may stand for words")
    return pattern


def _since(written: str | None) -> int | None:
    if written is None:
        return None
    if written == "all":
        return 0
    if not _NUMBER.fullmatch(written):
        raise AskedError('since is "all", or the id of an event')
    return int(written)
