"""One script of nats-py and bare sockets, run against netkit and against nats-server: the same words."""

import json
import os
import shutil
import socket
import sys
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.testing import EventLoggingObserver
from twisted.internet.utils import getProcessOutputAndValue
from twisted.logger import Logger, LogPublisher
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from netkit.net.clients import ClientCertificates
from netkit.net.tls import Store, Terms, load
from netkit.passwords import Cost, hashed
from netkit.services.kind import World
from netkit.services.pubsub.nats.protocol import NatsFactory
from netkit.services.pubsub.service import PubSub
from netkit.services.pubsub.settings import (
    Options,
    PermissionsTable,
    Protocol,
    RulesTable,
    Settings,
)
from netkit.tools.certificate import issue
from tests.listening import listening
from tests.net.test_clients import ca, of_client

_SCRIPT = Path(__file__).with_name("script.py")
_SERVER = shutil.which(
    "nats-server",
    path=os.pathsep.join(
        (str(Path(sys.executable).parent), os.defpath, os.environ.get("PATH", ""))
    ),
)
_CONFIG = """
listen: "127.0.0.1:{port}"
"""
_USERS = """
authorization {
  users = [
    { user: alice, password: secret, permissions: {
      publish: { allow: ["open.>"] }, subscribe: { allow: ["open.>"], deny: ["open.secret"] } } }
    { user: bob, password: builder }
  ]
}
"""
_TOKEN = 'authorization { token: "open sesame" }\n'
_TLS = 'tls { cert_file: "%s", key_file: "%s" }\n'
_MUTUAL = 'tls { cert_file: "%s", key_file: "%s", ca_file: "%s", verify: true }\n'


class _Certificates:
    """An authority, a server and a client, as files in a folder."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self.authority = ca("Root")
        self.ca = self._written(folder / "ca.pem", self.authority.certificate_pem)
        now = datetime.now(UTC)
        day = timedelta(days=1)
        server = issue(("localhost",), now - day, now + day, issuer=self.authority)
        self.server = self._written(folder / "server.pem", server.pem)
        client = of_client(self.authority, common_name="carol")
        self.client = self._written(folder / "client.pem", client.pem)

    def _written(self, path: Path, data: bytes) -> Path:
        path.write_bytes(data)
        return path


class _Server(ProcessProtocol):
    """One nats-server; `ready` fires when it listens."""

    def __init__(self) -> None:
        self.ready: Deferred[None] = Deferred()
        self.gone: Deferred[None] = Deferred()
        self._said = b""

    def errReceived(self, data: bytes) -> None:
        """Look whether it is ready."""
        self._said += data
        if b"Server is ready" in self._said and not self.ready.called:
            self.ready.callback(None)

    def processEnded(self, reason: Failure) -> None:
        """Say so."""
        if not self.ready.called:
            self.ready.errback(RuntimeError(self._said.decode()))
        self.gone.callback(None)

    def end(self) -> Deferred[None]:
        """End it."""
        assert self.transport is not None
        self.transport.signalProcess("KILL")
        return self.gone


class TranscriptTests(TestCase):
    timeout = 60

    if not find_spec("nats"):
        skip = "nats-py is not installed"
    elif not _SERVER:
        skip = "nats-server is not installed"

    def setUp(self) -> None:
        """Make the certificates."""
        self.folder = Path(self.mktemp()).absolute()
        self.certificates = _Certificates(self.folder)

    async def test_without_logins(self) -> None:
        """Messages, queues, requests, headers, drains, reconnects, and every sort of bad line."""
        sections = ["raw", "messages", "drain", "reconnect"]
        ours = {"plain": self._netkit(Settings()), "sections": sections}
        theirs = {"plain": await self._nats_server(""), "sections": sections}
        await self._same(ours, theirs)

    async def test_logins(self) -> None:
        """Users, passwords, tokens, permissions, and who says nothing."""
        cost = Cost(ln=9)
        settings = Settings(
            users={
                "alice": str(hashed("secret", cost)),
                "bob": str(hashed("builder", cost)),
            },
            permissions={
                "alice": PermissionsTable(
                    publish=RulesTable(allow=("open.>",)),
                    subscribe=RulesTable(allow=("open.>",), deny=("open.secret",)),
                )
            },
        )
        token = Settings(token=str(hashed("open sesame", cost)))
        ours = {"users": self._netkit(settings), "token": self._netkit(token)}
        theirs = {
            "users": await self._nats_server(_USERS),
            "token": await self._nats_server(_TOKEN),
        }
        await self._same({**ours, "sections": ["logins"]}, {**theirs, "sections": ["logins"]})

    async def test_tls(self) -> None:
        """TLS after INFO, with certificates of clients where they are wanted."""
        files = self.certificates
        terms = Terms(
            authorities=(files.authority.certificate,),
            client_certificates=ClientCertificates.REQUIRED,
        )
        ours = {
            "tls": self._netkit(Settings(), Terms()),
            "mutual": self._netkit(Settings(certificate_users=("carol",)), terms),
        }
        pair = (files.server, files.server)
        theirs = {
            "tls": await self._nats_server(_TLS % pair),
            "mutual": await self._nats_server(_MUTUAL % (*pair, files.ca)),
        }
        common = {"sections": ["tls"], "ca": str(files.ca), "client": str(files.client)}
        await self._same({**ours, **common}, {**theirs, **common})

    def _netkit(self, settings: Settings, terms: Terms | None = None) -> int:
        from twisted.internet import reactor  # noqa: PLC0415 (installed by whoever runs the tests)

        log = Logger(namespace="pubsub", observer=LogPublisher(EventLoggingObserver()))
        service = PubSub(settings, World(reactor, reactor, log))
        self.addCleanup(service.stopService)
        factory = service.factory(Options(protocol=Protocol.NATS))
        if terms is not None:
            store = Store(load([self.certificates.server], datetime.now(UTC)).identities, terms)
            assert isinstance(factory, NatsFactory)
            assert factory.take_tls(store.creator())
        return listening(self, factory)

    async def _nats_server(self, more: str) -> int:
        from twisted.internet import reactor  # noqa: PLC0415 (as above)

        with socket.create_server(("127.0.0.1", 0)) as free:
            port = int(free.getsockname()[1])
        config = self.folder / f"{port}.conf"
        config.write_text(_CONFIG.format(port=port) + more)
        server = _Server()
        assert _SERVER is not None
        reactor.spawnProcess(server, _SERVER, [_SERVER, "-c", str(config)])
        self.addCleanup(server.end)
        await server.ready
        return port

    async def _same(self, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
        self.maxDiff = None
        expected, found = await self._said(theirs), await self._said(ours)
        self.assertEqual(found.splitlines(), expected.splitlines())

    async def _said(self, told: dict[str, Any]) -> str:
        out, err, status = await getProcessOutputAndValue(
            sys.executable, [str(_SCRIPT), json.dumps(told)], env=dict(os.environ)
        )
        self.assertEqual(status, 0, err.decode())
        return str(out.decode())
