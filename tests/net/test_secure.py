"""TLS on the socket itself keeps the promises of the plain transport.

These run on netkit's reactor, as `make test` starts them; the client is Python's own ssl.
"""

import hashlib
import socket
import ssl
import struct
from collections.abc import Callable
from typing import TypeVar
from unittest import SkipTest

from OpenSSL import SSL
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IHalfCloseableProtocol,
    IHandshakeListener,
    ISSLTransport,
)
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from netkit.net.limits import Limits
from netkit.net.listener import Gate
from netkit.net.reactor import EagerReactor
from netkit.net.secure import SecureServer
from netkit.net.tls import Store
from tests.listening import listening
from tests.net.authorities import identities, issued

T = TypeVar("T")
MEGABYTES = bytes(range(256)) * 4096 * 8  # 8 MiB


@implementer(IHalfCloseableProtocol, IHandshakeListener)
class Peer(Protocol):
    """The server's end: notes everything, and does with it what the test says."""

    transport: SecureServer

    def __init__(self, test: "SecureTestCase") -> None:
        self.test = test
        self.heard = b""
        self.events: list[str] = []
        self.lost: Deferred[None] = Deferred()

    def connectionMade(self) -> None:
        self.events.append("made")
        self.test.on_made(self)

    def handshakeCompleted(self) -> None:
        self.events.append("greeted")

    def dataReceived(self, data: bytes) -> None:
        self.heard += data
        self.test.on_data(self, data)

    def readConnectionLost(self) -> None:
        self.events.append("read lost")
        self.test.on_read_lost(self)

    def writeConnectionLost(self) -> None:
        self.events.append("write lost")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.events.append(reason.type.__name__ if reason.type else "")
        self.lost.callback(None)


class SecureTestCase(TestCase):
    timeout = 30

    def on_made(self, peer: Peer) -> None:
        """Do nothing as a connection is made."""

    def on_data(self, peer: Peer, data: bytes) -> None:
        """Send back what comes."""
        peer.transport.write(data)

    def on_read_lost(self, peer: Peer) -> None:
        """Close when the client ends its half."""
        peer.transport.loseConnection()

    async def serve(self, limits: Limits | None = None) -> int:
        """Serve one sort of peer with TLS; return the port."""
        from twisted.internet import reactor  # noqa: PLC0415 (trial has chosen it by now)

        if not isinstance(reactor, EagerReactor):
            raise SkipTest("needs trial --reactor=netkit")
        self.peers: list[Peer] = []
        factory = ServerFactory()
        factory.buildProtocol = self._peer  # type: ignore[method-assign, assignment]
        store = Store(identities(issued("localhost")))
        self.gate = Gate(factory, limits or Limits(), reactor, Logger(), store.creator((b"x",)))
        return listening(self, self.gate)

    def _peer(self, _: object) -> Peer:
        self.peers.append(Peer(self))
        return self.peers[-1]

    async def client(self, port: int, talk: Callable[[ssl.SSLSocket], T]) -> T:
        """Return what `talk` returns, which has a connection, in a thread of its own."""

        def run() -> T:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.set_alpn_protocols(["x"])
            with (
                socket.create_connection(("127.0.0.1", port), 20) as plain,
                context.wrap_socket(plain, suppress_ragged_eofs=False) as secured,
            ):
                return talk(secured)

        result: T = await deferToThread(run)
        return result


def _exchange(data: bytes) -> Callable[[ssl.SSLSocket], bytes]:
    """Return a talk that sends `data` and reads as much."""

    def talk(end: ssl.SSLSocket) -> bytes:
        end.sendall(data)
        return _read(end, len(data))

    return talk


def _read(end: ssl.SSLSocket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        piece = end.recv(65536)
        if not piece:
            break
        data += piece
    return data


class EchoTests(SecureTestCase):
    async def test_small(self) -> None:
        """Bytes come and go; the transport is the secure one, and tells what was agreed on."""
        port = await self.serve()
        self.assertEqual(await self.client(port, _exchange(b"hello")), b"hello")
        (peer,) = self.peers
        await peer.lost
        self.assertIsInstance(peer.transport, SecureServer)
        self.assertTrue(ISSLTransport.providedBy(peer.transport))
        self.assertEqual(peer.transport.negotiatedProtocol, b"x")
        self.assertEqual(peer.events[:2], ["made", "greeted"])

    async def test_every_size(self) -> None:
        """Messages around the size of a record, and of a read, come back whole."""
        port = await self.serve()

        def talk(end: ssl.SSLSocket) -> list[bool]:
            sizes = (1, 16383, 16384, 16385, 32768, 65535, 65536, 65537, 81920)
            return [_exchange(MEGABYTES[:size])(end) == MEGABYTES[:size] for size in sizes]

        self.assertEqual(set(await self.client(port, talk)), {True})


class BulkTests(SecureTestCase):
    def on_made(self, peer: Peer) -> None:
        """Write everything at once, before the handshake."""
        peer.transport.write(MEGABYTES[:100])
        peer.transport.writeSequence([MEGABYTES[100:200], MEGABYTES[200:]])
        peer.transport.loseConnection()

    async def test_written_early(self) -> None:
        """What is written before the handshake arrives after it, whole, and then the goodbye."""
        port = await self.serve()

        def talk(end: ssl.SSLSocket) -> tuple[str, bytes]:
            data = _read(end, len(MEGABYTES))
            return hashlib.sha256(data).hexdigest(), end.recv(1)  # a close without goodbye raises

        digest = hashlib.sha256(MEGABYTES).hexdigest()
        self.assertEqual(await self.client(port, talk), (digest, b""))


class PausedTests(SecureTestCase):
    def on_made(self, peer: Peer) -> None:
        """Want no bytes until the handshake is done, and a while longer."""
        peer.transport.pauseProducing()
        peer.transport.reactor.callLater(0.2, self._resume, peer)  # type: ignore[attr-defined]

    def _resume(self, peer: Peer) -> None:
        self.events = list(peer.events), peer.heard
        peer.transport.resumeProducing()

    async def test_paused_early(self) -> None:
        """A protocol that wants no bytes yet gets none, and the handshake goes on all the same."""
        port = await self.serve()
        self.assertEqual(await self.client(port, _exchange(b"hello")), b"hello")
        self.assertEqual(self.events, (["made", "greeted"], b""))
        await self.peers[0].lost


class HalfCloseTests(SecureTestCase):
    def on_data(self, peer: Peer, data: bytes) -> None:
        """Only listen."""

    def on_read_lost(self, peer: Peer) -> None:
        """Answer when the client has said all."""
        peer.transport.write(b"you said " + peer.heard)
        peer.transport.loseConnection()

    async def test_client_ends_first(self) -> None:
        """A client that has said goodbye still gets its answer (RFC 8446 6.1)."""
        port = await self.serve()

        def run() -> bytes:
            context = SSL.Context(SSL.TLS_CLIENT_METHOD)
            with socket.create_connection(("127.0.0.1", port)) as plain:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 20, 0))
                end = SSL.Connection(context, plain)
                end.set_connect_state()
                end.sendall(b"all")
                end.shutdown()
                return end.recv(100)

        self.assertEqual(await deferToThread(run), b"you said all")
        (peer,) = self.peers
        await peer.lost
        self.assertEqual(peer.events, ["made", "greeted", "read lost", "ConnectionDone"])


class ServerEndsFirstTests(SecureTestCase):
    def on_made(self, peer: Peer) -> None:
        """Say something and end our half."""
        peer.transport.write(b"our last words")
        peer.transport.loseWriteConnection()

    def on_data(self, peer: Peer, data: bytes) -> None:
        """Only listen."""

    async def test_reads_on(self) -> None:
        """After our goodbye what the client still says is heard."""
        port = await self.serve()

        def talk(end: ssl.SSLSocket) -> tuple[bytes, bytes]:
            last, after = end.recv(100), end.recv(100)
            end.sendall(b"still here")
            return last, after

        self.assertEqual(await self.client(port, talk), (b"our last words", b""))
        (peer,) = self.peers
        await peer.lost
        self.assertEqual(peer.heard, b"still here")
        self.assertIn("write lost", peer.events)


class BackPressureTests(SecureTestCase):
    def on_made(self, peer: Peer) -> None:
        """Let a full buffer stop the reading."""
        peer.transport.registerProducer(peer.transport, streaming=True)

    async def test_slow_reader(self) -> None:
        """A client that does not read is not read from, and then gets every byte in order."""
        port = await self.serve()

        def talk(end: ssl.SSLSocket) -> bool:
            sent = 0
            end.settimeout(0.5)
            try:
                while sent < len(MEGABYTES):
                    sent += end.send(MEGABYTES[sent : sent + 65536])
            except TimeoutError:
                end.settimeout(20)
            return _read(end, sent) == MEGABYTES[:sent]

        self.assertTrue(await self.client(port, talk))


class AbortTests(SecureTestCase):
    def on_data(self, peer: Peer, data: bytes) -> None:
        """Abort at the first byte."""
        peer.transport.write(b"never sent whole" * 1_000_000)
        peer.transport.abortConnection()

    async def test_no_goodbye(self) -> None:
        """An abort says no goodbye: what was cut off does not look whole."""
        port = await self.serve()

        def talk(end: ssl.SSLSocket) -> str:
            end.sendall(b"x")
            try:
                while end.recv(65536):
                    pass
            except OSError as error:
                return type(error).__name__
            return "a clean end"

        self.assertIn(await self.client(port, talk), {"ConnectionResetError", "SSLEOFError"})
        await self.peers[0].lost
        self.assertEqual(self.peers[0].events[-1], "ConnectionAborted")


class RubbishTests(SecureTestCase):
    async def _send(self, port: int, data: bytes) -> bytes:
        def run() -> bytes:
            with socket.create_connection(("127.0.0.1", port), 20) as plain:
                plain.sendall(data)
                try:
                    plain.shutdown(socket.SHUT_WR)
                    return plain.recv(1000)
                except OSError:
                    return b""  # it was reset, which is soon enough

        answer: bytes = await deferToThread(run)
        return answer

    async def test_not_tls(self) -> None:
        """Who does not speak TLS is gone, and the protocol has heard nothing."""
        port = await self.serve()
        self.assertEqual(await self._send(port, b"GET / HTTP/1.0\r\n\r\n"), b"")
        await self.peers[0].lost
        self.assertEqual(self.peers[0].heard, b"")

    async def test_half_a_handshake(self) -> None:
        """Who leaves in the middle of a handshake is forgotten."""
        port = await self.serve()
        await self._send(port, b"\x16\x03\x01\x02\x00\x01")
        await self.peers[0].lost
        self.assertEqual(self.gate.census.total, 0)

    async def test_never_finishes(self) -> None:
        """Who never finishes a handshake is let go after the time that it has."""
        port = await self.serve(Limits(handshake_timeout=0.5))

        def run() -> bytes:
            with socket.create_connection(("127.0.0.1", port), 20) as plain:
                plain.sendall(b"\x16\x03\x01\x02\x00\x01")
                try:
                    return plain.recv(1)
                except ConnectionResetError:
                    return b""

        self.assertEqual(await deferToThread(run), b"")
        await self.peers[0].lost

    async def test_no_goodbye(self) -> None:
        """A client that is cut off does not look as if it had said all."""
        port = await self.serve()

        def talk(end: ssl.SSLSocket) -> None:
            end.sendall(b"x")
            end.recv(1)
            end.shutdown(socket.SHUT_RDWR)

        await self.client(port, talk)
        await self.peers[0].lost
        self.assertEqual(self.peers[0].events, ["made", "greeted", "ConnectionLost"])
