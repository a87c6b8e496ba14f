"""Nodes in clusters of real `nats-server` processes."""

import re
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.endpoints import TCP4ClientEndpoint, connectProtocol
from twisted.internet.protocol import Protocol
from twisted.logger import ILogObserver, LogEvent, Logger, LogPublisher, formatEvent
from twisted.trial.unittest import TestCase
from zope.interface import implementer

from netkit.services.kind import World
from netkit.services.pubsub import KIND
from netkit.services.pubsub.fabric.settings import Fabric
from netkit.services.pubsub.service import PubSub
from netkit.services.pubsub.settings import Nats, Options, Settings
from netkit.services.pubsub.settings import Protocol as Spoken
from tests.listening import listening
from tests.net.test_dial import issued
from tests.services.pubsub.fabric.program import NO_PROGRAM, NatsServer, cluster_of_two, nats_server

BURST = 100
_HELLO = b'CONNECT {"verbose":false,"headers":true,"no_responders":true}\r\n'


class Client(Protocol):
    """A client that keeps what it hears, and answers requests to `help`."""

    transport: Any

    def __init__(self) -> None:
        self.output = b""
        self._changed: Deferred[None] = Deferred()

    def say(self, *said: bytes) -> None:
        """Send something."""
        self.transport.write(b"".join(said))

    def changes(self) -> Deferred[None]:
        """Return a Deferred that fires when something has come."""
        self._changed = Deferred()
        return self._changed

    async def hears(self, text: bytes) -> None:
        """Wait until `text` has come."""
        while text not in self.output:
            await self.changes()

    async def hears_all(self, text: bytes, *sids: int) -> None:
        """Wait until `text` has come under each of the sids."""
        for sid in sids:
            await self.hears(text % sid)

    async def sync(self) -> None:
        """Wait until all that was said is done, and forget it."""
        self.say(b"PING\r\n")
        await self.hears(b"PONG\r\n")
        self.output = b""

    async def ask(self) -> bytes:
        """Ask for help, and return the answer."""
        self.output = b""
        self.say(b"SUB in 99\r\nPUB help in 0\r\n\r\nUNSUB 99 1\r\n")
        await self.hears(b"MSG in 99 ")
        await self.hears(b"\r\n\r\n\r\n" if b"HMSG" in self.output else b"yes\r\n")
        return self.output

    async def finds(self) -> None:
        """Ask until there is somebody: that takes its time to get round a cluster."""
        while b"503" in await self.ask():
            pass

    def dataReceived(self, data: bytes) -> None:
        """Keep."""
        self.output += data
        for reply in re.findall(rb"MSG help \d+ (\S+) 0\r\n", data):
            self.say(b"PUB %b 3\r\nyes\r\n" % reply)
        if not self._changed.called:
            self._changed.callback(None)


@implementer(ILogObserver)
class Log:
    """The lines of a log; `says` waits for one."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._awaited: list[tuple[str, Deferred[None]]] = []

    def __call__(self, event: LogEvent) -> None:
        """Keep."""
        line = formatEvent(event)
        self.lines.append(line)
        for awaited in tuple(self._awaited):
            if awaited[0] in line:
                self._awaited.remove(awaited)
                awaited[1].callback(None)

    def first(self, text: str) -> str:
        """Return the first line that has `text` in it, or nothing."""
        return next((line for line in self.lines if text in line), "")

    def says(self, text: str) -> Deferred[None]:
        """Return a Deferred that fires as soon as a line has `text` in it."""
        said: Deferred[None] = Deferred()
        self._awaited.append((text, said))
        return said


class FabricTestCase(TestCase):
    timeout = 20
    skip = NO_PROGRAM

    async def node(self, *servers: str, **fabric: Any) -> tuple[PubSub, int, Log]:
        """Return a node that is linked, its port, and its log."""
        node, port, log = self.unlinked(*servers, **fabric)
        linked = log.says("linked to")
        node.startService()
        await linked
        return node, port, log

    def unlinked(self, *servers: str, **fabric: Any) -> tuple[PubSub, int, Log]:
        """Return a node that has not started."""
        from twisted.internet import reactor  # noqa: PLC0415 (installed by whoever runs the tests)

        clock: Any = reactor
        log = Log()
        world = World(clock, clock, Logger(namespace="pubsub", observer=LogPublisher(log)))
        settings = Settings(fabric=Fabric(servers=servers, **fabric), nats=Nats(lame_duck=0.1))
        self.assertEqual(list(KIND.complaints(settings)), [])
        node = KIND.build(settings, {}, world)
        assert isinstance(node, PubSub)
        self.addCleanup(node.stopService)
        return node, listening(self, node.factory(Options(Spoken.NATS))), log

    async def client(self, port: int, *said: bytes) -> Client:
        """Return a client, which has said so much."""
        from twisted.internet import reactor  # noqa: PLC0415 (installed by whoever runs the tests)

        client: Client = await connectProtocol(
            TCP4ClientEndpoint(reactor, "127.0.0.1", port), Client()
        )
        self.addCleanup(client.transport.abortConnection)
        client.say(_HELLO, *said)
        await client.sync()
        return client


class ClusterTests(FabricTestCase):
    async def setUp(self) -> None:  # type: ignore[override]  # trial waits for it
        """Start a cluster of two servers, and two nodes, one at each."""
        self.servers = {server.port: server for server in await cluster_of_two(self)}
        self.left, self.left_port, self.left_log = await self.node(*self.urls())
        self.right, self.right_port, self.right_log = await self.node(*self.urls())

    def urls(self) -> list[str]:
        """Return the servers."""
        return [f"nats://127.0.0.1:{port}" for port in self.servers]

    def server_of(self, node: PubSub) -> NatsServer:
        """Return the server that a node is linked to."""
        figures = node.fabric_figures()
        assert figures is not None
        return self.servers[int(figures.server.partition(":")[2])]

    async def test_request(self) -> None:
        """A request of one node's client is answered by another's; before, nobody is there to."""
        asker = await self.client(self.left_port)
        self.assertIn(b"\r\nNATS/1.0 503\r\n", await asker.ask())
        await self.client(self.right_port, b"SUB help q 1\r\n")
        await asker.finds()
        self.assertEqual(await asker.ask(), b"MSG in 99 3\r\nyes\r\n")

    async def test_groups(self) -> None:
        """Of a group with members at nodes and servers one gets each message, wherever it comes from."""
        ports = (self.left_port, self.right_port, *self.servers)
        members = [await self.client(port, b"SUB a.* q 1\r\nSUB a.> q 2\r\n") for port in ports]
        for member in members:
            for number in range(100):
                member.say(b"PUB a.b 4\r\n<%02d>\r\n" % number)
            await self.all_heard(members, 100)
            heard = b"".join(each.output for each in members)
            counts = [heard.count(b"<%02d>" % number) for number in range(100)]
            self.assertEqual(counts, [1] * 100)
            for each in members:
                each.output = b""

    async def all_heard(self, members: list[Client], messages: int) -> None:
        """Wait until clients have heard so many messages together."""
        while sum(each.output.count(b">\r\n") for each in members) < messages:
            await DeferredList([each.changes() for each in members], fireOnOneCallback=True)

    async def test_kept(self) -> None:
        """What came to a node is kept for browsers that come back, each message once."""
        told: list[bytes] = []
        self.left.house.broker.witnesses.append(
            lambda run: told.extend(run.payloads if run.subject == b"load.a" else [])
        )
        talker = await self.client(self.right_port, b"SUB load.> q 1\r\n")
        here = await self.client(
            self.left_port, b"SUB load.> 1\r\nSUB load.* 2\r\nSUB load.a q 3\r\nSUB help 4\r\n"
        )
        await talker.finds()
        for number in range(100):
            talker.say(b"PUB load.a 4\r\n<%02d>\r\n" % number)
        await here.hears_all(b"MSG load.a %d 4\r\n<99>\r\n", 1, 2)
        here.say(b"PUB load.a 4\r\nhere\r\n")
        await here.sync()
        talker.say(b"PUB load.a 4\r\nlast\r\n")
        await here.hears_all(b"MSG load.a %d 4\r\nlast\r\n", 1, 2)
        self.assertEqual(told, [*(b"<%02d>" % number for number in range(100)), b"here", b"last"])

    async def test_server_killed(self) -> None:
        """A server dies under load: what is heard is in order and nothing twice, and it goes on."""
        plain = await self.client(self.left_port, b"SUB load.> 1\r\nSUB load.a 2\r\n")
        groups = [
            await self.client(port, b"SUB load.* q 3\r\n")
            for port in (self.left_port, self.right_port)
        ]
        await self.client(self.left_port, b"SUB help 1\r\n")
        talker = await self.client(self.right_port)
        await talker.finds()
        said = await self.load(talker, 0, 20)
        await plain.hears(b"MSG load.a 2 8\r\n%08d\r\n" % (said - 1))
        await plain.hears(b"MSG load.a 1 8\r\n%08d\r\n" % (said - 1))
        victim = self.server_of(self.left)
        linked = [
            log.says("linked to")
            for node, log in ((self.left, self.left_log), (self.right, self.right_log))
            if self.server_of(node) is victim
        ]
        gone = victim.kill()
        while not all(each.called for each in linked):
            said = await self.load(talker, said, 1)
        await gone
        await talker.finds()
        lost = said
        said = await self.load(talker, said, 20)
        for sid in (1, 2):
            await plain.hears(b"MSG load.a %d 8\r\n%08d\r\n" % (sid, said - 1))
            heard = numbers(plain.output, sid)
            self.assertEqual(heard, sorted(set(heard)))
            self.assertEqual(heard[: 20 * BURST], list(range(20 * BURST)))
            self.assertEqual(heard[-20 * BURST :], list(range(lost, said)))
        together = sorted(number for each in groups for number in numbers(each.output, 3))
        self.assertEqual(len(together), len(set(together)))

    async def load(self, talker: Client, first: int, bursts: int) -> int:
        """Publish so many bursts of numbered messages; return the number of the next."""
        for start in range(first, first + bursts * BURST, BURST):
            every = range(start, start + BURST)
            talker.say(*(b"PUB load.a 8\r\n%08d\r\n" % number for number in every))
            await talker.sync()
        return first + bursts * BURST

    async def test_lame_duck(self) -> None:
        """A server that is about to go is left for another before it goes."""
        linked = self.left_log.says("linked to")
        server = self.server_of(self.left)
        server.retire()
        await linked
        self.assertIsNot(self.server_of(self.left), server)
        self.assertIn("it is about to go", self.left_log.first("cut off from"))

    async def test_partition(self) -> None:
        """A server that nothing is heard of any more is left; meanwhile the node goes on by itself."""
        node, port, log = await self.node(*self.urls(), ping_interval=0.2)
        server, linked = self.server_of(node), log.says("linked to")
        client = await self.client(port, b"SUB a 1\r\nSUB a q 2\r\n")
        server.freeze()
        client.say(b"PUB a 1\r\nx\r\n")
        await client.hears(b"MSG a 1 1\r\nx\r\n")
        await linked
        self.assertIn("2 pings are not answered", log.first("cut off from"))
        # The other server, too, may still take the silent one for alive, and give it a share.
        client.say(b"PUB a 1\r\ny\r\n" * 50)
        await client.hears(b"MSG a 2 1\r\ny\r\n")


class SecuredTests(FabricTestCase):
    def setUp(self) -> None:
        """Issue a certificate for the server."""
        root = issued(subject="Root", authority=True)
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.ca = self.write("ca.pem", root.certificate.public_bytes(Encoding.PEM))
        server = issued("localhost", issuer=root)
        self.terms = (
            'tls { cert_file: "%s", key_file: "%s", timeout: 5 %s }\n'
            "authorization { user: edge, password: s3cret }\n"
        )
        file = self.write("server.pem", server.pem)
        self.files = (file, file)

    def write(self, name: str, content: bytes) -> Path:
        """Return a file with such content."""
        path = (self.folder / name).absolute()
        path.write_bytes(content)
        return path

    async def server(self, *, first: bool = False) -> NatsServer:
        """Return a server that asks for TLS and for a password."""
        more = ", handshake_first: true" if first else ""
        terms = self.write("server.conf", (self.terms % (*self.files, more)).encode())
        return await nats_server(self, "-c", str(terms))

    async def test_tls(self) -> None:
        """A node logs in by TLS, before or after the server's first line, by URL or by keys."""
        for first in (False, True):
            server = await self.server(first=first)
            for url, keys in (
                ("tls://edge:s3cret@localhost:%d", {}),
                ("tls://localhost:%d", {"user": "edge", "password": "s3cret"}),
            ):
                _, port, log = await self.node(
                    url % server.port, ca=self.ca, tls_first=first, **keys
                )
                client = await self.client(port, b"SUB %d q 1\r\n" % port)
                client.say(b"PUB %d 1\r\nx\r\n" % port)
                await client.hears(b"MSG %d 1 1\r\nx\r\n" % port)
                self.assertEqual(log.lines.count(f"fabric: linked to localhost:{server.port}"), 1)
            await server.kill()

    async def test_refused(self) -> None:
        """A server that cannot prove who it is gets no password; one that wants another is named."""
        server = await self.server()
        for url, ca, words in (
            ("nats://edge:s3cret@localhost:%d", None, "its certificate"),
            ("tls://edge:s3cret@127.0.0.1:%d", self.ca, "its certificate is not for"),
            ("tls://edge:wrong@localhost:%d", self.ca, "Authorization Violation"),
        ):
            node, _, log = self.unlinked(url % server.port, ca=ca)
            refused = log.says("no link to")
            node.startService()
            await refused
            line = next(line for line in log.lines if "no link to" in line)
            self.assertIn(words, line)
            self.assertNotIn("s3cret", "".join(log.lines))
            node.stopService()

    async def test_no_tls(self) -> None:
        """A server without TLS is none for who wants TLS."""
        server = await nats_server(self)
        node, _, log = self.unlinked(f"tls://localhost:{server.port}")
        refused = log.says("it offers no TLS")
        node.startService()
        await refused


def numbers(output: bytes, sid: int) -> list[int]:
    """Return the numbers of the messages of one subscription."""
    return [int(one) for one in re.findall(rb"MSG load\.a %d 8\r\n(\d+)\r\n" % sid, output)]
