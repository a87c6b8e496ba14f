"""`netkit upload` as a user calls it."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from textwrap import dedent
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.internet.utils import getProcessOutputAndValue
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netkit.http.basicauth import challenge, credentials
from netkit.http.messages import Request, Response
from netkit.http.multipart import parts
from netkit.http.pages import text
from tests.nginx import NO_NGINX
from tests.running import netkit
from tests.tools.commanded import ROOT, Ran, called, spawned
from tests.tools.served import Peer, Peers, handled, nginx, played

MEBIBYTE = 1024 * 1024

SITE = """
    [service.web]
    kind = "site"
    listen = "tcp:0:interface=127.0.0.1"
    [[service.web.mount]]
    path = "/form"
    kind = "form"
"""

MEASURED = """
    import re, sys
    from pathlib import Path
    from netkit.tools.command import main
    status = main(sys.argv[1:])
    print(re.search(r"VmHWM:\\s*(\\d+) kB", Path("/proc/self/status").read_text())[1])
    sys.exit(status)
"""


def written(name: str, content: bytes) -> str:
    """Write a file in a folder of its own; return its path."""
    file = Path(name)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    return str(file)


def sparse(name: str, size: int) -> str:
    """Write a file of zeros, which takes no room; return its path."""
    with Path(name).open("wb") as file:
        file.truncate(size)
    return name


def copying(name: str) -> tuple[Path, Path]:
    """Return a browser, which copies what it is to open, and where to."""
    browser = Path(name, "browser").absolute()
    seen = browser.with_name("seen")
    written(str(browser), f'#!/bin/sh\ncp "${{1#file://}}" {seen}\n'.encode())
    browser.chmod(0o755)
    return browser, seen


async def upload(*arguments: str, **kw: Any) -> Ran:
    """Run the command, by way of no proxy."""
    return await spawned("upload", "--no-proxy", *arguments, **kw)


class SiteTests(TestCase):
    timeout = 60

    async def test_row_19(self) -> None:
        """Row 19: a file is posted as multipart/form-data, and the answer is shown."""
        file = written(f"{self.mktemp()}/Grüße.txt", b"three <words> in it")
        with netkit(SITE, self.mktemp()) as site:
            url = f"http://127.0.0.1:{site.ports['web'][0]}/form/posthandler"
            ran = await upload(url, file, "--field", "name=Ann", "--name", "letter")
        self.assertEqual((ran.status, ran.errors), (0, ""))
        self.assertIn("<dt>name</dt><dd>Ann</dd>", ran.out)
        self.assertIn("<dt>letter</dt><dd>three &lt;words&gt; in it</dd>", ran.out)


class Terminal(ProcessProtocol):
    """A terminal: what a process shows on it, until it has ended."""

    def __init__(self) -> None:
        self.shown = bytearray()
        self.ended: Deferred[None] = Deferred()

    def outReceived(self, data: bytes) -> None:
        """Show it."""
        self.shown += data

    def processEnded(self, reason: Failure) -> None:
        """Tell whoever waits."""
        self.ended.callback(None)


class HandledTests(TestCase):
    """Against a server that takes forms."""

    timeout = 60

    def setUp(self) -> None:
        """Have a server that shows what it was sent."""
        self.requests: list[Request] = []
        self.bodies: list[bytes] = []
        self.protected = False
        self.url = handled(self, self.answer, body_bytes=64 * MEBIBYTE)

    async def answer(self, request: Request) -> Response:
        """Answer with what was posted."""
        self.requests.append(request)
        if request.path.startswith("/moved"):
            return Response(307, ((b"Location", b"/"),))
        if self.protected and credentials(request.header(b"authorization")) is None:
            return Response(401, ((b"WWW-Authenticate", challenge("forms")),), b"who are you?")
        self.bodies.append(await request.body.read(64 * MEBIBYTE))
        return text(b"took \x1b[2J it")

    def forms(self) -> list[tuple[tuple[bytes, bytes], ...]]:
        """Return the forms that were posted."""
        kind = self.requests[-1].header(b"content-type") or b""
        return [parts(self.bodies[-1], kind, at_most=9)]

    async def test_raw_in_a_pipe(self) -> None:
        """In a pipe the answer is as it came."""
        ran = await upload(self.url, written(self.mktemp(), b"x"), "--field", "a=b=c")
        self.assertEqual((ran.status, ran.out, ran.errors), (0, "took \x1b[2J it", ""))
        self.assertEqual(self.forms(), [((b"a", b"b=c"), (b"file", b"x"))])

    async def test_standard_input(self) -> None:
        """What is piped in is a file; a short one has a length, a long one comes in chunks."""
        for size, chunked in ((5, False), (9 * MEBIBYTE, True)):
            ran = await upload(self.url, "-", stdin=b"x" * size)
            self.assertEqual((ran.status, ran.errors), (0, ""))
            self.assertEqual(self.forms(), [((b"file", b"x" * size),)])
            self.assertEqual(self.requests[-1].header(b"transfer-encoding") is not None, chunked)

    async def test_login(self) -> None:
        """Who has to log in sends a long form once, whole."""
        self.protected = True
        file = sparse(self.mktemp(), 3 * MEBIBYTE)
        ran = await upload(
            f"{self.url}/", file, "--user", "jo", environment={"NETKIT_PASSWORD": "sesame"}
        )
        self.assertEqual((ran.status, ran.errors), (0, ""))
        self.assertEqual([len(form[0][1]) for form in self.forms()], [3 * MEBIBYTE])
        self.assertEqual(len(self.bodies), 1)
        self.assertTrue(all(each.head.expects for each in self.requests))

    async def test_login_refused(self) -> None:
        """Who has no login is told so by the server, at once."""
        self.protected = True
        ran = await upload(f"{self.url}/", sparse(self.mktemp(), 3 * MEBIBYTE))
        self.assertEqual((ran.status, ran.out), (1, "who are you?"))
        self.assertEqual(ran.errors, f"netkit: {self.url}/ answered 401 Unauthorized\n")

    async def test_redirected(self) -> None:
        """A form that is wanted elsewhere is sent there, whole."""
        for size in (5, 3 * MEBIBYTE):
            ran = await upload(f"{self.url}/moved", sparse(self.mktemp(), size))
            self.assertEqual((ran.status, ran.errors), (0, ""))
            self.assertEqual(self.forms(), [((b"file", bytes(size)),)])

    async def test_on_a_terminal(self) -> None:
        """On a terminal the answer does nothing to it; nor is anything else shown on a dumb one."""
        terminal = Terminal()
        file = written(self.mktemp(), b"x")
        clock: Any = reactor
        clock.spawnProcess(
            terminal,
            sys.executable,
            [sys.executable, "-m", "netkit.tools", "upload", "--no-proxy", self.url, file],
            env={**os.environ, "PYTHONPATH": ROOT, "TERM": "dumb"},
            usePTY=True,
        )
        await terminal.ended
        self.assertEqual(bytes(terminal.shown), b"took \\x1b[2J it\r\n")

    async def test_in_the_browser(self) -> None:
        """With --open a browser gets the answer, and the standard output nothing."""
        browser, seen = copying(self.mktemp())
        file = written(self.mktemp(), b"x")
        around = {"BROWSER": str(browser), "TMPDIR": str(browser.parent)}
        ran = await upload("--open", self.url, file, environment=around)
        self.assertEqual((ran.status, ran.out, ran.errors), (0, "", ""))
        self.assertEqual(seen.read_bytes(), b"\xef\xbb\xbftook \x1b[2J it")
        [made] = browser.parent.glob("netkit-*")
        self.assertEqual(made.stat().st_mode & 0o777, 0o700)


class PlayedTests(TestCase):
    """Against servers that do what servers should not."""

    timeout = 60

    def setUp(self) -> None:
        """Write a file that no socket holds."""
        self.file = sparse(self.mktemp(), 64 * MEBIBYTE)

    async def test_too_large(self) -> None:
        """A server that says no and leaves, before it has the form or in its middle, is understood."""
        no = b"HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno"

        def before(peer: Peer) -> None:
            if peer.came.endswith(b"\r\n\r\n"):
                peer.say(no)
                peer.end()

        def amidst(peer: Peer) -> None:
            if b"Expect: 100" in peer.came and len(peer.came) < 1000:
                peer.say(b"HTTP/1.1 100 Continue\r\n\r\n")
            elif len(peer.came) > MEBIBYTE:
                peer.hold()
                peer.say(no)
                peer.end()

        for hear in (before, amidst):
            peers = Peers(hear)
            url = played(self, peers)
            ran = await upload(f"{url}/", self.file)
            peers.abort()
            self.assertEqual((ran.status, ran.out), (1, "no"), ran.errors)
            self.assertEqual(ran.errors, f"netkit: {url}/ answered 413 Too Large\n")

    async def test_asks_no_more(self) -> None:
        """A server that cannot be asked before gets the form without being asked."""
        self.file = sparse(self.file, 2 * MEBIBYTE)

        def hear(peer: Peer) -> None:
            if b"Expect: 100" in peer.came:
                peer.say(b"HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n")
                peer.end()
            elif peer.came.endswith(b"--\r\n"):
                peer.say(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

        ran = await upload(played(self, Peers(hear)), self.file)
        self.assertEqual((ran.status, ran.out, ran.errors), (0, "ok", ""))

    async def test_never_reads(self) -> None:
        """A server that takes nothing is given up, and said to take nothing."""
        peers = Peers(Peer.hold)
        url = played(self, peers)
        ran = await upload(f"{url}/", self.file, "--timeout", "1")
        peers.abort()
        self.assertEqual((ran.status, ran.out), (2, ""))
        self.assertEqual(ran.errors, f"netkit: {url}/: the server takes no more\n")

    async def test_never_answers(self) -> None:
        """A server that takes all and says nothing is given up, and said to say nothing."""
        url = played(self, Peers(lambda _: None))
        ran = await upload(f"{url}/", written(self.mktemp(), b"x"), "--timeout", "1")
        self.assertEqual((ran.status, ran.out), (2, ""))
        self.assertEqual(ran.errors, f"netkit: {url}/: the server does not answer\n")

    async def test_file_in_the_way(self) -> None:
        """A file that cannot be read is one line, before anybody is connected to."""
        peers = Peers(lambda _: None)
        url = played(self, peers)
        for wrong, why in (("none", "no such file or directory"), (".", "is a directory")):
            ran = await upload(url, self.file, wrong)
            self.assertEqual(
                (ran.status, ran.out, ran.errors), (2, "", f"netkit: {wrong}: {why}\n")
            )
        self.assertEqual(peers.met, 0)

    async def test_changed_meanwhile(self) -> None:
        """A file that is changed while it is sent is not passed off as whole."""

        def hear(peer: Peer) -> None:
            if b"Expect: 100" in peer.came:
                sparse(self.file, 63 * MEBIBYTE)
                peer.say(b"HTTP/1.1 100 Continue\r\n\r\n")
            peer.came.clear()

        url = played(self, Peers(hear))
        ran = await upload(f"{url}/", self.file)
        self.assertEqual((ran.status, ran.out, ran.errors.count("\n")), (2, "", 1))
        self.assertIn(f"{self.file} has changed while it was sent", ran.errors)

    async def test_a_gibibyte(self) -> None:
        """A file of any size goes through little memory."""
        size = 1024 * MEBIBYTE
        taken = 0

        async def answer(request: Request) -> Response:
            nonlocal taken
            async for piece in request.body:
                taken += len(piece)
            return text(b"")

        url = handled(self, answer, body_bytes=2 * size)
        ran = await _measured("upload", "--no-proxy", url, sparse(self.mktemp(), size))
        self.assertEqual((ran.status, ran.errors), (0, ""))
        self.assertEqual(taken // MEBIBYTE, 1024)
        self.assertLess(int(ran.out), 200 * 1024)


async def _measured(*arguments: str) -> Ran:
    """Run netkit, which prints the most memory that it has had, in KiB."""
    command: Sequence[str] = ("-W", "error", "-c", dedent(MEASURED), *arguments)
    ended: Deferred[tuple[bytes, bytes, int]] = getProcessOutputAndValue(
        sys.executable, command, env={"PYTHONPATH": ROOT}
    )
    out, errors, status = await ended
    return Ran(status, out.decode(), errors.decode())


class NginxTests(TestCase):
    timeout = 60
    skip = NO_NGINX

    async def test_too_large(self) -> None:
        """What nginx says of a form that is too large for it is told, whether it was asked before or not."""
        _, url = await nginx(self, "client_max_body_size 100k; location / { return 204; }")
        for size in (200 * 1024, 64 * MEBIBYTE):
            ran = await upload(f"{url}/", sparse(self.mktemp(), size))
            self.assertEqual(ran.errors, f"netkit: {url}/ answered 413 Request Entity Too Large\n")
            self.assertEqual(ran.status, 1)
        ran = await upload(f"{url}/", written(self.mktemp(), b"x"))
        self.assertEqual((ran.status, ran.out, ran.errors), (0, "", ""))


class OptionsTests(SynchronousTestCase):
    def test_usage(self) -> None:
        """What cannot be meant is one line."""
        for arguments, words in (
            (("http://a.example/",), "there is nothing to send; a FILE or a --field"),
            (("http://a.example/", "--field", "x"), '"x" is no field; as in "name=value"'),
            (("ftp://a.example/", "x"), "no scheme of the web"),
        ):
            ran = called("upload", *arguments)
            self.assertEqual((ran.status, ran.out, ran.errors.count("\n")), (2, "", 1))
            self.assertIn(words, ran.errors)
