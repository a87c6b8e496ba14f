"""A message as it is shown: a row of a table, a line of a pipe, or JSON.

Rule: no character that a terminal could act on leaves this but in JSON, which escapes them.
"""

from datetime import datetime

from attrs import frozen
from rich.cells import cell_len, set_cell_size

from netkit.document.values import printable
from netkit.tools.mailing.message import Message
from netkit.tools.mailing.senders import listed

_GAP = "  "
_WIDE = 80  # cells, from which on a date has its time
_NARROWEST = 8


@frozen
class Table:
    """Rows that are `width` cells of a terminal wide; the first column has room for `longest`."""

    width: int
    longest: int

    def row(self, message: Message) -> str:
        """Return the row of `message`; its date is in the zone of this host."""
        number = str(message.uid).rjust(self.longest)
        when = _when(message, wide=self.width >= _WIDE)
        sender = printable(listed(each.brief for each in message.senders)) or "(no sender)"
        room = max(self.width - len(number) - len(when) - 3 * len(_GAP), 2 * _NARROWEST)
        for_sender = max(min(room // 3, 30), _NARROWEST)
        subject = "(no subject)" if message.subject is None else printable(message.subject)
        cells = (number, when, fit(sender, for_sender), fit(subject, room - for_sender))
        return _GAP.join(cells).rstrip()


def fit(text: str, width: int) -> str:
    """Return `text` in exactly so many cells, with an ellipsis where something is left out."""
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + "…"


def line(message: Message) -> str:
    """Return UID, date, sender and subject, with a tab between each."""
    texts = (str(message.uid), _iso(message.date or message.received) or "", *_texts(message))
    return "\t".join(map(printable, texts))


def as_json(message: Message) -> dict[str, object]:
    """Return what JSON shows of a message; what there is not is null."""
    return {
        "uid": message.uid,
        "date": _iso(message.date),
        "received": _iso(message.received),
        "from": _senders(message) or None,
        "subject": message.subject,
        "flags": list(message.flags),
        "size": message.size,
    }


def _texts(message: Message) -> tuple[str, str]:
    return _senders(message), message.subject or ""


def _senders(message: Message) -> str:
    return listed(map(str, message.senders))


def _iso(date: datetime | None) -> str | None:
    return None if date is None else date.isoformat()


def _when(message: Message, *, wide: bool) -> str:
    form = "%Y-%m-%d %H:%M" if wide else "%Y-%m-%d"
    date = message.date or message.received
    if date is None:
        return "?".ljust(16 if wide else 10)
    try:
        return date.astimezone().strftime(form)
    except (OverflowError, ValueError, OSError):  # a year that this host's zone knows nothing of
        return date.strftime(form)
