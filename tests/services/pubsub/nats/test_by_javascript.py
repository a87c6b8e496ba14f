"""One script of the clients in JavaScript, run against netkit and against nats-server: the same words."""

import shutil
from pathlib import Path
from typing import Any

from tests.running import ROOT
from tests.services.pubsub.fabric.program import NO_PROGRAM
from tests.services.pubsub.nats.both import BothCase, Pair, Server

_NODE = shutil.which("node") or ""
_SCRIPT = Path(__file__).with_name("script.cjs")
_PACKAGES = ROOT / ".npm" / "node_modules"
_MISSING = [name for name in ("nats", "nats.ws", "ws") if not (_PACKAGES / name).is_dir()]
_CORE = ["messages", "drain", "reconnect"]


class _JavaScriptCase(BothCase):
    """Tests of one package."""

    package: str

    def address(self, server: Server) -> str:
        """Return where the package finds a server."""
        raise NotImplementedError

    if not _NODE:
        skip = "node is not installed"
    elif _MISSING:
        skip = f"not installed by make: {', '.join(_MISSING)}"
    elif NO_PROGRAM:
        skip = NO_PROGRAM

    async def same(
        self, sections: list[str], files: dict[str, str] | None = None, **servers: Pair
    ) -> list[str]:
        """Return the transcript, which is the same for both."""
        told: dict[str, Any] = {
            "client": str(_PACKAGES / self.package),
            "websocket": str(_PACKAGES / "ws"),
            "sections": sections,
            **(files or {}),
        }
        ours = {name: self.address(pair.ours) for name, pair in servers.items()}
        theirs = {name: self.address(pair.theirs) for name, pair in servers.items()}
        return await self.transcript((_NODE, str(_SCRIPT)), {**told, **ours}, {**told, **theirs})

    def hears(self, transcript: list[str], *lines: str) -> None:
        """Fail unless all of these lines are there."""
        self.assertEqual([line for line in lines if line not in transcript], [])

    async def core(self) -> None:
        """Messages, queues, requests, headers, drains and reconnects."""
        self.hears(
            await self.same(_CORE, plain=await self.open()),
            'exact [["a.b",false,"0"],["a.b",false,"1"],["a.b",false,"2"]]',
            'headers [["One",["1"]],["Two",["two words","again"]]] headed',
            "too big NatsError MAX_PAYLOAD_EXCEEDED",
            "queue 3 60 60",
            "request re: 1",
            "nobody NatsError 503",
            "drained 100 false true ",
            'reconnected [["again",false,"still here"]]',
        )

    async def logins(self) -> None:
        """Users, passwords, tokens and permissions."""
        users, token = await self.with_users(), await self.with_token()
        self.hears(
            await self.same(["logins"], users=users, token=token),
            "no login NatsError AUTHORIZATION_VIOLATION",
            "wrong password NatsError AUTHORIZATION_VIOLATION",
            "alice welcome",
            "closed NatsError PERMISSIONS_VIOLATION",
            'alice heard [["open.x",false,"3"]]',
            "token welcome",
        )


class NatsTests(_JavaScriptCase):
    """The package `nats`, by TCP."""

    package = "nats"

    def address(self, server: Server) -> str:
        """Return where it speaks NATS."""
        return f"nats://127.0.0.1:{server.port}"

    async def test_core(self) -> None:
        """Messages, queues, requests, headers, drains and reconnects."""
        await self.core()

    async def test_logins(self) -> None:
        """Users, passwords, tokens and permissions."""
        await self.logins()

    async def test_tls(self) -> None:
        """TLS after INFO, with certificates of clients where they are wanted."""
        plain, mutual, files = await self.with_tls()
        transcript = await self.same(["tls"], files, tls=plain, mutual=mutual)
        self.hears(transcript, "over tls 100000", "nobody came in", "certificate welcome")


class NatsWebSocketTests(_JavaScriptCase):
    """The package `nats.ws`, at the mount `pubsub` of a site."""

    package = "nats.ws"

    def address(self, server: Server) -> str:
        """Return where its WebSocket is."""
        return server.websocket

    async def test_core(self) -> None:
        """Messages, queues, requests, headers, drains and reconnects."""
        await self.core()

    async def test_logins(self) -> None:
        """Users, passwords, tokens and permissions."""
        await self.logins()
