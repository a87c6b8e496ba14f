"""One script of nats-py and bare sockets, run against netkit and against nats-server: the same words."""

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.services.pubsub.fabric.program import NO_PROGRAM
from tests.services.pubsub.nats.both import BothCase

_COMMAND = (sys.executable, str(Path(__file__).with_name("script.py")))


class TranscriptTests(BothCase):
    if not find_spec("nats"):
        skip = "nats-py is not installed"
    elif NO_PROGRAM:
        skip = NO_PROGRAM

    async def test_without_logins(self) -> None:
        """Messages, queues, requests, headers, drains, reconnects, and every sort of bad line."""
        servers = await self.open()
        told = {"sections": ["raw", "messages", "drain", "reconnect"]}
        await self._same(told, plain=servers)

    async def test_subscriptions(self) -> None:
        """One subscription too many is refused, whatever follows, and the others stay."""
        await self._same({"sections": ["crowded"]}, ten=await self.with_ten_subscriptions())

    async def test_logins(self) -> None:
        """Users, passwords, tokens, permissions, and who says nothing."""
        told = {"sections": ["logins"]}
        await self._same(told, users=await self.with_users(), token=await self.with_token())

    async def test_tls(self) -> None:
        """TLS after INFO, with certificates of clients where they are wanted."""
        plain, mutual, files = await self.with_tls()
        await self._same({"sections": ["tls"], **files}, tls=plain, mutual=mutual)

    async def _same(self, told: dict[str, Any], **servers: Any) -> None:
        ours = {name: pair.ours.port for name, pair in servers.items()}
        theirs = {name: pair.theirs.port for name, pair in servers.items()}
        await self.transcript(_COMMAND, {**told, **ours}, {**told, **theirs})
