"""What a pub/sub service's table and its listeners' tables may hold."""

from enum import Enum
from typing import Annotated

from attrs import frozen

from netkit.document.values import Bytes, Count, Seconds, quoted
from netkit.services.pubsub.subjects import is_subject


class Protocol(Enum):
    """What a listener's clients speak."""

    LINE = "line"


@frozen
class SubjectText:
    """Checks a subject as it is written in a file."""

    def complaint(self, value: object) -> str | None:
        """Return what is wrong with `value` as a subject."""
        if is_subject(str(value).encode(errors="surrogateescape")):
            return None
        return f'{quoted(str(value))} is no subject; words with dots between, as in "a.b"'


@frozen
class Options:
    """A listener's own keys."""

    protocol: Protocol = Protocol.LINE


@frozen(kw_only=True)
class Settings:
    """The table.

    `lines` is the subject on which line clients hear each other, and whoever else is there.
    `line_bytes` is the longest line, without its end. A client is let go when more than
    `pending_bytes` wait for it, or when something has waited for it for `pending_seconds`.
    """

    lines: Annotated[str, SubjectText()] = "lines"
    line_bytes: Bytes = 4096
    clients: Count = 10_000
    pending_bytes: Bytes = 8 * 1024 * 1024
    pending_seconds: Seconds = 10.0
