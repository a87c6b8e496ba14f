"""The client and its pool against nginx, on a UNIX socket, and against resets that a kernel makes."""

import gzip
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from attrs import evolve
from twisted.internet import reactor
from twisted.internet.defer import CancelledError
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from netkit.http.asking import Answer, AskError, Problem
from netkit.http.clientlimits import ClientLimits
from netkit.http.messages import Pieces
from netkit.http.pool import Pool
from netkit.net.connect import Connector
from netkit.net.dial import TcpWay, UnixWay
from netkit.net.policy import ANYWHERE
from tests.http.origins import question
from tests.nginx import NO_NGINX, nginx

BIG = bytes(range(256)) * 8192

SERVER = """
    listen unix:{folder}/sock;
    root {folder};
    client_max_body_size 1m;
    location /hello {{ return 200 hello; }}
    location /silent {{ return 444; }}
    location /packed {{ gzip on; gzip_types *; try_files /big =404; }}
"""


async def content(answer: Answer) -> bytes:
    """Return the body of an answer."""
    body: Any = answer.body
    if isinstance(body, bytes):
        return body
    return b"".join([piece async for piece in body])


class NginxTests(TestCase):
    skip = NO_NGINX
    timeout = 30

    def setUp(self) -> None:
        """Start nginx."""
        folder = Path(mkdtemp(dir="/tmp"))
        self.addCleanup(rmtree, folder)
        (folder / "big").write_bytes(BIG)
        nginx(self, folder, SERVER.format(folder=folder), http="keepalive_requests 3;")
        clock: Any = reactor
        self.pool = Pool(ClientLimits(), clock)
        self.addCleanup(self.drain)
        self.path = folder / "sock"
        connector = Connector(clock, clock, clock.nameResolver, ANYWHERE)
        self.way = UnixWay(str(self.path), connector)

    async def drain(self) -> None:
        """End the connections, and wait until they have ended."""
        self.pool.abort()
        clock: Any = reactor
        while self.pool.counts.connections:
            await deferLater(clock, 0)

    async def ask(self, *args: bytes, **kw: Any) -> Answer:
        """Ask nginx, once it listens."""
        clock: Any = reactor
        while not self.path.exists():
            await deferLater(clock, 0.01)
        return await self.pool.ask(self.way, question(*args, **kw))

    async def test_kept(self) -> None:
        """Answers come one after the other, over as many connections as nginx wants."""
        for _ in range(7):
            answer = await self.ask(b"GET", b"/hello")
            self.assertEqual(await content(answer), b"hello")
            self.assertLessEqual(self.pool.counts.connections, 2)

    async def test_big(self) -> None:
        """A long body comes whole, with a length and in chunks."""
        answer = await self.ask(b"GET", b"/big")
        self.assertEqual(getattr(answer.body, "length", None), len(BIG))
        self.assertEqual(await content(answer), BIG)
        self.assertEqual(self.pool.counts.idle, 1)
        packed = b"GET /packed HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n"
        answer = await self.pool.ask(self.way, evolve(question(), opening=packed))
        self.assertIsNone(answer.head.length)
        self.assertEqual(gzip.decompress(await content(answer)), BIG)

    async def test_head(self) -> None:
        """The answer to a HEAD has no body, and the connection stays."""
        answer = await self.ask(b"HEAD", b"/big")
        self.assertEqual(answer.body, b"")
        self.assertEqual(answer.head.fields[b"content-length"], b"%d" % len(BIG))
        self.assertEqual(self.pool.counts.idle, 1)

    async def test_upload(self) -> None:
        """A body is sent as nginx takes it; one that it refuses is answered all the same."""

        async def pieces(count: int) -> AsyncIterator[bytes]:
            for _ in range(count):
                yield b"x" * 65536

        for expects in (False, True):
            answer = await self.ask(b"POST", b"/hello", body=Pieces(pieces(8)), expects=expects)
            self.assertEqual(answer.head.status, 200)
        body = Pieces(pieces(80), 80 * 65536)
        answer = await self.ask(b"POST", b"/hello", body=body, expects=True)
        self.assertEqual(answer.head.status, 413)
        answer.close()

    async def test_silent(self) -> None:
        """A server that closes instead of answering is not taken at its word."""
        with self.assertRaises(AskError) as caught:
            await self.ask(b"GET", b"/silent")
        self.assertIs(caught.exception.problem, Problem.CONNECTION_TERMINATED)


class SocketTests(TestCase):
    """What only a kernel can do."""

    timeout = 30

    def setUp(self) -> None:
        """Listen, as a server that a test plays."""
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.listening.setblocking(False)
        self.addCleanup(self.listening.close)
        clock: Any = reactor
        self.pool = Pool(ClientLimits(), clock)
        port = self.listening.getsockname()[1]
        connector = Connector(clock, clock, clock.nameResolver, ANYWHERE)
        self.way = TcpWay("127.0.0.1", port, connector)

    async def drain(self) -> None:
        """End the connections, and wait until they have ended."""
        self.pool.abort()
        clock: Any = reactor
        while self.pool.counts.connections:
            await deferLater(clock, 0)

    async def served(self) -> socket.socket:
        """Return a connection that has served one question, and rests."""
        clock: Any = reactor
        asking = self.pool.ask(self.way, question())
        while True:
            try:
                end, _ = self.listening.accept()
                break
            except BlockingIOError:
                await deferLater(clock, 0)
        self.addCleanup(end.close)
        end.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await asking
        self.assertEqual(self.pool.counts.idle, 1)
        return end

    async def test_ended_meanwhile(self) -> None:
        """What must not be sent twice is not sent on a connection that has ended by then."""
        for farewell in (b"", b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n"):
            end = await self.served()
            end.sendall(farewell)
            end.close()
            asking = self.pool.ask(self.way, question(b"POST", body=b"once"))
            self.assertEqual(self.pool.counts.connections, 2)
            asking.cancel()
            with self.assertRaises(CancelledError):
                await asking
            await self.drain()
            self.setUp()

    async def test_still_good(self) -> None:
        """What must not be sent twice is sent on a connection that is still good."""
        end = await self.served()
        asking = self.pool.ask(self.way, question(b"POST", body=b"once"))
        self.assertEqual(self.pool.counts.connections, 1)
        self.assertIn(b"GET /", end.recv(100))
        end.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        await asking
        await self.drain()
