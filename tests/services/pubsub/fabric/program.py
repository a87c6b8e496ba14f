"""Real `nats-server` processes on ports of 127.0.0.1, which are gone when their test is over."""

import os
import shutil
import sys
from contextlib import suppress
from pathlib import Path
from signal import SIGSTOP, SIGUSR2
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

_BESIDE = Path(sys.executable).parent / "nats-server"
PROGRAM = str(_BESIDE) if _BESIDE.exists() else shutil.which("nats-server")
NO_PROGRAM = None if PROGRAM else "nats-server is not installed"


class NatsServer(ProcessProtocol):
    """One server; `port` and `cluster`, its URL for other servers, are known once it is ready."""

    transport: IProcessTransport

    def __init__(self) -> None:
        self.port = 0
        self.cluster = ""
        self.gone: Deferred[None] = Deferred()
        self._output = b""
        self._awaited: tuple[bytes, Deferred[None]] | None = None

    def says(self, text: bytes) -> Deferred[None]:
        """Return a Deferred that fires as soon as `text` is in the log."""
        said: Deferred[None] = Deferred()
        self._awaited = text, said
        self._look()
        return said

    async def ready(self, *, in_cluster: bool) -> None:
        """Wait until it serves."""
        self.port = await self.listens(b"client connections on ")
        if in_cluster:
            self.cluster = f"nats://127.0.0.1:{await self.listens(b'route connections on ')}"

    async def listens(self, whom: bytes) -> int:
        """Wait until it says where it listens for `whom`, in its own words; return the port."""
        said = b"Listening for %b127.0.0.1:" % whom
        await self.says(said)  # a line comes as a whole
        return int(self._output.partition(said)[2].split()[0])

    def retire(self) -> None:
        """Make it a lame duck: it says so, and goes later."""
        self._signal(SIGUSR2)

    def freeze(self) -> None:
        """Let it be as if the network to it were cut: connections stay, and nothing is answered."""
        self._signal(SIGSTOP)

    def kill(self) -> Deferred[None]:
        """End it at once; return a Deferred that fires when it is gone."""
        with suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")
        return self.gone

    def errReceived(self, data: bytes) -> None:
        """Keep the log."""
        self._output += data
        self._look()

    def processEnded(self, reason: Failure) -> None:
        """Be gone."""
        self.gone.callback(None)

    def _signal(self, number: int) -> None:
        assert self.transport.pid is not None
        os.kill(self.transport.pid, number)

    def _look(self) -> None:
        if self._awaited and self._awaited[0] in self._output:
            said, self._awaited = self._awaited[1], None
            said.callback(None)


async def nats_server(test: TestCase, *arguments: str) -> NatsServer:
    """Return a server that runs with these arguments until `test` is over."""
    from twisted.internet import reactor  # noqa: PLC0415 (installed by whoever runs the tests)

    assert PROGRAM is not None
    server = NatsServer()
    where = ["-a", "127.0.0.1", "-p", "-1"]
    processes: Any = reactor
    processes.spawnProcess(server, PROGRAM, [PROGRAM, *where, *arguments])
    test.addCleanup(server.kill)
    await server.ready(in_cluster="--cluster" in arguments)
    return server


async def cluster_of_two(test: TestCase) -> tuple[NatsServer, NatsServer]:
    """Return two servers that know each other."""
    terms = ("--cluster", "nats://127.0.0.1:-1", "--cluster_name", "c")
    one = await nats_server(test, *terms)
    linked = one.says(b"Route connection created")
    two = await nats_server(test, *terms, "--routes", one.cluster)
    await linked
    return one, two
