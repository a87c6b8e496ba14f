"""The contract between netkit and a kind of service.

A kind is a value: its name, its settings' type, and how a running service is built from them. The
rest of netkit knows kinds through this file and the table in `netkit.services`; a kind knows of
netkit what stands here, and of other services nothing. Rule: nothing here opens a socket.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Generic, Protocol, TypeAlias, TypeVar, runtime_checkable

from attrs import field, frozen
from twisted.application.service import Service
from twisted.internet.interfaces import (
    IOpenSSLServerConnectionCreator,
    IProtocolFactory,
    IReactorTCP,
    IReactorTime,
)
from twisted.logger import Logger

from netkit.document.lines import KeyPath
from netkit.http.messages import Handler
from netkit.net.addresses import SocketAddress

Settings = TypeVar("Settings")
Options = TypeVar("Options")
_Shown = TypeVar("_Shown")


@frozen
class World:
    """What a service may use of the world outside it; tests pass a clock they turn themselves.

    `listening` returns where the service itself listens on IP by now.
    """

    clock: IReactorTime
    network: IReactorTCP
    log: Logger
    listening: Callable[[], frozenset[SocketAddress]] = frozenset


@frozen
class Complaint:
    """Something wrong with one setting: the key's path below the service's table, and the text."""

    path: KeyPath
    text: str


@frozen
class Reference:
    """The setting at `path` names another service, which must be of the kind named `kind`."""

    path: KeyPath
    service: str
    kind: str


@frozen
class NoOptions:
    """A listener of this kind has no options of its own."""


class Running(Service, Generic[Options]):
    """One service as it runs: start and stop come from Twisted, connections go to its factories."""

    def factory(self, options: Options) -> IProtocolFactory:
        """Return what serves the connections of one listener, whose own options are `options`."""
        raise NotImplementedError


@runtime_checkable
class TakesTLS(Protocol):
    """A factory that may want to begin TLS itself, for protocols that say something before."""

    def take_tls(self, tls: IOpenSSLServerConnectionCreator) -> bool:
        """Begin `tls` on every connection from now on, or return False: it is begun beforehand."""


References: TypeAlias = Mapping[str, Running[Any]]


def _nothing(_: object) -> Iterable[Any]:
    return ()


@frozen(kw_only=True)
class MountKind(Generic[Settings, _Shown]):
    """A kind of mount, by which a site shows something.

    `settings` is an attrs class with the mount's own keys. `build(settings, shown, world)` returns
    the handler; `shown` is the running service that the mount's key `service` names, which must be
    of the kind named `shows`, or None where `shows` is empty. A handler that provides IService is
    started and stopped with its site.
    """

    name: str
    settings: type[Settings]
    build: Callable[[Settings, _Shown, World], Handler]
    shows: str = ""
    complaints: Callable[[Settings], Iterable[Complaint]] = _nothing


@frozen
class Mount:
    """One `mount` table of a site: a settings type may have fields of this type."""

    path: str
    kind: MountKind[Any, Any]
    settings: Any
    service: str | None = None


@frozen(kw_only=True)
class Kind(Generic[Settings, Options]):
    """A kind of service: what its table may hold, and how it is built.

    `settings` is an attrs class with the table's own keys (without `kind`, `listen`, `limits`),
    `options` one with the own keys of a listener's table (`NoOptions` where there are none). `build(settings, references, world)`
    returns the running service; `references` has those that `references(settings)` names.
    `complaints(settings)` may look at files, and opens no socket; it may raise ConfigError with the
    mistakes in a file that the settings name. `limits` are the defaults in which this kind differs
    from `[limits]`, `alpn` the protocol names (RFC 7301) that its TLS listeners offer.
    """

    name: str
    settings: type[Settings]
    options: type[Options]
    build: Callable[[Settings, References, World], Running[Options]]
    complaints: Callable[[Settings], Iterable[Complaint]] = _nothing
    references: Callable[[Settings], Iterable[Reference]] = _nothing
    mounts: tuple[MountKind[Any, Any], ...] = ()
    limits: Mapping[str, Any] = field(factory=dict)
    alpn: tuple[bytes, ...] = ()
