"""The running service: what leads to the server is made of the settings."""

from typing import Any, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress, ITransport

from netkit.net.addresses import SocketAddress, plain
from netkit.net.connect import Connector
from netkit.net.dial import Way
from netkit.net.names import Names
from netkit.net.policy import ANYWHERE
from netkit.net.proxyprotocol import Header, to_v1, to_v2
from netkit.net.tlsclient import TlsTerms, trusted
from netkit.net.tunnel import Tunnels
from netkit.services.kind import NoOptions, References, Running, World
from netkit.services.tunnel.protocol import Entrances
from netkit.services.tunnel.settings import ProxyHeader, Settings

_WRITTEN = {ProxyHeader.V1: to_v1, ProxyHeader.V2: to_v2}


class Tunnel(Running[NoOptions]):
    """A running tunnel service; `connector` reaches servers."""

    def __init__(self, settings: Settings, connector: Connector, world: World) -> None:
        self._settings = settings
        self._connector = connector
        self._terms = terms(settings)
        self._plain = settings.to.way(connector, self._terms)
        self._entrances = Entrances(
            to=str(settings.to),
            way=self.way,
            tunnels=Tunnels(settings.tunnel, world.clock),
            clients=settings.clients,
            clock=world.clock,
            log=world.log,
        )

    def factory(self, options: NoOptions) -> Entrances:  # noqa: ARG002 (there are none)
        """Return what serves a listener's connections."""
        return self._entrances

    def way(self, near: ITransport) -> Way:
        """Return the way to the server, on which it is told whose connection `near` is."""
        version = self._settings.proxy_header
        if version is None:
            return self._plain
        header = _WRITTEN[version](announcement(near))
        return self._settings.to.way(self._connector, self._terms, header)

    def stopService(self) -> None:
        """End all tunnels, and those that are not open yet."""
        super().stopService()
        self._entrances.abort()


def announcement(near: ITransport) -> Header:
    """Return what a PROXY header says of a client's connection: nothing where it is a UNIX socket's."""
    source, destination = _end(near.getPeer()), _end(near.getHost())
    if source is None or destination is None:
        return Header()
    return Header(source, destination)


def _end(address: IAddress) -> SocketAddress | None:
    if isinstance(address, IPv4Address | IPv6Address):
        return SocketAddress(plain(address.host), address.port)
    return None


def terms(settings: Settings) -> TlsTerms:
    """Return the terms on which a server with TLS is spoken to; its authorities are read now."""
    found = trusted(settings.ca).certificates if settings.ca else ()
    return TlsTerms(found, verify=settings.verify, handshake_timeout=settings.connect_timeout)


def build(settings: Settings, _references: References, world: World) -> Tunnel:
    """Return the service; names are looked up by the reactor's resolver."""
    network = cast("Any", world.network)
    names = Names(network.nameResolver)
    connector = Connector(world.clock, world.network, names, ANYWHERE, settings.connect_timeout)
    return Tunnel(settings, connector, world)
