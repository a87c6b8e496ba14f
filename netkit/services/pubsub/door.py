"""Who comes in to a pub/sub service, and what they may do there.

Rule: without a login where one is needed nobody does anything; where none is needed everybody may do
what the permissions of `*` say. What the service itself says nobody else may say.
"""

from collections.abc import Iterator
from copy import copy

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress

from netkit.net.clients import ClientName
from netkit.net.logins import BusyError, Elsewhere, Logins, TooManyTriesError, in_threads
from netkit.net.users import passwords
from netkit.services.kind import World
from netkit.services.pubsub.nats.greeting import Connect
from netkit.services.pubsub.permissions import OWN, Permissions
from netkit.services.pubsub.settings import Settings

TOKEN = ""
"""The name under which the token is checked: nobody can have it."""
ANYBODY = "*"


class Door:
    """Checks logins by `settings`; the work on passwords is done `elsewhere`, else in threads."""

    def __init__(
        self, settings: Settings, world: World, elsewhere: Elsewhere | None = None
    ) -> None:
        self.locked = settings.wants_login
        self._by_certificate = frozenset(settings.certificate_users)
        self._permissions = {
            name: table.permissions.besides(OWN) for name, table in settings.permissions.items()
        }
        self._anybody = self._permissions.get(ANYBODY, Permissions().besides(OWN))
        self._logins: Logins | None = None
        if settings.users or settings.passwords or settings.token:
            written = {**settings.users, **({TOKEN: settings.token} if settings.token else {})}
            known = passwords(written, settings.passwords)
            self._logins = Logins(
                known, elsewhere or in_threads(world.network), world.clock, world.log
            )

    def within(self, limit: Permissions) -> "Door":
        """Return a door with the same logins, behind which nobody may do more than `limit` says."""
        door = copy(self)
        door._limit(limit)  # noqa: SLF001 (of its kind)
        return door

    def _limit(self, limit: Permissions) -> None:
        self._anybody = limit.within(self._anybody)
        self._permissions = {
            name: limit.within(permissions) for name, permissions in self._permissions.items()
        }

    def permissions(self, user: str = ANYBODY) -> Permissions:
        """Return what `user` may do."""
        return self._permissions.get(user, self._anybody)

    def name(self, greeting: Connect, shown: ClientName | None) -> str:
        """Return who a client is that was admitted; empty where that is nobody in particular."""
        by_certificate = (name for name in _names(shown) if name in self._by_certificate)
        return next(by_certificate, greeting.user)

    def admit(
        self, greeting: Connect, peer: IAddress, shown: ClientName | None
    ) -> Permissions | Deferred[Permissions | None] | None:
        """Return what a client may do that greets so and has `shown` a certificate; None: nothing.

        The Deferred can be cancelled.
        """
        for name in _names(shown):
            if name in self._by_certificate:
                return self.permissions(name)
        user = greeting.user or TOKEN
        password = greeting.password if greeting.user else greeting.token
        if self._logins is None or not password:
            return None
        try:
            right = self._logins.check(user, password, peer)
        except (BusyError, TooManyTriesError):
            return None
        if isinstance(right, Deferred):
            return right.addCallback(lambda right: self.permissions(user) if right else None)
        return self.permissions(user)


def _names(shown: ClientName | None) -> Iterator[str]:
    if shown is not None:
        yield from (*shown.emails, *shown.dns_names, *shown.uris)
        if shown.common_name is not None:
            yield shown.common_name
