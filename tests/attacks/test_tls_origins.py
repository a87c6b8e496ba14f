"""Upstreams with TLS: what was not ended by TLS is cut, and alerts are no answers."""

import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.certificate import provide
from tests.attacks.fronts import Front
from tests.attacks.host import read_until
from tests.attacks.origins import scripted
from tests.attacks.test_killed import fate
from tests.running import netkit

CONFIG = """
[service.web]
kind = "site"
listen = "tcp:0:interface=127.0.0.1"
[[service.web.mount]]
path = "/"
kind = "upstream"
servers = ["tls:localhost:{port}"]
ca = "../tls/localhost.pem"
health = {{ max_fails = 0 }}
"""
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\n" + b"a" * 20_000
SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 40000\r\n\r\n" + b"a" * 20_000
ALERT = b"\x15\x03\x03\x00\x02\x02\x28"  # fatal, handshake failure


class TlsOriginTests(SynchronousTestCase):
    @contextmanager
    def before(self, serve: Callable[[socket.socket], None]) -> Iterator[Front]:
        """Run a netkit before an origin at whose port it expects TLS."""
        with scripted(serve) as port:
            with netkit(CONFIG.format(port=port), str(self.folder / "run")) as running:
                yield Front(running.ports["web"][0], b"")
            self.assertNotIn("Traceback", "\n".join(running.lines))

    def setUp(self) -> None:
        """Make a certificate."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.folder.chmod(0o755)
        provide(self.folder / "tls", ("localhost",), datetime.now(UTC))

    def test_ends(self) -> None:
        """An answer is whole where its length or else TLS says so, and else it is cut."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.folder / "tls" / "localhost.pem")
        ends = ((UNTIL_CLOSE, True), (UNTIL_CLOSE, False), (SIZED, True), (SIZED, False))

        def serve(connection: socket.socket) -> None:
            with context.wrap_socket(connection, server_side=True) as secure:
                asked = read_until(secure, b"\r\n\r\n")
                answer, farewell = ends[int(asked.split(b" ")[1][1:])]
                secure.sendall(answer)
                if farewell:
                    secure.unwrap()

        with self.before(serve) as front:
            fates = [fate(front, number) for number in range(len(ends))]
            self.assertEqual(["200", "cut", "cut", "cut"], fates)

    def test_no_tls(self) -> None:
        """An alert, an answer in the clear, or nothing, where TLS should be, is a 502."""
        words = iter((ALERT, UNTIL_CLOSE, b""))

        def serve(connection: socket.socket) -> None:
            connection.recv(65536)
            connection.sendall(next(words))

        with self.before(serve) as front:
            self.assertEqual(["502"] * 3, [fate(front, 0) for _ in range(3)])
