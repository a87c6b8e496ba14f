"""The site as a service: its settings, what can be wrong with them, and requests led to mounts.

Rule: nothing here knows a mount by name, or the server under the site.
"""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from attrs import field, frozen
from twisted.application.service import IService, MultiService
from twisted.internet.defer import Deferred

from netkit.document.values import quoted
from netkit.http import accesstable
from netkit.http.limits import DEFAULTS, Limits
from netkit.http.messages import Handler, Request, Response
from netkit.http.pages import error_page
from netkit.http.server import HandlerFactory
from netkit.net.logins import Logins, in_threads
from netkit.net.users import HashText, Users, passwords
from netkit.services.kind import (
    Complaint,
    Kind,
    Mount,
    NoOptions,
    Reference,
    References,
    Running,
    World,
)
from netkit.services.site import hosting
from netkit.services.site.hosting import Host, HostSettings, nobody
from netkit.services.site.hosts import BadAuthorityError, Hosts
from netkit.services.site.mounts import MOUNTS


@frozen
class Settings(HostSettings):
    """A site's own keys, and those of its default host.

    `host` are the other hosts. `users` are those who may log in, with their hashed passwords, and
    `passwords` is a file of more of them. `http` says what a request may cost.
    """

    host: tuple[Host, ...] = field(default=(), kw_only=True)
    users: dict[str, HashText] = field(factory=dict, kw_only=True, repr=False)
    passwords: Path | None = field(default=None, kw_only=True)
    http: Limits = field(default=DEFAULTS, kw_only=True)
    access_log: bool | accesstable.AccessFile = True


class Site(Running[NoOptions]):
    """A running site: all its listeners share its mounts and what they remember."""

    def __init__(self, settings: Settings, references: References, world: World) -> None:
        self._settings = settings
        self._world = world
        self._access_log = accesstable.built(settings.access_log, world.clock, world.log)
        self._mounts = MultiService()
        logins = self._logins()

        def built(mount: Mount) -> Handler:
            shown = references.get(mount.service or "")
            handler: Handler = mount.kind.build(mount.settings, shown, world)
            if IService.providedBy(handler):
                self._mounts.addService(handler)
            return handler

        def hosted(host: HostSettings) -> Handler:
            return hosting.hosted(host, built, logins)

        default = hosted(settings)
        self.answer: Handler = self._named(hosted, default) if settings.host else default

    def factory(self, options: NoOptions) -> HandlerFactory:  # noqa: ARG002 (a site has none)
        """Return what serves the site to one listener's connections."""
        settings, world = self._settings, self._world
        return HandlerFactory(
            self.answer,
            clock=world.clock,
            log=world.log,
            limits=settings.http,
            served=self._access_log.served,
        )

    def startService(self) -> None:
        """Open the access log, as who the process is by now, and start what mounts have to start."""
        super().startService()
        self._access_log.start()
        self._mounts.startService()

    def stopService(self) -> Deferred[list[Any]]:
        """Stop the mounts and close the access log; what still ends is written there all the same."""
        super().stopService()
        self._access_log.stop()
        stopped: Deferred[list[Any]] = self._mounts.stopService()
        return stopped

    def _named(self, built: Callable[[HostSettings], Handler], default: Handler) -> Handler:
        """Return what leads requests to hosts by their names (RFC 9110 7.4)."""
        settings = self._settings
        shown = bool(settings.mount or settings.redirect)
        default = default if shown else nobody
        hosts = Hosts([(host.patterns, built(host)) for host in settings.host], default)

        def answer(request: Request) -> Response | Awaitable[Response]:
            authority, asked = request.head.authority, request.client.server_name
            if not authority:  # of HTTP/1.0
                return (default if asked is None else hosts.of_server_name(asked))(request)
            try:
                handler = hosts.of_authority(authority)
            except BadAuthorityError:
                return error_page(HTTPStatus.BAD_REQUEST)
            if asked is not None and hosts.of_server_name(asked) is not handler:
                return nobody(request)
            return handler(request)

        return answer

    def _logins(self) -> Logins | None:
        """Return who may log in, where somebody has to."""
        settings, world = self._settings, self._world
        if not any(host.auth for host in (settings, *settings.host)):
            return None
        known = passwords(settings.users, settings.passwords)
        return Logins(known, in_threads(world.network), world.clock, world.log)


def complaints(settings: Settings) -> Iterator[Complaint]:
    """Yield what is wrong with the access log, the hosts, their mounts and rules, and the users.

    Raise ConfigError, behind all complaints, where the file of passwords has problems.
    """
    for path, wrong in accesstable.complaints(settings.access_log):
        yield Complaint(("access_log", *path), wrong)
    if not settings.mount and not settings.redirect and not settings.host:
        yield Complaint(("mount",), "is empty; a site has at least one mount")
    elif not settings.mount and not settings.redirect:
        for key in ("headers", "auth", "https", "hsts"):
            if getattr(settings, key):
                text = "is for the default host, which shows nothing; it belongs to a host"
                yield Complaint((key,), text)
    known = Users.of(settings.users, settings.passwords)
    users = None if known.spoilt else known.names
    for index, host in enumerate((settings, *settings.host)):
        found = hosting.complaints(host, users)
        yield from _below(index - 1, found) if index else found
    yield from _name_complaints(settings.host)
    for path, wrong in known.complaints:
        yield Complaint(path, wrong)
    if known.mistakes is not None:
        raise known.mistakes


def _below(index: int, complaints: Iterable[Complaint]) -> Iterator[Complaint]:
    return (Complaint(("host", index, *each.path), each.text) for each in complaints)


def _name_complaints(hosts: tuple[Host, ...]) -> Iterator[Complaint]:
    taken: set[str] = set()
    for index, host in enumerate(hosts):
        if not host.names:
            yield Complaint(("host", index, "names"), 'is empty; as in names = ["example.org"]')
        if not host.mount and not host.redirect:
            yield Complaint(("host", index), "shows nothing; write a mount or a redirect")
        for place, name in enumerate(host.patterns):
            if name in taken:
                text = f"{quoted(host.names[place])} is taken; each name leads to one host"
                yield Complaint(("host", index, "names", place), text)
            taken.add(name)


def references(settings: Settings) -> Iterator[Reference]:
    """Yield a reference for each mount that shows another service."""
    yield from hosting.references(settings)
    for index, host in enumerate(settings.host):
        for each in hosting.references(host):
            yield Reference(("host", index, *each.path), each.service, each.kind)


KIND: Kind[Settings, NoOptions] = Kind(
    name="site",
    settings=Settings,
    options=NoOptions,
    build=Site,
    complaints=complaints,
    references=references,
    mounts=MOUNTS,
    limits={"idle_timeout": 0.0},  # HTTP has times of its own
    alpn=(b"http/1.1",),
)
