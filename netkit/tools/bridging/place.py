"""Where a bridge leads, as it is written on a command line: HOST PORT, or an endpoint string.

Rule: a slip is told in one line, with what would be right, before anything is opened.
"""

import re
from collections.abc import Sequence
from typing import Any

from attrs import evolve, field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.defer import TimeoutError as LateError
from twisted.internet.endpoints import clientFromString
from twisted.internet.interfaces import (
    IProtocol,
    IProtocolFactory,
    IStreamClientEndpoint,
)
from twisted.python.failure import Failure

from netkit.document.values import printable, quoted
from netkit.net.addresses import Address, host
from netkit.net.connect import Connector
from netkit.net.destination import Destination, Transport, parse
from netkit.net.dial import TlsWay, Way
from netkit.net.failures import Attempt, UnresolvedError, unreachable
from netkit.net.names import Names
from netkit.net.tlsclient import DEFAULT_TERMS, TlsTerms

_HIGHEST_PORT = 65535


def port(written: str, lowest: int = 1) -> int:
    """Return the port that `written` is the number of; ValueError where it is none from `lowest`."""
    if re.fullmatch("[0-9]{1,5}", written) and lowest <= int(written) <= _HIGHEST_PORT:
        return int(written)
    raise ValueError(f"{quoted(written)} is not a port; {lowest} to {_HIGHEST_PORT}")


def destination(words: Sequence[str]) -> Destination | str:
    """Return where HOST PORT or an endpoint string leads; a string of a type that is Twisted's stays.

    Raises ValueError.
    """
    match words:
        case [name, number]:
            return Destination(Transport.TCP, str(host(name)), port(number))
        case [text] if ":" not in text:
            raise ValueError(f"names no port; as in {printable(text)} 80")
        case [text] if _is_foreign(text):
            return text
        case [text]:
            return parse(text)
        case _:
            raise ValueError("too much; HOST PORT, or an endpoint such as tls:HOST:PORT")


def _is_foreign(text: str) -> bool:
    kind = text.partition(":")[0]
    own = {each.value for each in Transport}
    return kind not in own and "." not in kind and not kind.startswith("[") and "//" not in text


@frozen
class Security:
    """Whether TLS is wanted, as whom the server has to prove itself if not by its host, and how."""

    wanted: bool = False
    server_name: str = ""
    terms: TlsTerms = DEFAULT_TERMS


PLAIN = Security()


def way(to: Destination | str, connector: Connector, security: Security = PLAIN) -> Way:
    """Return the way to `to`, with TLS where either says so.

    Raises ValueError where an endpoint string is wrong, or nothing says who the server has to be.
    """
    if isinstance(to, str):
        below: Way = endpoint_way(to, connector)
        secured, name = security.wanted, security.server_name
    else:
        secured = security.wanted or to.transport is Transport.TLS
        name = security.server_name or to.name or to.host
        by_tcp = to.transport is Transport.TLS
        below = (evolve(to, transport=Transport.TCP) if by_tcp else to).way(connector)
    if not secured:
        return below
    if not name and security.terms.verify:
        raise ValueError("it does not say who the server is; add --servername NAME")
    return TlsWay(below, name or "localhost", connector.clock, security.terms)


@frozen(cache_hash=True)
class EndpointWay:
    """The way that is an endpoint of Twisted's, written as `text`, within the time of `connector`."""

    text: str
    endpoint: IStreamClientEndpoint = field(eq=id, repr=False)
    connector: Connector = field(eq=id, repr=False)

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """See Way."""
        connecting: Deferred[Any] = self.endpoint.connect(factory)
        seconds = self.connector.timeout
        connecting.addTimeout(seconds, self.connector.clock)
        return connecting.addErrback(self._in_words)

    def _in_words(self, failure: Failure) -> Failure:
        error = failure.value
        if isinstance(error, CancelledError) or not isinstance(error, Exception):
            return failure
        if isinstance(error, LateError):
            error = OSError(0, f"no connection within {self.connector.timeout:g} s")
        return Failure(unreachable((Attempt(str(self), error),)))

    def __str__(self) -> str:
        return printable(self.text)


def endpoint_way(text: str, connector: Connector) -> EndpointWay:
    """Return the way that the endpoint string `text` stands for; ValueError where it is wrong."""
    try:
        endpoint = clientFromString(connector.network, text)
    except Exception as error:  # noqa: BLE001 (Twisted's parsers raise four sorts of it)
        wrong = printable(str(error)) or type(error).__name__
        right = "as in tcp:HOST:PORT, tls:HOST:PORT or unix:PATH"
        raise ValueError(f"{quoted(text)} is no endpoint: {wrong}; {right}") from None
    return EndpointWay(text, endpoint, connector)


class OneFamily(Names):
    """Names as far as they have addresses of one IP version, 4 or 6."""

    def __init__(self, names: Names, version: int) -> None:
        self._names = names
        self._version = version

    def look_up(self, name: str) -> Deferred[tuple[Address, ...]]:
        """See Names."""
        return self._names.look_up(name).addCallback(self._of_the_family, name)

    def _of_the_family(self, found: tuple[Address, ...], name: str) -> tuple[Address, ...]:
        fitting = tuple(each for each in found if each.version == self._version)
        if not fitting:
            raise UnresolvedError(f"{name}: no IPv{self._version} address is known")
        return fitting
