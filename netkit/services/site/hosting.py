"""One host of a site: its settings, what can be wrong with them, and its answer to a request.

The same settings stand at the top of a site's table, for the default host, and in each of its
tables `host`. Rule: what is not configured is not on a request's way.
"""

from collections.abc import Awaitable, Callable, Collection, Iterable, Iterator
from functools import lru_cache
from http import HTTPStatus
from typing import Annotated, Any, TypeAlias

from attrs import evolve, field, frozen

from netkit.document.values import Between, ReadBy, quoted
from netkit.http.messages import Handler, Request, Response
from netkit.http.pages import error_page
from netkit.net.logins import Logins
from netkit.services.kind import Complaint, Mount, Reference
from netkit.services.site import auth, fields, redirects
from netkit.services.site.auth import AuthRule, protected
from netkit.services.site.fields import FieldRule, FieldRules
from netkit.services.site.hosts import WILDCARD, BadAuthorityError, host_of, pattern
from netkit.services.site.redirects import Redirect, Redirects, moved
from netkit.services.site.routes import (
    BadTargetError,
    Routes,
    decoded_path,
    mount_path_complaint,
)

Answer: TypeAlias = Response | Awaitable[Response]
Within: TypeAlias = Callable[[Request, str], Answer]
"""What answers a request whose decoded path is known."""

REMEMBERED = 1024
"""So many paths are remembered with where they lead,"""

REMEMBERED_BYTES = 256
"""and no longer ones."""

PRELOAD_SECONDS = 31_536_000  # the least that browsers' lists of preloaded hosts take

_HTTPS = 443
_HIGHEST_PORT = 65535


@frozen
class HttpsPort:
    """Checks the key `https`: true or false, or the number of a port."""

    def complaint(self, value: object) -> str | None:
        """Return the form where `value` does not have it."""
        if isinstance(value, bool) or (isinstance(value, int) and 1 <= value <= _HIGHEST_PORT):
            return None
        return f"{quoted(str(value))} is not right; true, false, or a port as in 8443"


@frozen
class HostSettings:
    """What the default host and the others have.

    `https`: visitors without TLS are sent to this port with it, or 443 where it is true. `hsts`: so
    many seconds browsers shall come with TLS only (RFC 6797; 0 for not saying so), of which the
    other two are options.
    """

    mount: tuple[Mount, ...] = ()
    redirect: tuple[Redirect, ...] = field(default=(), kw_only=True)
    headers: tuple[FieldRule, ...] = field(default=(), kw_only=True)
    auth: tuple[AuthRule, ...] = field(default=(), kw_only=True)
    https: Annotated[Any, HttpsPort()] = field(default=False, kw_only=True)
    hsts: Annotated[int, Between(0, 2**31, "seconds, 0 for none")] = field(default=0, kw_only=True)
    hsts_subdomains: bool = field(default=False, kw_only=True)
    hsts_preload: bool = field(default=False, kw_only=True)

    @property
    def https_port(self) -> int | None:
        """The port to which visitors without TLS are sent, if they are."""
        if isinstance(self.https, bool):
            return _HTTPS if self.https else None
        return int(self.https)

    @property
    def strict_transport(self) -> bytes:
        """The value of Strict-Transport-Security; empty for none."""
        options = "; includeSubDomains" * self.hsts_subdomains + "; preload" * self.hsts_preload
        return f"max-age={self.hsts}{options}".encode() if self.hsts else b""


@frozen
class Host(HostSettings):
    """One table `host`: a host by its names, each as in "example.org" or "*.example.org"."""

    names: tuple[Annotated[str, ReadBy(pattern)], ...] = field(kw_only=True)

    @property
    def patterns(self) -> tuple[str, ...]:
        """The names in canonical form."""
        return tuple(map(pattern, self.names))


def hosted(
    settings: HostSettings, built: Callable[[Mount], Handler], logins: Logins | None
) -> Handler:
    """Return what answers the requests for a host, with its mounts as `built` makes them."""
    answer = _mounted(settings, built, logins)
    if settings.redirect:
        answer = _redirected(Redirects(settings.redirect), answer)
    if settings.headers:
        answer = _with_fields(FieldRules(settings.headers), answer)
    handler = _decoded(answer)
    if settings.https_port is not None:
        handler = _over_tls(settings, settings.https_port, handler)
    return _strict(settings.strict_transport, handler) if settings.hsts else handler


def nobody(request: Request) -> Response:  # noqa: ARG001 (a Handler)
    """Answer for a name that no host of a site has (RFC 9110 15.5.20)."""
    return error_page(HTTPStatus.MISDIRECTED_REQUEST)


def _mounted(
    settings: HostSettings, built: Callable[[Mount], Handler], logins: Logins | None
) -> Within:
    rules = {rule.path: rule for rule in settings.auth}

    def guarded(mount: Mount) -> Handler:
        handler, rule = built(mount), rules.get(mount.path)
        if rule is None:
            return handler
        assert logins, "a site with rules has logins"  # noqa: S101 (see Site)
        return protected(handler, rule, logins)

    routes = Routes.of((mount.path, guarded(mount)) for mount in settings.mount)
    known = lru_cache(REMEMBERED)(routes.find)

    def answer(request: Request, path: str) -> Answer:
        place = known(path) if len(path) <= REMEMBERED_BYTES else routes.find(path)
        if place is None:
            return error_page(HTTPStatus.NOT_FOUND)
        return place.mounted(
            Request(
                head=request.head,
                body=request.body,
                client=request.client,
                path=place.path,
                base=place.base,
            )
        )

    return answer


def _decoded(answer: Within) -> Handler:
    known = lru_cache(REMEMBERED)(decoded_path)

    def decoding(request: Request) -> Answer:
        target = request.head.target
        try:
            path = known(target) if len(target) <= REMEMBERED_BYTES else decoded_path(target)
        except BadTargetError:
            return error_page(HTTPStatus.BAD_REQUEST)
        return answer(request, path)

    return decoding


def _redirected(rules: Redirects, answer: Within) -> Within:
    def redirecting(request: Request, path: str) -> Answer:
        return rules.answer(path, request.query) or answer(request, path)

    return redirecting


def _with_fields(rules: FieldRules, answer: Within) -> Within:
    return lambda request, path: _then(
        answer(request, path), lambda response: rules.changed(response, path)
    )


def _strict(value: bytes, handler: Handler) -> Handler:
    """Add Strict-Transport-Security to answers over TLS, and to no others (RFC 6797 7.2)."""
    strict = (b"Strict-Transport-Security", value)

    def added(response: Response) -> Response:
        return evolve(response, headers=(*response.headers, strict))

    def answer(request: Request) -> Answer:
        return _then(handler(request), added) if request.client.secure else handler(request)

    return answer


def _over_tls(settings: HostSettings, port: int, handler: Handler) -> Handler:
    """Send visitors without TLS to the same place with it."""
    suffix = "" if port == _HTTPS else f":{port}"
    names = settings.patterns if isinstance(settings, Host) else ()
    usual = next((name for name in names if not name.startswith(WILDCARD)), "")

    def answer(request: Request) -> Answer:
        if request.client.secure:
            return handler(request)
        try:
            decoded_path(request.head.target)
            name = host_of(request.head.authority) if request.head.authority else usual
        except (BadTargetError, BadAuthorityError):
            name = ""
        if not name:
            return error_page(HTTPStatus.BAD_REQUEST)
        return moved(
            f"https://{name}{suffix}{_origin_form(request.head.target)}",
            HTTPStatus.PERMANENT_REDIRECT,
        )

    return answer


def _origin_form(target: bytes) -> str:
    """Return the path and query of a target that has been found valid, still encoded."""
    text = target.decode("ascii")
    if text.startswith("/"):
        return text
    after = text.partition("//")[2]
    start = min((at for at in (after.find("/"), after.find("?")) if at >= 0), default=len(after))
    rest = after[start:]
    return rest if rest.startswith("/") else "/" + rest


def _then(answer: Answer, change: Callable[[Response], Response]) -> Answer:
    """Return what `change` makes of an answer, at once where it is there."""
    return change(answer) if isinstance(answer, Response) else _later(answer, change)


async def _later(answer: Awaitable[Response], change: Callable[[Response], Response]) -> Response:
    return change(await answer)


def references(settings: HostSettings) -> Iterable[Reference]:
    """Yield a reference for each mount that shows another service."""
    for index, mount in enumerate(settings.mount):
        if mount.service is not None and mount.kind.shows:
            yield Reference(("mount", index, "service"), mount.service, mount.kind.shows)


def complaints(settings: HostSettings, users: Collection[str] | None) -> Iterator[Complaint]:
    """Yield what is wrong with a host of a site that knows `users` (None: nobody can say)."""
    yield from _mounts_complaints(settings)
    mounts = {mount.path for mount in settings.mount}
    for key, found in (
        ("redirect", redirects.complaints(settings.redirect)),
        ("headers", fields.complaints(settings.headers)),
        ("auth", auth.complaints(settings.auth, mounts, users)),
    ):
        for complaint in found:
            yield Complaint((key, *complaint.path), complaint.text)
    yield from _hsts_complaints(settings)


def _hsts_complaints(settings: HostSettings) -> Iterator[Complaint]:
    for key in ("hsts_subdomains", "hsts_preload"):
        if getattr(settings, key) and not settings.hsts:
            yield Complaint((key,), "needs hsts beside it; as in hsts = 31536000")
    lasting = settings.hsts >= PRELOAD_SECONDS and settings.hsts_subdomains
    if settings.hsts_preload and settings.hsts and not lasting:
        text = f"needs hsts of at least {PRELOAD_SECONDS} and hsts_subdomains = true"
        yield Complaint(("hsts_preload",), text)


def _mounts_complaints(settings: HostSettings) -> Iterator[Complaint]:
    seen: set[str] = set()
    for index, mount in enumerate(settings.mount):
        for complaint in _mount_complaints(mount, seen):
            yield Complaint(("mount", index, *complaint.path), complaint.text)
        seen.add(mount.path)


def _mount_complaints(mount: Mount, seen: set[str]) -> Iterator[Complaint]:
    wrong = mount_path_complaint(mount.path)
    if wrong:
        yield Complaint(("path",), f"{quoted(mount.path)} is not right; {wrong}")
    if mount.path in seen:
        yield Complaint(("path",), f"{quoted(mount.path)} is taken; each mount has its own path")
    if mount.service is None and mount.kind.shows:
        yield Complaint(
            ("service",), f"is missing; the name of a service of kind {mount.kind.shows}"
        )
    if mount.service is not None and not mount.kind.shows:
        yield Complaint(("service",), f"means nothing here; {mount.kind.name} shows no service")
    yield from mount.kind.complaints(mount.settings)
