"""The proxy between a client and an origin, in memory and over loopback."""

import subprocess
from ipaddress import ip_network
from shutil import which
from typing import Any
from unittest import skipUnless

from twisted.internet import reactor
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import ConnectError, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IAddress
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.internet.threads import deferToThread
from twisted.logger import LogEvent, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netkit.http.limits import Limits
from netkit.http.messages import Request, Response
from netkit.http.pages import text
from netkit.http.server import HandlerFactory
from netkit.services.kind import NoOptions, World
from netkit.services.proxy import KIND
from netkit.services.proxy.interim import HEADER_BYTES
from netkit.services.proxy.service import LOOPBACK, Proxy, Settings
from tests.http.fakes import Answer, NarrowTransport, answers, recorded
from tests.listening import listening

CLIENT = IPv4Address("TCP", "127.0.0.1", 40000)
GET = b"GET http://origin:8080/path?q HTTP/1.1\r\nHost: other\r\n\r\n"


class Proxying(SynchronousTestCase):
    """A client's connection to the proxy, and the proxy's to origins."""

    def setUp(self) -> None:
        """Make a proxy with default settings, and no connection yet."""
        self.memory = MemoryReactorClock()
        self.events: list[LogEvent] = []
        self.world = World(self.memory, self.memory, recorded(self.events))
        self.transport = NarrowTransport(peerAddress=CLIENT)

    def send(self, data: bytes, peer: IAddress = CLIENT, **kw: Any) -> None:
        """Let a client connect and send `data`."""
        self.transport = NarrowTransport(peerAddress=peer)
        proxy = Proxy(Settings(**kw), {}, self.world)
        factory: Any = proxy.factory(NoOptions())
        self.client = factory.buildProtocol(peer)
        self.client.makeConnection(self.transport)
        self.client.dataReceived(data)

    def connect(self) -> tuple[Any, StringTransport]:
        """Let the proxy's connection be made, and return its protocol and transport."""
        factory = self.memory.tcpClients[-1][2]
        protocol: Any = factory.buildProtocol(CLIENT)
        transport = StringTransport(lenient=True)
        protocol.makeConnection(transport)
        return protocol, transport

    def refuse(self) -> None:
        """Let the proxy's connection be refused."""
        factory = self.memory.tcpClients[-1][2]
        factory.clientConnectionFailed(self.memory.connectors[-1], Failure(ConnectError()))
        self.memory.advance(1)

    def answer(self, method: str = "GET") -> Answer:
        """Return what the client was answered."""
        [answer] = answers(self.transport.value(), lambda: method)
        return answer

    def answered(self, data: bytes) -> Answer:
        """Return what the client gets when the origin answers `data` and closes."""
        self.send(GET)
        origin, transport = self.connect()
        origin.dataReceived(data)
        origin.connectionLost(Failure(ConnectionDone()))
        self.assertTrue(transport.disconnecting)
        return self.answer()

    @property
    def lines(self) -> list[str]:
        """Return the log as text."""
        return [formatEvent(event) for event in self.events]

    def assert_cut(self) -> None:
        """Assert that the client sees its answer cut, and no traceback is logged."""
        self.assertTrue(self.transport.disconnected)
        self.client.connectionLost(Failure(ConnectionLost()))
        [line] = self.lines
        self.assertTrue(line.endswith(" cut"))


class Requests(Proxying):
    """What an origin gets."""

    def forwarded(self, data: bytes) -> bytes:
        """Return what the origin gets when a client sends `data`."""
        self.send(data)
        return bytes(self.connect()[1].value())

    def test_rewritten(self) -> None:
        """The origin gets the target as written, its own Host, and nothing of the client's hop."""
        got = self.forwarded(
            b"GET http://origin:8080//a;b/../%2e?c? HTTP/1.1\r\nHost: other\r\nX-A: 1\r\n"
            b"Connection: keep-alive, x-b\r\nX-B: 2\r\nTE: trailers\r\nUpgrade: h2c\r\n"
            b"Proxy-Authorization: Basic eA==\r\nProxy-Connection: x\r\nx-a: 2\r\n\r\n"
        )
        self.assertEqual(self.memory.tcpClients[0][:2], ("127.0.0.1", 8080))
        self.assertEqual(
            got,
            b"GET //a;b/../%2e?c? HTTP/1.1\r\nConnection: close\r\nHost: origin:8080\r\n"
            b"X-A: 1\r\nX-A: 2\r\nVia: 1.1 netkit\r\n\r\n",
        )

    def test_body(self) -> None:
        """A body, chunked or not, goes on with one length."""
        head = b"PUT http://origin/ HTTP/1.1\r\nHost: origin\r\n"
        for body in (
            b"Content-Length: 5\r\n\r\nhello",
            b"Transfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
        ):
            got = self.forwarded(head + body)
            self.assertEqual(got.count(b"Content-Length: 5\r\n"), 1)
            self.assertNotIn(b"Transfer-Encoding", got)
            self.assertTrue(got.endswith(b"\r\n\r\nhello"))

    def test_empty_post(self) -> None:
        """A POST without a body says so."""
        got = self.forwarded(b"POST http://o/ HTTP/1.1\r\nHost: o\r\nContent-Length: 0\r\n\r\n")
        self.assertIn(b"Content-Length: 0\r\n", got)

    def test_body_limit(self) -> None:
        """A body beyond the limit reaches no origin."""
        self.send(
            b"PUT http://o/ HTTP/1.1\r\nHost: o\r\nContent-Length: 11\r\n\r\n",
            http=Limits(body_bytes=10),
        )
        self.assertEqual(self.answer().status, 413)
        self.assertEqual(self.memory.tcpClients, [])


class Refusals(Proxying):
    """Requests that are not forwarded."""

    def assert_refused(self, status: int, words: bytes) -> None:
        """Assert that the client got a page with `words`, and no origin anything."""
        answer = self.answer()
        self.assertEqual(answer.status, status)
        self.assertIn(words, answer.body)
        self.assertEqual(self.memory.tcpClients, [])
        [line] = self.lines
        self.assertIn(f" {status} ", line)
        self.events.clear()

    def test_other_clients(self) -> None:
        """Clients outside the networks are refused, those of UNIX sockets with them."""
        for peer in (
            IPv4Address("TCP", "192.0.2.7", 1),
            IPv6Address("TCP", "::ffff:192.0.2.7", 1),
            UNIXAddress(None),
        ):
            self.send(GET, peer)
            self.assert_refused(403, b"does not serve your address")

    def test_named_clients(self) -> None:
        """Clients of networks that are named are served, in any clothes."""
        for peer in ("192.0.2.7", "::ffff:192.0.2.7"):
            self.send(
                GET, IPv6Address("TCP", peer, 1), clients=(ip_network("192.0.2.0/24"), *LOOPBACK)
            )
        self.assertEqual(len(self.memory.tcpClients), 2)

    def test_connect(self) -> None:
        """CONNECT is refused in words."""
        self.send(b"CONNECT origin:443 HTTP/1.1\r\nHost: origin:443\r\n\r\n")
        self.assert_refused(501, b"no tunnels")

    def test_absurd_urls(self) -> None:
        """Absurd targets get a page."""
        for target in (b"/", b"http://", b"http://u:p@h/", b"http://h:99999/", b"https://h/", b"*"):
            self.send(b"GET " + target + b" HTTP/1.1\r\nHost: h\r\n\r\n")
            self.assert_refused(400, b"400 Bad Request")

    def test_log(self) -> None:
        """The log has no query."""
        self.send(b"GET ftp://h/a?secret HTTP/1.1\r\nHost: h\r\n\r\n")
        [line] = self.lines
        self.assertIn('127.0.0.1 "GET ftp://h/a HTTP/1.1" 400', line)


class Responses(Proxying):
    """What a client gets."""

    def test_whole(self) -> None:
        """Status, fields and body of the origin come back, with Via and without its hop's fields."""
        answer = self.answered(
            b"HTTP/1.1 299 Odd\r\nServer: origin\r\nDate: then\r\nX-A: 1\r\nX-A: 2\r\n"
            b"Connection: close, x-b\r\nX-B: 3\r\nKeep-Alive: 5\r\nContent-Length: 5\r\n\r\nhello"
        )
        self.assertEqual((answer.status, answer.body), (299, b"hello"))
        self.assertEqual(
            answer.headers.items(),
            [
                ("Server", "origin"),
                ("Date", "then"),
                ("X-A", "1"),
                ("X-A", "2"),
                ("Via", "1.1 netkit"),
                ("Content-Length", "5"),
            ],
        )
        self.assertIn('"GET http://origin:8080/path HTTP/1.1" 299 5', self.lines[0])

    def test_framings(self) -> None:
        """Chunked bodies and those that end with the connection come in chunks."""
        for data in (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            b"HTTP/1.0 200 OK\r\n\r\nhello",
        ):
            answer = self.answered(data)
            self.assertEqual(answer.body, b"hello")
            self.assertEqual(answer.headers["Transfer-Encoding"], "chunked")

    def test_empty(self) -> None:
        """Answers without a body come back without one."""
        self.assertEqual(self.answered(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").body, b"")
        answer = self.answered(b"HTTP/1.1 304 Not Modified\r\nETag: x\r\nContent-Length: 9\r\n\r\n")
        self.assertEqual((answer.status, answer.headers["ETag"]), (304, "x"))

    def test_early_hints(self) -> None:
        """Statuses of 1xx before the answer are swallowed."""
        answer = self.answered(
            b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
        )
        self.assertEqual((answer.status, answer.headers["Link"]), (200, None))

    def test_head(self) -> None:
        """The answer to HEAD keeps its length and has no body."""
        self.send(b"HEAD http://origin/ HTTP/1.1\r\nHost: origin\r\n\r\n")
        origin, _ = self.connect()
        origin.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n")
        answer = self.answer("HEAD")
        self.assertEqual((answer.headers["Content-Length"], answer.body), ("500", b""))

    def test_streams_with_back_pressure(self) -> None:
        """Of an endless body no more is held than a client that does not read leaves room for."""
        self.send(GET)
        origin, transport = self.connect()
        origin.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
        sent = 0
        while transport.producerState == "producing":
            origin.dataReceived(bytes(50_000))
            sent += 50_000
        self.assertLess(sent, 200_000)
        got = b""
        while sent < 1_000_000:
            got += self.transport.drain()
            self.assertEqual(transport.producerState, "producing")
            origin.dataReceived(bytes(50_000))
            sent += 50_000
        got += self.transport.drain() + self.transport.drain()
        [answer] = answers(got)
        self.assertEqual(len(answer.body), 1_000_000)


class Failures(Proxying):
    """Origins that fail, and clients that leave."""

    def assert_page(self, status: int, words: bytes) -> None:
        """Assert that the client got a page, and no traceback is logged."""
        answer = self.answer()
        self.assertEqual(answer.status, status)
        self.assertIn(words, answer.body)
        [line] = self.lines
        self.assertIn(f'"GET http://origin:8080/path HTTP/1.1" {status} ', line)
        self.events.clear()

    def test_unreachable(self) -> None:
        """An origin that refuses is 502."""
        self.send(GET)
        self.refuse()
        self.assert_page(502, b"cannot be reached")

    def test_impossible_name(self) -> None:
        """A name that no host can have is 502."""
        self.send(b"GET http://a..b/ HTTP/1.1\r\nHost: a..b\r\n\r\n")
        self.assertEqual(self.answer().status, 502)

    def test_not_connected_in_time(self) -> None:
        """An origin that cannot be connected to in time is 504."""
        self.send(GET)
        self.memory.pump([1] * 60)
        self.assert_page(504, b"did not answer in time")
        self.assertTrue(self.memory.connectors[0].stoppedConnecting)

    def test_silent(self) -> None:
        """An origin that does not answer in time is 504, and its connection is aborted."""
        self.send(GET)
        _, transport = self.connect()
        self.memory.advance(60)
        self.assert_page(504, b"did not answer in time")
        self.assertTrue(transport.disconnected)

    def test_rubbish(self) -> None:
        """An answer that is none is 502."""
        for data in (
            b"SSH-2.0-x\r\n",
            b"rubbish rubbish rubbish\r\n\r\n",
            b"HTTP/1.1 abc OK\r\n\r\n",
            b"HTTP/1.1 -5 OK\r\n\r\n",
            b"HTTP/1.1 99999 OK\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nContent-",
            b"",
        ):
            self.send(GET)
            origin, _ = self.connect()
            origin.dataReceived(data)
            origin.connectionLost(Failure(ConnectionDone()))
            self.assert_page(502, b"no answer that can be understood")

    def test_endless_header(self) -> None:
        """An answer whose header section has no end is 502, within its limit."""
        self.send(GET)
        origin, transport = self.connect()
        origin.dataReceived(b"HTTP/1.1 200 OK\r\n")
        for _ in range(HEADER_BYTES // 10_000 + 2):
            origin.dataReceived(b"X: y\r\n" * 1667)
        self.assertTrue(transport.disconnected)
        origin.connectionLost(Failure(ConnectionLost()))
        self.assert_page(502, b"no answer that can be understood")

    def test_stops_in_the_middle(self) -> None:
        """An answer that ends too early is cut for the client, whatever its framing."""
        for data in (
            b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nxyz\r\n",
        ):
            self.send(GET)
            origin, _ = self.connect()
            origin.dataReceived(data)
            origin.connectionLost(Failure(ConnectionDone()))
            self.assert_cut()
            self.events.clear()

    def test_falls_silent(self) -> None:
        """An answer that stops without an end is cut after the same time."""
        self.send(GET)
        origin, transport = self.connect()
        origin.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        self.memory.advance(60)
        self.assertTrue(transport.disconnected)
        self.assert_cut()

    def test_client_leaves_while_connecting(self) -> None:
        """A client that leaves ends the attempt to connect."""
        self.send(GET)
        self.client.connectionLost(Failure(ConnectionLost()))
        self.assertTrue(self.memory.connectors[0].stoppedConnecting)
        self.assertEqual(len(self.lines), 1)

    def test_client_leaves_while_waiting(self) -> None:
        """A client that leaves aborts the request to the origin."""
        self.send(GET)
        _, transport = self.connect()
        self.client.connectionLost(Failure(ConnectionLost()))
        self.assertTrue(transport.disconnected)
        self.assertEqual(len(self.lines), 1)

    def test_client_leaves_in_the_middle(self) -> None:
        """A client that leaves in the middle of the answer aborts the origin's connection."""
        self.send(GET)
        origin, transport = self.connect()
        origin.dataReceived(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
        self.client.connectionLost(Failure(ConnectionLost()))
        self.assertTrue(transport.disconnected)
        origin.connectionLost(Failure(ConnectionLost()))
        self.assertEqual(self.memory.getDelayedCalls(), [])
        self.assertEqual(len(self.lines), 1)


@skipUnless(which("curl"), "curl is not installed")
class ServingCurl(TestCase):
    """curl through the proxy to an origin, over loopback."""

    def setUp(self) -> None:
        """Serve an origin and a proxy."""
        network: Any = reactor
        log = recorded([])
        self.seen: list[Request] = []
        proxy = KIND.build(KIND.settings(), {}, World(network, network, log))
        origin = HandlerFactory(self.origin, clock=network, log=log)
        self.proxy = f"http://127.0.0.1:{listening(self, proxy.factory(NoOptions()))}"
        self.url = f"http://127.0.0.1:{listening(self, origin)}"

    async def origin(self, request: Request) -> Response:
        """Answer with what was posted, or a page."""
        self.seen.append(request)
        return text(await request.body.read(2_000_000) or b"a page" * 100_000)

    async def curl(self, *arguments: str) -> str:
        """Return what curl writes."""
        command = ["curl", "-sS", "--max-time", "10", "--noproxy", "", "-x", self.proxy, *arguments]
        done = await deferToThread(subprocess.run, command, capture_output=True, check=False)
        return str(done.stdout.decode())

    async def test_get(self) -> None:
        """A page comes through, and the proxy's password stays with the proxy."""
        self.assertEqual(await self.curl("-U", "u:secret", self.url + "/x"), "a page" * 100_000)
        [request] = self.seen
        self.assertEqual(request.target, b"/x")
        self.assertEqual(request.header(b"via"), b"1.1 netkit")
        self.assertNotIn("secret", repr(request.headers))
        self.assertIsNone(request.header(b"proxy-authorization"))

    async def test_post(self) -> None:
        """A body comes through."""
        self.assertEqual(await self.curl("-d", "hello", self.url), "hello")

    async def test_refusals(self) -> None:
        """A port nobody listens on is 502, a tunnel is refused."""
        self.assertIn("502 Bad Gateway", await self.curl("http://127.0.0.1:1/"))
        status = await self.curl("-o", "/dev/null", "-w", "%{http_connect}", "https://127.0.0.1:1/")
        self.assertEqual(status, "501")
