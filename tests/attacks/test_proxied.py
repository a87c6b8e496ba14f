"""PROXY headers from those who may not send them, and headers that are none."""

import socket

from tests.attacks.case import AttackTestCase
from tests.attacks.crowd import crowd
from tests.attacks.host import PROXIED, SERVICES, Door, attacked, dial, read_until
from tests.net.headers import LINE, SIGNATURE, block

FLOOD = 100_000  # bytes
WRONG = (
    b"PROXY TCP4 " + b"1" * 200,
    b"PROXY TCP4 192.0.2.7 192.0.2.1 50000\r\n",
    b"PROXY " + b"x" * FLOOD,
    b"GET / HTTP/1.0\r\n\r\n",
    SIGNATURE + b"\x21\x11\xff\xff" + bytes(FLOOD),  # longer than may be
    SIGNATURE + b"\x21\x11\x00\x04" + bytes(4),  # shorter than its addresses
    SIGNATURE + b"\x21\x21\x00\x0c" + bytes(12),  # too short for IPv6
    SIGNATURE + b"\x21\x11\x00\x10" + bytes(12) + b"\x04\xff\xff\x00",  # a TLV that is longer
    SIGNATURE + b"\x91\x11\x00\x0c" + bytes(12),
)
UNFINISHED = (
    b"",
    b"P",
    LINE[:-1],
    SIGNATURE,
    block()[:-1],
    SIGNATURE + b"\x21\x11\x00\xd8" + bytes(200),  # says 216 bytes
)


class ProxiedTests(AttackTestCase):
    def test_strangers(self) -> None:
        """Who is none of the trusted proxies is closed at once, whatever it sends, unanswered."""
        with attacked() as host:
            for service in SERVICES:
                for says in (LINE, block(), host.talk(service).question, b""):
                    self.assertEqual(told(host.port(service, Door.STRANGE), says), b"")
            refused = host.running.wait_for(
                r"refused connections: \d+; 127\.0\.0\.1 is none of the"
            )
            self.assertIn("trusted", refused)
            self.assert_quiet(host)

    def test_single_bytes(self) -> None:
        """A header in single bytes is accepted, and the client is who it says, with TLS or not."""
        with attacked() as host:
            for service in SERVICES:
                for door in PROXIED:
                    for header in (LINE, block()):
                        self.assertTrue(host.serves(service, door, header=header), service)
            with dial(host.port("finger", Door.PROXIED)) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for byte in LINE.replace(b"50000", b"50001") + b"ada\r\n":
                    client.sendall(bytes([byte]))
                self.assertIn(b"Ada Lovelace", read_until(client, b"Ada Lovelace"))
            host.running.wait_for(r'192\.0\.2\.7:50000 asked for "ada": ')
            host.running.wait_for(r'192\.0\.2\.7:50001 asked for "ada": ')
            self.assert_quiet(host)

    def test_wrong(self) -> None:
        """A header that is too long, lies about a length or is none ends the connection at once."""
        with attacked("handshake_timeout = 600") as host, crowd() as people:
            for service in SERVICES:
                for door in PROXIED:
                    for says in WRONG:
                        people.come(host.port(service, door), says)
            people.stay()
            for door in PROXIED:
                self.assertTrue(host.serves("echo", door, header=LINE))
            host.running.wait_for(r"refused connections: \d+; 127\.0\.0\.1 sent ")
            self.assert_quiet(host, lines=200)

    def test_unfinished(self) -> None:
        """A header that is not finished is waited for as long as a handshake, and no longer."""
        with attacked("handshake_timeout = 1") as host, crowd() as people:
            for service in SERVICES:
                for door in PROXIED:
                    for says in UNFINISHED:
                        people.come(host.port(service, door), says)
            people.stay()
            host.running.wait_for(r"let go of 127\.0\.0\.1:\d+: did not finish the handshake")
            self.assert_quiet(host, lines=200)


def told(port: int, says: bytes) -> bytes:
    """Return what comes back of `says`, until the end or a reset."""
    try:
        with dial(port) as client:
            client.sendall(says)
            return client.recv(100)
    except ConnectionError:
        return b""
