"""Outgoing connections through real sockets and the system's resolver, on loopback."""

import socket
from ipaddress import ip_network
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.endpoints import TCP4ServerEndpoint
from twisted.internet.interfaces import IProtocol, ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from netkit.net.connect import Connector
from netkit.net.failures import (
    ForbiddenError,
    RefusedError,
    TimedOutError,
    UnreachableError,
    UnresolvedError,
)
from netkit.net.names import Names
from netkit.net.policy import ANYWHERE, Policy
from tests.net.resolver import Resolver
from tests.net.test_names import found

LOOPBACK = Policy(allowed=(ip_network("127.0.0.0/8"), ip_network("::1/128")))


class Ending(Protocol):
    """Says when it has ended."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.ended.callback(None)


class Counting(Factory[Ending]):
    """Keeps all that it has made."""

    def __init__(self) -> None:
        self.made: list[Ending] = []

    def buildProtocol(self, addr: object) -> Ending:
        self.made.append(Ending())
        return self.made[-1]


class LoopbackTests(TestCase):
    timeout = 30

    def connector(self, policy: Policy = LOOPBACK, names: Names | None = None) -> Connector:
        real = cast("Any", reactor)
        return Connector(real, real, names or Names(real.nameResolver), policy)

    async def listen(self) -> int:
        """Listen at 127.0.0.1; return the port."""
        self.served = Counting()
        endpoint = TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1")
        port = await endpoint.listen(self.served)
        self.addCleanup(port.stopListening)
        return cast("IPv4Address", port.getHost()).port

    async def leave(self, protocol: IProtocol) -> None:
        """End a connection, on both sides."""
        made = cast("Ending", protocol)
        cast("ITCPTransport", made.transport).loseConnection()
        await made.ended
        for served in self.served.made:
            await served.ended

    async def test_addresses(self) -> None:
        """An address in disguise, and a name, reach the listener that is there."""
        port = await self.listen()
        for host in ("127.0.0.1", "127.1", "0x7f000001", "localhost"):
            protocol = await self.connector().connect(host, port, Counting())
            transport = cast("ITCPTransport", cast("Ending", protocol).transport)
            self.assertEqual(transport.getPeer(), IPv4Address("TCP", "127.0.0.1", port))
            await self.leave(protocol)

    async def test_forbidden(self) -> None:
        """By default nothing of it is reached, by address or by name."""
        port = await self.listen()
        connector = self.connector(Policy())
        for host in ("127.0.0.1", "localhost", "[::1]", "0", "::ffff:127.0.0.1"):
            await self.assertFailure(connector.connect(host, port, Counting()), ForbiddenError)
        self.assertEqual(self.served.made, [])

    async def test_refused(self) -> None:
        """Where nobody listens it is refused, and the system's words are passed on."""
        with socket.create_server(("127.0.0.1", 0)) as bound:
            port = bound.getsockname()[1]
        connecting = self.connector().connect("127.0.0.1", port, Counting())
        error = await self.assertFailure(connecting, RefusedError)
        self.assertEqual(str(error), f"127.0.0.1:{port}: connection refused")

    async def test_next_one(self) -> None:
        """Where the first address refuses the next one is reached."""
        port = await self.listen()
        answer = [found("127.0.0.2"), found("127.0.0.1")]
        names = Names(Resolver({"a.example": answer}))
        await self.leave(await self.connector(names=names).connect("a.example", port, Counting()))

    async def test_cancelled(self) -> None:
        """A connection that is cancelled as soon as it is asked for leaves nothing behind."""
        port = await self.listen()
        connecting = self.connector().connect("127.0.0.1", port, Counting())
        connecting.cancel()
        await self.assertFailure(connecting, CancelledError)
        self.assertEqual(self.served.made, [])

    async def test_unknown_zone(self) -> None:
        """A zone that this host has not is one line, not a traceback."""
        connecting = self.connector(ANYWHERE).connect("fe80::1%nowhere", 80, Counting())
        error = await self.assertFailure(connecting, UnreachableError)
        self.assertTrue(str(error).startswith("[fe80::1%nowhere]:80: "))

    async def test_unanswered(self) -> None:
        """Where nobody takes the connection it is given up at the deadline."""
        full = socket.create_server(("127.0.0.1", 0), backlog=0)
        self.addCleanup(full.close)
        port = full.getsockname()[1]
        filler = socket.create_connection(full.getsockname())
        self.addCleanup(filler.close)
        real = cast("Any", reactor)
        connector = Connector(real, real, Names(real.nameResolver), LOOPBACK, timeout=0.2)
        connecting = connector.connect("127.0.0.1", port, Counting())
        error = await self.assertFailure(connecting, TimedOutError)
        self.assertEqual(str(error), f"127.0.0.1: no connection to port {port} within 0.2 s")

    async def test_odd_names(self) -> None:
        """No name, however odd, is more than one line."""
        connector = self.connector()
        for host in ("", ".", "a..b", "a\x00b", "\ud800", "\xe9" * 100, "x" * 300, "1.2.3.4.5"):
            await self.assertFailure(connector.connect(host, 80, Counting()), UnresolvedError)
