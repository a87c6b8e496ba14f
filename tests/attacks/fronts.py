"""A netkit between clients and one origin, by both of its proxies."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from attrs import frozen
from twisted.trial.unittest import SynchronousTestCase

from tests.attacks.honest import get
from tests.attacks.host import dial
from tests.attacks.origins import Seen
from tests.http.fakes import Answer, answers
from tests.running import netkit

CONFIG = """
[service.web]
kind = "site"
listen = "tcp:0:interface=127.0.0.1"
[[service.web.mount]]
path = "/"
kind = "upstream"
servers = ["tcp:127.0.0.1:{port}"]
health = {{ max_fails = 0 }}
[[service.web.mount]]
path = "/app"
kind = "upstream"
servers = ["tcp:127.0.0.1:{port}"]
[service.proxy]
listen = "tcp:0:interface=127.0.0.1"
destination = [{{ networks = ["127.0.0.0/8"], action = "allow" }}]
"""


@frozen
class Front:
    """A netkit before an origin: the port of one of its proxies, and what it wants before a path."""

    port: int
    base: bytes

    @property
    def host(self) -> str:
        """Return the Host that the origin sees."""
        return self.base.decode().removeprefix("http://") or "h"

    def ask(self, *pieces: bytes) -> list[Answer]:
        """Return the answers to what one client says, who reads until netkit closes."""
        methods = iter(("HEAD",) if pieces[0].startswith(b"HEAD ") else ())
        received = b""
        with dial(self.port) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in pieces:
                client.sendall(piece)
            while data := client.recv(65536):
                received += data
        return list(answers(received, lambda: next(methods, "GET")))

    def leaving(self, path: str) -> bytes:
        """Return the request of an honest client that leaves."""
        return get(b"Connection: close", path=path.encode()).replace(b"<", self.base)

    def rebased(self, vector: bytes) -> bytes:
        """Return a request for the path / as this front wants it."""
        return vector.replace(b" / ", b" %b/ " % self.base, 1)

    def got(self, path: str) -> Seen:
        """Return what an origin sees of an honest client."""
        return Seen(f"GET {path} HTTP/1.1", self.host)


@contextmanager
def before(test: SynchronousTestCase, port: int) -> Iterator[Sequence[Front]]:
    """Run a netkit before the origin at `port`, with a front for each proxy.

    It logs no traceback, and nothing that a terminal acts on.
    """
    with netkit(CONFIG.format(port=port), test.mktemp()) as running:
        web, proxy = (running.ports[name][0] for name in ("web", "proxy"))
        yield Front(web, b""), Front(proxy, b"http://127.0.0.1:%d" % port)
    test.assertNotIn("Traceback", "\n".join(running.lines))
    test.assertTrue(all(line.isprintable() for line in running.lines))
