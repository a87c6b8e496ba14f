"""The site as a service: its settings, what can be wrong with them, and requests led to mounts.

Rule: nothing here knows a mount by name, or the server under the site.
"""

from collections.abc import Awaitable, Iterable, Iterator
from http import HTTPStatus

from attrs import evolve, frozen

from netkit.document.values import quoted
from netkit.http.accesslog import access_log
from netkit.http.limits import DEFAULTS, Limits
from netkit.http.messages import Handler, Request, Response
from netkit.http.pages import error_page
from netkit.http.server import HandlerFactory
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
from netkit.services.site.mounts import MOUNTS
from netkit.services.site.routes import (
    BadTargetError,
    Routes,
    decoded_path,
    mount_path_complaint,
)


@frozen
class Settings:
    """A site's own keys; `http` says what a request may cost."""

    mount: tuple[Mount, ...]
    http: Limits = DEFAULTS
    access_log: bool = True


class Site(Running[NoOptions]):
    """A running site: all its listeners share its mounts and what they remember."""

    def __init__(self, settings: Settings, references: References, world: World) -> None:
        self._settings = settings
        self._world = world
        self._routes: Routes[Handler] = Routes.of(
            (
                mount.path,
                mount.kind.build(mount.settings, references.get(mount.service or ""), world),
            )
            for mount in settings.mount
        )

    def factory(self, options: NoOptions) -> HandlerFactory:  # noqa: ARG002 (a site has none)
        """Return what serves the site to one listener's connections."""
        settings, world = self._settings, self._world
        factory = HandlerFactory(
            self.answer, clock=world.clock, log=world.log, limits=settings.http
        )
        if settings.access_log:
            factory.served = access_log(world.log)
        return factory

    def answer(self, request: Request) -> Response | Awaitable[Response]:
        """Return the answer of the mount that the request's target leads to."""
        try:
            path = decoded_path(request.target)
        except BadTargetError:
            return error_page(HTTPStatus.BAD_REQUEST)
        place = self._routes.find(path)
        if place is None:
            return error_page(HTTPStatus.NOT_FOUND)
        return place.mounted(evolve(request, base=place.base, path=place.path))


def complaints(settings: Settings) -> Iterator[Complaint]:
    """Yield what is wrong with the mounts: their paths, their services, their own settings."""
    if not settings.mount:
        yield Complaint(("mount",), "is empty; a site has at least one mount")
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


def references(settings: Settings) -> Iterable[Reference]:
    """Yield a reference for each mount that shows another service."""
    for index, mount in enumerate(settings.mount):
        if mount.service is not None and mount.kind.shows:
            yield Reference(("mount", index, "service"), mount.service, mount.kind.shows)


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
