"""What stands between a socket that listens and the factory it listens for.

Every listener gets the same, in one order: socket, limits, PROXY header, limits of the client that
the header names, TLS, protocol. Limits are outermost, so that they hold for header and handshake too
and see what the socket sees. Rule: nothing here costs anything per event that the transport does not
do anyway; deadlines are looked at once a second, on the reactor's clock.
"""

from collections.abc import Callable
from functools import partial
from typing import cast

from attrs import evolve
from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IHandshakeListener,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    ITCPTransport,
    ITransport,
)
from twisted.internet.protocol import Factory
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.document.values import Network
from netkit.net.limits import DEFAULTS, Census, Glance, Limits, Patience, source
from netkit.net.peer import host, host_and_port
from netkit.net.progress import (
    OfStockTransport,
    Progress,
    acknowledged,
    outstanding,
    progress,
)
from netkit.net.proxied import ProxiedConnection, ProxiedFactory
from netkit.net.secure import SecureServer
from netkit.net.tls import Creator

_SWEEP = 1.0  # seconds


@implementer(IProtocol, IHalfCloseableProtocol, IHandshakeListener)
class Connection:
    """One connection: passes everything on to the protocol inside, which has the real transport.

    Where the transport notes itself that it has heard something, `dataReceived` is the inner
    protocol's own.
    """

    __slots__ = (
        "_gate",
        "_owes",
        "_patience",
        "_progress",
        "_who",
        "dataReceived",
        "inner",
        "transport",
    )

    _progress: Progress
    dataReceived: Callable[[bytes], None]
    transport: ITCPTransport

    def __init__(self, gate: "Gate", inner: IProtocol, who: str, now: float) -> None:
        self._gate = gate
        self._who = who
        self._patience = Patience(now)
        self._owes = False  # whether the last look found bytes that the peer had not taken
        self.inner = inner

    def makeConnection(self, transport: ITransport) -> None:
        """Give the transport to the protocol inside; put TLS between where it has to be and is not."""
        self.transport = cast("ITCPTransport", transport)
        self.inner = self._gate.secured(self.inner, transport)
        self._progress = progress(transport)
        noted_here = isinstance(self._progress, OfStockTransport)
        self.dataReceived = self._hear if noted_here else self.inner.dataReceived
        self.inner.makeConnection(transport)

    def connectionMade(self) -> None:
        """Do nothing: `makeConnection` of the protocol inside has said it there."""

    def _hear(self, data: bytes) -> None:
        self._progress.heard = True
        self.inner.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        """Count the connection out and pass the news on."""
        self._gate.left(self, self._who)
        self.inner.connectionLost(reason)

    def readConnectionLost(self) -> None:
        """Pass the peer's half-close on, or close where the protocol inside knows none."""
        if IHalfCloseableProtocol.providedBy(self.inner):
            cast("IHalfCloseableProtocol", self.inner).readConnectionLost()
        else:
            self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Pass the end of our own half on."""
        if IHalfCloseableProtocol.providedBy(self.inner):
            cast("IHalfCloseableProtocol", self.inner).writeConnectionLost()

    def handshakeCompleted(self) -> None:
        """Pass on that TLS is established."""
        if IHandshakeListener.providedBy(self.inner):
            cast("IHandshakeListener", self.inner).handshakeCompleted()

    def look(self, limits: Limits, now: float) -> str:
        """Return why the connection has to end now, or the empty string."""
        seen = self._progress
        heard, seen.heard = seen.heard, False
        closing = any(
            getattr(each, "disconnecting", False) for each in (self.transport, self.inner)
        )
        unsent, taken = self._owed(asked=closing)
        glance = Glance(
            heard=heard,
            unsent=unsent,
            taken=taken,
            greeted=_greeted(self.inner) and getattr(self.transport, "greeted", True),
            closing=closing,
        )
        reason = self._patience.reason_to_go(limits, now, glance)
        if not reason or taken is not None or not glance.greeted:
            return reason
        unsent, _ = self._owed(asked=True)
        return "" if unsent else reason  # not idle but slow: it is looked at as such from now on

    def _owed(self, *, asked: bool) -> tuple[int, int | None]:
        """Return how many bytes wait for the peer, and what it has acknowledged.

        The kernel is `asked` only about a connection on which something waits, or waited at the last
        look; of others nobody knows what the kernel still holds: 0 and None.
        """
        unsent = self._progress.unsent
        if not (unsent or asked or self._owes):
            return 0, None
        unsent += outstanding(self.transport)
        self._owes = unsent > 0
        return unsent, acknowledged(self.transport)


def _greeted(protocol: IProtocol | None) -> bool:
    """Return whether PROXY header and handshake are done, as far as protocols do them."""
    if isinstance(protocol, ProxiedConnection):
        return protocol.greeted and _greeted(protocol.inner)
    if isinstance(protocol, Connection):
        return _greeted(protocol.inner)
    if isinstance(protocol, TLSMemoryBIOProtocol):
        return protocol.getHandle().get_peer_finished() is not None
    return True


@implementer(IProtocolFactory)
class Gate:
    """The factory that a port has: admits connections, looks after them, and lets go of them.

    `factory` is what new connections are for; it may be exchanged while the port listens.
    `transport` is what netkit's reactor makes of an accepted TCP socket, if it is anything special.
    """

    def __init__(
        self,
        factory: IProtocolFactory,
        limits: Limits,
        clock: IReactorTime,
        log: Logger,
        tls: Creator | None = None,
    ) -> None:
        self.factory = factory
        self.limits = limits
        self.census = Census(limits)
        self.transport = partial(SecureServer, tls) if tls else None
        # The factory given here is never asked for anything: it would only be asked for its ALPN.
        self._tls = TLSMemoryBIOFactory(tls, False, Factory(), clock) if tls else None  # noqa: FBT003
        self.clock = clock
        self.log = log
        self._ports = 0
        self._connections: set[Connection] = set()
        self._sweep = LoopingCall(self.sweep)
        self._sweep.clock = clock

    def doStart(self) -> None:
        """Tell the factory inside that a port listens for it."""
        self._ports += 1
        self.factory.doStart()

    def doStop(self) -> None:
        """Tell the factory inside that a port listens no longer."""
        self._ports -= 1
        self.factory.doStop()
        self._rest()

    def buildProtocol(self, addr: IAddress) -> IProtocol | None:
        """Return a protocol for a peer at `addr`, or None: the socket is closed at once."""
        who = source(addr)
        if not self.census.admit(who):
            self._watch()
            return None
        inner = self.factory.buildProtocol(addr)
        if inner is None:
            self.census.leave(who)
            return None
        connection = Connection(self, inner, who, self.clock.seconds())
        self._connections.add(connection)
        self._watch()
        return connection

    def secured(self, inner: IProtocol, transport: ITransport) -> IProtocol:
        """Return what stands on `transport`: `inner`, or TLS with `inner` in it; set its high water."""
        if self.limits.high_water != DEFAULTS.high_water and hasattr(transport, "bufferSize"):
            transport.bufferSize = self.limits.high_water
        if self._tls is None or isinstance(transport, SecureServer):
            return inner
        return TLSMemoryBIOProtocol(self._tls, inner)

    def left(self, connection: Connection, who: str) -> None:
        """Forget `connection`, which has ended."""
        self._connections.discard(connection)
        self.census.leave(who)
        if not self._ports:
            self._rest()

    def refuse(self, peer: IAddress, reason: str) -> None:
        """Count that `peer` was refused for `reason`."""
        self.census.refuse(f"{host(peer)} {reason}")
        self._watch()

    def not_accepted(self, error: str) -> None:
        """Count a connection that the kernel could not give to this process, or only to close it."""
        self.census.refuse(f"no more can be accepted ({error})")
        self._watch()

    def sweep(self) -> None:
        """Let go of every connection whose time is up, and report refusals."""
        now = self.clock.seconds()
        for connection in list(self._connections):
            reason = connection.look(self.limits, now)
            if reason:
                peer = host_and_port(connection.transport.getPeer())
                self.log.info("let go of {peer}: {reason}", peer=peer, reason=reason)
                connection.transport.abortConnection()
        reason, count = self.census.report()
        if count:
            self.log.warn("refused connections: {count}; {reason}", count=count, reason=reason)
        else:
            self._rest()

    def _rest(self) -> None:
        """Look no more while there is nobody to look after."""
        if not self._connections and self._sweep.running:
            self._sweep.stop()

    def _watch(self) -> None:
        if not self._sweep.running:
            self._sweep.start(_SWEEP, now=False)


def behind(proxies: tuple[Network, ...], gate: Gate) -> Gate:
    """Return a gate before `gate` for connections that come from `proxies` with a PROXY header.

    Connections from elsewhere are refused. Sockets and the clients that headers name are counted
    apart, and the proxies' own addresses are not limited.
    """
    sockets = evolve(
        gate.limits,
        connections_per_address=gate.limits.connections,
        first_byte_timeout=0.0,
        idle_timeout=0.0,
    )
    outer = Gate(gate, sockets, gate.clock, gate.log)
    outer.factory = ProxiedFactory(gate, proxies, outer.refuse)
    return outer
