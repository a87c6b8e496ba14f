"""What a request becomes for a server: where it goes, for what, and with which fields.

Rule: within a second equal requests of one client become the same value, which is worked out once; what
belongs to one connection alone, as a PROXY header does, is never kept.
"""

from collections.abc import Mapping

from attrs import evolve
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from netkit.document.values import Network
from netkit.http.messages import Request, RequestHead
from netkit.net.addresses import Address, SocketAddress, plain, within
from netkit.net.dial import AnnouncedWay, TlsWay, Way
from netkit.net.peer import host
from netkit.net.proxyprotocol import Header, to_v1, to_v2
from netkit.services.proxy.passing import (
    Visitor,
    about,
    hops_left,
    one_hop_less,
    onward,
)
from netkit.services.proxy.relay import Errand
from netkit.services.proxy.upstream.servers import Server
from netkit.services.proxy.upstream.settings import KEEP, UPSTREAM, ProxyHeader, Settings
from netkit.services.proxy.upstream.targets import target

REMEMBERED = 1024
"""So many errands are remembered, and all are forgotten when there are more."""

REMEMBERED_BYTES = 4096
"""No longer ones are."""

_Key = tuple[Server[Way], RequestHead, str, bool]


class LastHopError(Exception):
    """The request goes no further: this is the last that it wanted to reach (RFC 9110 7.6.2)."""


class Errands:
    """Makes errands by the `settings` of a mount that is called `name`.

    `hosts` has what each server is called itself.
    """

    def __init__(self, settings: Settings, name: str, hosts: Mapping[Server[Way], bytes]) -> None:
        self._settings = settings
        self._name = name
        self._hosts = hosts
        self._known: dict[_Key, Errand] = {}

    def forget(self) -> None:
        """Forget everything: a second has begun, in which requests have heads of their own."""
        self._known.clear()

    def errand(self, request: Request, server: Server[Way]) -> Errand:
        """Return what `request` becomes for `server`.

        Raise AskError where it goes in a circle, LastHopError where its Max-Forwards end here.
        """
        client = request.client
        peer = client.peer
        key = (server, request.head, host(peer), client.secure)
        errand = self._known.get(key)
        if errand is None:
            errand = self._made(request, server, peer)
            if len(errand.opening) <= REMEMBERED_BYTES:
                if len(self._known) >= REMEMBERED:
                    self._known.clear()
                self._known[key] = errand
        version = self._settings.proxy_header
        if version is None:
            return errand
        header = Header(_end(peer), _end(client.here))
        return evolve(errand, way=announced(server.way, header, version))

    def _made(self, request: Request, server: Server[Way], peer: IAddress) -> Errand:
        settings, head = self._settings, request.head
        path = request.path if settings.strip_prefix else request.base + request.path
        address = address_of(peer)
        visitor = Visitor(address, request.client.secure, head.authority)
        headers = about(
            visitor, onward(head, self._name), trusted=is_trusted(address, settings.trusted)
        )
        hops = hops_left(head)
        if hops == 0:
            raise LastHopError
        if hops is not None:
            headers = one_hop_less(headers)
        return Errand(
            method=head.method,
            way=server.way,
            target=target(path, head.target, settings.prefix),
            headers=((b"Host", self._host(head, server)), *headers),
        )

    def _host(self, head: RequestHead, server: Server[Way]) -> bytes:
        rule = self._settings.host
        if rule == UPSTREAM or (rule == KEEP and not head.authority):
            return self._hosts[server]
        return head.authority if rule == KEEP else rule.encode()


def announced(way: Way, header: Header, version: ProxyHeader | None) -> Way:
    """Return `way` with a PROXY header first, before TLS where there is TLS; or as it is."""
    if version is None:
        return way
    octets = to_v1(header) if version is ProxyHeader.V1 else to_v2(header)
    if isinstance(way, TlsWay):
        return evolve(way, below=AnnouncedWay(way.below, octets))
    return AnnouncedWay(way, octets)


def address_of(peer: IAddress) -> Address | None:
    """Return the IP address of a peer, or None where it has none."""
    return plain(peer.host) if isinstance(peer, IPv4Address | IPv6Address) else None


def is_trusted(address: Address | None, networks: tuple[Network, ...]) -> bool:
    """Return whether what a peer says of others is believed; a UNIX socket's mode says who it is."""
    return address is None or within(address, networks)


def _end(peer: IAddress) -> SocketAddress | None:
    address = address_of(peer)
    if address is None or not isinstance(peer, IPv4Address | IPv6Address):
        return None
    return SocketAddress(address, peer.port)
