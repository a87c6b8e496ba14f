"""Other people's clients and proxies with ours, over loopback."""

import contextlib
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from importlib.util import find_spec
from io import BytesIO
from ipaddress import ip_network
from pathlib import Path
from shutil import which
from socket import create_server
from typing import Any
from unittest import skipUnless
from zipfile import ZipFile, ZipInfo

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.error import ProcessExitedAlready
from twisted.internet.interfaces import IProcessTransport
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.threads import deferToThread
from twisted.logger import LogEvent, formatEvent
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from netkit.http.messages import Request, Response
from netkit.http.pages import text
from netkit.http.server import HandlerFactory
from netkit.net.certificates import PemFile, find
from netkit.net.destination import parse
from netkit.net.tls import Store
from netkit.passwords import Cost, hashed
from netkit.services.kind import NoOptions, World
from netkit.services.proxy.access import Action, DestinationRule
from netkit.services.proxy.service import Proxy
from netkit.services.proxy.settings import Settings
from netkit.tools.certificate import issue
from tests.http.fakes import recorded
from tests.listening import listening
from tests.net.loopback import serve

HERE = DestinationRule(action=Action.ALLOW, networks=(ip_network("127.0.0.0/8"),), name="here")
HASH = str(hashed("sesame", Cost(ln=9)))
BODY = bytes(range(256)) * 4096
SQUID = which("squid") or "/usr/sbin/squid"
WHEEL = "little-1.0-py3-none-any.whl"


class LoopbackCase(TestCase):
    """An origin on loopback, and a proxy to it."""

    def setUp(self) -> None:
        self.network: Any = reactor
        self.events: list[LogEvent] = []
        self.seen: list[Request] = []
        self.handlers = HandlerFactory(
            self.origin, clock=self.network, log=recorded([]), limits=Settings().http
        )
        self.origin_port = listening(self, self.handlers)
        self.proxy = self.serve()

    async def origin(self, request: Request) -> Response:
        """Answer with what was sent, or with a long body."""
        self.seen.append(request)
        sent = await request.body.read(10_000_000)
        return text(sent or BODY)

    def proxying(self, **kw: Any) -> Any:
        """Return the factory of a proxy with these settings."""
        keys = {"destination": (HERE,), "connect_ports": ("1-65535",), **kw}
        proxy = Proxy(Settings(**keys), World(self.network, self.network, recorded(self.events)))
        proxy.startService()
        self.addCleanup(proxy.stopService)
        return proxy.factory(NoOptions())

    def serve(self, **kw: Any) -> str:
        """Serve a proxy by these settings; return its URL."""
        return f"http://127.0.0.1:{listening(self, self.proxying(**kw))}"

    def secure(self, factory: Any = None) -> tuple[int, str]:
        """Serve the origin, or `factory`, with TLS; return the port, and the certificate's file."""
        now = datetime.now(UTC)
        issued = issue(["localhost"], now - timedelta(hours=1), now + timedelta(days=1))
        found = find([PemFile("localhost.pem", issued.pem)], now)
        served: Any = factory or self.handlers
        port = serve(self, Store(found.identities), (b"http/1.1",), served)
        return port, self.write(issued.certificate_pem)

    def read(self, file: str) -> bytes:
        """Return what is in a file, if there is one."""
        return Path(file).read_bytes() if Path(file).exists() else b""

    def write(self, data: bytes) -> str:
        """Return a file with `data` in it."""
        file = Path(self.mktemp()).absolute()
        file.write_bytes(data)
        return str(file)

    @property
    def lines(self) -> list[str]:
        """The log."""
        return [formatEvent(event) for event in self.events]


async def ran(*command: str) -> "subprocess.CompletedProcess[bytes]":
    """Run a program to its end."""

    def run() -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(command, capture_output=True, check=False, timeout=30)

    return await deferToThread(run)


@skipUnless(which("curl"), "curl is not installed")
class CurlTests(LoopbackCase):
    async def curl(self, *arguments: str, proxy: str = "") -> tuple[int, bytes, bytes]:
        """Return curl's exit code, the status that it got, and the body."""
        file = self.mktemp()
        common = ("curl", "-sS", "--max-time", "20", "--noproxy", "", "-x", proxy or self.proxy)
        written = ("-w", "%{http_connect} %{http_code}", "-o", file)
        done = await ran(*common, *written, *arguments)
        return done.returncode, done.stdout, self.read(file)

    async def test_plain(self) -> None:
        """A page comes through, and a body goes the other way, asked for or not."""
        url = f"http://127.0.0.1:{self.origin_port}/x?y"
        self.assertEqual(await self.curl(url), (0, b"000 200", BODY))
        file = self.write(BODY)
        for more in ((), ("-H", "Transfer-Encoding: chunked"), ("-H", "Expect: 100-continue")):
            self.assertEqual(await self.curl(url, "-T", file, *more), (0, b"000 200", BODY))
        self.assertEqual(self.seen[0].target, b"/x?y")

    async def test_tunnel(self) -> None:
        """A page comes through a tunnel, whose TLS is between curl and the origin."""
        port, certificate = self.secure()
        url = f"https://localhost:{port}/"
        resolved = f"localhost:{port}:127.0.0.1"
        done = await self.curl(url, "--cacert", certificate, "--resolve", resolved)
        self.assertEqual(done, (0, b"200 200", BODY))
        self.assertEqual(self.seen[0].header(b"via"), None)

    async def test_tls_to_the_proxy(self) -> None:
        """A proxy with TLS serves requests and tunnels, in which there is TLS once more."""
        own, trusted = self.secure(self.proxying())
        proxy, options = f"https://localhost:{own}", ("--proxy-cacert", trusted)
        url = f"http://127.0.0.1:{self.origin_port}/"
        self.assertEqual(await self.curl(url, *options, proxy=proxy), (0, b"000 200", BODY))
        port, certificate = self.secure()
        url = f"https://localhost:{port}/"
        done = await self.curl(url, "--cacert", certificate, *options, proxy=proxy)
        self.assertEqual(done, (0, b"200 200", BODY))

    async def test_login(self) -> None:
        """Who has the password comes through, plain and by a tunnel; others get 407."""
        proxy = self.serve(users={"alice": HASH})
        port, certificate = self.secure()
        for url, connected, plain in (
            (f"http://127.0.0.1:{self.origin_port}/", b"000 200", b"000 407"),
            (f"https://localhost:{port}/", b"200 200", b"407 000"),
        ):
            options = (url, "--cacert", certificate)
            _, status, _ = await self.curl(*options, "-U", "alice:sesame", proxy=proxy)
            self.assertEqual(status, connected)
            for more in (("-U", "alice:wrong"), ()):
                _, status, _ = await self.curl(*options, *more, proxy=proxy)
                self.assertEqual(status, plain)
        for request in self.seen:
            self.assertIsNone(request.header(b"proxy-authorization"))
        self.assertIn('auth failed for "alice" from 127.0.0.1', self.lines)

    async def test_refused(self) -> None:
        """Inward addresses are refused in every disguise that curl passes on."""
        proxy = self.serve(destination=())
        for host in ("127.0.0.1", "2130706433", "0x7f.1", "localhost", "[::1]", "[::ffff:7f00:1]"):
            url = f"http://{host}:{self.origin_port}/"
            _, status, _ = await self.curl(url, "--path-as-is", proxy=proxy)
            self.assertEqual(status, b"000 403")
            _, status, _ = await self.curl(url, "--proxytunnel", proxy=proxy)
            self.assertEqual(status, b"403 000")
        self.assertEqual(self.seen, [])

    async def test_chained(self) -> None:
        """Two proxies in a row pass requests and tunnels on, and each adds itself to Via."""
        behind = self.serve(users={"near": HASH}, name="behind")
        parent = parse("tcp:" + behind.removeprefix("http://"))
        login = {"parent_user": "near", "parent_password": "sesame"}
        near = self.serve(parent=parent, name="near", **login)
        url = f"http://127.0.0.1:{self.origin_port}/"
        self.assertEqual(await self.curl(url, proxy=near), (0, b"000 200", BODY))
        self.assertEqual(self.seen[0].header(b"via"), b"1.1 near, 1.1 behind")
        self.assertIsNone(self.seen[0].header(b"proxy-authorization"))
        port, certificate = self.secure()
        url = f"https://localhost:{port}/"
        done = await self.curl(url, "--cacert", certificate, proxy=near)
        self.assertEqual(done, (0, b"200 200", BODY))

    async def test_circle(self) -> None:
        """Two proxies that have each other for a parent end a request with 508."""
        with create_server(("127.0.0.1", 0)) as kept:
            port = kept.getsockname()[1]
        first = self.serve(parent=parse(f"tcp:127.0.0.1:{port}"), name="first")
        keys: dict[str, Any] = {"parent": parse("tcp:" + first.removeprefix("http://"))}
        second = Proxy(
            Settings(name="second", **keys),
            World(self.network, self.network, recorded(self.events)),
        )
        self.addCleanup(second.stopService)
        other = self.network.listenTCP(port, second.factory(NoOptions()), interface="127.0.0.1")
        self.addCleanup(other.stopListening)
        _, status, _ = await self.curl("http://192.0.2.1.example/", proxy=first)
        self.assertEqual(status, b"000 508")

    @skipUnless(Path(SQUID).exists(), "squid is not installed")
    async def test_squid_behind(self) -> None:
        """Squid as the parent is asked for pages and for tunnels."""
        port = await squid(self)
        proxy = self.serve(parent=parse(f"tcp:127.0.0.1:{port}"), name="near")
        url = f"http://127.0.0.1:{self.origin_port}/"
        self.assertEqual(await self.curl(url, proxy=proxy), (0, b"000 200", BODY))
        self.assertIn(b"1.1 near, 1.1 localhost", self.seen[0].header(b"via") or b"")
        secure, certificate = self.secure()
        url = f"https://localhost:{secure}/"
        done = await self.curl(url, "--cacert", certificate, proxy=proxy)
        self.assertEqual(done, (0, b"200 200", BODY))
        _, status, _ = await self.curl("http://127.0.0.1:1/", "--proxytunnel", proxy=proxy)
        self.assertEqual(status, b"503 000")


@skipUnless(find_spec("pip"), "pip is not installed")
class PipTests(LoopbackCase):
    async def origin(self, request: Request) -> Response:
        """Be an index of one package."""
        self.seen.append(request)
        if request.target.endswith(b".whl"):
            return Response(HTTPStatus.OK, (), wheel())
        page = f'<!DOCTYPE html><a href="/{WHEEL}">{WHEEL}</a>'
        return Response(HTTPStatus.OK, ((b"Content-Type", b"text/html"),), page.encode())

    async def test_pip(self) -> None:
        """Pip gets a package of an index through the proxy."""
        folder = self.mktemp()
        index = f"http://127.0.0.1:{self.origin_port}/simple/"
        pip = (sys.executable, "-m", "pip", "--isolated", "--disable-pip-version-check")
        wanted = ("--no-deps", "--no-cache-dir", "--index-url", index, "--proxy", self.proxy)
        done = await ran(*pip, "download", *wanted, "-d", folder, "little")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.read(f"{folder}/{WHEEL}"), wheel())
        self.assertEqual([request.header(b"via") is None for request in self.seen], [False, False])


def wheel() -> bytes:
    """Return a package with nothing in it."""
    about = "little-1.0.dist-info"
    files = {
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: little\nVersion: 1.0\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{about}/RECORD": "",
    }
    data = BytesIO()
    with ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(ZipInfo(name), content)
    return data.getvalue()


class Squid(ProcessProtocol):
    """One squid: `ready` fires when it serves, `ended` when it is gone."""

    transport: IProcessTransport

    def __init__(self) -> None:
        self.ready: Deferred[None] = Deferred()
        self.ended: Deferred[None] = Deferred()
        self._said = b""

    def errReceived(self, data: bytes) -> None:
        """Look whether it serves by now."""
        self._said += data
        if b"Accepting HTTP Socket" in self._said and not self.ready.called:
            self.ready.callback(None)

    def processEnded(self, reason: Failure) -> None:
        """Say so."""
        if not self.ready.called:
            self.ready.errback(AssertionError(self._said))
        self.ended.callback(None)

    def stop(self) -> "Deferred[None]":
        """End it."""
        with contextlib.suppress(ProcessExitedAlready):
            self.transport.signalProcess("KILL")
        return self.ended


async def squid(test: LoopbackCase) -> int:
    """Start a squid that is gone when `test` is over; return its port, once it serves there."""
    network: Any = reactor
    with create_server(("127.0.0.1", 0)) as kept:
        port = int(kept.getsockname()[1])
    written = (
        f"http_port 127.0.0.1:{port}\nhttp_access allow all\ncache deny all\naccess_log none\n"
        "cache_log stdio:/dev/stderr\npid_filename none\nnetdb_filename none\npinger_enable off\n"
        "shutdown_lifetime 0 seconds\nvisible_hostname localhost\n"
    )
    file = test.write(written.encode())
    process = Squid()
    network.spawnProcess(process, SQUID, ["squid", "-N", "-f", file], env=None)
    test.addCleanup(process.stop)
    await process.ready
    return port
