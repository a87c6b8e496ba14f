"""The site as a service: mounts found, complaints made, references named, and served to curl."""

import subprocess
from pathlib import Path
from shutil import which
from typing import Any
from unittest import skipUnless

from attrs import evolve, frozen
from twisted.application.service import Service
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.internet.threads import deferToThread
from twisted.logger import LogEvent, formatEvent
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netkit.http.limits import Limits
from netkit.http.messages import Handler, Request, Response
from netkit.http.pages import text
from netkit.services.kind import Complaint, Mount, MountKind, NoOptions, Reference, Running, World
from netkit.services.site import KIND
from netkit.services.site.mounts import MOUNTS
from netkit.services.site.service import Settings, Site
from tests.http.fakes import PEER, ClosingTransport, answers, asked, content, field, recorded
from tests.listening import listening

KINDS = {kind.name: kind for kind in MOUNTS}


@frozen
class Nothing:
    """A mount's settings without settings."""


def shows(name: str) -> MountKind[Nothing, Any]:
    """Return a kind of mount that shows a service of kind `name` by its repr."""

    def build(_: Nothing, shown: object, __: World) -> Handler:
        return lambda request: text(f"{shown} {request.base} {request.path}".encode())

    return MountKind(name="show", settings=Nothing, build=build, shows=name)


def mount(path: str, kind: str, **kw: Any) -> Mount:
    """Return a mount of one of the site's own kinds."""
    return Mount(path, KINDS[kind], KINDS[kind].settings(**kw))


def world(events: list[LogEvent]) -> World:
    """Return a world in memory."""
    memory = MemoryReactorClock()
    return World(memory, memory, recorded(events))


class Living(Service):
    """A handler that has to be started, and takes its time to stop."""

    def __init__(self) -> None:
        self.stopping: Deferred[None] = Deferred()

    def __call__(self, request: Request) -> Response:
        return text(b"running" if self.running else b"at rest")

    def stopService(self) -> Deferred[None]:
        super().stopService()
        return self.stopping


class Mounts(SynchronousTestCase):
    def test_live(self) -> None:
        """A handler that is a service starts and stops with its site, which waits for it."""
        living = Living()
        kind: MountKind[Nothing, None] = MountKind(
            name="living", settings=Nothing, build=lambda *_: living
        )
        site = Site(Settings((Mount("/", kind, Nothing()),)), {}, world([]))
        self.assertFalse(living.running)
        site.startService()
        self.assertTrue(living.running)
        stopped = site.stopService()
        self.assertFalse(living.running)
        self.assertNoResult(stopped)
        living.stopping.callback(None)
        self.successResultOf(stopped)


class Answering(SynchronousTestCase):
    def site(self, *mounts: Mount, references: dict[str, Running[Any]] | None = None) -> Site:
        """Return a site with `mounts`."""
        return Site(Settings(mounts), references or {}, world([]))

    def got(self, site: Site, target: bytes) -> Response:
        """Return the answer of `site` for `target`."""
        answer = site.answer(asked(target=target))
        if isinstance(answer, Response):
            return answer

        async def wait() -> Response:
            return await answer

        return self.successResultOf(Deferred.fromCoroutine(wait()))

    def test_the_table(self) -> None:
        """A site offers these mounts of its own."""
        self.assertEqual(
            [kind.name for kind in KIND.mounts],
            ["static", "counter", "form", "colors", "request", "resource"],
        )
        self.assertEqual(KIND.name, "site")

    def test_mounts(self) -> None:
        """A request is led to the mount with the longest path, and told where it is."""
        site = self.site(Mount("/", shows(""), Nothing()), Mount("/a", shows(""), Nothing()))
        self.assertEqual(content(self.got(site, b"/a/b%20c?d")), b"None /a /b c")
        self.assertEqual(content(self.got(site, b"/a")), b"None /a ")
        self.assertEqual(content(self.got(site, b"/ab")), b"None  /ab")

    def test_nothing_and_rubbish(self) -> None:
        """Where no mount is there is 404; a target that is no path gets 400."""
        site = self.site(mount("/form", "form"))
        response = self.got(site, b"/<script>")
        self.assertEqual(response.status, 404)
        self.assertNotIn(b"script", content(response))
        for target in (b"*", b"host:80", b"/a%2fb"):
            self.assertEqual(self.got(site, target).status, 400)

    def test_slash_of_a_mount(self) -> None:
        """A mount that wants a slash gets it by a redirect; others answer without."""
        site = self.site(
            mount("/colors", "colors"), mount("/form", "form"), mount("/counter", "counter")
        )
        for target, location in ((b"/colors?x", b"/colors/?x"), (b"/form", b"/form/")):
            self.assertEqual(field(self.got(site, target), b"Location"), location)
        self.assertEqual(content(self.got(site, b"/counter")), b"I am request #1")

    def test_shown_service(self) -> None:
        """A mount gets the running service that its table names."""
        shown: Running[Any] = Running()
        site = self.site(
            Mount("/", shows("x"), Nothing(), service="other"), references={"other": shown}
        )
        self.assertIn(repr(shown).encode(), content(self.got(site, b"/")))


class Configuring(SynchronousTestCase):
    def complaints(self, *mounts: Mount) -> list[Complaint]:
        """Return the complaints about a site with `mounts`."""
        return list(KIND.complaints(Settings(mounts)))

    def test_right(self) -> None:
        """A right site has no complaints."""
        here = Path(__file__).parent
        self.assertEqual(
            self.complaints(mount("/", "static", root=here), mount("/c", "counter")), []
        )

    def test_no_mounts(self) -> None:
        """A site without mounts is a complaint."""
        self.assertEqual([c.path for c in self.complaints()], [("mount",)])

    def test_paths(self) -> None:
        """Wrong and repeated paths are complaints at the mount they stand at."""
        found = self.complaints(mount("a", "counter"), mount("/b", "form"), mount("/b", "colors"))
        self.assertEqual([c.path for c in found], [("mount", 0, "path"), ("mount", 2, "path")])
        self.assertIn('"a" is not right; ', found[0].text)
        self.assertIn('"/b" is taken; ', found[1].text)

    def test_a_mounts_own(self) -> None:
        """What is wrong with a mount's own settings is a complaint below the mount."""
        [complaint] = self.complaints(mount("/", "static", root=Path("/no/such")))
        self.assertEqual(complaint.path, ("mount", 0, "root"))

    def test_services(self) -> None:
        """A mount that shows a service must name one, and others must not."""
        shown = Mount("/a", shows("pubsub"), Nothing(), service="feed")
        found = self.complaints(
            shown, evolve(shown, path="/b", service=None), evolve(mount("/c", "form"), service="x")
        )
        self.assertEqual(
            [(c.path, c.text) for c in found],
            [
                (("mount", 1, "service"), "is missing; the name of a service of kind pubsub"),
                (("mount", 2, "service"), "means nothing here; form shows no service"),
            ],
        )

    def test_references(self) -> None:
        """Each mount that shows a service is a reference to it."""
        shown = Mount("/a", shows("pubsub"), Nothing(), service="feed")
        self.assertEqual(
            list(KIND.references(Settings((mount("/c", "form"), shown)))),
            [Reference(("mount", 1, "service"), "feed", "pubsub")],
        )


class Serving(SynchronousTestCase):
    def connected(self, site: Site) -> tuple[Any, ClosingTransport]:
        """Return a connection to the site and its transport."""
        protocol: Any = site.factory(NoOptions()).buildProtocol(PEER)
        transport = ClosingTransport(peerAddress=PEER)
        protocol.makeConnection(transport)
        return protocol, transport

    def test_listeners_share_the_mounts(self) -> None:
        """Two listeners of a site count together, and each request is a line in the log."""
        events: list[LogEvent] = []
        site = Site(Settings((mount("/", "counter"),)), {}, world(events))
        for number in (1, 2):
            protocol, transport = self.connected(site)
            protocol.dataReceived(b"GET /x?secret HTTP/1.1\r\nHost: h\r\n\r\n")
            [answer] = answers(transport.value())
            self.assertEqual(answer.body, b"I am request #%d" % number)
        self.assertEqual(
            [formatEvent(event) for event in events],
            ['192.0.2.7 "GET /x HTTP/1.1" 200 15 "-" "-" 0.000'] * 2,
        )

    def test_without_access_log(self) -> None:
        """With the access log off there is no line."""
        events: list[LogEvent] = []
        site = Site(Settings((mount("/", "counter"),), access_log=False), {}, world(events))
        protocol, _ = self.connected(site)
        protocol.dataReceived(b"GET / HTTP/1.1\r\nHost: h\r\n\r\n")
        self.assertEqual(events, [])

    def test_body_limit(self) -> None:
        """The site's limit on bodies holds for its listeners."""
        site = Site(Settings((mount("/", "counter"),), http=Limits(body_bytes=10)), {}, world([]))
        protocol, transport = self.connected(site)
        protocol.dataReceived(b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 11\r\n\r\n")
        self.assertEqual(next(answers(transport.value())).status, 413)


@skipUnless(which("curl"), "curl is not installed")
class ServingCurl(TestCase):
    """The whole site on a loopback port, asked by curl."""

    def setUp(self) -> None:
        """Serve etc/www and the other mounts."""
        www = Path(__file__).parents[3] / "etc" / "www"
        network: Any = reactor
        site = Site(
            Settings(
                (
                    mount("/", "static", root=www, extension=".html"),
                    mount("/counter", "counter"),
                    mount("/form", "form"),
                    mount("/colors", "colors"),
                    mount("/request", "request"),
                )
            ),
            {},
            World(network, network, recorded([])),
        )
        self.url = f"http://127.0.0.1:{listening(self, site.factory(NoOptions()))}"

    async def curl(self, paths: str, *options: str) -> str:
        """Return what curl writes when it asks for `paths` of the site, apart by blanks."""
        urls = [self.url + path for path in paths.split()]
        command = ["curl", "-sS", "--max-time", "10", "--path-as-is", "--noproxy", "*"]
        done = await deferToThread(
            subprocess.run, [*command, *options, *urls], capture_output=True, check=True
        )
        return str(done.stdout.decode())

    async def status(self, path: str, *options: str) -> str:
        """Return the status that curl is answered with."""
        return await self.curl(path, "-o", "/dev/null", "-w", "%{http_code}", *options)

    async def test_example_pages(self) -> None:
        """The example's pages are there, and nothing else is."""
        self.assertIn("<title>netkit</title>", await self.curl("/"))
        self.assertIn("<title>Test</title>", await self.curl("/test"))
        self.assertIn("404 Not Found", await self.curl("/other"))
        self.assertIn("404 Not Found", await self.curl("/../../setup.cfg"))

    async def test_links_of_the_example(self) -> None:
        """Each link of the first page leads where it says, and only /nowhere leads nowhere."""
        for path in ("/counter", "/form/", "/colors/", "/request", "/test", "/style.css"):
            self.assertIn(f'href="{path}"', await self.curl("/"))
            self.assertEqual(await self.status(path), "200")

    async def test_mounts(self) -> None:
        """Counter, form, colours and request do over a socket what they do as values."""
        self.assertEqual(await self.curl("/counter /counter"), "I am request #1I am request #2")
        posted = await self.curl("/form/posthandler", "-d", "name=<b>&flavor=a&flavor=b")
        self.assertIn("<dt>name</dt><dd>&lt;b&gt;</dd>", posted)
        self.assertIn("<dd>a</dd><dd>b</dd>", posted)
        self.assertIn("<h1>#00abef</h1>", await self.curl("/colors/color/00abef"))
        self.assertIn("Colours seen so far", await self.curl("/colors/color", "-L"))
        said = await self.curl("/request", "-A", "me", "-H", "x-Odd: 1")
        self.assertTrue(said.startswith("You said:\r\nGET /request HTTP/1.1\r\nHost: 127.0.0.1"))
        self.assertIn("\r\nUser-Agent: me\r\n", said)
        self.assertIn("\r\nx-Odd: 1\r\n", said)

    async def test_uploads(self) -> None:
        """A body beyond the limit gets its 413, though curl sends it all the same."""
        upload = ("--data-binary", f"@{self.large_file()}")
        self.assertEqual(await self.status("/form/posthandler", *upload), "413")
        chunked = ("-H", "Transfer-Encoding: chunked", "-H", "Expect:")
        self.assertEqual(await self.status("/form/posthandler", *upload, *chunked), "413")

    def large_file(self) -> Path:
        """Return a file of 3 MB."""
        file = Path(self.mktemp())
        file.write_bytes(bytes(3_000_000))
        return file
