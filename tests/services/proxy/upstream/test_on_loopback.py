"""The mount on real connections, before servers that others wrote, and before some that misbehave."""

import socket
import subprocess
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection, IncompleteRead
from pathlib import Path
from shutil import rmtree, which
from struct import pack
from tempfile import mkdtemp
from textwrap import dedent
from typing import Any
from unittest import skipIf, skipUnless

from attrs import frozen
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread
from twisted.logger import LogEvent, formatEvent
from twisted.trial.unittest import TestCase
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, Event

from netkit.http.clientlimits import ClientLimits
from netkit.http.limits import Limits
from netkit.http.messages import Request, Response
from netkit.http.pages import text
from netkit.http.pool import Pool
from netkit.http.server import HandlerFactory
from netkit.http.websocket import WebSockets
from netkit.net import destination
from netkit.services.kind import Mount, MountKind, NoOptions, World
from netkit.services.proxy import upstream
from netkit.services.proxy.upstream.health import State
from netkit.services.proxy.upstream.settings import HealthTable, ProxyHeader, Settings
from netkit.services.site.service import Settings as SiteSettings
from netkit.services.site.service import Site
from netkit.tools.certificate import issue
from tests.http.fakes import recorded
from tests.http.sockets import FIELDS, Echo, frame
from tests.listening import listening
from tests.nginx import NO_NGINX, nginx

HAPROXY = which("haproxy") or "/usr/sbin/haproxy"

NGINX_SERVER = """
    listen {listen};
    {more}
    location / {{ return 200 "$request_uri $host $http_x_forwarded_for"; }}
    location = /base/big {{ alias {folder}/big; }}
"""
HAPROXY_SETTINGS = """
    global
        quiet
    defaults
        mode http
        timeout connect 10s
        timeout client 10s
    frontend receiver
        bind fd@{bound} accept-proxy
        http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst_port]"
"""


@frozen
class Got:
    """What a client got, and from where it had asked."""

    status: int
    body: bytes
    port: int
    fields: dict[str, str]


def _listens(family: int, address: Any) -> bool:
    """Return whether somebody accepts connections there."""
    with socket.socket(family) as probe:
        return probe.connect_ex(address) == 0


def get(port: int, path: str, method: str = "GET", body: bytes | None = None) -> Got:
    """Ask the site; raise what the standard library's client raises."""
    client = HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        client.request(method, path, body)
        here = int(client.sock.getsockname()[1])
        response = client.getresponse()
        return Got(response.status, response.read(), here, dict(response.getheaders()))
    finally:
        client.close()


class Mounted(TestCase):
    """A site on loopback with a mount at /app."""

    timeout = 60

    def site(self, *servers: str, **settings: Any) -> int:
        """Return the port of a site whose mount leads to `servers`."""
        clock: Any = reactor
        self.events: list[LogEvent] = []
        world = World(clock, clock, recorded(self.events))
        made = tuple(map(destination.parse, servers))
        self.mount = upstream.build(Settings(servers=made, **settings), None, world)
        kind: MountKind[Settings, None] = MountKind(
            name="upstream", settings=Settings, build=lambda *_: self.mount
        )
        mount = Mount("/app", kind, self.mount)
        site = Site(
            SiteSettings((mount,), http=Limits(body_bytes=10_000_000), access_log=False), {}, world
        )
        site.startService()
        self.addCleanup(self._drained)
        self.addCleanup(site.stopService)
        return listening(self, site.factory(NoOptions()))

    async def _drained(self) -> None:
        pool: Any = self.mount._pool
        assert isinstance(pool, Pool)
        pool.abort()
        clock: Any = reactor
        while pool.counts.connections:
            await deferLater(clock, 0.01)

    def origin(self, handler: Callable[[Request], Any]) -> str:
        """Return where netkit's own server answers by `handler`."""
        clock: Any = reactor
        factory = HandlerFactory(handler, clock=clock, log=recorded([]))
        return f"tcp:127.0.0.1:{listening(self, factory)}"

    def started(self, *command: str, passing: Sequence[int] = ()) -> None:
        """Start a server, which is given the descriptors `passing`."""
        process = subprocess.Popen(
            command,
            pass_fds=passing,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.kill)

    @property
    def lines(self) -> list[str]:
        """Return the log as text."""
        return [formatEvent(event) for event in self.events]


@skipIf(NO_NGINX, str(NO_NGINX))
class Nginx(Mounted):
    async def nginx(self, more: str = "", *, unix: bool = True) -> str:
        """Start nginx, and return where it listens: on a UNIX socket, or on a port with TLS."""
        folder = Path(mkdtemp(dir="/tmp"))
        self.addCleanup(rmtree, folder)
        (folder / "big").write_bytes(bytes(range(256)) * 8192)
        path = str(folder / "sock")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        listen = f"unix:{path}" if unix else f"127.0.0.1:{port} ssl"
        nginx(self, folder, NGINX_SERVER.format(folder=folder, listen=listen, more=more))
        clock: Any = reactor
        while not _listens(
            socket.AF_UNIX if unix else socket.AF_INET, path if unix else ("127.0.0.1", port)
        ):
            await deferLater(clock, 0.01)
        return listen.removesuffix(" ssl")

    async def test_unix(self) -> None:
        """Nginx on a UNIX socket gets the path written anew below the prefix, and answers of any size."""
        port = self.site(await self.nginx(), prefix="/base")
        got = await deferToThread(get, port, "/app/a%20b/%2e%2e/%5cc?x=/../y")
        self.assertEqual(got.body, b"/base/%5Cc?x=/../y 127.0.0.1 127.0.0.1")
        got = await deferToThread(get, port, "/app/big")
        self.assertEqual(got.body, bytes(range(256)) * 8192)
        self.assertIn("1.1 netkit-", got.fields["Via"])
        for path in ("/app/..%2fx", "/app/%00"):
            got = await deferToThread(get, port, path)
            self.assertEqual(got.status, 400)
        self.assertEqual(self.lines, [])

    async def test_tls(self) -> None:
        """Nginx with TLS is believed where its certificate names it, and nothing is sent where not."""
        now = datetime.now(UTC)
        root = issue((), now, now + timedelta(days=2), subject="Root", authority=True)
        shown = issue(("server.example",), now, now + timedelta(days=1), issuer=root)
        folder = Path(mkdtemp(dir="/tmp"))
        self.addCleanup(rmtree, folder)
        (folder / "key.pem").write_bytes(shown.key_pem)
        (folder / "shown.pem").write_bytes(shown.certificate_pem)
        (folder / "ca.pem").write_bytes(root.certificate_pem)
        certificates = f"ssl_certificate {folder}/shown.pem; ssl_certificate_key {folder}/key.pem;"
        place = await self.nginx(certificates, unix=False)
        port = self.site(f"tls:{place}:name=server.example", ca=folder / "ca.pem")
        got = await deferToThread(get, port, "/app/x")
        self.assertEqual(got.body, b"/x 127.0.0.1 127.0.0.1")
        await self._drained()
        port = self.site(f"tls:{place}:name=other.example", ca=folder / "ca.pem")
        got = await deferToThread(get, port, "/app/x")
        self.assertEqual(got.status, 502)
        self.assertIn("error=tls_certificate_error", got.fields["Proxy-Status"])
        self.assertNotIn(b"other.example", got.body)
        self.assertIn("other.example", self.lines[-1])


@skipUnless(Path(HAPROXY).exists(), "haproxy is not installed")
class Haproxy(Mounted):
    def haproxy(self) -> str:
        """Start HAProxy; return where it listens."""
        with socket.create_server(("127.0.0.1", 0)) as bound:
            file = Path(self.mktemp())
            file.write_text(dedent(HAPROXY_SETTINGS).format(bound=bound.fileno()))
            self.started(HAPROXY, "-db", "-f", str(file), passing=[bound.fileno()])
            return f"tcp:127.0.0.1:{bound.getsockname()[1]}"

    async def test_proxy_header(self) -> None:
        """HAProxy reads the PROXY header of each client, in both versions."""
        for version in ProxyHeader:
            checks = HealthTable(path="/", fall=1)
            port = self.site(self.haproxy(), proxy_header=version, health=checks)
            for _ in range(2):
                got = await deferToThread(get, port, "/app/")
                self.assertEqual(got.body.decode(), f"127.0.0.1 {got.port} {port}")
            self.assertEqual(self.lines, [])
            await self._drained()


class Misbehaving(Mounted):
    """Servers that fail in every way."""

    def server(self, answers: bytes, *, closes: bool = False) -> str:
        """Return a server that answers whatever comes with these bytes."""
        self.ended: Deferred[None] = Deferred()
        ended = self.ended

        class Answering(Protocol):
            def dataReceived(self, _: bytes) -> None:
                assert self.transport is not None
                self.transport.write(answers)
                if closes:
                    self.transport.loseConnection()

            def connectionLost(self, *_: object) -> None:
                if not ended.called:
                    ended.callback(None)

        return f"tcp:127.0.0.1:{listening(self, Factory.forProtocol(Answering))}"

    async def test_one_of_two(self) -> None:
        """Where one server is gone, no visitor sees it, and the log says so once."""
        with socket.create_server(("127.0.0.1", 0)) as gone:
            place = f"tcp:127.0.0.1:{gone.getsockname()[1]}"
        port = self.site(place, self.origin(lambda _: text(b"hello")))
        for _ in range(10):
            got = await deferToThread(get, port, "/app/")
            self.assertEqual((got.status, got.body), (200, b"hello"))
        self.assertEqual(len([line for line in self.lines if " is down: " in line]), 1)
        self.assertEqual([each.state for each in self.mount.shown], [State.DOWN, State.UP])

    async def test_never_answers(self) -> None:
        """A server that never answers is 504, and a check of it puts it down."""
        port = self.site(
            self.server(b""),
            limits=ClientLimits(header_timeout=0.5),
            health=HealthTable(path="/", timeout=0.2, fall=1),
        )
        got = await deferToThread(get, port, "/app/")
        self.assertEqual(got.status, 504)
        self.assertIn("error=http_response_timeout", got.fields["Proxy-Status"])
        got = await deferToThread(get, port, "/app/")
        self.assertEqual(got.status, 503)
        self.assertIn("error=destination_unavailable", got.fields["Proxy-Status"])

    async def test_rubbish(self) -> None:
        """Rubbish is 502."""
        for answers in (b"SSH-2.0-x\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1, 2\r\n\r\n"):
            port = self.site(self.server(answers))
            got = await deferToThread(get, port, "/app/")
            self.assertEqual(got.status, 502)
            self.assertNotIn(b"SSH", got.body)
            await self._drained()

    async def test_truncated(self) -> None:
        """An answer that ends too early is seen as that."""
        for answers in (
            b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + bytes(50_000),
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nc350\r\n" + bytes(50_000),
        ):
            port = self.site(self.server(answers, closes=True))
            error: Any = await self.assertFailure(
                deferToThread(get, port, "/app/"), IncompleteRead, ConnectionResetError
            )
            self.assertIsNotNone(error)
            await self._drained()

    async def test_endless(self) -> None:
        """An answer without end ends with its client; it is streamed, not gathered."""
        port = self.site(self.server(b"HTTP/1.1 200 OK\r\n\r\ndata: x\n\n"))
        taken = await deferToThread(_first_bytes, port)
        self.assertIn(b"data: x\n\n", taken)
        await self.ended
        self.assertEqual(self.mount.shown[0].active, 0)


def _first_bytes(port: int) -> bytes:
    """Return what comes until an event is whole, and leave."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        client.sendall(b"GET /app/ HTTP/1.1\r\nHost: x\r\n\r\n")
        taken = b""
        while b"\n\n" not in taken:
            taken += client.recv(65536)
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, pack("ii", 1, 0))  # by a reset
        return taken


class Passing(Mounted):
    """What passes through."""

    async def test_upload(self) -> None:
        """A body that is longer than anything that is kept goes through, and counts."""

        async def size(request: Request) -> Response:
            return text(b"%d" % len(await request.body.read(10_000_000)))

        clock: Any = reactor
        factory = HandlerFactory(
            size, clock=clock, log=recorded([]), limits=Limits(body_bytes=10_000_000)
        )
        port = self.site(f"tcp:127.0.0.1:{listening(self, factory)}")
        got = await deferToThread(get, port, "/app/", "POST", bytes(5_000_000))
        self.assertEqual(got.body, b"5000000")

    async def test_websocket(self) -> None:
        """A WebSocket goes through, and counts as active until it ends."""
        clock: Any = reactor
        sockets = WebSockets(clock, recorded([]))
        echoes: list[Echo] = []

        def endpoint() -> Echo:
            echoes.append(Echo())
            return echoes[-1]

        port = self.site(self.origin(lambda request: sockets.upgrade(request, endpoint)))
        heard = await deferToThread(_talk, port, lambda: self.mount.shown[0].active)
        messages = [each.data for each in heard if isinstance(each, BytesMessage)]
        self.assertEqual(b"".join(messages), b"hello" * 3)
        self.assertEqual(heard[-1], 1)
        while self.mount.shown[0].active:
            await deferLater(clock, 0.01)


def _talk(port: int, active: Callable[[], int]) -> list[Event | int]:
    """Send messages through a WebSocket; return what came back, and how many were active by then."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as client:
        fields = b"".join(b"%b: %b\r\n" % each for each in FIELDS)
        client.sendall(b"GET /app/live HTTP/1.1\r\n" + fields + b"\r\n")
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += client.recv(1)
        assert head.startswith(b"HTTP/1.1 101 "), head
        conversation = Connection(ConnectionType.CLIENT)
        client.sendall(frame(0x82, b"hello") * 3)
        heard: list[Any] = []
        while len(heard) < 3:
            conversation.receive_data(client.recv(65536))
            heard += conversation.events()
        return [*heard, active()]
