"""A real nats-server and netkit show the same clients under the same keys, with values of the same types."""

import json
import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from netkit.passwords import Cost, hashed
from tests.running import netkit

_SERVER = shutil.which(
    "nats-server",
    path=os.pathsep.join(
        (str(Path(sys.executable).parent), os.defpath, os.environ.get("PATH", ""))
    ),
)
_CONFIG = """
[service.pubsub]
listen = {{ endpoint = "tcp:0:interface=127.0.0.1", protocol = "nats" }}
[service.web]
kind = "site"
listen = "tcp:0:interface=127.0.0.1"
users = {{ ann = "{hash}" }}
auth = [{{ path = "/guarded" }}]
[[service.web.mount]]
path = "/monitor"
kind = "monitor"
service = "pubsub"
[[service.web.mount]]
path = "/guarded"
kind = "monitor"
service = "pubsub"
"""
_HELLO = b'CONNECT {"verbose":false,"pedantic":false,"name":"%b","lang":"x","version":"1.2"}\r\n'
_SAYS = (b"SUB a.> 1\r\nSUB b q 2\r\n", b"SUB c 1\r\nPUB a.b 5\r\nhello\r\n")
_OWN = {"missed_msgs", "max_subscriptions", "auth_required", "tls_required"}
"""What the other server does not say, or not in its defaults."""
_PAGES = ("/varz", "/connz?subs=1", "/connz?subs=detail&sort=bytes_to", "/subsz", "/leafz")


class SameShapeTests(SynchronousTestCase):
    if not _SERVER:
        skip = "nats-server is not installed"

    def test_same(self) -> None:
        """Keys are the other server's, and their values have the same types; figures are the same."""
        theirs, ours = self._shown(self._nats_server()), self._shown(self._netkit())
        for page in _PAGES:
            for path, own, other in _pairs(page, ours[page], theirs[page]):
                self.assertIs(_type(own), _type(other), path)
        for page in ("/connz?subs=1", "/connz?subs=detail&sort=bytes_to"):
            self.assertEqual(*(_lasting(each[page]) for each in (ours, theirs)))
        self.assertEqual(ours["/healthz"], theirs["/healthz"])

    def test_login(self) -> None:
        """The mount wants a login where the site says so."""
        with self._netkit() as (_, web, _base), closing(HTTPConnection("127.0.0.1", web)) as http:
            http.request("GET", "/guarded/varz")
            self.assertEqual(http.getresponse().status, 401)

    @contextmanager
    def _netkit(self) -> Iterator[tuple[int, int, str]]:
        config = _CONFIG.format(hash=hashed("secret", Cost(ln=9)))
        with netkit(config, self.mktemp()) as running:
            yield running.ports["pubsub"][0], running.ports["web"][0], "/monitor"

    @contextmanager
    def _nats_server(self) -> Iterator[tuple[int, int, str]]:
        with (
            socket.create_server(("127.0.0.1", 0)) as one,
            socket.create_server(("127.0.0.1", 0)) as two,
        ):
            ports = (int(one.getsockname()[1]), int(two.getsockname()[1]))
        command = [str(_SERVER), "-a", "127.0.0.1", "-p", str(ports[0]), "-m", str(ports[1])]
        process = subprocess.Popen(command, stderr=subprocess.PIPE)
        assert process.stderr is not None
        try:
            for line in process.stderr:
                if b"Server is ready" in line:
                    break
            yield (*ports, "")
        finally:
            process.kill()
            process.wait()
            process.stderr.close()

    def _shown(self, running: Any) -> dict[str, Any]:
        """Return what a server shows of two clients."""
        with running as (nats, web, base), ExitStack() as stack:
            for number, says in enumerate(_SAYS):
                client = stack.enter_context(socket.create_connection(("127.0.0.1", nats), 10))
                client.sendall(_HELLO % (b"client %d" % number) + says + b"PING\r\n")
                heard = b""
                while b"PONG" not in heard:
                    heard += client.recv(4096)
            http = stack.enter_context(closing(HTTPConnection("127.0.0.1", web, timeout=10)))
            return {page: self._asked(http, base + page) for page in (*_PAGES, "/healthz")}

    def _asked(self, http: HTTPConnection, path: str) -> Any:
        http.request("GET", path)
        answer = http.getresponse()
        self.assertEqual((answer.status, answer.headers["Content-Type"]), (200, "application/json"))
        return json.loads(answer.read())


def _sid(value: Any) -> str:
    return str(value.get("sid", "")) if isinstance(value, dict) else ""


def _type(value: object) -> type:
    """Return the type that JSON knows: its numbers are of one."""
    return float if type(value) is int else type(value)


def _pairs(path: str, ours: Any, theirs: Any) -> Iterator[tuple[str, Any, Any]]:
    """Yield what is at the same place in both, and fail at a key that the other has not."""
    yield path, ours, theirs
    if isinstance(ours, dict) and "/varz.http_req_stats" not in path:
        for key in ours.keys() - _OWN:
            yield from _pairs(f"{path}.{key}", ours[key], theirs[key])
    elif isinstance(ours, list):
        both = (sorted(each, key=_sid) for each in (ours, theirs))  # theirs are in any order
        for number, (own, other) in enumerate(zip(*both, strict=True)):
            yield from _pairs(f"{path}.{number}", own, other)


def _lasting(connz: dict[str, Any]) -> list[Any]:
    """Return what of connections is the same in each run."""
    same = ("kind", "type", "ip", "name", "lang", "version", "pending_bytes", "subscriptions")
    figures = ("in_msgs", "in_bytes", "out_msgs", "out_bytes")
    found = []
    for each in connz["connections"]:
        details = each.get("subscriptions_list_detail", ())
        listed = sorted((one["subject"], one["sid"], one.get("qgroup")) for one in details)
        subjects = sorted(each.get("subscriptions_list", ()))
        found.append(([each[key] for key in same + figures], listed, subjects))
    return found
