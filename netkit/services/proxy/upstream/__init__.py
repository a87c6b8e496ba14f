"""The mount `upstream`: a reverse proxy, by which a site shows what other servers answer."""

from typing import Any, cast

from netkit.http.pool import Pool
from netkit.net.connect import Connector
from netkit.net.destination import Destination, Transport
from netkit.net.dial import Way
from netkit.net.names import Names
from netkit.net.policy import ANYWHERE
from netkit.net.tlsclient import TlsTerms, trusted
from netkit.services.kind import MountKind, World
from netkit.services.proxy.upstream.mount import Upstream
from netkit.services.proxy.upstream.servers import Server
from netkit.services.proxy.upstream.settings import Settings, complaints

_ALPN = (b"http/1.1",)
_USUAL_PORTS = {Transport.TCP: 80, Transport.TLS: 443}


def build(settings: Settings, shown: object, world: World) -> Upstream:  # noqa: ARG001 (shows none)
    """Return the mount; read the certificates that vouch for servers."""
    pool = Pool(settings.limits, world.clock)
    return Upstream(settings, _servers(settings, world), pool, world)


def _servers(settings: Settings, world: World) -> dict[Server[Way], bytes]:
    """Return the servers, each with what it is called as a host."""
    names = Names(cast("Any", world.network).nameResolver)
    connector = Connector(
        world.clock, world.network, names, ANYWHERE, timeout=settings.connect_timeout
    )
    authorities = trusted(settings.ca).certificates if settings.ca else ()
    tls = TlsTerms(
        authorities=authorities, protocols=_ALPN, handshake_timeout=settings.connect_timeout
    )
    secret = settings.sticky.secret if settings.sticky else ""
    return {
        Server(
            str(each.to),
            each.to.way(connector, tls),
            settings.health.terms,
            weight=each.weight,
            backup=each.backup,
            secret=secret,
        ): _host(each.to)
        for each in settings.tables
    }


def _host(to: Destination) -> bytes:
    """Return what the field Host says of a server (RFC 9110 7.2)."""
    if to.transport is Transport.UNIX:
        return b"localhost"
    host = f"[{to.host}]" if ":" in to.host else to.host
    usual = to.port == _USUAL_PORTS[to.transport]
    return (host if usual else f"{host}:{to.port}").encode()


KIND: MountKind[Settings, None] = MountKind(
    name="upstream", settings=Settings, build=build, complaints=complaints
)
