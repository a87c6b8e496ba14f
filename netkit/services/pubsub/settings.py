"""What a pub/sub service's table and its listeners' tables may hold."""

from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, TypeAlias

from attrs import field, frozen

from netkit.document.values import (
    Between,
    Bytes,
    Count,
    OneOrMore,
    Seconds,
    did_you_mean,
    quoted,
)
from netkit.net.users import HASH, HashText, Users
from netkit.services.kind import Complaint
from netkit.services.pubsub.fabric.settings import Fabric
from netkit.services.pubsub.fabric.settings import complaints as of_fabric
from netkit.services.pubsub.permissions import Permissions, Rules, is_own
from netkit.services.pubsub.policies import Policies, Policy
from netkit.services.pubsub.subjects import is_pattern, is_subject


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
class HashOrNothing:
    """Checks a hash that may be left out."""

    def complaint(self, value: object) -> str | None:
        """Return what is wrong with `value` as a hash."""
        return HASH.complaint(value) if value else None


@frozen
class PatternText:
    """Checks a pattern as it is written in a file."""

    def complaint(self, value: object) -> str | None:
        """Return what is wrong with `value` as a pattern."""
        if is_pattern(str(value).encode(errors="surrogateescape")):
            return None
        return f'{quoted(str(value))} is no pattern; subjects with * or > in them, as in "a.>"'


_Patterns: TypeAlias = Annotated[tuple[Annotated[str, PatternText()], ...], OneOrMore()]


@frozen
class Options:
    """A listener's own keys.

    A NATS client begins TLS once it has been greeted, unless with `handshake_first`; others always
    begin with it.
    """

    protocol: Protocol = Protocol.LINE
    handshake_first: bool = False


@frozen(kw_only=True)
class RulesTable:
    """To which subjects a user may publish, or subscribe: all of `allow`, but none of `deny`."""

    allow: _Patterns = (">",)
    deny: _Patterns = ()

    @property
    def rules(self) -> Rules:
        """The rules that this says."""
        allow = None if self.allow == (">",) else tuple(map(str.encode, self.allow))
        return Rules(allow, tuple(map(str.encode, self.deny)))


_EVERYTHING = RulesTable()


@frozen(kw_only=True)
class PermissionsTable:
    """What a user may do."""

    publish: RulesTable = _EVERYTHING
    subscribe: RulesTable = _EVERYTHING

    @property
    def permissions(self) -> Permissions:
        """The permissions that this says."""
        return Permissions(self.publish.rules, self.subscribe.rules)


@frozen(kw_only=True)
class SlowRule:
    """What becomes of messages to a subject for which a slow client has no room."""

    subject: Annotated[str, PatternText()]
    policy: Policy


@frozen(kw_only=True)
class Nats:
    """The table `nats`: what a client that speaks NATS may do, and how long it may take.

    A message has `max_payload` bytes at most, headers included, a control line `control_line`; a
    client has so many `subscriptions`. Who has said nothing for `ping_interval` is asked whether it
    is there, and let go when it has not answered `pings_out` times. Who has to log in, or begins TLS,
    has `login_timeout` for that. When the service stops the clients are told so, and let go one by one
    within `lame_duck`.
    """

    max_payload: Annotated[int, Between(1, 64 * 1024 * 1024, "bytes")] = 1024 * 1024
    control_line: Annotated[int, Between(512, 64 * 1024, "bytes")] = 4096
    subscriptions: Count = 10_000
    ping_interval: Seconds = 120.0
    pings_out: Count = 2
    login_timeout: Seconds = 2.0
    lame_duck: Seconds = 5.0


NATS = Nats()
NO_FABRIC = Fabric()


@frozen(kw_only=True)
class Settings:
    """The table.

    `lines` is the subject on which line clients hear each other, and whoever else is there.
    `line_bytes` is the longest line, without its end. There are so many `clients` at most, and so many
    `subscriptions` of all of them together. A client is let go when more than
    `pending_bytes` wait for it, or when something has waited for it for `pending_seconds`. By the first
    rule of `slow` that matches a message such a client may go without it. `nats` is about the clients
    that speak NATS, `fabric` about the cluster that the node is an edge of.

    Where there are `users`, or more of them in the file `passwords`, or a hashed `token`, or
    `certificate_users`, which are names in clients' certificates, NATS clients have to log in by one
    of these. Users may do everything for which `permissions` say nothing else; those of `*` are for
    everybody who has none of their own. (Line clients have no login, and reach one subject only.)
    """

    lines: Annotated[str, SubjectText()] = "lines"
    line_bytes: Bytes = 4096
    clients: Count = 10_000
    subscriptions: Count = 1_000_000
    pending_bytes: Bytes = 8 * 1024 * 1024
    pending_seconds: Seconds = 10.0
    slow: tuple[SlowRule, ...] = ()
    users: dict[str, HashText] = field(factory=dict, repr=False)
    passwords: Path | None = None
    token: Annotated[str, HashOrNothing()] = field(default="", repr=False)
    certificate_users: tuple[str, ...] = ()
    permissions: dict[str, PermissionsTable] = field(factory=dict)
    nats: Nats = NATS
    fabric: Fabric = NO_FABRIC

    @property
    def policies(self) -> Policies:
        """What slow clients may go without."""
        return Policies((rule.subject.encode(), rule.policy) for rule in self.slow)

    @property
    def wants_login(self) -> bool:
        """Whether NATS clients have to log in."""
        return bool(self.users or self.passwords or self.token or self.certificate_users)


def complaints(settings: Settings) -> Iterator[Complaint]:
    """Yield what is wrong with the fabric, the subject of lines and the users.

    Raise ConfigError for problems in the file of passwords.
    """
    yield from of_fabric(settings.fabric)
    if is_own(settings.lines.encode()):
        yield Complaint(("lines",), "is what the service alone publishes; another subject")
    known = Users.of(settings.users, settings.passwords)
    for path, wrong in known.complaints:
        yield Complaint(path, wrong)
    names = {*known.names, *settings.certificate_users, "*"}
    for name in settings.permissions.keys() - names:
        if not known.spoilt:
            advice = did_you_mean(name, names)
            yield Complaint(("permissions", name), f"there is no user {quoted(name)}; {advice}")
    if known.mistakes is not None:
        raise known.mistakes
