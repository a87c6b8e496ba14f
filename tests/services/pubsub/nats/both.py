"""netkit and a real nats-server, set up alike, for one script that tells what clients experience at each.

Rule: whatever a script prints about the one is what it prints about the other.
"""

import json
import os
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from attrs import frozen
from twisted.internet.testing import EventLoggingObserver
from twisted.internet.utils import getProcessOutputAndValue
from twisted.logger import Logger, LogPublisher
from twisted.trial.unittest import TestCase

from netkit.net.clients import ClientCertificates
from netkit.net.tls import Store, Terms, load
from netkit.passwords import Cost, hashed
from netkit.services.kind import Mount, NoOptions, World
from netkit.services.pubsub.live.mount import KIND as LIVE
from netkit.services.pubsub.live.settings import Settings as LiveSettings
from netkit.services.pubsub.nats.protocol import NatsFactory
from netkit.services.pubsub.service import PubSub
from netkit.services.pubsub.settings import (
    Nats,
    Options,
    PermissionsTable,
    Protocol,
    RulesTable,
    Settings,
)
from netkit.services.site.service import Settings as SiteSettings
from netkit.services.site.service import Site
from netkit.tools.certificate import issue
from tests.listening import listening
from tests.net.test_clients import ca, of_client
from tests.services.pubsub.fabric.program import NatsServer, nats_server

_COST = Cost(ln=9)
_PERMISSIONS = PermissionsTable(
    publish=RulesTable(allow=("open.>",)),
    subscribe=RulesTable(allow=("open.>",), deny=("open.secret",)),
)
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
_WEBSOCKET = 'websocket { listen: "127.0.0.1:-1", no_tls: true }\n'


@frozen
class Server:
    """One server to go to: where it speaks NATS, and where it does so over a WebSocket."""

    port: int
    websocket: str


@frozen
class Pair:
    """The same terms at netkit and at nats-server."""

    ours: Server
    theirs: Server


class BothCase(TestCase):
    """Tests that run one script against both; `told` is what the script's argument holds."""

    timeout = 120

    def setUp(self) -> None:
        """Make a folder for certificates and configurations."""
        self.folder = Path(self.mktemp()).absolute()
        self.folder.mkdir()
        self.maxDiff = None

    async def open(self) -> Pair:
        """Return servers where nobody has to log in."""
        return await self._pair(Settings(), "")

    async def with_ten_subscriptions(self) -> Pair:
        """Return servers where a client may have ten subscriptions."""
        settings = Settings(nats=Nats(subscriptions=10))
        return await self._pair(settings, "max_subscriptions: 10\n")

    async def with_users(self) -> Pair:
        """Return servers where alice may do some things, and bob everything."""
        users = {"alice": str(hashed("secret", _COST)), "bob": str(hashed("builder", _COST))}
        settings = Settings(users=users, permissions={"alice": _PERMISSIONS})
        return await self._pair(settings, _USERS)

    async def with_token(self) -> Pair:
        """Return servers with one token for all."""
        return await self._pair(Settings(token=str(hashed("open sesame", _COST))), _TOKEN)

    async def with_tls(self) -> tuple[Pair, Pair, dict[str, str]]:
        """Return servers with TLS, others that want a client's certificate, and the files for clients."""
        authority = ca("Root")
        root = self._written("ca.pem", authority.certificate_pem)
        now = datetime.now(UTC)
        day = timedelta(days=1)
        server = issue(("localhost", "127.0.0.1"), now - day, now + day, issuer=authority)
        own = self._written("server.pem", server.pem)
        client = self._written("client.pem", of_client(authority, common_name="carol").pem)
        wanted = Terms(
            authorities=(authority.certificate,), client_certificates=ClientCertificates.REQUIRED
        )
        carol = Settings(certificate_users=("carol",))
        plain = await self._pair(Settings(), _TLS % (own, own), own, Terms())
        mutual = await self._pair(carol, _MUTUAL % (own, own, root), own, wanted)
        return plain, mutual, {"ca": str(root), "client_certificate": str(client)}

    async def transcript(
        self, command: Sequence[str], ours: dict[str, Any], theirs: dict[str, Any]
    ) -> list[str]:
        """Return what `command` prints about ours, when that is the same as about theirs."""
        expected, found = await self._said(command, theirs), await self._said(command, ours)
        self.assertEqual(found, expected)
        headings = [line.removeprefix("== ") for line in found if line.startswith("== ")]
        self.assertEqual(headings, ours["sections"])
        self.assertGreater(len(found), len(headings))
        return found

    async def _said(self, command: Sequence[str], told: dict[str, Any]) -> list[str]:
        program, *arguments = command
        out, err, status = await getProcessOutputAndValue(
            program, [*arguments, json.dumps(told)], env=dict(os.environ)
        )
        self.assertEqual(status, 0, f"{out.decode()}{err.decode()}")
        return str(out.decode()).splitlines()

    def _written(self, name: str, data: bytes) -> Path:
        path = self.folder / name
        path.write_bytes(data)
        return path

    async def _pair(
        self, settings: Settings, config: str, pem: Path | None = None, terms: Terms | None = None
    ) -> Pair:
        return Pair(self._netkit(settings, pem, terms), await self._nats_server(config))

    def _netkit(self, settings: Settings, pem: Path | None, terms: Terms | None) -> Server:
        from twisted.internet import reactor  # noqa: PLC0415 (installed by whoever runs the tests)

        log = Logger(namespace="pubsub", observer=LogPublisher(EventLoggingObserver()))
        world = World(reactor, reactor, log)
        service = PubSub(settings, world)
        self.addCleanup(service.stopService)
        factory = service.factory(Options(protocol=Protocol.NATS))
        if pem is not None and terms is not None:
            store = Store(load([pem], datetime.now(UTC)).identities, terms)
            assert isinstance(factory, NatsFactory)
            assert factory.take_tls(store.creator())
        return Server(listening(self, factory), self._site(service, world))

    def _site(self, service: PubSub, world: World) -> str:
        mount = Mount("/live", LIVE, LiveSettings(), "pubsub")
        site = Site(SiteSettings((mount,), access_log=False), {"pubsub": service}, world)
        site.startService()
        self.addCleanup(site.stopService)
        return f"ws://127.0.0.1:{listening(self, site.factory(NoOptions()))}/live/ws"

    async def _nats_server(self, config: str) -> Server:
        file = self._written(f"{len(list(self.folder.iterdir()))}.conf", b"")
        file.write_text(config + _WEBSOCKET)
        server: NatsServer = await nats_server(self, "-c", str(file))
        port = await server.listens(b"websocket clients on ws://")
        return Server(server.port, f"ws://127.0.0.1:{port}")
