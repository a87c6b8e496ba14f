"""Ways to a server: values that make connections.

Rule: a way is a value. Equal ways lead to the same place on the same terms, so that whoever keeps
connections may keep them by their way. A way that has another `below` it puts something on that
one's connection: what stands outside is sent inside what stands below.
"""

from typing import Any, Protocol, cast

from attrs import field, frozen
from OpenSSL import SSL
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import NoProtocol
from twisted.internet.interfaces import (
    IAddress,
    IDelayedCall,
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    ITransport,
)
from twisted.internet.protocol import Factory
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.document.values import printable
from netkit.net.connect import Connector
from netkit.net.connectunix import connect_unix
from netkit.net.failures import CertificateError, TlsError
from netkit.net.tlsclient import DEFAULT_TERMS, Caller, TlsTerms


class Way(Protocol):
    """Leads to a server. Hashable."""

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Return the protocol that `factory` makes, connected, and with TLS greeted.

        Fails with one of `netkit.net.failures`; whoever cancels gets CancelledError and no connection
        stays.
        """

    def __str__(self) -> str:
        """Return the server as an operator would write it."""

    def __hash__(self) -> int: ...


@frozen(cache_hash=True)
class TcpWay:
    """The way to the port `port` of `host`, a name or an address, as far as `connector` lets it."""

    host: str
    port: int
    connector: Connector = field(eq=id, repr=False)

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """See Way."""
        return self.connector.connect(self.host, self.port, factory)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@frozen(cache_hash=True)
class UnixWay:
    """The way to the UNIX socket at `path`, on the reactor and within the time of `connector`."""

    path: str
    connector: Connector = field(eq=id, repr=False)

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """See Way."""
        return connect_unix(self.connector, self.path, factory)

    def __str__(self) -> str:
        return f"unix:{printable(self.path)}"


@frozen(cache_hash=True)
class TlsWay:
    """The way `below` with TLS on it, to a server that can prove to be `server_name`.

    `server_name` is a host name in ASCII or an address. Fails with TlsError where TLS does not come
    about, and with CertificateError where the server is another.
    """

    below: Way
    server_name: str
    clock: IReactorTime = field(eq=id, repr=False)
    terms: TlsTerms = DEFAULT_TERMS

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """See Way."""
        handshake = _Handshake(self, factory)
        over = TLSMemoryBIOFactory(handshake.caller, True, _Once(handshake), self.clock)  # noqa: FBT003
        return handshake.begin(self.below.connect(over))

    def __str__(self) -> str:
        return str(self.below)


class _Once(Factory[Any]):
    """Has one protocol for one connection."""

    noisy = False

    def __init__(self, protocol: IProtocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ANN401, ARG002 (as Twisted's)
        """Return it."""
        return self._protocol


@implementer(IProtocol, IHandshakeListener)
class _Handshake:
    """What stands on TLS until the handshake is done, and then makes room for the protocol."""

    _tls: TLSMemoryBIOProtocol | None = None
    _deadline: IDelayedCall | None = None
    _connecting: Deferred[Any]

    def __init__(self, way: TlsWay, factory: IProtocolFactory) -> None:
        self.caller = Caller(way.terms, way.server_name)
        self._way = way
        self._factory = factory
        self._done: Deferred[IProtocol] = Deferred(lambda _: self._cancel())

    def begin(self, connecting: Deferred[Any]) -> Deferred[IProtocol]:
        """Return the protocol, once there is the connection that is being made and TLS on it."""
        self._connecting = connecting
        connecting.addErrback(self._failed)
        return self._done

    def makeConnection(self, transport: ITransport) -> None:
        """Wait for the handshake, which TLS begins."""
        self._tls = cast("TLSMemoryBIOProtocol", transport)
        gather_writes = getattr(self._tls.transport, "gather_writes", None)
        if gather_writes:
            gather_writes()  # TLS says farewell before it aborts: what was cut off would look complete
        self._deadline = self._way.clock.callLater(self._way.terms.handshake_timeout, self._late)

    def connectionMade(self) -> None:
        """Do nothing: `makeConnection` did."""

    def handshakeCompleted(self) -> None:
        """Give the connection to a protocol."""
        if self._tls is None or self._done.called:
            return
        protocol = self._factory.buildProtocol(self._tls.getPeer())
        if protocol is None:
            self._end(NoProtocol())
            return
        self._rest()
        self._tls.wrappedProtocol = protocol
        protocol.makeConnection(self._tls)
        self._done.callback(protocol)

    def dataReceived(self, data: bytes) -> None:
        """Do nothing: the connection is being closed."""

    def connectionLost(self, reason: Failure) -> None:
        """Say what was in the way."""
        self._tls = None
        if self.caller.complaint:
            self._end(CertificateError(f"{self._way}: {self.caller.complaint}"))
        else:
            self._end(TlsError(f"{self._way}: {_words(reason.value)}"))

    def _failed(self, failure: Failure) -> None:
        self._end(cast("BaseException", failure.value))

    def _late(self) -> None:
        self._deadline = None
        seconds = self._way.terms.handshake_timeout
        self._end(TlsError(f"{self._way}: no TLS handshake within {seconds:g} s"))

    def _cancel(self) -> None:
        self._connecting.cancel()
        self._end(CancelledError())

    def _end(self, error: BaseException) -> None:
        self._rest()
        if self._tls is not None:
            self._tls.abortConnection()
        if not self._done.called:
            self._done.errback(error)

    def _rest(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None


def _words(error: BaseException | None) -> str:
    """Return why a handshake failed."""
    reported = error.args[0] if isinstance(error, SSL.Error) and error.args else ()
    reasons = [str(each[2]) for each in reported if isinstance(each, tuple)]
    if reasons:
        return f"no TLS: {printable(reasons[-1])}"
    return "closed the connection within the TLS handshake"


@frozen(cache_hash=True)
class AnnouncedWay:
    """The way `below`, on which the first that is sent is `header`, as of the PROXY protocol.

    Below a TlsWay the header goes before the handshake, and in the clear, as servers expect it.
    """

    below: Way
    header: bytes

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """See Way."""
        announcing = _Announcing(self.header, factory)
        announced: Deferred[Any] = self.below.connect(announcing)
        return announced.addCallback(_inner)

    def __str__(self) -> str:
        return str(self.below)


class _Announcing(Factory[Any]):
    """Puts an announcement before each protocol that `factory` makes."""

    noisy = False

    def __init__(self, header: bytes, factory: IProtocolFactory) -> None:
        self._header = header
        self._factory = factory

    def buildProtocol(self, addr: IAddress | None) -> Any:  # noqa: ANN401 (as Twisted's)
        """Return what announces, and then is the protocol."""
        inner = self._factory.buildProtocol(cast("IAddress", addr))
        return None if inner is None else _Announced(self._header, inner)


def _inner(announced: "_Announced") -> IProtocol:
    return announced.inner


@implementer(IProtocol, IHalfCloseableProtocol)
class _Announced:
    """Sends `header`, and is from then on no more than a name for `inner`."""

    factory = None
    _transport: ITransport

    def __init__(self, header: bytes, inner: IProtocol) -> None:
        self.inner = inner
        self.dataReceived = inner.dataReceived
        self.connectionLost = inner.connectionLost
        self._header = header

    def makeConnection(self, transport: ITransport) -> None:
        """Send the header before anything that the protocol inside says."""
        self._transport = transport
        transport.write(self._header)
        self.inner.makeConnection(transport)

    def connectionMade(self) -> None:
        """Do nothing: the protocol inside has been told."""

    def readConnectionLost(self) -> None:
        """Pass the peer's half-close on, or close where the protocol inside knows none."""
        if IHalfCloseableProtocol.providedBy(self.inner):
            cast("IHalfCloseableProtocol", self.inner).readConnectionLost()
        else:
            self._transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Pass the end of our own half on."""
        if IHalfCloseableProtocol.providedBy(self.inner):
            cast("IHalfCloseableProtocol", self.inner).writeConnectionLost()
