"""Where a bridge leads, by plain calls and with a reactor in memory."""

from typing import Any, cast

from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.error import ConnectionRefusedError as RefusedError
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.connect import Connector
from netkit.net.destination import Destination, Transport
from netkit.net.dial import TcpWay, TlsWay, UnixWay
from netkit.net.failures import UnreachableError, UnresolvedError
from netkit.net.names import Names
from netkit.net.policy import ANYWHERE
from netkit.net.tlsclient import TlsTerms
from netkit.tools.bridging.place import (
    EndpointWay,
    OneFamily,
    Security,
    destination,
    endpoint_way,
    port,
    way,
)
from tests.net.resolver import Resolver

FOUR, SIX = IPv4Address("TCP", "127.0.0.1", 0), IPv6Address("TCP", "::1", 0)


def connector(network: Any = None) -> Connector:
    network = network or MemoryReactorClock()
    return Connector(network, network, Names(Resolver({})), ANYWHERE, 5.0)


class DestinationTests(SynchronousTestCase):
    def test_forms(self) -> None:
        """HOST PORT, netkit's own endpoints, and strings of types that are Twisted's."""
        for words, expected in {
            ("a.example", "80"): Destination(Transport.TCP, "a.example", 80),
            ("::1", "80"): Destination(Transport.TCP, "::1", 80),
            ("[::1]", "80"): Destination(Transport.TCP, "::1", 80),
            ("tls:a.example:443",): Destination(Transport.TLS, "a.example", 443, "a.example"),
            ("unix:/run/x",): Destination(Transport.UNIX, path="/run/x"),
            ("haproxy:tcp:a:80",): "haproxy:tcp:a:80",
        }.items():
            with self.subTest(words):
                self.assertEqual(destination(words), expected)

    def test_slips(self) -> None:
        """What leads nowhere says why, and what would be right."""
        for words, why in (
            (("a.example",), "names no port; as in a.example 80"),
            (("a.example", "http"), '"http" is not a port; 1 to 65535'),
            (("a.example", "0"), '"0" is not a port; 1 to 65535'),
            (("a b", "80"), "neither an address nor a host name"),
            (("127.0.0.1:80",), 'write it as "tcp:127.0.0.1:80"'),
            (("http://a.example/",), "is a URL"),
            (("tcp:a.example",), "names no port"),
            (("a", "1", "2"), "too much; HOST PORT, or an endpoint"),
        ):
            with self.subTest(words), self.assertRaisesRegex(ValueError, why):
                destination(words)

    def test_port(self) -> None:
        """Who listens may leave the choice of the port to the system."""
        self.assertEqual((port("0", 0), port("65535")), (0, 65535))
        self.assertRaises(ValueError, port, "65536")
        self.assertRaises(ValueError, port, "٤")


class WayTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """Without TLS the way is the one of the transport."""
        for words, kind in ((("a", "80"), TcpWay), (("unix:/x",), UnixWay)):
            self.assertIsInstance(way(destination(words), connector()), kind)

    def test_tls(self) -> None:
        """With TLS, by the endpoint or as asked, the server is its host, or whoever it is said to be."""
        wanted = Security(wanted=True)
        for words, security, name in (
            (("a.example", "443"), wanted, "a.example"),
            (("tls:a.example:443",), Security(), "a.example"),
            (("tls:a.example:443:name=b",), wanted, "b"),
            (("tls:a.example:443",), Security(server_name="c"), "c"),
            (("unix:/x",), Security(wanted=True, server_name="d"), "d"),
        ):
            found = way(destination(words), connector(), security)
            assert isinstance(found, TlsWay)
            self.assertEqual(found.server_name, name)
            self.assertIsInstance(found.below, TcpWay | UnixWay)

    def test_nobody_to_be(self) -> None:
        """With TLS on a UNIX socket somebody has to say who the server is, unless anybody will do."""
        to = destination(("unix:/x",))
        with self.assertRaisesRegex(ValueError, "--servername"):
            way(to, connector(), Security(wanted=True))
        self.assertIsInstance(
            way(to, connector(), Security(wanted=True, terms=TlsTerms(verify=False))), TlsWay
        )


class Endpoint:
    """Connects as the test says."""

    def __init__(self, outcome: Deferred[Any]) -> None:
        self.outcome = outcome

    def connect(self, factory: Any) -> Deferred[Any]:
        return self.outcome


class EndpointTests(SynchronousTestCase):
    def connecting(self, outcome: Deferred[Any], clock: Clock) -> Deferred[Any]:
        found = EndpointWay("x:y", cast("Any", Endpoint(outcome)), connector(clock))
        connecting: Deferred[Any] = found.connect(cast("Any", Factory()))
        return connecting

    def test_outcomes(self) -> None:
        """It connects, or says in one line why not."""
        protocol = object()
        connected = self.connecting(succeed(protocol), Clock())
        self.assertIs(self.successResultOf(connected), protocol)
        refused = self.connecting(fail(RefusedError()), Clock())
        error = self.failureResultOf(refused, UnreachableError).value
        self.assertRegex(str(error), "^x:y: connection was refused")

    def test_late(self) -> None:
        """It has as much time as any other way."""
        clock = Clock()
        connecting = self.connecting(Deferred(), clock)
        clock.advance(5)
        error = self.failureResultOf(connecting, UnreachableError).value
        self.assertEqual(str(error), "x:y: no connection within 5 s")

    def test_read(self) -> None:
        """A string that Twisted knows is used, one that it does not know is told of."""
        reactor = MemoryReactorClock()
        found = endpoint_way("tcp:127.0.0.1:80", connector(reactor))
        found.connect(cast("Any", Factory()))
        self.assertEqual(reactor.tcpClients[0][:2], ("127.0.0.1", 80))
        for text in ("foo:bar", "tcp:", "ssl:a:x"):
            with self.assertRaisesRegex(ValueError, "is no endpoint: .*; as in tcp:HOST:PORT"):
                endpoint_way(text, connector())


class OneFamilyTests(SynchronousTestCase):
    def test_family(self) -> None:
        """Of a name only the addresses of one family are left; a name without any has none."""
        names = Names(Resolver({"both": (SIX, FOUR), "four": (FOUR,)}))
        for version, address in ((4, "127.0.0.1"), (6, "::1")):
            found = self.successResultOf(OneFamily(names, version).look_up("both"))
            self.assertEqual([str(each) for each in found], [address])
        error = self.failureResultOf(OneFamily(names, 6).look_up("four"), UnresolvedError).value
        self.assertEqual(str(error), "four: no IPv6 address is known")
