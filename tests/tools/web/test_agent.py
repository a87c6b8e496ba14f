"""The agent on real connections, with servers that do what none should."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.base import ReactorBase
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from netkit.http.asking import Problem, Question
from netkit.http.clientlimits import ClientLimits
from netkit.http.framing import request_opening
from netkit.http.pool import Pool
from netkit.net.dial import TcpWay
from netkit.net.tls import Store, load
from netkit.net.tlsclient import TlsTerms, trusted
from netkit.tools.certificate import provide
from netkit.tools.running import Here
from netkit.tools.web.agent import UserAgent
from netkit.tools.web.fetching import CutError, FetchError, Got, Proxying, Terms, Wanted
from netkit.tools.web.urls import parse
from tests.listening import listening
from tests.net.loopback import serve
from tests.tools.web.hostile import Hostile, Peer, Script, flood

SOON = 0.2  # seconds; a pool looks once a second


class AgentCase(TestCase):
    """A test with an agent."""

    timeout = 30

    def agent(self, seconds: float = 10.0, **terms: Any) -> UserAgent:
        """Return an agent, whose connections end with the test."""
        agent = UserAgent(
            Here(cast("ReactorBase", reactor), seconds),
            Terms(**{"proxy": Proxying.NONE, **terms}),
        )

        async def ended() -> None:
            agent.close()
            clock: Any = reactor
            while agent._pool.counts.connections:
                await deferLater(clock, 0)

        self.addCleanup(ended)
        return agent

    def hostile(self, script: Script) -> str:
        """Return the URL of a server that answers by `script`."""
        return f"http://127.0.0.1:{listening(self, Hostile(script))}/"

    async def fetch(self, url: str, seconds: float = 10.0, **terms: Any) -> Got:
        """Fetch a URL."""
        return await self.agent(seconds, **terms).fetch(Wanted(url=parse(url)))

    async def fails(self, url: str, seconds: float = 10.0, **terms: Any) -> FetchError:
        """Return why a URL was not got, or not all of it."""
        try:
            got = await self.fetch(url, seconds, **terms)
            await got.read(2**30)
        except FetchError as error:
            self.assertIn(url, str(error))
            return error
        raise AssertionError("it was got")


class AgentTests(AgentCase):
    async def test_page(self) -> None:
        """A page is got, over a connection that serves for the next one."""
        met: set[Peer] = set()

        def script(peer: Peer, target: str) -> None:
            met.add(peer)
            peer.answer(target.encode())

        url = self.hostile(script)
        agent = self.agent()
        for target in ("x", "y?z"):
            got = await agent.fetch(Wanted(url=parse(url + target)))
            self.assertEqual(await got.read(100), f"/{target}".encode())
        self.assertEqual(len(met), 1)

    async def test_stall_in_the_header(self) -> None:
        """A server that says nothing is given up, and so is one in the middle of its header."""
        for begun in (b"", b"HTTP/1.1 200 OK\r\nX:"):
            url = self.hostile(lambda peer, _, begun=begun: peer.say(begun))  # type: ignore[misc]  # a default
            error = await self.fails(url, SOON)
            self.assertIs(error.problem, Problem.HTTP_RESPONSE_TIMEOUT)

    async def test_stall_in_the_body(self) -> None:
        """A server that falls silent in the body is given up."""
        url = self.hostile(lambda peer, _: peer.answer(b"x", length=10**6))
        error = await self.fails(url, SOON)
        self.assertIsInstance(error, CutError)
        self.assertIn("the server went silent", str(error))

    async def test_less(self) -> None:
        """A body that is shorter than its length is cut."""

        def script(peer: Peer, _: str) -> None:
            peer.answer(b"x", length=10**6)
            peer.leave()

        self.assertIsInstance(await self.fails(self.hostile(script)), CutError)

    async def test_more(self) -> None:
        """Of a body that is longer than its length there is what was announced."""
        got = await self.fetch(self.hostile(lambda peer, _: peer.answer(b"abc", length=2)))
        self.assertEqual(await got.read(100), b"ab")

    async def test_redirects_for_ever(self) -> None:
        """Redirects that never end are followed so often and no more."""
        asked: list[str] = []

        def script(peer: Peer, target: str) -> None:
            asked.append(target)
            peer.answer(b"", b"Location: %dx" % len(asked), status=302)

        await self.fails(self.hostile(script), redirects=5)
        self.assertEqual(len(asked), 6)

    async def test_endless_header(self) -> None:
        """A header without end is refused."""
        error = await self.fails(self.hostile(lambda peer, _: flood(peer)))
        self.assertIs(error.problem, Problem.HTTP_RESPONSE_HEADER_SECTION_SIZE)

    async def test_no_http(self) -> None:
        """What is no HTTP is told as that."""
        error = await self.fails(self.hostile(lambda peer, _: peer.say(b"220 hello\r\n")))
        self.assertIs(error.problem, Problem.HTTP_PROTOCOL_ERROR)

    async def test_nobody_there(self) -> None:
        """A port that nobody listens at is told."""
        error = await self.fails("http://127.0.0.1:1/")
        self.assertIs(error.problem, Problem.CONNECTION_REFUSED)

    async def test_lost_at_rest(self) -> None:
        """A connection that the server closed at rest is no hindrance."""

        def script(peer: Peer, _: str) -> None:
            peer.answer(b"x")
            peer.leave()

        url = parse(self.hostile(script))
        agent = self.agent()
        for _ in range(3):
            got = await agent.fetch(Wanted(url=url))
            self.assertEqual(await got.read(9), b"x")


class BareTests(AgentCase):
    async def test_bare_client(self) -> None:
        """Row 23: the same on the protocol itself, a connection and a question."""
        port = listening(self, Hostile(lambda peer, _: peer.answer(b"hello", b"X-Y: z")))
        clock: Any = reactor
        pool = Pool(ClientLimits(), clock)
        way = TcpWay("127.0.0.1", port, Here(clock).connector)
        opening = request_opening(b"GET", b"/", ((b"Host", b"a"),))
        answer = await pool.ask(way, Question(method=b"GET", opening=opening))
        self.assertEqual((answer.head.status, answer.head.reason), (200, b"Phrase"))
        self.assertEqual((answer.head.fields[b"x-y"], answer.body), (b"z", b"hello"))
        pool.abort()
        while pool.counts.connections:
            await deferLater(clock, 0)


class TlsTests(AgentCase):
    """Servers with TLS."""

    def secure(self, script: Script) -> str:
        """Return the URL of a server with a certificate of its own."""
        self.folder = Path(self.mktemp())
        now = datetime.now(UTC)
        provide(self.folder, ("localhost", "127.0.0.1"), now)
        store = Store(load([self.folder], now).identities)
        return f"https://127.0.0.1:{serve(self, store, (), Hostile(script))}/"

    @property
    def trusting(self) -> TlsTerms:
        """Terms on which the server is trusted."""
        return TlsTerms(trusted(self.folder).certificates)

    async def test_trusted(self) -> None:
        """A server that is trusted is asked, and one that need not be."""
        url = self.secure(lambda peer, _: peer.answer(b"x"))
        for tls in (self.trusting, TlsTerms(verify=False)):
            got = await self.fetch(url, tls=tls)
            self.assertEqual(await got.read(9), b"x")

    async def test_stranger(self) -> None:
        """A server that cannot prove who it is is asked nothing."""
        asked: list[str] = []
        url = self.secure(lambda _, target: asked.append(target))
        error = await self.fails(url)
        self.assertIs(error.problem, Problem.TLS_CERTIFICATE_ERROR)
        self.assertEqual(asked, [])

    async def test_truncated(self) -> None:
        """A body that ends with the connection and not with TLS is cut."""

        def script(peer: Peer, target: str) -> None:
            peer.say(b"HTTP/1.1 200 OK\r\n\r\nhello")
            clock: Any = reactor
            clock.callLater(0.05, peer.leave if target == "/whole" else peer.cut)

        url = self.secure(script)
        got = await self.fetch(f"{url}whole", tls=self.trusting)
        self.assertEqual(await got.read(99), b"hello")
        self.assertIsInstance(await self.fails(f"{url}cut", tls=self.trusting), CutError)

    async def test_no_tls(self) -> None:
        """A server that speaks no TLS is told as that."""
        url = self.hostile(lambda *_: None).replace("http", "https")
        error = await self.fails(url, SOON)
        self.assertIs(error.problem, Problem.TLS_PROTOCOL_ERROR)
