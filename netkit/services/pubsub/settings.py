"""What a pub/sub service's table and its listeners' tables may hold."""

from enum import Enum

from attrs import frozen

from netkit.document.values import Bytes, Count, Seconds


class Protocol(Enum):
    """What a listener's clients speak."""

    LINE = "line"


@frozen
class Options:
    """A listener's own keys."""

    protocol: Protocol = Protocol.LINE


@frozen(kw_only=True)
class Settings:
    """The table.

    `line_bytes` is the longest line, without its end. A client is let go when more than
    `pending_bytes` wait for it, or when something has waited for it for `pending_seconds`.
    """

    line_bytes: Bytes = 4096
    clients: Count = 1000
    pending_bytes: Bytes = 1024 * 1024
    pending_seconds: Seconds = 10.0
