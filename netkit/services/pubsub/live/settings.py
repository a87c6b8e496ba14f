"""The settings of the mount `pubsub`."""

from typing import Annotated, TypeAlias

from attrs import frozen

from netkit.document.values import Between, Bytes, Count, OneOrMore, Seconds
from netkit.http.events import KEEP_ALIVE, PENDING_BYTES
from netkit.http.origins import OriginText
from netkit.services.pubsub.permissions import Permissions, Rules
from netkit.services.pubsub.settings import PatternText

_Patterns: TypeAlias = Annotated[tuple[Annotated[str, PatternText()], ...], OneOrMore()]


@frozen(kw_only=True)
class Allowed:
    """What visitors may publish, or subscribe to: all of `allow`, but none of `deny`.

    Without `allow` that is what the service lets everybody do, and nothing where it asks for logins.
    """

    allow: _Patterns | None = None
    deny: _Patterns = ()

    @property
    def rules(self) -> Rules:
        """The rules, which say nothing against anything where `allow` is left out."""
        allow = None if self.allow is None else tuple(map(str.encode, self.allow))
        return Rules(allow, tuple(map(str.encode, self.deny)))

    @property
    def rules_without_login(self) -> Rules:
        """The same, which allow nothing where `allow` is left out."""
        return Rules((), ()) if self.allow is None else self.rules


_AS_THE_SERVICE = Allowed()


@frozen(kw_only=True)
class Settings:
    """The table.

    Of each subject the last `keep` messages are kept for browsers that come back, of at most
    `keep_subjects`, and `keep_bytes` in all. One stream of events has at most `subjects` patterns;
    a client that does not take its events is let go when `pending_bytes` wait, and gets a comment
    after `keep_alive` seconds without one. `origins` are the foreign pages that may do what our own
    may. `websocket`: NATS is spoken on WebSockets too.
    """

    keep: Annotated[int, Between(0, 10_000, "messages")] = 100
    keep_subjects: Count = 1000
    keep_bytes: Bytes = 8 * 1024 * 1024
    subjects: Annotated[int, Between(1, 1000, "")] = 100
    pending_bytes: Bytes = PENDING_BYTES
    keep_alive: Seconds = KEEP_ALIVE
    origins: tuple[OriginText, ...] = ()
    websocket: bool = True
    publish: Allowed = _AS_THE_SERVICE
    subscribe: Allowed = _AS_THE_SERVICE

    @property
    def limit(self) -> Permissions:
        """What nobody may do more of by this mount, with or without a login."""
        return Permissions(self.publish.rules, self.subscribe.rules)

    def visitors(self, *, locked: bool, anybody: Permissions) -> Permissions:
        """Return what visitors may do: `anybody` may do that much, `locked` asks for logins."""
        if not locked:
            return self.limit.within(anybody)
        return Permissions(
            self.publish.rules_without_login, self.subscribe.rules_without_login
        ).within(anybody)
