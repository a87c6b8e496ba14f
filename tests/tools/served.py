"""Servers on loopback ports of this process, for a netkit that runs in another."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import maybeDeferred
from twisted.internet.interfaces import IProtocolFactory
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.internet.task import deferLater
from twisted.logger import LogEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from netkit.http.limits import Limits
from netkit.http.messages import Handler
from netkit.http.server import HandlerFactory
from tests.http.fakes import recorded
from tests.nginx import nginx as start
from tests.test_tap import free_port


async def nginx(test: TestCase, locations: str) -> tuple[Path, str]:
    """Run nginx until the end of `test`; return the folder that it serves, and its URL."""
    from twisted.internet import reactor  # noqa: PLC0415 (trial has chosen it by now)

    clock: Any = reactor
    folder = _folder(test)
    port = free_port()
    start(test, folder, f"listen 127.0.0.1:{port}; root {folder}; {locations}")
    while not (folder / "pid").exists():
        await deferLater(clock, 0.01)
    return folder, f"http://127.0.0.1:{port}"


def _folder(test: TestCase) -> Path:
    folder = Path(test.mktemp()).absolute()
    folder.mkdir()
    return folder


def handled(test: TestCase, handler: Handler, **limits: Any) -> str:
    """Serve by `handler` until the end of `test`; return the URL."""
    from twisted.internet import reactor  # noqa: PLC0415 (trial has chosen it by now)

    events: list[LogEvent] = []
    clock: Any = reactor
    factory = HandlerFactory(handler, clock=clock, log=recorded(events), limits=Limits(**limits))
    return _listening(test, factory, lambda: len(factory._channels))


class Peer(Protocol):
    """A connection that a test plays: `hear` is called with it and all that has come, each time."""

    def __init__(self, factory: "Peers") -> None:
        self.came = bytearray()
        self._peers = factory

    def connectionMade(self) -> None:
        """Be counted."""
        self._peers.open.add(self)
        self._peers.met += 1

    def dataReceived(self, data: bytes) -> None:
        """Let the test hear."""
        self.came += data
        self._peers.hear(self)

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """Be counted no longer."""
        self._peers.open.discard(self)

    def say(self, data: bytes) -> None:
        """Send `data`."""
        transport: Any = self.transport
        transport.write(data)

    def end(self) -> None:
        """Close the connection."""
        transport: Any = self.transport
        transport.loseConnection()

    def hold(self) -> None:
        """Read no more; whoever leaves is noticed when the test is over."""
        transport: Any = self.transport
        transport.pauseProducing()


class Peers(Factory):
    """Connections that a test plays: how many there have been, and those that are `open`."""

    def __init__(self, hear: Callable[[Peer], None]) -> None:
        self.open: set[Peer] = set()
        self.met = 0
        self.hear = hear

    def buildProtocol(self, addr: object) -> Peer:
        """Return a connection."""
        return Peer(self)

    def abort(self) -> None:
        """Break off those that are open, which may not be read and so not hear that they ended."""
        for peer in list(self.open):
            transport: Any = peer.transport
            transport.abortConnection()


def played(test: TestCase, peers: Peers) -> str:
    """Let `peers` serve until the end of `test`; return the URL."""
    return _listening(test, peers, lambda: len(peers.open))


def _listening(test: TestCase, factory: Any, count: Callable[[], int]) -> str:
    from twisted.internet import reactor  # noqa: PLC0415 (trial has chosen it by now)

    clock: Any = reactor

    async def ended() -> None:
        while count():
            await deferLater(clock, 0.01)

    served: IProtocolFactory = factory
    port = clock.listenTCP(0, served, interface="127.0.0.1")
    test.addCleanup(ended)
    test.addCleanup(maybeDeferred, port.stopListening)
    return f"http://127.0.0.1:{port.getHost().port}"
