"""Tunnels over real sockets, with clients and servers of others'."""

import random
import socket
from datetime import UTC, datetime
from hashlib import sha256
from ipaddress import ip_network
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, UNIXServerEndpoint, connectProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.logger import LogEvent, Logger, formatEvent
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import TestCase

from netkit.net.certificates import find
from netkit.net.destination import parse
from netkit.net.limits import Limits
from netkit.net.listener import Gate
from netkit.net.proxied import ProxiedFactory
from netkit.net.tls import Store
from netkit.services.echo.protocol import EchoFactory
from netkit.services.echo.settings import Settings as EchoSettings
from netkit.services.kind import NoOptions, World
from netkit.services.tunnel import KIND, Settings
from netkit.services.tunnel.settings import ProxyHeader
from tests.listening import listening
from tests.net.authorities import pem
from tests.net.loopback import output
from tests.net.test_dial import ROOT, issued
from tests.net.test_proxied_by_haproxy import RECEIVER, SENDER, HaproxyTestCase
from tests.services.loopback import NO_NC, netcat

DATA = random.Random(1).randbytes(20_000_000)
NETWORK: Any = reactor
NAME = "server.example"
QUESTION = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


def store() -> Store:
    """Return what a server of that name shows."""
    pair = issued(NAME, issuer=ROOT)
    return Store(find([pem("a.pem", pair.pem)], datetime.now(UTC)).identities)


class Bulk(Protocol):
    """Waits for as much as there is data, answers what that was, and with as much; then closes."""

    transport: Any

    def connectionMade(self) -> None:
        self._hash = sha256()
        self._heard = 0

    def dataReceived(self, data: bytes) -> None:
        self._hash.update(data)
        self._heard += len(data)
        if self._heard == len(DATA):
            self.transport.write(self._hash.hexdigest().encode() + DATA)
            self.transport.loseConnection()


class TunnelTestCase(TestCase):
    timeout = 60

    def setUp(self) -> None:
        self.events: list[LogEvent] = []
        self.told: Deferred[str] = Deferred()

    def refused(self, *refusal: object) -> None:
        """Nobody is."""
        self.fail(str(refusal))

    def _note(self, event: LogEvent) -> None:
        self.events.append(event)
        if "reason" in event and not self.told.called:
            self.told.callback(formatEvent(event))

    def tunnel(self, to: str, *, tls: bool = False, proxied: bool = False, **settings: Any) -> int:
        """Return the port of a tunnel, behind all that netkit puts before a service."""
        log = Logger(observer=self._note)  # type: ignore[arg-type]
        world = World(NETWORK, NETWORK, log)
        path = Path(self.mktemp())
        path.write_bytes(ROOT.certificate_pem)
        if to.startswith("tls:"):
            settings["ca"] = path
        built = KIND.build(Settings(to=parse(to), **settings), {}, world)
        limits = Limits(**KIND.limits)
        creator = store().creator() if tls else None
        factory: Any = built.factory(NoOptions())
        if proxied:
            factory = ProxiedFactory(factory, (ip_network("127.0.0.0/8"),), self.refused)
        gate = Gate(factory, limits, NETWORK, log, creator)
        port = listening(self, gate)
        self.addCleanup(built.stopService)
        built.startService()
        return port

    async def server(self, sort: str, factory: Factory) -> str:
        """Return where a server of a sort is."""
        if sort == "unix":
            path = self.mktemp()
            port = await UNIXServerEndpoint(NETWORK, path).listen(factory)
            self.addCleanup(port.stopListening)
            return f"unix:{path}"
        if sort == "tls":
            over = TLSMemoryBIOFactory(store().creator(), isClient=False, wrappedFactory=factory)
            return f"tls:127.0.0.1:{listening(self, over)}:name={NAME}"
        return f"tcp:127.0.0.1:{listening(self, factory)}"


class BulkTests(TunnelTestCase):
    """Twenty megabytes each way come through, whatever is on either side."""

    timeout = 60

    def file(self) -> Path:
        """Return a file with the data."""
        file = Path(self.mktemp())
        file.write_bytes(DATA)
        return file

    async def check(self, sort: str, *, tls: bool) -> None:
        """Send them through, by `nc` or by `openssl s_client`."""
        to = await self.server(sort, Factory.forProtocol(Bulk))
        where = f"127.0.0.1:{self.tunnel(to, tls=tls)}"
        if tls:
            program, arguments = "openssl", ["s_client", "-quiet", "-connect", where]
        else:
            program, arguments = "nc", where.split(":")
        file = self.file()
        received = file.with_suffix(".received")
        command = f"exec {program} {' '.join(arguments)} <{file} >{received} 2>/dev/null"
        await output("sh", ["-c", command])
        answer = received.read_bytes()
        self.assertEqual(answer[:64].decode(), sha256(DATA).hexdigest())
        self.assertEqual(sha256(answer[64:]).hexdigest(), sha256(DATA).hexdigest())
        line = await self.told
        self.assertIn(f"{len(DATA)} bytes there, {len(DATA) + 64} back", line)

    async def test_tcp(self) -> None:
        """From TCP to TCP, which the kernel does alone."""
        await self.check("tcp", tls=False)

    async def test_tcp_to_unix(self) -> None:
        """From TCP to a UNIX socket."""
        await self.check("unix", tls=False)

    async def test_tcp_to_tls(self) -> None:
        """From TCP to TLS."""
        await self.check("tls", tls=False)

    async def test_tls_to_tcp(self) -> None:
        """From TLS to TCP."""
        await self.check("tcp", tls=True)

    async def test_tls_to_tls(self) -> None:
        """From TLS to TLS."""
        await self.check("tls", tls=True)


class HalfCloseTests(TunnelTestCase):
    """Who has said all still hears the rest."""

    skip = NO_NC

    async def check(self, sort: str) -> None:
        """Have an echo return a megabyte whose end comes first."""
        to = await self.server(sort, EchoFactory(EchoSettings(), NETWORK))
        client = netcat(self, self.tunnel(to))
        client.say(DATA[:1_000_000])
        client.hang_up()
        self.assertTrue(await client.ended == DATA[:1_000_000])
        line = await self.told
        self.assertIn("1000000 bytes there, 1000000 back", line)
        self.assertTrue(line.endswith("both sides ended"), line)

    async def test_tcp(self) -> None:
        """A FIN goes through, and the answer to it."""
        await self.check("tcp")

    async def test_unix(self) -> None:
        """So it does to a UNIX socket."""
        await self.check("unix")


class FailureTests(TunnelTestCase):
    """Where there is no server there is no tunnel."""

    async def check(self, to: str) -> str:
        """Come, and be let go; return why, as the log has it."""
        port = self.tunnel(to, connect_timeout=0.5)
        lost = Lost()
        await connectProtocol(TCP4ClientEndpoint(NETWORK, "127.0.0.1", port), lost)
        await lost.ended
        return (await self.told).partition("; ")[2]

    async def test_refused(self) -> None:
        """Nobody listens."""
        with socket.create_server(("127.0.0.1", 0)) as reserved:
            port = reserved.getsockname()[1]
        why = await self.check(f"tcp:127.0.0.1:{port}")
        self.assertEqual(why, f"no connection: 127.0.0.1:{port}: connection refused")

    async def test_wrong_name(self) -> None:
        """The server is another."""
        to = (await self.server("tls", Factory.forProtocol(Bulk))).replace(NAME, "b.example")
        self.assertIn('its certificate is not for "b.example"', await self.check(to))

    async def test_no_tls(self) -> None:
        """The server has no TLS."""
        to = await self.server("tcp", EchoFactory(EchoSettings(), NETWORK))
        self.assertIn("no TLS: ", await self.check(to.replace("tcp:", "tls:")))

    async def test_silent(self) -> None:
        """The server takes the connection and does not shake hands."""
        to = await self.server("tcp", Factory.forProtocol(Protocol))
        why = await self.check(to.replace("tcp:", "tls:"))
        self.assertIn("no TLS handshake within 0.5 s", why)


class Lost(Protocol):
    """Says when it is lost."""

    def __init__(self) -> None:
        self.ended: Deferred[None] = Deferred()

    def connectionLost(self, reason: Any = None) -> None:
        self.ended.callback(None)


class HaproxyTests(TunnelTestCase, HaproxyTestCase):
    """HAProxy as the server sees by the header who the client is."""

    async def check(self, version: ProxyHeader) -> None:
        """Ask HAProxy whom it sees."""
        port = self.tunnel(f"tcp:127.0.0.1:{self.haproxy(RECEIVER)}", proxy_header=version)
        answer, asker = await self.ask(port, QUESTION)
        seen = answer.partition(b"\r\n\r\n")[2].decode().rstrip(" -")
        self.assertEqual(seen, f"127.0.0.1 {asker.here.port} 127.0.0.1 {port}")

    async def test_chain(self) -> None:
        """The client that a header named is passed on."""
        to = f"tcp:127.0.0.1:{self.haproxy(RECEIVER)}"
        behind = self.tunnel(to, proxied=True, proxy_header=ProxyHeader.V2)
        port = self.haproxy(SENDER, port=behind, options="send-proxy-v2")
        answer, asker = await self.ask(port, QUESTION)
        seen = answer.partition(b"\r\n\r\n")[2].decode().rstrip(" -")
        self.assertEqual(seen, f"127.0.0.1 {asker.here.port} 127.0.0.1 {port}")
        self.assertTrue((await self.told).startswith(f"127.0.0.1:{asker.here.port} to "))

    async def test_v1(self) -> None:
        """By a line."""
        await self.check(ProxyHeader.V1)

    async def test_v2(self) -> None:
        """By a block."""
        await self.check(ProxyHeader.V2)


del HaproxyTestCase  # which has no tests of its own
