"""Programs at work, ours and others', and a peer within the test."""

import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from shutil import which
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.error import ConnectionDone, ProcessExitedAlready
from twisted.internet.interfaces import IHalfCloseableProtocol, IProcessTransport
from twisted.internet.protocol import Factory, ProcessProtocol, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SkipTest, TestCase
from zope.interface import implementer

from tests.tools.commanded import ROOT

PIPES: Mapping[int, str | int] = {0: "w", 1: "r", 2: "r"}


class Program(ProcessProtocol):
    """A program; what it prints is kept, `ended` gets its exit status, or minus its signal."""

    transport: IProcessTransport

    def __init__(self) -> None:
        self.out = self.errors = b""
        self.ended: Deferred[int] = Deferred()
        self.gone: Deferred[None] = Deferred()
        self._awaited: tuple[bytes, Deferred[None]] | None = None

    def says(self, text: bytes) -> Deferred[None]:
        """Return a Deferred that fires as soon as `text` has been printed, whichever way."""
        said: Deferred[None] = Deferred()
        self._awaited = (text, said)
        self._look()
        return said

    def type(self, data: bytes) -> None:
        """Type `data`."""
        self.transport.writeToChild(0, data)

    def hang_up(self) -> None:
        """End its input."""
        self.transport.closeChildFD(0)

    def kill(self) -> Deferred[None]:
        """End it, if it has not ended."""
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")
        return self.gone

    def childDataReceived(self, childFD: int, data: bytes) -> None:
        """Keep what is printed."""
        if childFD == 1:
            self.out += data
        else:
            self.errors += data
        self._look()

    def processEnded(self, reason: Failure) -> None:
        """Tell how it ended."""
        value: Any = reason.value
        self.gone.callback(None)
        self.ended.callback(value.exitCode if value.exitCode is not None else -value.signal)

    def _look(self) -> None:
        if self._awaited and self._awaited[0] in self.out + self.errors:
            said, self._awaited = self._awaited[1], None
            said.callback(None)


def begin(
    test: TestCase, program: str, *arguments: str, descriptors: Mapping[int, str | int] = PIPES
) -> Program:
    """Start a program that is gone when `test` is over; skip where it is not installed."""
    from twisted.internet import reactor  # noqa: PLC0415 (installed by whoever runs the tests)

    path = which(program)
    if path is None:
        raise SkipTest(f"{program} is not installed")
    running = Program()
    reactor.spawnProcess(
        running, path, [program, *arguments], env=os.environ, path=str(ROOT), childFDs=descriptors
    )
    test.addCleanup(running.kill)
    return running


def netkit(
    test: TestCase, *arguments: str, descriptors: Mapping[int, str | int] = PIPES
) -> Program:
    """Start `netkit`."""
    ours = ("-W", "error", "-m", "netkit.tools")
    return begin(test, sys.executable, *ours, *arguments, descriptors=descriptors)


@implementer(IHalfCloseableProtocol)
class Peer(Protocol):
    """A peer that does as the test says; `lost` says whether it ended in order."""

    transport: Any

    def __init__(self) -> None:
        self.heard = b""
        self.made: Deferred[None] = Deferred()
        self.silent: Deferred[None] = Deferred()
        self.lost: Deferred[bool] = Deferred()
        self.gone: Deferred[None] = Deferred()
        self._awaited: tuple[int, Deferred[None]] | None = None

    def hears(self, length: int) -> Deferred[None]:
        """Return a Deferred that fires once so many bytes have come."""
        heard: Deferred[None] = Deferred()
        self._awaited = (length, heard)
        self._look()
        return heard

    def connectionMade(self) -> None:
        self.made.callback(None)

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        self._look()

    def readConnectionLost(self) -> None:
        self.silent.callback(None)

    def writeConnectionLost(self) -> None:
        pass

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.lost.callback(reason.check(ConnectionDone) is not None)
        self.gone.callback(None)

    def leave(self) -> Deferred[None] | None:
        """End the connection, if there is one."""
        if not self.made.called:
            return None
        self.transport.abortConnection()
        return self.gone

    def _look(self) -> None:
        if self._awaited and len(self.heard) >= self._awaited[0]:
            heard, self._awaited = self._awaited[1], None
            heard.callback(None)


class One(Factory[Any]):
    """Has one protocol."""

    noisy = False

    def __init__(self, protocol: Protocol) -> None:
        self._protocol = protocol

    def buildProtocol(self, addr: object) -> Any:
        return self._protocol


def serve(test: TestCase, factory: Any) -> int:
    """Listen until the end of `test`; return the port."""
    from twisted.internet import reactor  # noqa: PLC0415 (as above)

    port = reactor.listenTCP(0, factory, interface="127.0.0.1")
    test.addCleanup(maybeDeferred, port.stopListening)
    address = port.getHost()
    assert isinstance(address, IPv4Address)
    return address.port


def peer(test: TestCase) -> tuple[Peer, str]:
    """Return a peer that waits to be called, and its port."""
    waiting = Peer()
    test.addCleanup(waiting.leave)
    return waiting, str(serve(test, One(waiting)))
