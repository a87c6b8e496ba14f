"""Where a bridge waits to be called, as it is written on a command line: [HOST] PORT, or an endpoint.

Rule: what cannot be listened on is told in one line.
"""

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IOpenSSLServerConnectionCreator

from netkit.document.values import quoted
from netkit.net.addresses import Address, host
from netkit.net.destination import Destination, Transport, parse
from netkit.net.names import Names
from netkit.net.tls import Store, load
from netkit.tools.bridging.door import Listen
from netkit.tools.bridging.place import port

ALL_4, ALL_6 = "0.0.0.0", "::"


@frozen
class Stand:
    """Where to listen: on a UNIX socket's `path`, or on `port` of `host`, all addresses if empty."""

    host: str = ""
    port: int = 0
    path: str = ""
    tls: bool = False

    def __str__(self) -> str:
        return self.path or f"port {self.port}"


def stand(words: Sequence[str]) -> Stand:
    """Return where [HOST] PORT, or an endpoint string, is to be listened on. Raises ValueError."""
    match words:
        case [text] if ":" in text:
            return _of(parse(text))
        case [number]:
            return Stand(port=port(number, 0))
        case [name, number]:
            return Stand(str(host(name)), port(number, 0))
        case _:
            raise ValueError("give [HOST] PORT, or an endpoint such as unix:PATH")


def _of(written: Destination) -> Stand:
    tls = written.transport is Transport.TLS
    return Stand(written.host, written.port, written.path, tls)


async def listen(stand: Stand, names: Names, network: Any, version: int | None = None) -> Listen:  # noqa: ANN401 (a reactor)
    """Return what listens there on the reactor `network`, on addresses of one IP version if any.

    Raises UnresolvedError. What is returned raises OSError.
    """
    if stand.path:
        return partial(_listening, stand, [partial(network.listenUNIX, stand.path)])
    interfaces = [ALL_4] if version == 4 else [ALL_6] if version else [ALL_6, ALL_4]  # noqa: PLR2004
    if stand.host:
        interfaces = [str(each) for each in await _addresses(stand.host, names)][:1]
    ways = [partial(network.listenTCP, stand.port, interface=each) for each in interfaces]
    return partial(_listening, stand, ways)


async def _addresses(written: str, names: Names) -> tuple[Address, ...]:
    found = host(written)
    return await names.look_up(found) if isinstance(found, str) else (found,)


def _listening(stand: Stand, ways: Sequence[Any], factory: Any) -> IListeningPort:  # noqa: ANN401 (Twisted's)
    """Listen by the first of `ways` that is one on this host."""
    *others, last = ways
    for each in others:
        try:
            port: IListeningPort = each(factory=factory)
        except CannotListenError:  # as where there is no IPv6
            continue
        return port
    try:
        port = last(factory=factory)
    except CannotListenError as error:
        cause = error.socketError
        raise OSError(cause.errno, cause.strerror, str(stand)) from None
    return port


def certificate(file: Path, now: datetime) -> IOpenSSLServerConnectionCreator:
    """Return what greets with the certificate in the PEM file at `file`; ValueError says its fault."""
    found = load([file], now)
    for fault in found.faults:
        raise ValueError(f"{quoted(fault.file)} {fault.text}")
    creator: IOpenSSLServerConnectionCreator = Store(found.identities).creator(())
    return creator
