"""How the server of a URL is come to: at once, or by a proxy (RFC 9112 3.2)."""

from base64 import b64encode
from typing import Any

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory

from netkit.http.asking import Asks
from netkit.http.connectway import ConnectWay
from netkit.http.messages import Headers
from netkit.net.connect import Connector
from netkit.net.dial import TcpWay, TlsWay, Way
from netkit.net.tlsclient import TlsTerms
from netkit.tools.web.urls import Url

READ_BYTES = 192 * 1024
"""How much is read at a time, and may wait to be sent: more does not stay in a processor's cache."""


@frozen
class Route:
    """Where a request is sent, the target that it has there, and the fields that go with that."""

    way: Way
    target: bytes
    headers: Headers = field(default=(), repr=False)


@frozen
class Ways:
    """What leads to servers: connections, on terms, and what asks proxies for tunnels."""

    connector: Connector
    asks: Asks
    tls: TlsTerms

    def route(self, url: Url, proxy: Url | None) -> Route:
        """Return how `url` is asked for, by `proxy` if there is one."""
        target = url.target.encode("ascii")
        if proxy is None:
            return Route(self._direct(url), target)
        login = _login(proxy)
        to_proxy = self._direct(proxy)
        if url.is_secure:
            tunnel = ConnectWay(to_proxy, url.connect_authority, self.asks, login)
            return Route(self._secured(tunnel, url), target)
        return Route(to_proxy, str(url).encode("ascii"), login)

    def _direct(self, url: Url) -> Way:
        way = _Wide(TcpWay(url.host, url.port, self.connector))
        return self._secured(way, url) if url.is_secure else way

    def _secured(self, below: Any, url: Url) -> Way:  # noqa: ANN401 (a way of any sort)
        name = url.host.partition("%")[0]
        return TlsWay(below, name, self.connector.clock, self.tls)


@frozen(cache_hash=True)
class _Wide:
    """The way `below`, on which much is read at a time: here are few connections, and long bodies."""

    below: Way

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """See `dial.Way`."""
        return self.below.connect(factory).addCallback(_widened)

    def __str__(self) -> str:
        return str(self.below)


def _widened(protocol: Any) -> IProtocol:  # noqa: ANN401 (with a transport)
    protocol.transport.bufferSize = READ_BYTES
    connected: IProtocol = protocol
    return connected


def _login(proxy: Url) -> Headers:
    credentials = proxy.credentials
    if credentials is None:
        return ()
    login = f"{credentials.user}:{credentials.password}".encode("utf-8", "surrogateescape")
    return ((b"Proxy-Authorization", b"Basic " + b64encode(login)),)
