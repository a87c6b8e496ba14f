"""What a tunnel's table may hold, and what can be wrong between its keys."""

from collections.abc import Iterable, Iterator
from enum import Enum
from ipaddress import ip_network
from pathlib import Path

from attrs import frozen

from netkit.document.values import Network, Seconds
from netkit.net.connect import TIMEOUT
from netkit.net.destination import Destination, Transport
from netkit.net.tlsclient import trusted
from netkit.net.tunnel import TunnelLimits
from netkit.services.kind import Complaint

EVERYBODY: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))

TUNNELS = TunnelLimits()


class ProxyHeader(Enum):
    """The version of the PROXY header that goes before each connection."""

    V1 = "v1"
    V2 = "v2"


@frozen(kw_only=True)
class Settings:
    """The table. A tunnel leads from each connection to one made `to` a server.

    `clients` may use it. There is a connection within `connect_timeout` seconds, or none; with TLS,
    as many more are for the handshake. `proxy_header` tells the server who the client is. By TLS the
    server's certificate is verified, if `verify` is not false: by `ca`, a file of those who may
    have issued it, or by the system's roots. `tunnel` says what tunnels may cost.
    """

    to: Destination
    clients: tuple[Network, ...] = EVERYBODY
    connect_timeout: Seconds = TIMEOUT
    proxy_header: ProxyHeader | None = None
    ca: Path | None = None
    verify: bool = True
    tunnel: TunnelLimits = TUNNELS


def complaints(settings: Settings) -> Iterable[Complaint]:
    """Return what is wrong between the keys, and with the file of authorities."""
    for key, given in (("ca", settings.ca is not None), ("verify", not settings.verify)):
        if given and settings.to.transport is not Transport.TLS:
            yield Complaint((key,), 'is for a server with TLS; as in to = "tls:HOST:PORT"')
            return
    if settings.ca is not None and not settings.verify:
        yield Complaint(("ca",), "is for nothing where verify = false; leave one of them out")
    yield from _faults(settings.ca)


def _faults(path: Path | None) -> Iterator[Complaint]:
    for fault in trusted(path).faults if path else ():
        yield Complaint(("ca",), f"{fault.file} {fault.text}")
