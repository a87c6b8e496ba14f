"""PROXY headers exchanged with HAProxy itself, on loopback."""

import socket
import subprocess
from ipaddress import ip_network
from pathlib import Path
from shutil import which
from textwrap import dedent
from typing import cast

from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP4ServerEndpoint, connectProtocol
from twisted.internet.interfaces import IAddress, ITCPTransport
from twisted.internet.protocol import Factory, Protocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from netkit.net.addresses import SocketAddress, plain
from netkit.net.proxied import ProxiedFactory, ProxiedTransport
from netkit.net.proxyprotocol import Header, Tlv, TlvType, to_v1, to_v2
from tests.net.headers import CLIENT, CLIENT6, SERVER, SERVER6

HAPROXY = which("haproxy") or "/usr/sbin/haproxy"
MISSING = None if Path(HAPROXY).exists() else "haproxy is not installed"
LOOPBACK = (ip_network("127.0.0.0/8"),)

SENDER = """
    global
        quiet
    defaults
        mode tcp
        timeout connect 10s
        timeout client 10s
        timeout server 10s
    listen sender
        bind fd@{bound}
        unique-id-format made-here
        server netkit 127.0.0.1:{port} {options}
"""
RECEIVER = """
    global
        quiet
    defaults
        mode http
        timeout connect 10s
        timeout client 10s
    frontend receiver
        bind fd@{bound} accept-proxy
        http-request return status 200 content-type text/plain lf-string "%[src] %[src_port] %[dst] %[dst_port] %[fc_pp_unique_id]"
"""


class Teller(Protocol):
    """Says whom it sees, then sends everything back."""

    def connectionMade(self) -> None:
        transport = cast("ITCPTransport", self.transport)
        peer, host = transport.getPeer(), transport.getHost()
        transport.write(f"{peer.host}:{peer.port} {host.host}:{host.port}\n".encode())

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.transport.write(data)
        if data.endswith(b"\n"):
            self.transport.loseConnection()


class Asker(Protocol):
    """Says something, and keeps all that it hears until the end."""

    def __init__(self, said: bytes) -> None:
        self._said = said
        self._heard = b""
        self.answer: Deferred[bytes] = Deferred()

    def connectionMade(self) -> None:
        transport = cast("ITCPTransport", self.transport)
        self.here = transport.getHost()
        transport.write(self._said)

    def dataReceived(self, data: bytes) -> None:
        self._heard += data

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.answer.callback(self._heard)


class HaproxyTestCase(TestCase):
    timeout = 30
    skip = MISSING

    def haproxy(self, config: str, **words: object) -> int:
        """Start an HAProxy that listens on a socket of ours; return its port."""
        bound = socket.create_server(("127.0.0.1", 0))
        file = Path(self.mktemp())
        file.write_text(dedent(config).format(bound=bound.fileno(), **words))
        process = subprocess.Popen(
            (HAPROXY, "-db", "-f", str(file)),
            pass_fds=(bound.fileno(),),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self.addCleanup(process.wait, 10)
        self.addCleanup(process.kill)
        port = int(bound.getsockname()[1])
        bound.close()
        return port

    async def ask(self, port: int, said: bytes) -> tuple[bytes, Asker]:
        """Return what comes back from `port` for `said`, and who asked."""
        asker = Asker(said)
        await connectProtocol(TCP4ClientEndpoint(reactor, "127.0.0.1", port), asker)
        return await asker.answer, asker


class FromHaproxyTests(HaproxyTestCase):
    def setUp(self) -> None:
        self.made: list[Teller] = []
        self.refused: list[tuple[IAddress, str]] = []

    async def through(self, options: str) -> int:
        """Return the port of an HAProxy in front of a listener of ours."""
        inside = Factory.forProtocol(self._teller)
        factory = ProxiedFactory(inside, LOOPBACK, lambda *refusal: self.refused.append(refusal))
        port = await TCP4ServerEndpoint(reactor, 0, interface="127.0.0.1").listen(factory)
        self.addCleanup(port.stopListening)
        behind = cast("IPv4Address", port.getHost()).port
        return self.haproxy(SENDER, port=behind, options=options)

    def _teller(self) -> Teller:
        self.made.append(Teller())
        return self.made[-1]

    async def check(self, options: str) -> Header:
        """Check that a client of HAProxy is seen as what it is; return the header."""
        port = await self.through(options)
        answer, asker = await self.ask(port, b"and more\n")
        here = asker.here
        expected = f"127.0.0.1:{here.port} 127.0.0.1:{port}\nand more\n"
        self.assertEqual((answer.decode(), self.refused), (expected, []))
        transport = self.made[0].transport
        assert isinstance(transport, ProxiedTransport)
        self.assertEqual(transport.header.source, SocketAddress(plain(here.host), here.port))
        return transport.header

    async def test_v1(self) -> None:
        """HAProxy's line is read."""
        await self.check("send-proxy")

    async def test_v2(self) -> None:
        """HAProxy's block is read."""
        await self.check("send-proxy-v2")

    async def test_v2_with_everything(self) -> None:
        """HAProxy's checksum is right, and its unique id is there."""
        header = await self.check("send-proxy-v2 proxy-v2-options crc32c,unique-id,ssl")
        self.assertIn(Tlv(TlvType.UNIQUE_ID, b"made-here"), header.tlvs)

    async def test_none(self) -> None:
        """Without a header HAProxy's client is let go."""
        port = await self.through("")
        answer, _ = await self.ask(port, b"no header\n")
        self.assertEqual((answer, self.made), (b"", []))
        self.assertEqual([why for _, why in self.refused], ["sent no PROXY header"])


class ToHaproxyTests(HaproxyTestCase):
    async def check(self, written: bytes, seen: str) -> None:
        port = self.haproxy(RECEIVER)
        question = b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
        answer, _ = await self.ask(port, written + question)
        self.assertEqual(answer.partition(b"\r\n\r\n")[2].decode().rstrip(" -"), seen)

    async def test_v1(self) -> None:
        """HAProxy reads our line."""
        await self.check(to_v1(Header(CLIENT, SERVER)), "192.0.2.7 50000 192.0.2.1 443")

    async def test_v1_of_ipv6(self) -> None:
        """HAProxy reads our line with IPv6."""
        await self.check(to_v1(Header(CLIENT6, SERVER6)), "2001:db8::7 50000 2001:db8::1 443")

    async def test_v2(self) -> None:
        """HAProxy reads our block, what stands behind the addresses and the checksum included."""
        header = Header(CLIENT6, SERVER6, (Tlv(TlvType.UNIQUE_ID, b"seven"),))
        written = to_v2(header, checksum=True)
        await self.check(written, "2001:db8::7 50000 2001:db8::1 443 seven")
