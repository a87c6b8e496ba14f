"""Destinations as operators write them: what a string stands for, and the words for every slip."""

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.endpoints import quoteStringArgument
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.connect import Connector
from netkit.net.destination import LONGEST_PATH, Destination, Transport, parse
from netkit.net.dial import AnnouncedWay, TcpWay, TlsWay, UnixWay
from netkit.net.names import Names
from netkit.net.policy import ANYWHERE
from netkit.net.tlsclient import TlsTerms
from tests.net.resolver import Resolver

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,9}[a-z0-9](\.[a-z]{2,5})?", fullmatch=True)
HOSTS = st.one_of(NAMES, st.ip_addresses().map(str))
PORTS = st.integers(1, 65535)
PATHS = st.text("abc/:=\\[] é.", min_size=1, max_size=40)


def tcp(host: str, port: int) -> Destination:
    return Destination(Transport.TCP, host, port)


class GoodTests(SynchronousTestCase):
    """What is right is read."""

    def test_forms(self) -> None:
        """Each form, IPv6 in brackets or by Twisted's own grammar, is read."""
        for text, expected in {
            "tcp:127.0.0.1:80": tcp("127.0.0.1", 80),
            "tcp:[::1]:80": tcp("::1", 80),
            r"tcp:\:\:1:80": tcp("::1", 80),
            "tcp:host=a.example:port=80": tcp("a.example", 80),
            "tcp:A.example:80": tcp("A.example", 80),
            "tls:a.example:443": Destination(Transport.TLS, "a.example", 443, "a.example"),
            "tls:[::1]:443:name=b": Destination(Transport.TLS, "::1", 443, "b"),
            "unix:/run/x.sock": Destination(Transport.UNIX, path="/run/x.sock"),
            "unix:x.sock": Destination(Transport.UNIX, path="x.sock"),
        }.items():
            with self.subTest(text=text):
                self.assertEqual(parse(text), expected)

    def test_below(self) -> None:
        """A relative path is one below the folder of the file it stands in."""
        base = Path("/etc/netkit")
        self.assertEqual(parse("unix:x.sock", base).path, "/etc/netkit/x.sock")
        self.assertEqual(parse("unix:/x.sock", base).path, "/x.sock")

    @settings(deadline=None, max_examples=200)
    @given(st.sampled_from(("tcp", "tls")), HOSTS, PORTS, st.none() | HOSTS)
    def test_round_trip(self, kind: str, host: str, port: int, name: str | None) -> None:
        """A destination is written as it is read."""
        text = f"{kind}:{quoteStringArgument(host)}:{port}"
        if name and kind == "tls":
            text += f":name={quoteStringArgument(name)}"
        destination = parse(text)
        self.assertEqual((destination.host, destination.port), (host, port))
        self.assertEqual(parse(str(destination)), destination)

    @settings(deadline=None, max_examples=200)
    @given(PATHS)
    def test_paths(self, path: str) -> None:
        """Any path can be written."""
        text = f"unix:path={quoteStringArgument(path)}"
        self.assertEqual(parse(text), Destination(Transport.UNIX, path=path))

    @settings(deadline=None, max_examples=300)
    @given(st.text("tcpls unix:[]\\=.0123456789/é\0-", max_size=40) | st.text(max_size=150))
    def test_anything(self, text: str) -> None:
        """Anything at all is a destination or a mistake with words."""
        try:
            destination = parse(text)
        except ValueError as error:
            self.assertNotIn("\n", str(error))
        else:
            self.assertIn(text.partition(":")[0], {"tcp", "tls", "unix"})
            self.assertTrue(destination.path or 0 < destination.port <= 65535)


class BadTests(SynchronousTestCase):
    """What is not has words."""

    def test_slips(self) -> None:
        """Each slip is named, with what would be right."""
        for text, words in {
            "": '"" is nothing to connect by; one of "tcp", "tls", "unix"',
            "tpc:a:1": '"tpc" is nothing to connect by; did you mean "tcp"?',
            "127.0.0.1:80": 'does not say by what; write it as "tcp:127.0.0.1:80"',
            "http://a.example/": 'is a URL; as in "tcp:127.0.0.1:8080"',
            "tcp": 'names no port; as in "tcp:127.0.0.1:8080"',
            "tcp:80": 'names no host; as in "tcp:127.0.0.1:8080"',
            "tcp::80": 'names no host; as in "tcp:127.0.0.1:8080"',
            "tls:a.example": 'names no port; as in "tls:server.example:443"',
            "tcp:a:0": '"0" is not a port; 1 to 65535',
            "tcp:a:http": '"http" is not a port; 1 to 65535',
            "tcp:a:65536": '"65536" is not a port; 1 to 65535',
            "tcp:a:80:b": '"b" has no name; as in "tcp:127.0.0.1:8080"; an IPv6 address stands in brackets',
            "tcp:a:80:name=b": 'tcp has no option "name"; one of "host", "port"',
            "tls:a:80:nam=b": 'tls has no option "nam"; did you mean "name"?',
            "tcp:a b:80": '"a b" is neither an address nor a host name',
            "tls:a:80:name=a b": '"a b" is neither an address nor a host name',
            "unix:": 'names no path; as in "unix:/run/server.sock"',
            "unix:a:b": '"b" has no name; as in "unix:/run/server.sock"',
        }.items():
            with self.subTest(text=text):
                error = self.assertRaises(ValueError, parse, text)
                self.assertEqual(str(error), f'"{text}": {words}')

    def test_long_path(self) -> None:
        """A path that no socket can have is refused before anybody tries."""
        parse("unix:" + "x" * LONGEST_PATH)
        for path in ("x" * (LONGEST_PATH + 1), "é" * 54, "a\0b"):
            self.assertRaises(ValueError, parse, f"unix:{path}")


class WayTests(SynchronousTestCase):
    """A destination leads somewhere."""

    def setUp(self) -> None:
        clock: Any = Clock()
        self.connector = Connector(clock, clock, Names(Resolver()), ANYWHERE)

    def test_ways(self) -> None:
        """Each is the way of its transport, equal to itself."""
        below = TcpWay("a.example", 443, self.connector)
        terms = TlsTerms(verify=False)
        for text, way in {
            "tcp:a.example:443": below,
            "unix:/x": UnixWay("/x", self.connector),
            "tls:a.example:443": TlsWay(below, "a.example", self.connector.clock, terms),
            "tls:a.example:443:name=b": TlsWay(below, "b", self.connector.clock, terms),
        }.items():
            with self.subTest(text=text):
                self.assertEqual(parse(text).way(self.connector, terms), way)

    def test_announced(self) -> None:
        """A header goes before TLS."""
        way = parse("tls:a.example:443").way(self.connector, header=b"x")
        below = AnnouncedWay(TcpWay("a.example", 443, self.connector), b"x")
        self.assertEqual(way, TlsWay(below, "a.example", self.connector.clock))
