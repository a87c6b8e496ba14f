"""A message of a mailbox, in the few words that a list has for it.

Rule: whatever a sender or a server has written, it is a message; what cannot be read is None.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from attrs import frozen

from netkit.tools.mailing.headers import decoded, fields, text
from netkit.tools.mailing.senders import Mailbox, mailboxes
from netkit.tools.mailing.wire import Value

HEADER_BYTES = 16 * 1024
"""So much is asked for of the fields of a message, and what is behind it is left out."""

ITEMS = (
    b"(UID FLAGS RFC822.SIZE INTERNALDATE"
    b" BODY.PEEK[HEADER.FIELDS (DATE FROM SUBJECT)]<0.%d>)" % HEADER_BYTES
)
"""What is asked for of each message, none of which marks it as read (RFC 3501 6.4.5)."""

_SECTION = "BODY[HEADER.FIELDS"
_ASKED = ("UID", "FLAGS", "RFC822.SIZE", "INTERNALDATE", _SECTION)
_LONGEST_DATE = 100


@frozen
class Message:
    """A message; `size` is in bytes, `date` the sender's and `received` the server's.

    The texts may hold any characters.
    """

    uid: int
    flags: tuple[str, ...] = ()
    size: int | None = None
    date: datetime | None = None
    received: datetime | None = None
    senders: tuple[Mailbox, ...] = ()
    subject: str | None = None


def told(attributes: Mapping[str, Value]) -> dict[str, Value]:
    """Return those of a message's `attributes` that were asked for."""
    named = {
        _SECTION if name.startswith(_SECTION) else name: attributes[name] for name in attributes
    }
    return {name: named[name] for name in _ASKED if name in named}


def read(attributes: Mapping[str, Value]) -> Message | None:
    """Return the message of which a server has `told`; None: of none."""
    uid = _number(attributes.get("UID"))
    if not uid:
        return None
    header = fields(_octets(attributes.get(_SECTION)))
    subject = header.get("subject")
    return Message(
        uid,
        _flags(attributes.get("FLAGS")),
        _number(attributes.get("RFC822.SIZE")),
        date(header.get("date", b"")),
        date(_octets(attributes.get("INTERNALDATE"))),
        mailboxes(header.get("from", b"")),
        None if subject is None else decoded(text(subject)),
    )


def date(octets: bytes) -> datetime | None:
    """Return a date (RFC 5322 3.3, and as IMAP has it) with its offset; None: it is none.

    Where the sender's offset is not known (`-0000`) it is that of UTC.
    """
    try:
        found = parsedate_to_datetime(octets[:_LONGEST_DATE].decode("latin-1"))
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _octets(value: Value) -> bytes:
    return value if isinstance(value, bytes) else b""


def _number(value: Value) -> int | None:
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 20:  # noqa: PLR2004 (as of 64 bits)
        return int(value)
    return None


def _flags(value: Value) -> tuple[str, ...]:
    return (
        tuple(each for each in value if isinstance(each, str)) if isinstance(value, tuple) else ()
    )
