"""What a pub/sub service's table and its listeners' tables may hold."""

from collections.abc import Iterable
from enum import Enum
from typing import Annotated

from attrs import frozen

from netkit.document.values import Between, Bytes, Count, Seconds, quoted
from netkit.services.kind import Complaint
from netkit.services.pubsub.fabric.settings import Fabric
from netkit.services.pubsub.fabric.settings import complaints as of_fabric
from netkit.services.pubsub.subjects import is_subject


class Protocol(Enum):
    """What a listener's clients speak."""

    LINE = "line"
    NATS = "nats"


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
class Nats:
    """The table `nats`: what a client that speaks NATS may do, and how long it may take.

    A message has `max_payload` bytes at most, headers included, a control line `control_line`; a
    client has so many `subscriptions`. Who has said nothing for `ping_interval` is asked whether it
    is there, and let go when it has not answered `pings_out` times.
    """

    max_payload: Annotated[int, Between(1, 64 * 1024 * 1024, "bytes")] = 1024 * 1024
    control_line: Annotated[int, Between(512, 64 * 1024, "bytes")] = 4096
    subscriptions: Count = 10_000
    ping_interval: Seconds = 120.0
    pings_out: Count = 2


NATS = Nats()
NO_FABRIC = Fabric()


@frozen(kw_only=True)
class Settings:
    """The table.

    `lines` is the subject on which line clients hear each other, and whoever else is there.
    `line_bytes` is the longest line, without its end. A client is let go when more than
    `pending_bytes` wait for it, or when something has waited for it for `pending_seconds`. `nats` is
    about the clients that speak NATS, `fabric` about the cluster that the node is an edge of.
    """

    lines: Annotated[str, SubjectText()] = "lines"
    line_bytes: Bytes = 4096
    clients: Count = 10_000
    pending_bytes: Bytes = 8 * 1024 * 1024
    pending_seconds: Seconds = 10.0
    nats: Nats = NATS
    fabric: Fabric = NO_FABRIC


def complaints(settings: Settings) -> Iterable[Complaint]:
    """Return what is wrong between the keys."""
    return of_fabric(settings.fabric)
