"""Kinds of service that only tests have: small, and with one of everything that a kind can have."""

from collections.abc import Iterable
from typing import Any

from attrs import field, frozen
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol

from netkit.document.values import Count
from netkit.http.messages import Request, Response
from netkit.services.kind import (
    Complaint,
    Kind,
    Mount,
    MountKind,
    NoOptions,
    Reference,
    References,
    Running,
    World,
)


@frozen
class PlainSettings:
    """The own keys of a plain service."""

    size: Count = 1
    after: str | None = None
    spoilt: bool = False


@frozen
class PlainOptions:
    """The own keys of a plain service's listener."""

    colour: str = "none"


class Plain(Running[PlainOptions]):
    """Accepts connections and says nothing."""

    def __init__(self, settings: PlainSettings, world: World) -> None:
        self.settings = settings
        self.world = world

    def factory(self, options: PlainOptions) -> IProtocolFactory:
        return Factory.forProtocol(Protocol)


class Pages(Running[NoOptions]):
    """Builds its mounts."""

    def __init__(self, mounts: Iterable[Mount], references: References, world: World) -> None:
        self.shown = [references.get(mount.service or "") for mount in mounts]

    def factory(self, options: NoOptions) -> IProtocolFactory:
        return Factory.forProtocol(Protocol)


@frozen
class ViewSettings:
    """The own keys of a view."""

    depth: Count = 1


@frozen
class PagesSettings:
    """The own keys of a service with mounts."""

    mount: tuple[Mount, ...] = field(default=())


def _view(settings: ViewSettings, shown: Plain, world: World) -> Any:
    def answer(request: Request) -> Response:
        raise NotImplementedError

    return answer


def _mounted(settings: PagesSettings) -> Iterable[Reference]:
    for index, mount in enumerate(settings.mount):
        if mount.service is not None:
            yield Reference(("mount", index, "service"), mount.service, mount.kind.shows)


PLAIN = Kind(
    name="plain",
    settings=PlainSettings,
    options=PlainOptions,
    build=lambda settings, references, world: Plain(settings, world),
    complaints=lambda settings: [Complaint(("spoilt",), "is spoilt; be not")] * settings.spoilt,
    references=lambda settings: (
        [Reference(("after",), settings.after, "plain")] if settings.after else []
    ),
    mounts=(MountKind(name="view", settings=ViewSettings, build=_view, shows="plain"),),
    limits={"handshake_timeout": 2.5},
)
PAGES = Kind(
    name="pages",
    settings=PagesSettings,
    options=NoOptions,
    build=lambda settings, references, world: Pages(settings.mount, references, world),
    references=_mounted,
)
KINDS: tuple[Kind[Any, Any], ...] = (PLAIN, PAGES)
