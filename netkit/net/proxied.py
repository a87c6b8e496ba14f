"""Connections that a trusted proxy passes on with a PROXY header: the peer is who the header says.

Stands between the socket and everything else, TLS included. Rule: from anyone but a trusted proxy
nothing is read, and before its header has been read nothing is built. Time is the listener's: it
looks at `greeted`.
"""

from collections.abc import Callable, Iterable
from typing import Any, TypeAlias, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import (
    IAddress,
    IConsumer,
    IHalfCloseableProtocol,
    IProtocol,
    IProtocolFactory,
    IPushProducer,
    ISystemHandle,
    ITCPTransport,
    ITransport,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.document.values import Network
from netkit.net.addresses import SocketAddress, plain, unmapped, within
from netkit.net.proxyprotocol import Header, HeaderError, parse

Refused: TypeAlias = Callable[[IAddress, str], None]
"""Called with the address of whoever was refused, and what it did: one of a few dozen texts."""


@implementer(IProtocolFactory)
class ProxiedFactory:
    """Makes the connections of one listener that `trusted` proxies reach.

    `factory` makes the protocol inside, for the address that the header names. A UNIX socket's peer
    has no address and is trusted: the socket's mode says who may connect.
    """

    def __init__(
        self, factory: IProtocolFactory, trusted: tuple[Network, ...], refused: Refused
    ) -> None:
        self.factory = factory
        self._trusted = trusted
        self._refused = refused

    def doStart(self) -> None:
        """Tell the factory inside that a port listens for it."""
        self.factory.doStart()

    def doStop(self) -> None:
        """Tell the factory inside that a port listens no longer."""
        self.factory.doStop()

    def buildProtocol(self, addr: IAddress) -> "ProxiedConnection | None":
        """Return a protocol for a trusted proxy at `addr`, or None: the socket is closed at once."""
        host = getattr(addr, "host", None)
        if host and not within(plain(host), self._trusted):
            self._refused(addr, "is none of the proxies that are trusted")
            return None
        return ProxiedConnection(self.factory, self._refused)


@implementer(IProtocol, IHalfCloseableProtocol)
class ProxiedConnection:
    """One connection from a trusted proxy: reads the header, then passes everything on."""

    __slots__ = ("_factory", "_received", "_refused", "greeted", "inner", "transport")

    def __init__(self, factory: IProtocolFactory, refused: Refused) -> None:
        self._factory = factory
        self._refused = refused
        self._received = b""
        self.greeted = False
        self.inner: IProtocol | None = None
        self.transport: ITCPTransport | None = None

    def makeConnection(self, transport: ITransport) -> None:
        """Keep the transport for when the header has been read."""
        self.transport = cast("ITCPTransport", transport)

    def connectionMade(self) -> None:
        """Do nothing: the protocol inside hears of it when it is there."""

    def dataReceived(self, data: bytes) -> None:
        """Pass `data` on, what belongs to the header left out."""
        if self.inner is not None:
            self.inner.dataReceived(data)
            return
        self._received += data
        try:
            parsed = parse(self._received)
        except HeaderError as error:
            self._refuse(f"sent {error}")
            return
        if parsed is not None:
            self._greet(*parsed)

    def connectionLost(self, reason: Failure) -> None:
        """Pass the news on."""
        if self.inner is not None:
            self.inner.connectionLost(reason)

    def readConnectionLost(self) -> None:
        """Pass the peer's half-close on, or close where nobody inside knows one."""
        if IHalfCloseableProtocol.providedBy(self.inner):
            cast("IHalfCloseableProtocol", self.inner).readConnectionLost()
        elif self.transport is not None:
            self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Pass the end of our own half on."""
        if IHalfCloseableProtocol.providedBy(self.inner):
            cast("IHalfCloseableProtocol", self.inner).writeConnectionLost()

    def _refuse(self, why: str) -> None:
        transport = cast("ITCPTransport", self.transport)
        self._received = b""
        self._refused(transport.getPeer(), why)
        transport.abortConnection()

    def _greet(self, header: Header, rest: bytes) -> None:
        """Connect the protocol inside, and give it what came behind the header."""
        self.greeted = True
        self._received = b""
        transport = ProxiedTransport(cast("ITCPTransport", self.transport), header)
        inner = self._factory.buildProtocol(transport.getPeer())
        if inner is None:
            transport.abortConnection()
            return
        self.inner = inner
        inner.makeConnection(transport)
        if rest and not transport.left:
            inner.dataReceived(rest)


@implementer(ITCPTransport, IConsumer, IPushProducer, ISystemHandle)
class ProxiedTransport:
    """The transport of a proxied connection, with the addresses of the `header`.

    Everything else is the transport of the socket, `original`. `left` says whether the protocol has
    let go of the connection. TLS is not started on it but put around it.
    """

    __slots__ = ("_host", "_peer", "header", "left", "original")

    def __init__(self, original: ITCPTransport, header: Header) -> None:
        self.original: Any = original
        self.header = header
        self.left = False
        self._peer = _address(header.source) or original.getPeer()
        self._host = _address(header.destination) or original.getHost()

    def getPeer(self) -> Any:  # noqa: ANN401 (an address of IP or of a UNIX socket)
        """Return the client's address."""
        return self._peer

    def getHost(self) -> Any:  # noqa: ANN401 (as above)
        """Return the address that the client connected to."""
        return self._host

    def getHandle(self) -> object:
        """Return the socket."""
        return self.original.getHandle()

    @property
    def disconnecting(self) -> bool:
        """Whether the connection ends as soon as all has been sent."""
        return bool(self.original.disconnecting)

    def write(self, data: bytes) -> None:
        """Send `data`."""
        self.original.write(data)

    def writeSequence(self, data: Iterable[bytes]) -> None:
        """Send every piece of `data`."""
        self.original.writeSequence(data)

    def loseConnection(self) -> None:
        """End the connection once all has been sent."""
        self.left = True
        self.original.loseConnection()

    def abortConnection(self) -> None:
        """End the connection now."""
        self.left = True
        self.original.abortConnection()

    def loseWriteConnection(self) -> None:
        """End our half of the connection once all has been sent."""
        self.original.loseWriteConnection()

    def registerProducer(self, producer: object, streaming: bool) -> None:  # noqa: FBT001
        """Have `producer` paused while too much waits to be sent."""
        self.original.registerProducer(producer, streaming)

    def unregisterProducer(self) -> None:
        """Forget the producer."""
        self.original.unregisterProducer()

    def pauseProducing(self) -> None:
        """Stop reading; as with TLS, bytes that had been read by then are still delivered."""
        self.original.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again."""
        self.original.resumeProducing()

    def stopProducing(self) -> None:
        """End the connection, as `loseConnection` does."""
        self.left = True
        self.original.stopProducing()

    def getTcpNoDelay(self) -> bool:
        """Return whether small writes are sent at once."""
        return bool(self.original.getTcpNoDelay())

    def setTcpNoDelay(self, enabled: bool) -> None:  # noqa: FBT001
        """Say whether small writes are sent at once."""
        self.original.setTcpNoDelay(enabled)

    def getTcpKeepAlive(self) -> bool:
        """Return whether the kernel probes a silent peer."""
        return bool(self.original.getTcpKeepAlive())

    def setTcpKeepAlive(self, enabled: bool) -> None:  # noqa: FBT001
        """Say whether the kernel probes a silent peer."""
        self.original.setTcpKeepAlive(enabled)


def _address(end: SocketAddress | None) -> IPv4Address | IPv6Address | None:
    """Return `end` in Twisted's words; an IPv4 address mapped to IPv6 is an IPv4 address."""
    if end is None:
        return None
    host = unmapped(end.host)
    kind = IPv4Address if host.version == 4 else IPv6Address  # noqa: PLR2004
    return kind("TCP", str(host), end.port)
