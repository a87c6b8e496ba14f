"""Servers on a port of 127.0.0.1, and other people's `nc` as their client."""

import shutil
from contextlib import suppress

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

NC = shutil.which("nc")
NO_NC = None if NC else "nc is not installed"


class Netcat(ProcessProtocol):
    """One `nc -N`: it sends a FIN when it is hung up; `ended` fires with what it has printed."""

    transport: IProcessTransport

    def __init__(self) -> None:
        self.output = b""
        self.ended: Deferred[bytes] = Deferred()
        self.gone: Deferred[None] = Deferred()
        self._awaited: tuple[bytes, Deferred[None]] | None = None

    def say(self, data: bytes) -> None:
        """Type `data`."""
        self.transport.writeToChild(0, data)

    def hang_up(self) -> None:
        """End the input."""
        self.transport.closeStdin()

    def shows(self, text: bytes) -> Deferred[None]:
        """Return a Deferred that fires as soon as `text` has been printed."""
        seen: Deferred[None] = Deferred()
        self._awaited = (text, seen)
        self._look()
        return seen

    def kill(self) -> Deferred[None]:
        """End it if it has not ended by itself; return a Deferred that fires when it is gone."""
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")
        return self.gone

    def outReceived(self, data: bytes) -> None:
        """Keep what is printed."""
        self.output += data
        self._look()

    def processEnded(self, _reason: Failure) -> None:
        """Hand over what was printed."""
        self.gone.callback(None)
        self.ended.callback(self.output)

    def _look(self) -> None:
        if self._awaited and self._awaited[0] in self.output:
            seen, self._awaited = self._awaited[1], None
            seen.callback(None)


def netcat(test: TestCase, port: int) -> Netcat:
    """Start an `nc` to `port` that is gone when `test` is over."""
    from twisted.internet import reactor  # noqa: PLC0415 (installed by whoever runs the tests)

    assert NC is not None
    client = Netcat()
    reactor.spawnProcess(client, NC, ["nc", "-N", "127.0.0.1", str(port)])
    test.addCleanup(client.kill)
    return client
