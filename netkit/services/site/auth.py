"""Mounts that want a login (RFC 7617): which, by whom, for which methods, and how one is checked.

Rule: what is protected is a mount, wherever its path leads, so that no way of writing a path gets
past; and every method needs the login that is not said to need none. What a protected mount answers
is never taken for an answer to others.
"""

import re
from collections.abc import Awaitable, Collection, Iterator
from http import HTTPStatus
from typing import Annotated
from unicodedata import normalize

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress

from netkit.document.values import Matching, did_you_mean, quoted
from netkit.http.basicauth import Credentials, challenge, credentials
from netkit.http.messages import Handler, Request, Response
from netkit.http.pages import error_page
from netkit.net.logins import BusyError, Logins, TooManyTriesError
from netkit.services.kind import Complaint

_RETRY = (b"Retry-After", b"10")

_Realm = Annotated[
    str,
    Matching(re.compile(r"[\x20\x21\x23-\x5b\x5d-\x7e]{1,100}"), "printable ASCII without quotes"),
]
_Method = Annotated[str, Matching(re.compile(r"[A-Z][A-Z-]{0,30}"), 'a method, as in "GET"')]


@frozen
class AuthRule:
    """One rule: the mount at `path` wants a login, of one of `users` or else of anybody known.

    Requests whose method is one of `open_methods` need none. `realm` is what a browser shows.
    """

    path: str
    users: tuple[str, ...] = ()
    open_methods: tuple[_Method, ...] = ()
    realm: _Realm = "netkit"


def protected(handler: Handler, rule: AuthRule, logins: Logins) -> Handler:
    """Return `handler` behind a login."""
    open_methods = frozenset(method.encode() for method in rule.open_methods)
    users = frozenset(normalize("NFC", user) for user in rule.users)
    asking = ((b"WWW-Authenticate", challenge(rule.realm)),)

    def answer(request: Request) -> Response | Awaitable[Response]:
        return handler(request) if request.method in open_methods else checked(request)

    async def checked(request: Request) -> Response:
        login = credentials(request.header(b"authorization"))
        if login is None:
            return error_page(HTTPStatus.UNAUTHORIZED, headers=asking)
        try:
            right = await _is_right(logins, login, request.client.peer)
        except TooManyTriesError:
            return error_page(HTTPStatus.TOO_MANY_REQUESTS, headers=(_RETRY,))
        except BusyError:
            return error_page(HTTPStatus.SERVICE_UNAVAILABLE, headers=(_RETRY,))
        if not right:
            return error_page(HTTPStatus.UNAUTHORIZED, headers=asking)
        if users and normalize("NFC", login.user) not in users:
            return error_page(HTTPStatus.FORBIDDEN)
        response = handler(request)
        if not isinstance(response, Response):
            response = await response
        return evolve(response, repeatable=False) if response.repeatable else response

    return answer


async def _is_right(logins: Logins, login: Credentials, peer: IAddress) -> bool:
    answer = logins.check(login.user, login.password, peer)
    return await answer if isinstance(answer, Deferred) else answer


def complaints(
    rules: tuple[AuthRule, ...], mounts: Collection[str], known: Collection[str] | None
) -> Iterator[Complaint]:
    """Yield what is wrong with the rules of a host that has `mounts`; `known` are the site's users.

    Where nobody can say who they are, None, there is no complaint about them.
    """
    seen: set[str] = set()
    for index, rule in enumerate(rules):
        if rule.path not in mounts:
            text = f"there is no mount {quoted(rule.path)} here; {did_you_mean(rule.path, mounts)}"
            yield Complaint((index, "path"), text)
        if rule.path in seen:
            yield Complaint((index, "path"), f"{quoted(rule.path)} is taken; one rule for a mount")
        if known is not None and not known:
            yield Complaint((index,), "lets nobody in; write users or passwords of the service")
        for place, user in enumerate(rule.users):
            if known and user not in known:
                text = f"there is no user {quoted(user)}; {did_you_mean(user, known)}"
                yield Complaint((index, "users", place), text)
        seen.add(rule.path)
