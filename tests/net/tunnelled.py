"""Two peers and a tunnel between them, over sockets of a loopback address or of UNIX."""

from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.address import IPv4Address, UNIXAddress
from twisted.internet.defer import Deferred, ensureDeferred
from twisted.internet.endpoints import clientFromString, serverFromString
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, IProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.ssl import CertificateOptions
from twisted.internet.task import LoopingCall
from twisted.internet.test.reactormixins import ReactorBuilder
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netkit.net.reactor import EagerReactor
from netkit.net.secure import SecureServer
from netkit.net.tls import Creator, Store
from netkit.net.tunnel import End, Tunnel, Tunnels
from tests.net.authorities import identities, issued

LOOPBACK = "tcp:0:interface=127.0.0.1"
_NOBODY = IPv4Address("TCP", "127.0.0.1", 0)
GONE = Failure(ConnectionDone())


class One(Factory):
    """Has one protocol for one connection."""

    noisy = False
    transport: Any = None

    def __init__(self, protocol: IProtocol) -> None:
        self._protocol = protocol
        self.accepted: Deferred[None] = Deferred()

    def buildProtocol(self, addr: IAddress | None) -> Any:
        self.accepted.callback(None)
        return self._protocol


@implementer(IHalfCloseableProtocol)
class Peer(Protocol):
    """One who speaks through the tunnel; knows what it heard, and how that ended."""

    transport: Any

    def __init__(self) -> None:
        self.heard = bytearray()
        self.ended: Deferred[None] = Deferred()
        self.lost: Deferred[bool] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.heard += data

    def readConnectionLost(self) -> None:
        self.ended.callback(None)

    def writeConnectionLost(self) -> None:
        pass

    def connectionLost(self, reason: Failure = GONE) -> None:
        self.lost.callback(reason.check(ConnectionDone) is not None)


@implementer(IHalfCloseableProtocol)
class Ear(Protocol):
    """The tunnel's end of a connection."""

    transport: Any
    end: End | None = None

    def __init__(self) -> None:
        self.lost: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self.transport.pauseProducing()

    def dataReceived(self, data: bytes) -> None:
        assert self.end
        self.end.dataReceived(data)

    def readConnectionLost(self) -> None:
        assert self.end
        self.end.readConnectionLost()

    def writeConnectionLost(self) -> None:
        assert self.end
        self.end.writeConnectionLost()

    def connectionLost(self, reason: Failure = GONE) -> None:
        if self.end:
            self.end.connectionLost(reason)
        self.lost.callback(None)


@frozen
class Line:
    """A peer, the tunnel's ears on both sides of it, and the other peer."""

    near: Peer
    near_ear: Ear
    far_ear: Ear
    far: Peer

    def join(self, tunnels: Tunnels, **leftovers: bytes) -> Tunnel:
        """Join the two connections."""
        tunnel = tunnels.join(self.near_ear.transport, self.far_ear.transport, **leftovers)
        self.near_ear.end, self.far_ear.end = tunnel.near, tunnel.far
        return tunnel

    async def gone(self) -> None:
        """Abort what is still there, and wait until it is gone."""
        for end in (self.near, self.near_ear, self.far_ear, self.far):
            if not end.lost.called:
                end.transport.abortConnection()
                await end.lost


class LoopbackTests(ReactorBuilder, SynchronousTestCase):
    """Tests that are coroutines, each run on every sort of reactor."""

    _reactors = [  # noqa: RUF012 (as ReactorBuilder has it)
        "twisted.internet.selectreactor.SelectReactor",
        "twisted.internet.pollreactor.PollReactor",
        "twisted.internet.epollreactor.EPollReactor",
        "twisted.internet.test.reactormixins.AsyncioSelectorReactor",
        "netkit.net.reactor.EagerReactor",
    ]

    def setUp(self) -> None:
        super().setUp()
        self.lines: list[Line] = []

    async def lay(
        self,
        reactor: Any,
        endpoint: str = LOOPBACK,
        *,
        tls: bool = False,
        gate: Callable[["One"], Any] = lambda factory: factory,
    ) -> Line:
        """Return four connected protocols, the two near ones by TLS; nothing listens any longer.

        `gate` is put before the near one of the tunnel's.
        """
        line = Line(Peer(), Ear(), Ear(), Peer())
        self.lines.append(line)
        near = One(line.near_ear), One(line.near)
        wrap = _with_tls_on_the_socket if isinstance(reactor, EagerReactor) else _with_tls
        server, client = wrap(*near) if tls else near
        await self._connect(reactor, endpoint, gate(server), client, server.accepted)
        server, client = One(line.far), One(line.far_ear)
        await self._connect(reactor, endpoint, server, client, server.accepted)
        return line

    async def _connect(
        self, reactor: Any, endpoint: str, server: Any, client: Any, accepted: Deferred[None]
    ) -> None:
        port = await serverFromString(reactor, endpoint).listen(server)
        where = port.getHost()
        unix = isinstance(where, UNIXAddress) and where.name
        name = f"unix:{unix.decode()}" if unix else f"tcp:127.0.0.1:{where.port}"
        await clientFromString(reactor, name).connect(client)
        await accepted
        await port.stopListening()

    def go(self, test: Callable[[Any], Coroutine[Any, Any, None]]) -> None:
        """Run a reactor until the coroutine `test(reactor)` is done and everybody is gone."""
        reactor = self.buildReactor()
        failures: list[Failure] = []

        async def run() -> None:
            try:
                await test(reactor)
            finally:
                for line in self.lines:
                    await line.gone()

        def begin() -> None:
            done = ensureDeferred(run()).addErrback(failures.append)
            done.addBoth(lambda _: reactor.stop())

        reactor.callWhenRunning(begin)
        self.runReactor(reactor, timeout=30)
        for failure in failures:
            failure.raiseException()


def until(reactor: Any, true: Any) -> Deferred[Any]:
    """Return a Deferred for when `true()` is; it is looked at all the time."""

    def look() -> None:
        if true():
            call.stop()

    call = LoopingCall(look)
    call.clock = reactor
    return call.start(0.001)


def descriptors() -> set[str]:
    """Return the descriptors that are open, as the kernel names them."""
    return {f"{path.name} {_target(path)}" for path in Path("/proc/self/fd").iterdir()}


def _target(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:
        return "gone"  # the one of this very listing


def _with_tls(server: One, client: One) -> tuple[One, One]:
    over_server = TLSMemoryBIOFactory(_creator(), isClient=False, wrappedFactory=server)
    return One(over_server.buildProtocol(_NOBODY)), _client_with_tls(client)


def _with_tls_on_the_socket(server: One, client: One) -> tuple[One, One]:
    server.transport = partial(SecureServer, _creator())
    return server, _client_with_tls(client)


def _client_with_tls(client: One) -> One:
    over = TLSMemoryBIOFactory(CertificateOptions(), isClient=True, wrappedFactory=client)
    return One(over.buildProtocol(_NOBODY))


def _creator() -> Creator:
    return Store(identities(issued("localhost"))).creator()
