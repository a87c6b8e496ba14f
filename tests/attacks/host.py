"""A netkit with every service behind every kind of listener, and honest clients of it."""

import shutil
import socket
import ssl
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import IntEnum
from pathlib import Path

from attrs import frozen

from netkit.tools.certificate import provide
from tests.running import AS_NOBODY, PATIENCE, Running, netkit

SELF = "127.0.0.1"
BIG = 8 * 1024 * 1024  # bytes of a file
LONG = 1000 * 1000  # bytes of a plan


class Door(IntEnum):
    """The listeners of each service, in their order."""

    PLAIN = 0
    TLS = 1
    PROXIED = 2
    PROXIED_TLS = 3
    STRANGE = 4  # trusts proxies, and none of this host


SECURE = (Door.TLS, Door.PROXIED_TLS)
PROXIED = (Door.PROXIED, Door.PROXIED_TLS)

_LISTEN = """[
    { endpoint = "tcp:0:interface=127.0.0.1" },
    { endpoint = "tcp:0:interface=127.0.0.1", tls = "main" },
    { endpoint = "tcp:0:interface=127.0.0.1", proxy_protocol = ["127.0.0.1/32"] },
    { endpoint = "tcp:0:interface=127.0.0.1", proxy_protocol = ["127.0.0.1/32"], tls = "main" },
    { endpoint = "tcp:0:interface=127.0.0.1", proxy_protocol = ["10.0.0.0/8"] },
]"""
_CONFIG = """
[limits]
{limits}
[tls.main]
certificates = "tls"
[service.echo]
listen = {listen}
[service.lines]
kind = "echo"
listen = {listen}
mode = "line"
[service.finger]
listen = {listen}
users = "users.toml"
answer_bytes = {long}
[service.pubsub]
listen = {listen}
clients = 5000
[service.web]
kind = "site"
listen = {listen}
mount = [{{ path = "/", kind = "static", root = "www" }}]
[service.proxy]
listen = {listen}
clients = ["127.0.0.0/8", "192.0.2.0/24"]
destination = [{{ action = "allow", networks = ["127.0.0.0/8"] }}]
[service.web.http]
{http}
[service.proxy.http]
{http}
"""
_LINES = (b"x" * 1000 + b"\n") * (BIG // 1000)
SERVICES = ("echo", "lines", "finger", "pubsub", "web", "proxy")


@frozen
class Talk:
    """What a client says, and what is in the answer of a service that serves it."""

    question: bytes
    answer: bytes


@frozen
class Host:
    """A netkit that runs, and a client's idea of its certificate."""

    running: Running
    trust: ssl.SSLContext

    def port(self, service: str, door: Door = Door.PLAIN) -> int:
        """Return where `service` listens."""
        return self.running.ports[service][door]

    def talk(self, service: str) -> Talk:
        """Return what an honest client has to say."""
        return self._talks()[service]

    def _talks(self) -> Mapping[str, Talk]:
        web = f"127.0.0.1:{self.port('web')}"
        return {
            "echo": Talk(b"abc", b"abc"),
            "lines": Talk(b"abc\r\n", b"You said: abc"),
            "finger": Talk(b"ada\r\n", b"Ada Lovelace"),
            "pubsub": Talk(b"abc\n", b"abc\n"),
            "web": Talk(_get("/small", web), b"\r\n\r\nsmall"),
            "proxy": Talk(_get(f"http://{web}/small", web), b"\r\n\r\nsmall"),
        }

    def endless(self, service: str) -> bytes:
        """Return what has an answer that the kernel does not take for a peer that takes little."""
        web = f"127.0.0.1:{self.port('web')}"
        return {
            "echo": bytes(BIG),
            "lines": _LINES,
            "finger": b"long\r\n",
            "pubsub": _LINES,
            "web": _get("/big", web) * 4,
            "proxy": _get(f"http://{web}/big", web) * 4,
        }[service]

    def connect(
        self,
        service: str,
        door: Door = Door.PLAIN,
        source: str = SELF,
        header: bytes = b"",
        *,
        takes_little: bool = False,
    ) -> socket.socket:
        """Return a connection, with TLS established where the door has it."""
        connection = dial(self.port(service, door), source, takes_little=takes_little)
        connection.sendall(header)
        if door not in SECURE:
            return connection
        try:
            return self.trust.wrap_socket(connection, server_hostname="localhost")
        except BaseException:
            connection.close()
            raise

    def serves(
        self, service: str, door: Door = Door.PLAIN, source: str = SELF, header: bytes = b""
    ) -> bool:
        """Return whether an honest client is served."""
        talk = self.talk(service)
        with self.connect(service, door, source, header) as connection:
            connection.sendall(talk.question)
            return talk.answer in read_until(connection, talk.answer)

    @property
    def descriptors(self) -> int:
        """How many file descriptors the process has open."""
        return len(list(Path(f"/proc/{self.running.pid}/fd").iterdir()))

    @property
    def memory(self) -> int:
        """How many MiB of memory the process has."""
        status = Path(f"/proc/{self.running.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) // 1024


@contextmanager
def attacked(limits: str = "", within: Sequence[str] = (), *, http: str = "") -> Iterator[Host]:
    """Start a netkit with every service, and the keys `limits` and `http` in tables of those names."""
    folder = Path(tempfile.mkdtemp())  # a checkout may lie in a home that nobody may enter
    try:
        _furnish(folder)
        listen = " ".join(_LISTEN.split("\n"))
        config = _CONFIG.format(limits=limits, listen=listen, long=2 * LONG, http=http)
        trust = ssl.create_default_context(cafile=folder / "tls" / "localhost.pem")
        with netkit(
            config, str(folder), (*AS_NOBODY, "-n", "--pidfile="), within=within
        ) as running:
            yield Host(running, trust)
    finally:
        shutil.rmtree(folder)


def _furnish(folder: Path) -> None:
    provide(folder / "tls", ("localhost",), datetime.now(UTC))
    (folder / "www").mkdir()
    (folder / "www" / "small").write_text("small")
    (folder / "www" / "big").write_bytes(bytes(BIG))
    (folder / "users.toml").write_text(
        '[ada]\nname = "Ada Lovelace"\n'
        f'[long]\nname = "Long Plan"\nplan = "{("x" * 100 + chr(92) + "n") * (LONG // 102)}"\n'
    )


def dial(port: int, source: str = SELF, *, takes_little: bool = False) -> socket.socket:
    """Return a connection to `port`; the kernel on its other side queues less if it takes little."""
    connection = socket.socket()
    try:
        if takes_little:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
        connection.settimeout(PATIENCE)
        connection.bind((source, 0))
        connection.connect((SELF, port))
    except BaseException:
        connection.close()
        raise
    return connection


def read_until(connection: socket.socket, wanted: bytes) -> bytes:
    """Return what comes until `wanted` is in it, or until the end."""
    received = b""
    while wanted not in received:
        data = connection.recv(65536)
        if not data:
            break
        received += data
    return received


def _get(target: str, host: str) -> bytes:
    return f"GET {target} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode()
