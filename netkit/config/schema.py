"""The tables that every daemon has, and what `listen` accepts.

What a kind of service adds stands in its own folder. Defaults stand here and nowhere else;
etc/netkit.toml shows them all.
"""

from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

from attrs import field, frozen
from twisted.logger import LogLevel

from netkit.document.typed import Reader
from netkit.document.values import Network, OneOrMore
from netkit.net import destination as destinations
from netkit.net.clients import ClientCertificates
from netkit.net.destination import Destination
from netkit.net.endpoint import Endpoint, parse
from netkit.net.limits import Limits
from netkit.net.tls import UnknownNames

_HIGHEST_ID = 2**32 - 2  # the one above means "no change" to setuid(2)


class LogFormat(Enum):
    """How a log line is written."""

    TEXT = "text"
    JSON = "json"


class Level(Enum):
    """The least of what is logged."""

    DEBUG = LogLevel.debug.name
    INFO = LogLevel.info.name
    WARN = LogLevel.warn.name
    ERROR = LogLevel.error.name


@frozen
class Account:
    """A user or a group, by name or by number."""

    name: str

    @property
    def number(self) -> int | None:
        """The numeric id where the account was written as one."""
        return int(self.name) if self.name.isascii() and self.name.isdecimal() else None


@frozen
class Daemon:
    """The table `[daemon]`: who to be once the sockets are bound."""

    user: Account | None = None
    group: Account | None = None


@frozen
class Log:
    """The table `[log]`."""

    format: LogFormat = LogFormat.TEXT
    level: Level = Level.INFO


@frozen
class Tls:
    """One table `[tls.NAME]`: a store of certificates, from folders and files of PEM.

    `client_ca` is a file of those who issue clients' certificates; without it there are none. A
    client may come without one if `client_certificates` is not set.
    """

    certificates: Annotated[tuple[Path, ...], OneOrMore()]
    unknown_names: UnknownNames = UnknownNames.DEFAULT
    client_ca: Path | None = None
    client_certificates: ClientCertificates | None = None


@frozen
class Override:
    """The keys of `[limits]` that a service or a listener sets for itself."""

    given: Mapping[str, Any] = field(factory=dict)


@frozen
class Listen:
    """One entry of `listen`: an endpoint string stands for a table with that endpoint.

    `proxy_protocol` are the networks of proxies whose connections begin with a PROXY header.
    """

    endpoint: Endpoint
    tls: str | None = None
    proxy_protocol: tuple[Network, ...] = ()
    limits: Override = field(factory=Override)


@frozen
class ServiceTable:
    """The keys that every table `[service.NAME]` has; `listen` is read with its kind's options."""

    listen: Any
    kind: str | None = None
    limits: Override = field(factory=Override)


@frozen
class MountTable:
    """The keys that every `[[service.NAME.mount]]` has."""

    path: str
    kind: str
    service: str | None = None


def account(written: object, _: Reader) -> Account:
    """Return the account that `written` names; raise ValueError where it cannot be one."""
    if isinstance(written, bool) or not isinstance(written, str | int) or written == "":
        raise ValueError('is not an account; a name as in "netkit", or a number')
    found = Account(str(written))
    number = found.number if isinstance(written, str) else written
    if number is not None and not 0 <= number <= _HIGHEST_ID:
        raise ValueError(f"{written} is not an id; 0 to {_HIGHEST_ID}")
    return found


def endpoint(written: object, reader: Reader) -> Endpoint:
    """Return an endpoint string taken apart; raise ValueError where it is not right."""
    return parse(reader.read(written, str), reader.base)


def destination(written: object, reader: Reader) -> Destination:
    """Return where to connect to; raise ValueError where that is not right."""
    return destinations.parse(reader.read(written, str), reader.base)


def override(written: object, reader: Reader) -> Override:
    """Return the limits given in `written`; the others stay as they are."""
    limits = reader.read(written, Limits)
    return Override({key: getattr(limits, key) for key in dict.fromkeys(written)})  # type: ignore[call-overload]
