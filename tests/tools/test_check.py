"""`netkit check` as a user calls it."""

import json
import os
import sys
from pathlib import Path
from subprocess import run
from typing import Any

from twisted.internet.defer import Deferred, gatherResults
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netkit.http.messages import Request, Response
from netkit.http.pages import text
from tests.nginx import NO_NGINX
from tests.running import PATIENCE, netkit
from tests.test_tap import free_port
from tests.tools.commanded import ROOT, Ran, called, spawned
from tests.tools.served import Peer, Peers, handled, nginx, played

SITE = """
    [service.web]
    kind = "site"
    listen = "tcp:0:interface=127.0.0.1"
    [[service.web.mount]]
    path = "/"
    kind = "static"
    root = "www"
"""

LOCATIONS = """
    location /dated { etag off; try_files /page =404; }
    location /packed { gzip on; gzip_types *; gzip_min_length 1; try_files /page =404; }
    location /moved { return 302 /page; }
"""


def write(file: Path, content: bytes, when: int) -> None:
    """Write a file, as if at that second since 1970."""
    file.write_bytes(content)
    os.utime(file, (when, when))


def read(file: Path) -> tuple[int, bytes]:
    """Return the mode and the content of a file."""
    return file.stat().st_mode & 0o777, file.read_bytes()


def published(folder: str) -> Path:
    """Write a page below `folder/www` that nobody, whom a site runs as, can read."""
    page = Path(folder, "www", "page.txt")
    page.parent.mkdir(parents=True)
    for each in (page.parent, page.parent.parent, page.parent.parent.parent):
        each.chmod(0o755)
    write(page, b"one", 10**9)
    return page


class Case(TestCase):
    timeout = 60

    def setUp(self) -> None:
        """Remember in a file."""
        self.state = Path(self.mktemp()).absolute()

    async def check(self, *arguments: str, **kw: Any) -> Ran:
        """Run the command, by way of no proxy."""
        return await spawned("check", "--no-proxy", "--state", str(self.state), *arguments, **kw)

    async def said(self, *urls: str) -> tuple[int, list[str]]:
        """Return the exit status, and the first word of each line; there are no errors."""
        ran = await self.check(*urls)
        self.assertEqual(ran.errors, "")
        lines = [line.split() for line in ran.out.splitlines()]
        self.assertEqual([url for _, url in lines], list(urls))
        return ran.status, [word for word, _ in lines]


class SiteTests(Case):
    async def test_row_20(self) -> None:
        """Row 20: a page is new, then unchanged (304), then changed, and the exit status says so."""
        folder = self.mktemp()
        page = published(folder)
        with netkit(SITE, folder) as site:
            url = f"http://127.0.0.1:{site.ports['web'][0]}/page.txt"
            self.assertEqual(await self.said(url), (1, ["new"]))
            for _ in range(2):
                self.assertEqual(await self.said(url), (0, ["unchanged"]))
            write(page, b"two", 10**9 + 1)
            said = 0, ["unchanged"]
            while said == (0, ["unchanged"]):  # a site may give the same answer for a second
                said = await self.said(url)
            self.assertEqual(said, (1, ["changed"]))
            self.assertEqual(await self.said(url), (0, ["unchanged"]))
            ran = await self.check(f"{url}.old")
            self.assertEqual((ran.status, ran.out), (2, f"error     {url}.old\n"))
            self.assertEqual(ran.errors, f"netkit: {url}.old answered 404 Not Found\n")


class NginxTests(Case):
    skip = NO_NGINX

    async def results(self, urls: list[str]) -> list[tuple[str, int]]:
        """Return the result and the status of each page."""
        ran = await self.check("--json", *urls)
        found = [json.loads(line) for line in ran.out.splitlines()]
        self.assertEqual([each["url"] for each in found], urls, ran.errors)
        return [(each["result"], each["status"]) for each in found]

    async def test_validators(self) -> None:
        """By a tag, a date, a weak tag, and behind a redirect, nginx says 304 until the page changes."""
        folder, url = await nginx(self, LOCATIONS)
        page = folder / "page"
        urls = [f"{url}/{name}" for name in ("page", "dated", "packed", "moved")]
        write(page, b"one" * 1000, 10**9)
        self.assertEqual(await self.results(urls), [("new", 200)] * 4)
        for _ in range(2):
            self.assertEqual(await self.results(urls), [("unchanged", 304)] * 4)
        write(page, b"two" * 1000, 10**9 + 1)
        self.assertEqual(await self.results(urls), [("changed", 200)] * 4)
        write(page, b"two" * 1000, 10**9 + 2)  # as a deployment does that changes nothing
        self.assertEqual(await self.results(urls), [("unchanged", 200)] * 4)
        self.assertEqual(await self.results(urls), [("unchanged", 304)] * 4)


class HandledTests(Case):
    """Against a server that says what the test says."""

    def setUp(self) -> None:
        """Have pages, by their paths."""
        super().setUp()
        self.pages: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.url = handled(self, self.answer)

    def answer(self, request: Request) -> Response:
        """Answer with a page, if there is one."""
        path = request.target.decode()
        self.asked.append(path)
        return text(self.pages[path]) if path in self.pages else Response(500)

    def urls(self, *paths: str) -> list[str]:
        """Return the URLs of these paths."""
        return [f"{self.url}{path}" for path in paths]

    async def test_many(self) -> None:
        """Results stand in the order of the question; the worst of them is the exit status."""
        self.pages = {f"/{number}": b"x" for number in range(20)}
        urls = self.urls(*self.pages)
        self.assertEqual(await self.said(*urls), (1, ["new"] * 20))
        self.assertEqual(await self.said(*urls), (0, ["unchanged"] * 20))
        del self.pages["/7"]
        self.pages["/8"] = b"y"
        ran = await self.check("--jobs", "3", *urls, *urls)
        words = [line.split()[0] for line in ran.out.splitlines()]
        expected = ["unchanged"] * 7 + ["error", "changed"] + ["unchanged"] * 11
        self.assertEqual((ran.status, words), (2, expected * 2))
        self.assertIn("answered 500", ran.errors)

    async def test_nobody_there(self) -> None:
        """A server that cannot be reached, or is silent, is an error like others."""
        self.pages = {"/": b"x"}
        silent = played(self, Peers(lambda _: None))
        gone = f"http://127.0.0.1:{free_port()}/"
        ran = await self.check("--timeout", "1", gone, f"{silent}/", f"{self.url}/")
        self.assertEqual(ran.status, 2)
        words = [line.split()[0] for line in ran.out.splitlines()]
        self.assertEqual(words, ["error", "error", "new"])
        self.assertIn(f"{gone}: {gone[7:-1]}: connection refused", ran.errors)
        self.assertIn(f"{silent}/: the server does not answer", ran.errors)

    async def test_file(self) -> None:
        """URLs may stand in a file, or come from the standard input, beside those of the command."""
        self.pages = {"/a": b"x", "/b": b"y"}
        a, b = self.urls("/a", "/b")
        ran = await self.check(a, "--file", "-", stdin=f"# pages\n\n  {b}\r\n".encode())
        self.assertEqual(
            (ran.status, ran.out, ran.errors), (1, f"new       {a}\nnew       {b}\n", "")
        )
        ran = await self.check("--file", "-", stdin=f"{a}\nftp://x/\n".encode())
        self.assertEqual((ran.status, ran.out), (2, ""))
        self.assertIn("<stdin>:2: ", ran.errors)

    async def test_json(self) -> None:
        """With --json each line is a value that says all that is known; an error has no page."""
        self.pages = {"/": b"x"}
        ran = await self.check("--json", *self.urls("/", "/none"))
        page, error = map(json.loads, ran.out.splitlines())
        self.assertEqual((page["result"], page["status"], page["error"]), ("new", 200, None))
        self.assertEqual(page["page"]["place"], f"{self.url}/")
        self.assertIsNone(page["page"]["etag"])
        self.assertEqual((error["result"], error["status"], error["page"]), ("error", 500, None))

    async def test_rubbish(self) -> None:
        """A state of garbage in netkit's own place is put aside with one line, and pages are new."""
        self.pages = {"/": b"x"}
        own = self.state.with_name("home") / "netkit" / "check.json"
        own.parent.mkdir(parents=True)
        own.write_bytes(b"\x00garbage")
        environment = {"XDG_STATE_HOME": str(self.state.with_name("home"))}
        ran = await spawned("check", "--no-proxy", f"{self.url}/", environment=environment)
        self.assertEqual(
            (ran.status, ran.out, ran.errors.count("\n")), (1, f"new       {self.url}/\n", 1)
        )
        self.assertIn("is nothing that netkit wrote", ran.errors)
        self.assertEqual(own.with_name("check.json.broken").read_bytes(), b"\x00garbage")
        ran = await spawned("check", "--no-proxy", f"{self.url}/", environment=environment)
        self.assertEqual((ran.status, ran.out), (0, f"unchanged {self.url}/\n"))

    async def test_somebody_elses_file(self) -> None:
        """Another program's file is left alone where --state names it, and nobody is asked."""
        self.state.write_bytes(b"root:x:0:0")
        ran = await self.check(f"{self.url}/")
        self.assertEqual((ran.status, ran.out, ran.errors.count("\n")), (2, "", 1))
        self.assertIn("it is left alone, name another file", ran.errors)
        self.assertEqual(self.state.read_bytes(), b"root:x:0:0")
        self.assertEqual(self.asked, [])

    async def test_nothing_can_be_remembered(self) -> None:
        """Where nothing can be remembered that is one line, and nobody is asked."""
        ran = await self.check("--state", "/dev/null", f"{self.url}/")
        self.assertEqual((ran.status, ran.out), (2, ""))
        self.assertEqual(ran.errors, "netkit: /dev/null: is not a file\n")
        self.assertEqual(self.asked, [])

    async def test_two_at_once(self) -> None:
        """Of what two processes find out at once nothing is lost."""
        self.pages = {f"/{number}": b"x" for number in range(20)}
        urls = self.urls(*self.pages)
        both = [Deferred.fromCoroutine(self.said(*some)) for some in (urls[:12], urls[8:])]
        await gatherResults(both, consumeErrors=True)
        self.assertEqual(await self.said(*urls), (0, ["unchanged"] * 20))

    async def test_by_default(self) -> None:
        """By default it is remembered where XDG says, for nobody else to read; a URL's password is not."""
        self.pages = {"/": b"x"}
        home = self.state.with_name("home")
        address = self.url.replace("//", "//jo:sesame@")
        environment = {"XDG_STATE_HOME": str(home)}
        ran = await spawned("check", "--no-proxy", address, environment=environment)
        self.assertEqual((ran.status, ran.out, ran.errors), (1, f"new       {self.url}/\n", ""))
        mode, content = read(home / "netkit" / "check.json")
        self.assertEqual(mode, 0o600)
        self.assertIn(b'"place"', content)
        self.assertNotIn(b"sesame", content)

    async def test_cut_off(self) -> None:
        """A page that is cut off is an error, and its state stays."""
        self.pages = {"/": b"x"}
        cut = b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"

        def hear(peer: Peer) -> None:
            peer.say(cut)
            peer.end()

        url = played(self, Peers(hear))
        ran = await self.check(f"{url}/")
        self.assertEqual((ran.status, ran.out), (2, f"error     {url}/\n"))
        self.assertEqual(ran.errors, f"netkit: {url}/: the server left\n")
        self.assertFalse(self.state.exists())


class TerminalTests(SynchronousTestCase):
    def test_progress_beside_data(self) -> None:
        """On a terminal whose command writes to a file, progress is on the one, data in the other."""
        ours, its = os.openpty()
        self.addCleanup(os.close, ours)
        url = f"http://127.0.0.1:{free_port()}/"
        arguments = ("check", "--no-proxy", "--state", self.mktemp(), url)
        kept = Path(self.mktemp())
        with kept.open("wb") as file:
            ran = run(
                [sys.executable, "-W", "error", "-m", "netkit.tools", *arguments],
                env={**os.environ, "PYTHONPATH": ROOT, "TERM": "xterm"},
                stdout=file,
                stderr=its,
                timeout=PATIENCE,
                check=False,
            )
        os.close(its)
        self.assertEqual((ran.returncode, kept.read_text()), (2, f"error     {url}\n"))
        drawn = os.read(ours, 65536)
        self.assertIn(b"checked", drawn)
        self.assertNotIn(b"error     ", drawn)


class OptionsTests(SynchronousTestCase):
    def test_usage(self) -> None:
        """What cannot be meant is one line."""
        for arguments, words in (
            ((), "no URL is given"),
            (("ftp://a.example/",), "no scheme of the web"),
            (("--jobs", "0", "a.example"), "0 is not in the range"),
        ):
            ran = called("check", *arguments)
            self.assertEqual((ran.status, ran.out, ran.errors.count("\n")), (2, "", 1))
            self.assertIn(words, ran.errors)
