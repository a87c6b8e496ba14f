"""Connections to UNIX sockets: made, refused, cancelled, and tried again where nobody can wait."""

import socket
from typing import Any, cast

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.internet.endpoints import UNIXServerEndpoint
from twisted.internet.error import ConnectError
from twisted.internet.testing import MemoryReactorClock
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netkit.net.connect import Connector
from netkit.net.connectunix import RETRY, connect_unix
from netkit.net.failures import NoConnectionError, RefusedError
from netkit.net.names import Names
from netkit.net.policy import ANYWHERE
from tests.net.resolver import Resolver
from tests.net.test_dial import Hearing, Making, Talk


class Sockets(TestCase):
    """With a real socket."""

    timeout = 30

    def setUp(self) -> None:
        real = cast("Any", reactor)
        self.connector = Connector(real, real, Names(Resolver()), ANYWHERE)
        self.path = self.mktemp()

    async def test_connected(self) -> None:
        """A protocol is connected to who listens there, and both are heard."""
        peer, talk = Hearing(b"hello"), Hearing()
        endpoint = UNIXServerEndpoint(cast("Any", reactor), self.path)
        port = await endpoint.listen(Making(peer))
        self.addCleanup(port.stopListening)
        made = await connect_unix(self.connector, self.path, Making(talk))
        self.assertIs(made, talk)
        await talk.first
        self.assertEqual(talk.heard, b"hello")
        for each in (talk, peer):
            each.transport.abortConnection()
            await each.lost

    async def test_cancelled(self) -> None:
        """Nothing is left of an attempt that is cancelled."""
        endpoint = UNIXServerEndpoint(cast("Any", reactor), self.path)
        port = await endpoint.listen(Making(Talk()))
        self.addCleanup(port.stopListening)
        making = Making(Talk())
        dialled = connect_unix(self.connector, self.path, making)
        dialled.cancel()
        await self.assertFailure(dialled, CancelledError)
        self.assertEqual(making.asked, 0)

    async def test_nobody(self) -> None:
        """A socket that is not there, or has nobody behind it, is named."""
        dialled = connect_unix(self.connector, self.path, Making(Talk()))
        error = await self.assertFailure(dialled, NoConnectionError)
        self.assertEqual(str(error), f"unix:{self.path}: no such file or directory")
        with socket.socket(socket.AF_UNIX) as nobodys:
            nobodys.bind(self.path)
        dialled = connect_unix(self.connector, self.path, Making(Talk()))
        await self.assertFailure(dialled, RefusedError)

    def full(self) -> None:
        """Have a server that has as many waiting as it may."""
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(self.path)
        listener.listen(0)
        waiting = socket.socket(socket.AF_UNIX)
        self.addCleanup(waiting.close)
        waiting.connect(self.path)

    async def test_full(self) -> None:
        """A server that has as many waiting as it may is none, when the time is up."""
        self.full()
        connector = evolve(self.connector, timeout=3 * RETRY)
        dialled = connect_unix(connector, self.path, Making(Talk()))
        await self.assertFailure(dialled, NoConnectionError)


class Retries(SynchronousTestCase):
    """A socket of which the kernel says that nobody can wait there is tried again."""

    def setUp(self) -> None:
        self.reactor: Any = MemoryReactorClock()
        self.connector = Connector(self.reactor, self.reactor, Names(Resolver()), ANYWHERE, 1.0)
        self.talk = Talk()
        self.dialled = connect_unix(self.connector, "/a", Making(self.talk))
        self.attempt = self.reactor.unixClients[0][1]
        self.tried = 0

    def connect(self) -> None:
        """Be told to try again."""
        self.tried += 1

    def fail_attempt(self, error: Exception | None = None) -> None:
        """Have the attempt fail, because of a full queue if there is no other reason."""
        self.attempt.clientConnectionFailed(self, Failure(error or ConnectError(string="full")))

    def test_again(self) -> None:
        """It is tried again after a moment."""
        self.fail_attempt()
        self.assertEqual(self.tried, 0)
        self.reactor.advance(RETRY)
        self.assertEqual(self.tried, 1)
        self.attempt.buildProtocol(None)
        self.reactor.advance(0)
        self.assertIs(self.successResultOf(self.dialled), self.talk)

    def test_too_long(self) -> None:
        """It is not, once the time is up."""
        for _ in range(round(1 / RETRY)):
            self.assertNoResult(self.dialled)
            self.fail_attempt()
            self.reactor.advance(RETRY)
        words = str(self.failureResultOf(self.dialled).value)
        self.assertEqual(words, "unix:/a: too many wait for it already")
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_other(self) -> None:
        """Nor where there is another reason."""
        self.fail_attempt(ConnectionRefusedError(111, "Connection refused"))
        self.assertEqual(
            str(self.failureResultOf(self.dialled).value), "unix:/a: connection refused"
        )

    def test_cancelled(self) -> None:
        """Nor where nobody wants it any more."""
        self.fail_attempt()
        self.dialled.cancel()
        self.failureResultOf(self.dialled, CancelledError)
        self.assertEqual(self.reactor.getDelayedCalls(), [])
