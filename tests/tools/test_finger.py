"""`netkit finger` as it is called. Origins row 1, from the client's side."""

import json
import os
import shutil
import socket
import subprocess
from pathlib import Path

from twisted.internet import reactor
from twisted.internet.threads import deferToThread
from twisted.trial.unittest import SkipTest, SynchronousTestCase, TestCase

from netkit.services.finger import Settings
from netkit.services.finger.service import build
from netkit.services.kind import NoOptions, World
from tests.services.finger.fakes import Log
from tests.tools.bridging.programs import Peer, Program, netkit, peer, serve
from tests.tools.commanded import called, spawned

USERS = Path(__file__).parents[2] / "etc" / "users.toml"
FINGERD = "/usr/sbin/in.fingerd"
HERE = "127.0.0.1"


class NetkitTests(TestCase):
    """netkit's own finger service is asked."""

    timeout = 40

    def setUp(self) -> None:
        world = World(clock=reactor, network=reactor, log=Log().logger())
        service = build(Settings(users=USERS), {}, world)
        self.where = f"{HERE}:{serve(self, service.factory(NoOptions()))}"

    async def test_row_1(self) -> None:
        """Row 1: who moshez is, by the line of the README."""
        ran = await spawned("finger", f"moshez@{self.where}")
        self.assertEqual((ran.status, ran.errors), (0, ""))
        self.assertIn("Happy and well\n", ran.out)
        self.assertNotIn("\r", ran.out)

    async def test_several(self) -> None:
        """Several are asked one after the other, each below its server's name, the long form too."""
        ran = await spawned("finger", "-l", f"nobody@{self.where}", f"@{self.where}")
        self.assertEqual((ran.status, ran.errors), (0, ""))
        heading = f"[{self.where}]\n"
        _, nobody, everybody = ran.out.split(heading)
        self.assertEqual(nobody, "No such user\n")
        self.assertIn("Login: moshez", everybody)
        self.assertIn("Plan:\n", everybody)

    async def test_forwarded(self) -> None:
        """What stands before the last host is what it is asked to ask for."""
        ran = await spawned("finger", f"moshez@elsewhere@{self.where}")
        self.assertEqual((ran.status, ran.out), (0, "Finger forwarding service denied\n"))

    async def test_one_of_two(self) -> None:
        """One that is not reached keeps nobody from the next, and is told at the end by the status."""
        with socket.socket() as nobody:
            nobody.bind((HERE, 0))
            port = nobody.getsockname()[1]
            ran = await spawned("finger", "--json", f"a@{HERE}:{port}", f"nobody@{self.where}")
        self.assertEqual(
            (ran.status, ran.errors), (2, f"netkit: {HERE}:{port}: connection refused\n")
        )
        said = {"host": HERE, "query": "nobody", "answer": "No such user\n", "whole": True}
        self.assertEqual(json.loads(ran.out), said)


class BadServerTests(TestCase):
    """Servers that behave as they should not."""

    timeout = 40

    async def asked(self, *options: str) -> tuple[Peer, Program]:
        """Have a peer asked who ada is; return it, and who asks."""
        server, port = peer(self)
        ours = netkit(self, "finger", *options, f"ada@{HERE}:{port}")
        await server.hears(5)
        self.assertEqual(server.heard, b"ada\r\n")
        return server, ours

    async def test_escapes(self) -> None:
        """What could act on a terminal is shown as it is written, and does nothing."""
        server, ours = await self.asked()
        server.transport.write(b"\x1b]0;owned\x07\x1b[2JAda\r\n\xe9t\xe9\r\n")
        server.transport.loseConnection()
        shown = "\\x1b]0;owned\\x07\\x1b[2JAda\nété\n"
        self.assertEqual((await ours.ended, ours.out.decode(), ours.errors), (0, shown, b""))

    async def test_endless(self) -> None:
        """An endless answer is cut at a mebibyte, and said to be."""
        server, ours = await self.asked()
        server.transport.write(b"all work and no play\n" * 200_000)
        self.assertEqual(await ours.ended, 2)
        self.assertEqual(len(ours.out), 2**20 // 21 * 21)
        self.assertIn(b"the answer is longer than it may be, and is cut\n", ours.errors)

    async def test_silent(self) -> None:
        """A server that falls silent is left in time, and what it said is shown."""
        server, ours = await self.asked("--timeout", "0.5")
        server.transport.write(b"Login: ada\r\n")
        self.assertEqual((await ours.ended, ours.out), (2, b"Login: ada\n"))
        self.assertIn(b"the server fell silent in the middle\n", ours.errors)


class DebianTests(TestCase):
    """Debian's fingerd is asked."""

    timeout = 40

    def setUp(self) -> None:
        if not os.access(FINGERD, os.X_OK) or shutil.which("finger") is None:
            raise SkipTest("fingerd is not installed")
        self.listening = socket.create_server((HERE, 0))
        self.addCleanup(self.listening.close)

    def answer(self) -> None:
        """Serve one connection, as inetd would."""
        connected, _ = self.listening.accept()
        with connected:
            it = connected.fileno()
            subprocess.run([FINGERD], stdin=it, stdout=it, stderr=it, check=False, timeout=20)

    async def test_user(self) -> None:
        """It tells who root is, and that nobody is called so."""
        where = f"{HERE}:{self.listening.getsockname()[1]}"
        for name, part in (("root", "Login: root"), ("no-such-user", "no such user")):
            answered = deferToThread(self.answer)
            ran = await spawned("finger", "-l", f"{name}@{where}")
            await answered
            self.assertEqual((ran.status, ran.errors), (0, ""))
            self.assertIn(part, ran.out)


class CommandTests(SynchronousTestCase):
    """The command line itself."""

    def test_slips(self) -> None:
        """What cannot be asked is told in one line, before anything is opened."""
        for arguments, why in (
            (("moshez@",), "names no host"),
            (("moshez@a b",), "neither an address nor a host name"),
            (("a\nb",), "only printable characters can"),
            (("--port", "0", "a"), "range"),
        ):
            ran = called("finger", *arguments)
            self.assertEqual((ran.status, ran.out, ran.errors.count("\n")), (2, "", 1))
            self.assertIn(why, ran.errors)
