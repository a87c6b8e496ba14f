"""Who may use the proxy: by network, and by a login where users are known (RFC 9110 11.7).

Rule: who is in no network of clients is told nothing of logins.
"""

from functools import lru_cache
from http import HTTPStatus

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress

from netkit.document.values import Network
from netkit.http.asking import Problem
from netkit.http.basicauth import challenge, credentials
from netkit.http.messages import Request
from netkit.net.addresses import plain, within
from netkit.net.logins import BusyError, Logins, TooManyTriesError
from netkit.net.peer import LOCAL
from netkit.services.proxy.decisions import DeniedError
from netkit.services.proxy.settings import Settings

KNOWN_CLIENTS = 1024
"""So many addresses are remembered for the networks that they are in."""

_RETRY = (b"Retry-After", b"10")


class Admission:
    """Lets clients in, by `settings`; `logins` is None where nobody has to log in."""

    def __init__(self, settings: Settings, logins: Logins | None) -> None:
        self._logins = logins
        self._challenge = ((b"Proxy-Authenticate", challenge(settings.realm)),)
        self._admits = lru_cache(KNOWN_CLIENTS)(lambda peer: _in(peer, settings.clients))
        self._is_open = lru_cache(KNOWN_CLIENTS)(lambda peer: _in(peer, settings.open_clients))

    def user(self, request: Request, peer: str) -> str | Deferred[str]:
        """Return who asks from `peer`: the user, or the empty string for one who need not log in.

        Raise DeniedError, or fail with it, for who may not use the proxy.
        """
        if not self._admits(peer):
            raise DeniedError("clients", "This proxy does not serve your address.")
        if self._logins is None or self._is_open(peer):
            return ""
        login = credentials(request.header(b"proxy-authorization"))
        if login is None:
            raise self._unknown()
        right = self._check(self._logins, login.user, login.password, request.client.peer)
        if isinstance(right, Deferred):
            return right.addCallback(self._checked, login.user)
        return self._checked(right, login.user)

    def _check(
        self, logins: Logins, user: str, password: str, peer: IAddress
    ) -> bool | Deferred[bool]:
        try:
            return logins.check(user, password, peer)
        except TooManyTriesError:
            status = HTTPStatus.TOO_MANY_REQUESTS
        except BusyError:
            status = HTTPStatus.SERVICE_UNAVAILABLE
        raise DeniedError(
            "the limits of logins",
            "There were too many logins. Try again later.",
            status,
            problem=Problem.CONNECTION_LIMIT_REACHED,
            headers=(_RETRY,),
        )

    def _checked(self, right: bool, user: str) -> str:  # noqa: FBT001 (a callback's)
        if not right:
            raise self._unknown()
        return user

    def _unknown(self) -> DeniedError:
        return DeniedError(
            "users",
            "This proxy wants to know who you are.",
            HTTPStatus.PROXY_AUTHENTICATION_REQUIRED,
            headers=self._challenge,
        )


def _in(peer: str, networks: tuple[Network, ...]) -> bool:
    """Return whether an address is in one of `networks`; a UNIX socket's mode says who may connect."""
    return peer == LOCAL or within(plain(peer), networks)
