"""`netkit get` as a user calls it, against nginx and against servers that do what none should."""

import gzip
import hashlib
import os
import signal
import socket
import sys
from base64 import b64encode
from pathlib import Path
from shutil import rmtree
from tempfile import mkdtemp
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from tests.listening import listening
from tests.nginx import NO_NGINX, nginx
from tests.tools.commanded import ROOT, Ran, called, spawned
from tests.tools.web.hostile import Hostile, Peer, Script

BIG = bytes(range(256)) * 8192
PAGE = b"<p>hello</p>\n"
REALM = 'WWW-Authenticate: Basic realm="the \u202ehouse"'.encode()

SERVER = """
    listen unix:{folder}/sock;
    listen 127.0.0.1:{port};
    root {folder}/www;
    gzip on;
    gzip_types *;
    gzip_min_length 1;
    location /slow/ {{ alias {folder}/www/; limit_rate 800k; limit_rate_after 300k; }}
    location /moved {{ return 302 /page; }}
"""


class Terminal(ProcessProtocol):
    """A user at a terminal, who answers what is asked by `replies`."""

    def __init__(self, *replies: tuple[bytes, bytes]) -> None:
        self.said = b""
        self.replies = list(replies)
        self.ended: Deferred[int] = Deferred()

    def outReceived(self, data: bytes) -> None:
        """Read, and answer."""
        self.said += data
        if self.replies and self.said.endswith(self.replies[0][0]):
            transport: Any = self.transport
            transport.write(self.replies.pop(0)[1] + b"\n")

    def processEnded(self, reason: Failure) -> None:
        """Leave."""
        self.ended.callback(getattr(reason.value, "exitCode", None) or 0)


class GetCase(TestCase):
    """A test with a folder, which is the user's."""

    timeout = 60

    def setUp(self) -> None:
        """Make the folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.file = self.folder / "file"

    @property
    def environment(self) -> dict[str, str]:
        """What the user has, and no proxy."""
        return {"HOME": str(self.folder), "no_proxy": "*", "TERM": "xterm", "COLUMNS": "80"}

    async def get(self, *arguments: str, **environment: str) -> Ran:
        """Call it."""
        return await spawned("get", *arguments, environment={**self.environment, **environment})

    async def on_a_terminal(
        self, *arguments: str, replies: tuple[tuple[bytes, bytes], ...] = ()
    ) -> Terminal:
        """Call it on a terminal, to its end."""
        terminal = Terminal(*replies)
        process: Any = reactor
        process.spawnProcess(
            terminal,
            sys.executable,
            (sys.executable, "-W", "error", "-m", "netkit.tools", "get", *arguments),
            env={**os.environ, **self.environment, "PYTHONPATH": str(ROOT)},
            usePTY=True,
        )
        self.status = await terminal.ended
        return terminal

    def serve(self, script: Script) -> str:
        """Return the URL of a server that answers by `script`."""
        return f"http://127.0.0.1:{listening(self, Hostile(script))}/"

    @property
    def names(self) -> list[str]:
        """What is in the folder."""
        return sorted(each.name for each in self.folder.iterdir())


def answer_page(peer: Peer, target: str) -> None:
    """Answer with a page, or a 404."""
    found = target == "/"
    peer.answer(PAGE if found else b"no such page\n", status=200 if found else 404)


def behind_a_login(peer: Peer, _: str) -> None:
    """Answer who has the password."""
    if b64encode(b"moshez:sesame").decode() in peer.section:
        peer.answer(PAGE)
    else:
        peer.answer(b"no\n", REALM, status=401)


class RowTests(GetCase):
    """What the tutorials' programs did."""

    async def test_web_cat(self) -> None:
        """Row 16: it prints a page, or the error."""
        url = self.serve(answer_page)
        ran = await self.get(url)
        self.assertEqual((ran.out, ran.errors, ran.status), (PAGE.decode(), "", 0))
        ran = await self.get(f"{url}other")
        self.assertEqual((ran.out, ran.status), ("no such page\n", 1))
        self.assertEqual(ran.errors, f"netkit: {url}other answered 404 Phrase\n")

    async def test_download(self) -> None:
        """Row 17: a file is there once it is whole."""
        ran = await self.get("-o", str(self.file), self.serve(answer_page))
        self.assertEqual((ran.out, ran.errors, ran.status), ("", "", 0))
        self.assertEqual((self.file.read_bytes(), self.names), (PAGE, ["file"]))

    async def test_password(self) -> None:
        """Row 18: on 401 it asks for user and password and tries again."""
        url = self.serve(behind_a_login)
        replies: tuple[tuple[bytes, bytes], ...] = (
            (b"User: ", b"moshez"),
            (b"Password of moshez: ", b"wrong"),
            (b"User: ", b"moshez"),
            (b"Password of moshez: ", b"sesame"),
        )
        terminal = await self.on_a_terminal(url, replies=replies)
        self.assertEqual((self.status, terminal.replies), (0, []), terminal.said)
        self.assertIn(b"hello", terminal.said)
        self.assertNotIn(b"sesame", terminal.said)
        self.assertIn(b"the \\u202ehouse", terminal.said)
        replies = ((b"Password of moshez: ", b"sesame"),)
        terminal = await self.on_a_terminal("--user", "moshez", url, replies=replies)
        self.assertEqual((self.status, terminal.replies), (0, []), terminal.said)

    async def test_progress(self) -> None:
        """Row 21: a percentage is shown where the length is known, and bytes otherwise."""

        def script(peer: Peer, target: str) -> None:
            clock: Any = reactor
            if target == "/known":
                peer.answer(b"x" * 500_000, length=1_000_000)
                clock.callLater(0.6, peer.say, b"x" * 500_000)
            else:
                peer.say(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 50_000)
                clock.callLater(0.6, peer.leave)

        url = self.serve(script)
        terminal = await self.on_a_terminal("-o", str(self.file), f"{url}known")
        self.assertEqual((self.status, self.file.stat().st_size), (0, 1_000_000))
        self.assertIn(b"50%", terminal.said)
        self.assertIn(b"100%", terminal.said)
        terminal = await self.on_a_terminal("-o", str(self.file), f"{url}unknown")
        self.assertEqual((self.status, self.file.stat().st_size), (0, 50_000))
        self.assertIn(b"48.8/? KiB", terminal.said)

    async def test_agent(self) -> None:
        """Row 22: it shows version, status, fields, the first 10 KiB, and why the body ended."""
        url = self.serve(lambda peer, _: peer.answer(b"x" * 20_000, b"X-Y: z"))
        ran = await self.get("-v", "--max-bytes", "10k", url)
        self.assertEqual((ran.out, ran.status), ("x" * 10_240, 0))
        for line in (
            "> User-Agent: netkit",
            "< HTTP/1.1 200 Phrase",
            "< X-Y: z",
            "* the body: not taken any further, the limit is reached; 10240 bytes",
        ):
            self.assertIn(line, ran.errors.splitlines())


class NginxTests(GetCase):
    """Against nginx."""

    skip = NO_NGINX

    def setUp(self) -> None:
        """Start nginx."""
        super().setUp()
        self.home = Path(mkdtemp(dir="/tmp"))
        self.addCleanup(rmtree, self.home)
        self.www = self.home / "www"
        self.www.mkdir()
        (self.www / "big").write_bytes(BIG)
        (self.www / "page").write_bytes(PAGE)
        self.home.chmod(0o755)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        nginx(self, self.home, SERVER.format(folder=self.home, port=port))
        self.url = f"http://127.0.0.1:{port}"

    async def get(self, *arguments: str, **environment: str) -> Ran:
        """Call it, once nginx listens."""
        clock: Any = reactor
        while not (self.home / "sock").exists():
            await deferLater(clock, 0.01)
        return await super().get(*arguments, **environment)

    async def interrupted(self, *arguments: str) -> None:
        """Call it, and interrupt it when a part has come."""
        terminal = Terminal()
        process: Any = reactor
        started = process.spawnProcess(
            terminal,
            sys.executable,
            (sys.executable, "-m", "netkit.tools", "get", *arguments),
            env={**os.environ, **self.environment, "PYTHONPATH": str(ROOT)},
        )
        part = self.folder / "file.part"
        while not part.exists() or not part.stat().st_size:
            await deferLater(process, 0.02)
        started.signalProcess(signal.SIGINT)
        self.assertEqual(await terminal.ended, 130)

    async def test_resume(self) -> None:
        """What was interrupted is gone on with; what was there is not sent again."""
        url = f"{self.url}/slow/big"
        ran = await self.get("--head", "-H", "Accept-Encoding: identity", url)
        self.assertIn("Accept-Ranges: bytes", ran.out)
        await self.interrupted("-o", str(self.file), url)
        self.assertEqual(self.names, ["file.part", "file.part.json"])
        size = (self.folder / "file.part").stat().st_size
        digest = hashlib.sha256(BIG).hexdigest()
        ran = await self.get("-v", "-o", str(self.file), "--resume", "--sha256", digest, url)
        self.assertEqual((ran.status, self.names), (0, ["file"]), ran.errors)
        self.assertEqual(self.file.read_bytes(), BIG)
        self.assertIn(f"< Content-Range: bytes {size}-{len(BIG) - 1}/{len(BIG)}", ran.errors)

    async def test_changed(self) -> None:
        """A file that changed between the attempts is fetched from the start, which is said."""
        await self.get(f"{self.url}/page")
        await self.interrupted("-o", str(self.file), f"{self.url}/slow/big")
        (self.www / "big").write_bytes(BIG[::-1] + b"x")
        os.utime(self.www / "big", (0, 0))
        url = f"{self.url}/slow/big"
        ran = await self.get("-o", str(self.file), "--resume", url)
        self.assertEqual((ran.status, self.names), (0, ["file"]), ran.errors)
        self.assertEqual(self.file.read_bytes(), BIG[::-1] + b"x")
        self.assertIn("has changed", ran.errors)

    async def test_codings(self) -> None:
        """A page that comes in a coding is shown without, unless it is not wanted so."""
        ran = await self.get("-v", f"{self.url}/moved")
        self.assertEqual((ran.status, ran.out), (0, PAGE.decode()))
        self.assertIn("< Content-Encoding: gzip", ran.errors)
        path = str(self.file)
        accepts = ("-H", "Accept-Encoding: gzip")
        ran = await self.get("--no-decode", "-o", path, *accepts, f"{self.url}/page")
        self.assertEqual(gzip.decompress(self.file.read_bytes()), PAGE)
        ran = await self.get("-o", path, *accepts, f"{self.url}/page")
        self.assertEqual(self.file.read_bytes(), PAGE)


class TroubleTests(GetCase):
    """What goes wrong is one line, and leaves nothing behind."""

    async def fails(self, *arguments: str, **environment: str) -> str:
        """Return the one line that is said."""
        ran = await self.get(*arguments, **environment)
        self.assertEqual((ran.status, ran.out, ran.errors.count("\n")), (2, "", 1), ran)
        return ran.errors.removeprefix("netkit: ").rstrip("\n")

    async def test_places(self) -> None:
        """A place that cannot be written to is told before anything is asked for."""
        url = "http://127.0.0.1:1/"
        where = self.folder / "none" / "file"
        self.assertEqual(
            await self.fails("-o", str(where), url), f"{where}.part: no such file or directory"
        )
        said = await self.fails("-o", str(self.folder), url)
        self.assertEqual(said, f"{self.folder}: is a directory")
        self.assertEqual(self.names, [])

    async def test_full(self) -> None:
        """A full disk is told, for a file and for the standard output's device."""
        said = await self.fails("-o", "/dev/full", self.serve(answer_page))
        self.assertEqual(said, "/dev/full: no space left on device")

    async def test_unreachable(self) -> None:
        """A name that nobody knows, and a port that nobody listens at, are told."""
        said = await self.fails("-o", str(self.file), "http://nothing.invalid/")
        self.assertEqual(said, "http://nothing.invalid/: nothing.invalid: no address is known")
        self.assertIn("connection refused", await self.fails("http://127.0.0.1:1/"))
        self.assertEqual(self.names, [])

    async def test_refused(self) -> None:
        """An error of the server's is no file, and leaves an old one alone."""
        self.file.write_text("old")
        ran = await self.get("-o", str(self.file), f"{self.serve(answer_page)}x")
        self.assertEqual((ran.status, ran.out), (1, ""))
        self.assertEqual((self.file.read_text(), self.names), ("old", ["file"]))

    async def test_another_digest(self) -> None:
        """What is something else is not put in its place."""
        ran = await self.get("-o", str(self.file), "--sha256", "0" * 64, self.serve(answer_page))
        self.assertEqual((ran.status, self.names), (1, []))
        self.assertIn(hashlib.sha256(PAGE).hexdigest(), ran.errors)

    async def test_stalls(self) -> None:
        """A server that falls silent is gone on with; in the end a part stays, and it is said."""
        asked: list[str] = []

        def script(peer: Peer, _: str) -> None:
            asked.append(peer.section)
            if len(asked) == 1:
                peer.answer(b"01234", b'ETag: "v"', length=10)
            else:
                peer.answer(b"", b"Content-Range: bytes 5-9/10", status=206, length=5)

        url = self.serve(script)
        ran = await self.get("-o", str(self.file), "--timeout", "0.2", "--retries", "1", url)
        self.assertEqual((ran.status, len(asked)), (2, 2), ran)
        self.assertIn('If-Range: "v"', asked[1])
        self.assertIn("--resume goes on with them", ran.errors)
        self.assertEqual(self.names, ["file.part", "file.part.json"])

    async def test_cut_on_the_output(self) -> None:
        """What is cut off on the standard output is told, with -v how."""

        def script(peer: Peer, _: str) -> None:
            peer.answer(b"01234", length=100_000)
            peer.leave()

        ran = await self.get("-v", self.serve(script))
        self.assertEqual((ran.status, ran.out), (2, "01234"))
        self.assertIn("* the body: cut off, the rest never came; 5 bytes", ran.errors)

    async def test_no_password(self) -> None:
        """Where nobody can be asked for the password of a user it is said where it could stand."""
        url = self.serve(behind_a_login)
        said = await self.fails("--user", "moshez", url)
        self.assertIn("NETKIT_PASSWORD or a netrc file would have it", said)
        ran = await self.get("--user", "moshez", url, NETKIT_PASSWORD="sesame")
        self.assertEqual((ran.status, ran.out), (0, PAGE.decode()))
        ran = await self.get(url)
        self.assertEqual((ran.status, ran.out), (1, "no\n"))

    async def test_netrc(self) -> None:
        """A netrc file has it, if it is one's own."""
        netrc = self.folder / ".netrc"
        netrc.write_text("machine 127.0.0.1 login moshez password sesame\n")
        netrc.chmod(0o600)
        url = self.serve(behind_a_login)
        self.assertEqual((await self.get(url)).status, 0)
        netrc.chmod(0o644)
        ran = await self.get(url)
        self.assertEqual(ran.status, 1)
        self.assertIn("chmod 600 would be right", ran.errors)


class LineTests(SynchronousTestCase):
    """Command lines that are wrong."""

    def test_wrong(self) -> None:
        """What is wrong is told in one line, without a password."""
        url = "http://u:secret@127.0.0.1/"
        for arguments, words in (
            ((), "missing argument 'URL'"),
            (("ftp://u:secret@a/",), "is no scheme of the web"),
            (("-o", "x", "-O", url), "two places; one of them"),
            (("-O", url), "-O finds no name"),
            (("-O", f"{url}.bashrc"), "-O finds no name"),
            (("-O", f"{url}a%2fb"), "-O finds no name"),
            (("--head", "-o", "x", url), "leave out -o and -O"),
            (("--resume", url), "--resume goes on with a file"),
            (("--resume", "-o", "x", "--max-bytes", "1", url), "about the whole"),
            (("--max-bytes", "10q", url), "no number of bytes"),
            (("--max-bytes", "0", url), "no number of bytes"),
            (("--sha256", "abc", url), "64 hexadecimal digits"),
            (("-H", "no field", url), "as in"),
            (("-H", "Content-Length: 5", url), "frame a message"),
            (("--cacert", "/none", url), "/none"),
            (("--user", "u:secret", url), "a password does not belong here"),
        ):
            ran = called("get", *arguments)
            self.assertEqual((ran.status, ran.out, ran.errors.count("\n")), (2, "", 1), ran)
            self.assertIn(words, ran.errors)
            self.assertNotIn("secret", ran.errors)
