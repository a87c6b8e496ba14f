"""What stands between a socket that listens and the factory it listens for.

Every listener gets the same wrapper, in one order: socket, limits, TLS, protocol. Limits are
outermost, so that they hold for a handshake too and see what the socket sees. Rule: nothing here
costs more than a flag per event; deadlines are looked at once a second.
"""

from typing import Protocol as Structure
from typing import cast

from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IOpenSSLServerConnectionCreator,
    IProtocol,
    IProtocolFactory,
    IReactorTime,
    ITCPTransport,
    ITransport,
)
from twisted.internet.task import LoopingCall
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.net.limits import Census, Limits, Patience, source
from netkit.net.peer import host_and_port

_SWEEP = 1.0  # seconds


class _Queue(Structure):
    """The part of Twisted's FileDescriptor that says what the kernel has not taken yet."""

    dataBuffer: bytes
    offset: int
    _tempDataLen: int


def unsent(transport: object) -> int:
    """Return how many bytes given to a socket's `transport` the kernel has not taken.

    Twisted has no public name for it; these three attributes are named nowhere else.
    """
    queue = cast("_Queue", transport)
    try:
        return len(queue.dataBuffer) - queue.offset + queue._tempDataLen  # noqa: SLF001
    except AttributeError:
        return 0


@implementer(IProtocol, IHalfCloseableProtocol)
class Connection:
    """One connection: passes everything on to the protocol inside, which has the real transport."""

    __slots__ = ("_gate", "_patience", "_who", "heard", "inner", "transport")

    def __init__(self, gate: "Gate", inner: IProtocol, who: str, now: float) -> None:
        self._gate = gate
        self._who = who
        self._patience = Patience.starting(now)
        self.heard = False
        self.inner = inner
        self.transport: ITCPTransport | None = None

    def makeConnection(self, transport: ITransport) -> None:
        """Give the transport to the protocol inside."""
        self.transport = cast("ITCPTransport", transport)
        self.inner.makeConnection(transport)

    def connectionMade(self) -> None:
        """Do nothing: `makeConnection` of the protocol inside has said it there."""

    def dataReceived(self, data: bytes) -> None:
        """Pass `data` on."""
        self.heard = True
        self.inner.dataReceived(data)

    def connectionLost(self, reason: Failure) -> None:
        """Count the connection out and pass the news on."""
        self._gate.left(self, self._who)
        self.inner.connectionLost(reason)

    def readConnectionLost(self) -> None:
        """Pass the peer's half-close on, or close where the protocol inside knows none."""
        if IHalfCloseableProtocol.providedBy(self.inner):
            cast("IHalfCloseableProtocol", self.inner).readConnectionLost()
        elif self.transport is not None:
            self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Pass the end of our own half on."""
        if IHalfCloseableProtocol.providedBy(self.inner):
            cast("IHalfCloseableProtocol", self.inner).writeConnectionLost()

    def look(self, limits: Limits, now: float) -> str:
        """Return why the connection has to end now, or the empty string."""
        heard, self.heard = self.heard, False
        return self._patience.reason_to_go(
            limits, now, heard=heard, unsent=unsent(self.transport), greeted=_greeted(self.inner)
        )


def _greeted(protocol: IProtocol) -> bool:
    """Return whether the TLS handshake is done; without TLS there is none to do."""
    if not isinstance(protocol, TLSMemoryBIOProtocol):
        return True
    return protocol.getHandle().get_peer_finished() is not None


@implementer(IProtocolFactory)
class Gate:
    """The factory that a port has: admits connections, looks after them, and lets go of them.

    `factory` is what new connections are for; it may be exchanged while the port listens.
    """

    def __init__(
        self,
        factory: IProtocolFactory,
        limits: Limits,
        clock: IReactorTime,
        log: Logger,
        tls: IOpenSSLServerConnectionCreator | None = None,
    ) -> None:
        self.factory = TLSMemoryBIOFactory(tls, False, factory, clock) if tls else factory  # noqa: FBT003
        self.limits = limits
        self.census = Census(limits)
        self._clock = clock
        self._log = log
        self._connections: set[Connection] = set()
        self._sweep = LoopingCall(self.sweep)
        self._sweep.clock = clock

    def doStart(self) -> None:
        """Tell the factory inside that a port listens for it."""
        self.factory.doStart()

    def doStop(self) -> None:
        """Tell the factory inside that a port listens no longer."""
        self.factory.doStop()

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
        connection = Connection(self, inner, who, self._clock.seconds())
        self._connections.add(connection)
        self._watch()
        return connection

    def left(self, connection: Connection, who: str) -> None:
        """Forget `connection`, which has ended."""
        self._connections.discard(connection)
        self.census.leave(who)

    def sweep(self) -> None:
        """Let go of every connection whose time is up, and report refusals."""
        now = self._clock.seconds()
        for connection in list(self._connections):
            reason = connection.look(self.limits, now)
            if reason:
                self._let_go(connection, reason)
        reason, count = self.census.report()
        if count:
            self._log.warn("refused {count} connections: {reason}", count=count, reason=reason)
        elif not self._connections:
            self._sweep.stop()

    def _let_go(self, connection: Connection, reason: str) -> None:
        transport = connection.transport
        if transport is None:
            return
        peer = host_and_port(transport.getPeer())
        self._log.info("let go of {peer}: {reason}", peer=peer, reason=reason)
        transport.abortConnection()

    def _watch(self) -> None:
        if not self._sweep.running:
            self._sweep.start(_SWEEP, now=False)
