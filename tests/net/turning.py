"""A reactor of netkit that a test turns itself, and what it needs at the other end."""

import socket
from collections.abc import Callable
from secrets import token_hex
from typing import Any

from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol
from twisted.internet.protocol import ClientFactory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netkit.net.eager import EagerConnection
from netkit.net.reactor import EagerReactor

_TURNS = 2000
_LONGEST_TURN = 0.01  # seconds


class Recorder(Protocol):
    """Keeps what it is told; `received` may be given something to do as well."""

    transport: EagerConnection

    def __init__(self) -> None:
        self.data = b""
        self.lost: list[type] = []
        self.on_made: Callable[[Recorder], object] = lambda _: None
        self.on_data: Callable[[Recorder], object] = lambda _: None
        self.on_lost: Callable[[Recorder], object] = lambda _: None

    def connectionMade(self) -> None:
        self.on_made(self)

    def dataReceived(self, data: bytes) -> None:
        self.data += data
        self.on_data(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost.append(type(reason.value))
        self.on_lost(self)


@implementer(IHalfCloseableProtocol)
class HalfCloser(Recorder):
    """A recorder that goes on when one half is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.halves: list[str] = []

    def readConnectionLost(self) -> None:
        self.halves.append("read")

    def writeConnectionLost(self) -> None:
        self.halves.append("write")


class Recorders(ClientFactory[Recorder]):
    """Makes recorders, for either side, and keeps them in the order in which they were made."""

    noisy = False

    def __init__(self, kind: type[Recorder] = Recorder) -> None:
        self.kind = kind
        self.made: list[Recorder] = []
        self.on_new: Callable[[Recorder], object] = lambda _: None

    def buildProtocol(self, addr: IAddress | None) -> Recorder:
        recorder = self.kind()
        self.on_new(recorder)
        self.made.append(recorder)
        return recorder


class TurningTestCase(SynchronousTestCase):
    """Has a reactor that is no process's, and turns it."""

    def setUp(self) -> None:
        self.reactor = EagerReactor()
        self.addCleanup(self._put_away)

    def _put_away(self) -> None:
        for each in self.reactor.removeAll():
            each.connectionLost(Failure(ConnectionError("the test is over")))
        for reader in list(self.reactor._internalReaders):
            self.reactor.removeReader(reader)
            reader.connectionLost(None)
        self.reactor._poller.close()

    def turn(self) -> None:
        """Turn once, and wait for nothing."""
        self.reactor.iterate(0)

    def turn_until(self, done: Callable[[], object]) -> None:
        """Turn until `done()`, or fail."""
        for _ in range(_TURNS):
            if done():
                return
            self.reactor.iterate(_LONGEST_TURN)
        self.fail("it never came to that")

    def read_until(self, peer: socket.socket, done: Callable[[bytes], object]) -> bytes:
        """Turn and read from `peer` until `done(bytes so far)` or its end; return the bytes."""
        peer.setblocking(False)
        read: list[bytes] = []

        def enough() -> bool:
            try:
                read.append(peer.recv(1 << 20))
            except BlockingIOError:
                return False
            return read[-1] == b"" or bool(done(b"".join(read)))

        self.turn_until(enough)
        return b"".join(read)


class Way:
    """How a test listens and connects."""

    address: Any
    family: socket.AddressFamily

    def listen(self, reactor: EagerReactor, factory: Any) -> Any:
        """Listen where nobody else does."""
        raise NotImplementedError

    def connect(self, reactor: EagerReactor, factory: Recorders) -> None:
        """Connect to where we listen, from our side."""
        raise NotImplementedError

    def peer(self) -> socket.socket:
        """Return a socket that is connected to where we listen."""
        connected = socket.socket(self.family)
        connected.connect(self.address)
        return connected


class TCP(Way):
    """By TCP."""

    family = socket.AF_INET

    def listen(self, reactor: EagerReactor, factory: Any) -> Any:
        port: Any = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.address = port.socket.getsockname()
        return port

    def connect(self, reactor: EagerReactor, factory: Recorders) -> None:
        host, port = self.address
        reactor.connectTCP(host, port, factory)


class UNIX(Way):
    """By UNIX sockets, of Linux's abstract namespace: no file is left."""

    family = socket.AF_UNIX

    def listen(self, reactor: EagerReactor, factory: Any) -> Any:
        self.address = f"\0netkit-{token_hex()}"
        return reactor.listenUNIX(self.address, factory)

    def connect(self, reactor: EagerReactor, factory: Recorders) -> None:
        reactor.connectUNIX(self.address, factory)
