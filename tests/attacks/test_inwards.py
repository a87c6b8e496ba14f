"""A forward proxy that is asked to go where it must not: nobody there sees a connection."""

import contextlib
import socket
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from ipaddress import ip_network
from typing import Any

from attrs import frozen
from twisted.internet import reactor
from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.threads import deferToThread
from twisted.logger import LogEvent
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netkit.services.kind import NoOptions, World
from netkit.services.proxy.access import Action, DestinationRule
from netkit.services.proxy.service import Proxy
from netkit.services.proxy.settings import Settings
from tests.attacks.host import dial, read_until
from tests.attacks.test_slow import client_hello
from tests.http.fakes import recorded
from tests.listening import listening
from tests.net.resolver import Resolver
from tests.running import Running, netkit

DISGUISES = (
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "127.0.0.1.",
    "0177.0.0.1",
    "017700000001",
    "0x7f000001",
    "0X7F.1",
    "2130706433",
    "127.0.0.2",
    "0",
    "0.0.0.0",
    "localhost",
    "LOCALHOST",
    "localhost.",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[::]",
    "[::127.0.0.1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::FFFF:0x7f.1]",
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::127.0.0.1]",
    "[2002:7f00:1::]",
    "[::1%25lo]",
    "[::1%lo]",
    "[fe80::1%25lo]",
    "127%2e0%2e0%2e1",
    "%31%32%37.0.0.1",
    "127.0.0.1%00.example",
    "127.0.0.1#.example",
    "example@127.0.0.1",
    "127.0.0.1:80@127.0.0.1",
    "127.0.0.1\\@example",
    "\uff11\uff12\uff17.0.0.1",
    "127\u30020\u30020\u30021",
    "\u2460\u2461\u2466.0.0.1",
)
ABSURD = (
    "http://me@a/",
    "http://me:pw@a/",
    "http://:pw@a/",
    "http://@a/",
    "http://127.0.0.1:/",
    "http://a:0/",
    "http://a:99999/",
    "http://a:65536/",
    "http://a:x/",
    "http://a:-1/",
    "http://a:80:80/",
    "http:///",
    "http:///a",
    "http://",
    "http:",
    "http:a",
    "http:/a",
    "://a/",
    "//a/",
    "http://[/",
    "http://[]/",
    "http://[::1/",
    "http://[fe80::1%25lo]/",
    "http://[fe80::1%25nowhere]/",
    "http://[v1.a]/",
    "http://[::1]a/",
    "http://a b/",
    "http://%/",
    "http://%zz/",
    "http://a..b/",
    "http://" + "a" * 64 + ".example/",
    "http://" + "a." * 200 + "a/",
    "http://1.2.3.4.5/",
    "http://256.0.0.1/",
    "http://?",
    "http://#",
    "ftp://a/",
    "https://a/",
    "file:///etc/passwd",
    "gopher://a:70/",
    "javascript:alert(1)",
    "/",
    "*",
    "a",
    "a:80",
    "\\\\a\\b",
    "http://a/" + "a" * 65536,
    "http://" + "a" * 65536 + "/",
)
PLACES = ("a", "a:", "a:0", "a:99999", ":443", "[::1", "me@a:443", "http://a/", "/", "*", "a:443/x")
CONFIG = """
[service.proxy]
listen = ["tcp:0:interface=127.0.0.1", "tcp:0:interface=127.0.0.1"]
connect_ports = ["1-24", "26-65535"]
connect_timeout = 2
[service.lax]
kind = "proxy"
listen = "tcp:0:interface=127.0.0.1"
connect_ports = ["1-65535"]
connect_timeout = 2
destination = [{ networks = ["127.0.0.0/8", "::1/128"], action = "allow" }]
"""


_REFUSALS = frozenset((400, 403, 502, 504))  # the last two of names that nobody knows


@frozen
class Witness:
    """Listens on both loopback addresses, and counts who comes."""

    port: int
    sockets: Sequence[socket.socket]

    @property
    def seen(self) -> int:
        """Return how many have come since it was asked last."""
        return sum(map(_came, self.sockets))


def _came(listener: socket.socket) -> int:
    count = 0
    with contextlib.suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            count += 1
    return count


@contextmanager
def witness() -> Iterator[Witness]:
    """Listen."""
    with ExitStack() as stack:
        first = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = int(first.getsockname()[1])
        sockets = [first]
        if socket.has_ipv6:
            with contextlib.suppress(OSError):  # of a host without IPv6
                second = socket.create_server(("::1", port), family=socket.AF_INET6)
                sockets.append(stack.enter_context(second))
        for each in sockets:
            each.setblocking(False)
        yield Witness(port, sockets)


def told(port: int, said: bytes) -> int:
    """Return the status of the answer to `said`; the client then leaves."""
    with dial(port) as client:
        client.sendall(said)
        answer = read_until(client, b"\r\n\r\n")
    return int(answer.split(b" ", 2)[1]) if answer else 0


def get(url: str) -> bytes:
    """Return a GET for `url`, whatever it is."""
    return f"GET {url} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()


def connect(place: str) -> bytes:
    """Return a CONNECT to `place`, whatever that is."""
    return f"CONNECT {place} HTTP/1.1\r\nHost: a\r\n\r\n".encode()


class InwardsTests(SynchronousTestCase):
    def assert_quiet(self, running: Running) -> None:
        """Assert that the log has no traceback, and nothing that a terminal acts on."""
        self.assertNotIn("Traceback", "\n".join(running.lines))
        self.assertTrue(all(line.isprintable() for line in running.lines))

    def test_disguises(self) -> None:
        """However this host is written, nobody there sees a connection; each request has a status."""
        names = (*DISGUISES, socket.gethostname(), socket.getfqdn())
        with witness() as nobody, netkit(CONFIG, self.mktemp()) as running:
            port = running.ports["proxy"][0]
            for name in names:
                place = f"{name}:{nobody.port}"
                self.assertIn(told(port, get(f"http://{place}/")), _REFUSALS, name)
                self.assertIn(told(port, connect(place)), _REFUSALS, name)
                self.assertEqual(0, nobody.seen, name)
            self.assertEqual(200, told(running.ports["lax"][0], connect(f"127.1:{nobody.port}")))
            self.assertEqual(1, nobody.seen)  # whom the rules let through
        self.assert_quiet(running)

    def test_itself(self) -> None:
        """A proxy that may go to this host does not go to itself, under whatever name."""
        with netkit(CONFIG, self.mktemp()) as running:
            port = running.ports["lax"][0]
            for name in (*DISGUISES, socket.gethostname(), socket.getfqdn()):
                place = f"{name}:{port}"
                self.assertIn(told(port, get(f"http://{place}/")), {*_REFUSALS, 508}, name)
                self.assertIn(told(port, connect(place)), _REFUSALS, name)
        self.assertFalse(any("allowed by" in line and "; 200, " in line for line in running.lines))
        self.assert_quiet(running)

    def test_port_25(self) -> None:
        """Nobody gets to the port of mail."""
        with netkit(CONFIG, self.mktemp()) as running:
            port = running.ports["proxy"][0]
            for place in ("127.0.0.1:25", "localhost:25", "[::1]:25", "example:025"):
                self.assertEqual(403, told(port, connect(place)), place)
                self.assertEqual(403, told(port, get(f"http://{place}/")), place)

    def test_absurd(self) -> None:
        """Absurd URLs, and TLS on the plain port, have a status and leave no traceback."""
        with netkit(CONFIG, self.mktemp()) as running:
            port = running.ports["proxy"][0]
            for url in ABSURD:
                self.assertIn(told(port, get(url)), {204, 400, 403, 404, 414, 431, 502}, url[:80])
            for place in PLACES:
                self.assertIn(told(port, connect(place)), {400, 403, 502}, place)
            self.assertEqual(400, told(port, client_hello()))
        self.assert_quiet(running)


HERE, THERE = (IPv4Address("TCP", address, 0) for address in ("127.0.0.1", "127.0.0.2"))
OUTWARDS = DestinationRule(action=Action.ALLOW, networks=(ip_network("127.0.0.2/32"),))
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"


class Greeter(Protocol):
    """Answers each request, whatever it is, and leaves."""

    def dataReceived(self, data: bytes) -> None:
        """Answer."""
        assert self.transport is not None
        self.transport.write(ANSWER)
        self.transport.loseConnection()


class NamesTests(TestCase):
    """Names whose addresses a test chooses: 127.0.0.2 is outwards, and 127.0.0.1 is not."""

    timeout = 30

    def setUp(self) -> None:
        """Serve a proxy, an origin outwards, and a witness at the same port inwards."""
        network: Any = reactor
        self.resolver = Resolver()
        before = network.installNameResolver(self.resolver)
        self.addCleanup(network.installNameResolver, before)
        self.events: list[LogEvent] = []
        world = World(network, network, recorded(self.events))
        settings = Settings(destination=(OUTWARDS,), connect_ports=("1-65535",))
        self.proxy = listening(self, Proxy(settings, world).factory(NoOptions()))
        outwards = network.listenTCP(0, Factory.forProtocol(Greeter), interface=THERE.host)
        self.addCleanup(outwards.stopListening)
        self.port = outwards.getHost().port
        self.nobody = socket.create_server((HERE.host, self.port))
        self.nobody.setblocking(False)
        self.addCleanup(self.nobody.close)

    async def told(self, *names: IPv4Address) -> list[int]:
        """Return the statuses of a GET and a CONNECT to a name that now has these addresses."""
        self.resolver.known["origin"] = names
        place = f"origin:{self.port}"
        said = (get(f"http://{place}/"), connect(place))
        return [await deferToThread(told, self.proxy, each) for each in said]

    async def test_several_addresses(self) -> None:
        """Of a name with several addresses those inwards are not tried, in whatever order."""
        for names in ((HERE, THERE), (THERE, HERE), (HERE, THERE, HERE)):
            self.assertEqual([200, 200], await self.told(*names))
        self.assertEqual([403, 403], await self.told(HERE, HERE))
        self.assertEqual(0, _came(self.nobody))

    async def test_another_the_second_time(self) -> None:
        """A name that has turned inwards since it was judged is judged again."""
        for names, statuses in (((THERE,), [200, 200]), ((HERE,), [403, 403])) * 2:
            self.assertEqual(statuses, await self.told(*names))
        self.assertEqual(0, _came(self.nobody))
        self.assertFalse(any("log_failure" in event for event in self.events))
