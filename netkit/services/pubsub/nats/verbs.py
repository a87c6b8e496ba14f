"""What the lines of the protocol say, as values.

A message is a `Published` (netkit.services.pubsub.messages), whichever side it comes from.
"""

from enum import Enum
from typing import TypeAlias

from attrs import frozen

from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats.greeting import Connect, Info


class Signal(Enum):
    """The verbs without anything to say."""

    PING = b"PING"
    PONG = b"PONG"
    OK = b"+OK"


@frozen
class Subscribe:
    """A client wants what is published to `pattern`, and calls that `sid`; `queue` may be empty."""

    pattern: bytes
    sid: bytes
    queue: bytes = b""


@frozen
class Unsubscribe:
    """A client wants no more under `sid`, or `most` messages in all since it subscribed."""

    sid: bytes
    most: int | None = None


@frozen
class Complaint:
    """A server is not content; `words` are without their quotes."""

    words: bytes


@frozen
class Refusal:
    """The peer broke a rule: `words` are what it is told in `-ERR`, without the quotes.

    After one that is `fatal` nothing more is read from the peer, and the connection ends.
    """

    words: bytes
    fatal: bool = True


Event: TypeAlias = (
    Published | Subscribe | Unsubscribe | Connect | Info | Signal | Complaint | Refusal
)

UNKNOWN = Refusal(b"Unknown Protocol Operation")
LINE_TOO_LONG = Refusal(b"maximum control line exceeded")
PAYLOAD_TOO_LONG = Refusal(b"Maximum Payload Violation")
BAD_SUBSCRIPTION = Refusal(b"Invalid Subject", fatal=False)
BAD_SUBJECT = Refusal(b"Invalid Publish Subject", fatal=False)
"""The message is dropped. NATS says so to pedantic clients only; to others nothing."""
