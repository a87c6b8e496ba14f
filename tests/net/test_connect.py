"""Outgoing connections: to checked addresses only, one after another, in time, or not at all."""

from ipaddress import ip_address, ip_network
from typing import Any, cast

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet import error
from twisted.internet.address import IPv4Address
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import ClientFactory, Factory, Protocol
from twisted.internet.testing import MemoryReactorClock, StringTransport
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.addresses import Address, SocketAddress
from netkit.net.connect import ATTEMPT_DELAY, TIMEOUT, Connector, is_local
from netkit.net.failures import (
    ForbiddenError,
    RefusedError,
    TimedOutError,
    UnreachableError,
    UnresolvedError,
)
from netkit.net.names import Names
from netkit.net.policy import Policy
from tests.net.resolver import Resolver
from tests.net.test_names import found

REFUSED = error.ConnectionRefusedError(111, "Connection refused")
UNREACHABLE = error.NoRouteError(101, "Network is unreachable")
SIX, FOUR, SIX2, FOUR2 = "2600::1", "8.8.8.8", "2600::2", "8.8.4.4"


class Made(Protocol):
    """Keeps how often it was connected and lost."""

    def __init__(self) -> None:
        self.events = ""

    def connectionMade(self) -> None:
        self.events += "m"

    def connectionLost(self, reason: Failure | None = None) -> None:
        self.events += "l"


class Making(Factory[Made]):
    """Keeps what it has made, and for which addresses."""

    def __init__(self) -> None:
        self.made: list[Made] = []
        self.addresses: list[Any] = []

    def buildProtocol(self, addr: object) -> Made | None:
        self.addresses.append(addr)
        self.made.append(Made())
        return self.made[-1]


class Declining(Factory[Made]):
    """Makes nothing."""

    def buildProtocol(self, addr: object) -> None:
        return None


class Raising(Factory[Made]):
    """Has a mistake in it."""

    def buildProtocol(self, addr: object) -> None:
        raise RuntimeError


class Zoneless(MemoryReactorClock):
    """Raises where it is to connect to IPv6, as a reactor does that does not know the zone."""

    def connectTCP(self, host: str, *rest: Any) -> Any:
        if ":" in host:
            raise OSError(1, "Name or service not known")
        return super().connectTCP(host, *rest)


class ConnectorTestCase(SynchronousTestCase):
    policy = Policy()

    def setUp(self) -> None:
        self.reactor = MemoryReactorClock()
        self.resolver = Resolver()
        self.factory = Making()

    def connect(
        self,
        to: str,
        port: int = 80,
        policy: Policy | None = None,
        factory: Factory[Any] | None = None,
    ) -> Deferred[IProtocol]:
        names = Names(self.resolver)
        reactor = cast("Any", self.reactor)
        connector = Connector(reactor, reactor, names, policy or self.policy)
        return connector.connect(to, port, factory or self.factory)

    def resolve(self, *addresses: str) -> None:
        self.resolver.known["a.example"] = [found(address) for address in addresses]

    @property
    def tried(self) -> list[str]:
        """The hosts that the reactor was asked to connect to, in order."""
        return [str(host) for host, *_ in self.reactor.tcpClients]

    def attempt(self, number: int) -> ClientFactory[Any]:
        return cast("ClientFactory[Any]", self.reactor.tcpClients[number][2])

    def lose(self, number: int, why: Exception = REFUSED) -> None:
        """Have an attempt fail."""
        connector = self.reactor.connectors[number]
        self.attempt(number).clientConnectionFailed(connector, Failure(why))

    def accept(self, number: int) -> Any:
        """Have an attempt succeed, as a transport does; return the protocol, None where declined."""
        address = self.reactor.connectors[number].getDestination()
        protocol = self.attempt(number).buildProtocol(address)
        if protocol is not None:
            protocol.makeConnection(StringTransport(peerAddress=address))
        return protocol

    def stopped(self) -> list[int]:
        """Return the numbers of the attempts that were ended."""
        return [at for at, each in enumerate(self.reactor.connectors) if each._disconnected]


class PolicyTests(ConnectorTestCase):
    def test_literals(self) -> None:
        """An address is checked in every disguise, and no resolver is asked about it."""
        for text in ("127.0.0.1", "127.1", "2130706433", "0177.1", "0x7f.1", "[::1]", "127.0.0.1."):
            with self.subTest(text):
                failure = self.failureResultOf(self.connect(text), ForbiddenError)
                self.assertEqual(cast("ForbiddenError", failure.value).rule, "loopback")
        self.assertEqual((self.tried, self.resolver.asked), ([], []))

    def test_permitted_literal(self) -> None:
        """An address in disguise is connected to as what it is."""
        self.connect("0x08.8.2056")
        self.assertEqual(self.tried, ["8.8.8.8"])

    def test_resolved(self) -> None:
        """A name is checked by what it resolves to."""
        self.resolve("10.0.0.1")
        failure = self.failureResultOf(self.connect("a.example"), ForbiddenError)
        self.assertEqual(
            str(failure.value), "a.example: 10.0.0.1:80 is forbidden: private (RFC 1918)"
        )
        self.assertEqual(self.tried, [])

    def test_mixed(self) -> None:
        """Of a name with several addresses the forbidden ones are never tried."""
        self.resolve("fd00::1", "127.0.0.1", FOUR, "::ffff:10.0.0.1", "169.254.169.254", SIX)
        connecting = self.connect("a.example")
        self.lose(0)
        self.lose(1)
        self.failureResultOf(connecting, RefusedError)
        self.assertEqual(self.tried, [FOUR, SIX])

    def test_rebound(self) -> None:
        """A name is resolved once a connection, and what was checked is what is connected to."""
        self.resolve(FOUR)
        self.connect("a.example")
        self.resolve("127.0.0.1")
        self.failureResultOf(self.connect("a.example"), ForbiddenError)
        self.assertEqual(self.tried, [FOUR])
        self.assertEqual(self.resolver.asked, ["a.example"] * 2)

    def test_zone(self) -> None:
        """Where link-local addresses are allowed the zone is kept."""
        policy = Policy(allowed=(ip_network("fe80::/10"),))
        self.connect("fe80::1%eth0", policy=policy)
        self.resolver.known["b.example"] = [found("fe80::2", 3)]
        self.connect("b.example", policy=policy)
        self.assertEqual(self.tried, ["fe80::1%eth0", "fe80::2%3"])

    def test_own(self) -> None:
        """A listener of our own is refused, also where it is known as the wildcard only."""
        policy = Policy(rules=(), own=frozenset({SocketAddress(ip_address("0.0.0.0"), 8001)}))
        for text in ("127.0.0.1", "127.0.0.2", "::1"):
            with self.subTest(text):
                self.failureResultOf(self.connect(text, 8001, policy), ForbiddenError)
        self.connect("127.0.0.1", 8002, policy)
        self.assertEqual(self.tried, ["127.0.0.1"])

    @settings(deadline=None, max_examples=200)
    @given(
        st.one_of(
            st.just("a.example"),
            st.ip_addresses().map(str),
            st.text("0x1278.:abfff[]%", max_size=14),
        ),
        st.lists(st.ip_addresses().map(str), max_size=6),
    )
    def test_only_checked(self, to: str, answer: list[str]) -> None:
        """Whatever is asked for and however it resolves, only what the policy permits is tried."""
        self.setUp()
        self.resolve(*answer)
        self.resolver.known[to] = self.resolver.known["a.example"]
        connecting = self.connect(to)
        connecting.addErrback(lambda _: None)
        self.reactor.pump([ATTEMPT_DELAY] * 12)
        for host in self.tried:
            address = SocketAddress(ip_address(host), 80)
            self.assertEqual(Policy().refusal(address), "")
        connecting.cancel()


class NameTests(ConnectorTestCase):
    def test_neither(self) -> None:
        """What is neither an address nor a name goes to no resolver."""
        for text in ("", "a..b", "a\x00b", "1.2.3.4.5", "\ud800", "x" * 100_000):
            with self.subTest(text[:10]):
                self.failureResultOf(self.connect(text), UnresolvedError)
        self.assertEqual(self.resolver.asked, [])

    def test_unknown(self) -> None:
        """A name without address is told as such."""
        self.resolve()
        failure = self.failureResultOf(self.connect("a.example"), UnresolvedError)
        self.assertEqual(str(failure.value), "a.example: no address is known")

    def test_ports(self) -> None:
        """A port that there is not is the caller's mistake."""
        for port in (-1, 0, 65536):
            self.assertRaises(ValueError, self.connect, FOUR, port)


class RaceTests(ConnectorTestCase):
    def test_one(self) -> None:
        """A single address is tried, and the protocol returned when it has been connected."""
        connecting = self.connect(FOUR, 443)
        self.assertEqual(self.reactor.tcpClients[0][:2], (FOUR, 443))
        protocol = self.accept(0)
        self.assertNoResult(connecting)
        self.reactor.advance(0)
        self.assertIs(self.successResultOf(connecting), protocol)
        self.assertEqual(protocol.events, "m")
        self.assertEqual(self.factory.addresses, [IPv4Address("TCP", FOUR, 443)])

    def test_families_take_turns(self) -> None:
        """Addresses are tried 250 ms apart, the families in turn, the resolver's first one first."""
        self.resolve(SIX, SIX2, FOUR, FOUR2)
        self.connect("a.example")
        order = [SIX, FOUR, SIX2, FOUR2]
        for known in range(1, 5):
            self.assertEqual(self.tried, order[:known])
            self.reactor.advance(ATTEMPT_DELAY - 0.01)
            self.assertEqual(self.tried, order[:known])
            self.reactor.advance(0.01)
        self.assertEqual(self.tried, order)
        self.assertEqual(self.stopped(), [])

    def test_failure_hurries(self) -> None:
        """When an attempt fails the next one starts at once, and the one after 250 ms later."""
        self.resolve(SIX, FOUR, FOUR2)
        self.connect("a.example")
        self.reactor.advance(0.2)
        self.lose(0, UNREACHABLE)
        self.assertEqual(self.tried, [SIX, FOUR])
        self.reactor.advance(0.2)
        self.assertEqual(self.tried, [SIX, FOUR])
        self.reactor.advance(0.05)
        self.assertEqual(self.tried, [SIX, FOUR, FOUR2])

    def test_first_wins(self) -> None:
        """The first to be connected wins; the others are ended, and no further one is begun."""
        self.resolve(SIX, FOUR, FOUR2)
        connecting = self.connect("a.example")
        self.reactor.advance(ATTEMPT_DELAY)
        protocol = self.accept(1)
        self.assertEqual(self.stopped(), [0])
        self.reactor.advance(TIMEOUT)
        self.assertIs(self.successResultOf(connecting), protocol)
        self.assertEqual(self.tried, [SIX, FOUR])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_photo_finish(self) -> None:
        """A second one that is connected all the same is declined, so that its socket is closed."""
        self.resolve(SIX, FOUR)
        connecting = self.connect("a.example")
        self.reactor.advance(ATTEMPT_DELAY)
        first = self.accept(0)
        self.assertIsNone(self.accept(1))
        self.lose(1, error.UserError())
        self.reactor.advance(0)
        self.assertIsNone(self.accept(1))
        self.assertIs(self.successResultOf(connecting), first)
        self.assertEqual(len(self.factory.made), 1)

    def test_all_fail(self) -> None:
        """Where every attempt fails, each is told in its own words."""
        self.resolve(SIX, FOUR)
        connecting = self.connect("a.example")
        self.lose(0, UNREACHABLE)
        self.assertNoResult(connecting)
        self.lose(1)
        failure = self.failureResultOf(connecting, UnreachableError)
        self.assertEqual(
            str(failure.value),
            "[2600::1]:80: network is unreachable; 8.8.8.8:80: connection refused",
        )
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_slow_one_wins(self) -> None:
        """An attempt goes on after later ones have failed."""
        self.resolve(SIX, FOUR)
        connecting = self.connect("a.example")
        self.reactor.advance(ATTEMPT_DELAY)
        self.lose(1)
        self.assertNoResult(connecting)
        protocol = self.accept(0)
        self.reactor.advance(0)
        self.assertIs(self.successResultOf(connecting), protocol)

    def test_all_refuse(self) -> None:
        """Where every address refuses, it is refused."""
        connecting = self.connect(FOUR)
        self.lose(0)
        failure = self.failureResultOf(connecting, RefusedError)
        self.assertEqual(str(failure.value), "8.8.8.8:80: connection refused")

    def test_reactor_raises(self) -> None:
        """An attempt that the reactor cannot even begin has failed; the next one begins."""
        self.reactor = Zoneless()
        self.resolve(SIX, FOUR)
        connecting = self.connect("a.example")
        self.assertEqual(self.tried, [FOUR])
        self.lose(0)
        self.failureResultOf(connecting, UnreachableError)
        failure = self.failureResultOf(self.connect(SIX), UnreachableError)
        self.assertEqual(str(failure.value), "[2600::1]:80: name or service not known")

    def test_declined(self) -> None:
        """A factory that makes no protocol fails the connection."""
        connecting = self.connect(FOUR, factory=Declining())
        self.assertIsNone(self.accept(0))
        self.failureResultOf(connecting, error.NoProtocol)

    def test_factory_raises(self) -> None:
        """A factory that raises fails the connection, when the reactor has seen to the socket."""
        connecting = self.connect(FOUR, factory=Raising())
        self.assertRaises(RuntimeError, self.accept, 0)
        self.lose(0, error.ConnectError(string="a mistake"))
        failure = self.failureResultOf(connecting, UnreachableError)
        self.assertEqual(str(failure.value), "8.8.8.8:80: a mistake")
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_lost_at_once(self) -> None:
        """A connection that is lost before it is handed over has failed."""
        connecting = self.connect(FOUR)
        self.accept(0)
        connector = self.reactor.connectors[0]
        self.attempt(0).clientConnectionLost(connector, Failure(error.ConnectionLost("gone")))
        failure = self.failureResultOf(connecting, UnreachableError)
        self.assertEqual(str(failure.value), "8.8.8.8:80: gone")
        self.reactor.advance(1)

    def test_lost_later(self) -> None:
        """Once it is handed over its end is the protocol's matter alone."""
        connecting = self.connect(FOUR)
        self.accept(0)
        self.reactor.advance(0)
        self.successResultOf(connecting)
        connector = self.reactor.connectors[0]
        self.attempt(0).clientConnectionLost(connector, Failure(error.ConnectionDone()))
        self.assertEqual(self.tried, [FOUR])


class DeadlineTests(ConnectorTestCase):
    def test_resolver(self) -> None:
        """A resolver that does not answer is not waited for beyond the deadline."""
        connecting = self.connect("a.example")
        self.reactor.advance(TIMEOUT - 0.1)
        self.assertNoResult(connecting)
        self.reactor.advance(0.1)
        failure = self.failureResultOf(connecting, TimedOutError)
        self.assertEqual(str(failure.value), "a.example: no connection to port 80 within 15 s")
        self.resolver.answer("a.example", found(FOUR))
        self.assertEqual(self.tried, [])

    def test_attempts(self) -> None:
        """At the deadline, which the look-up counts in, what is still connecting is ended."""
        connecting = self.connect("a.example")
        self.reactor.advance(10)
        self.resolver.answer("a.example", found(SIX), found(FOUR), found(FOUR2))
        self.lose(0)
        self.reactor.advance(ATTEMPT_DELAY)
        self.reactor.advance(5)
        failure = self.failureResultOf(connecting, TimedOutError)
        self.assertIn("; [2600::1]:80: connection refused", str(failure.value))
        self.assertEqual(self.stopped(), [1, 2])
        self.assertIsNone(self.accept(1))
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_in_time(self) -> None:
        """After a connection there is no deadline any more."""
        connecting = self.connect(FOUR)
        protocol = self.accept(0)
        self.reactor.advance(0)
        self.successResultOf(connecting)
        self.reactor.advance(2 * TIMEOUT)
        self.assertEqual((protocol.events, self.stopped()), ("m", []))


class CancelTests(ConnectorTestCase):
    def test_while_looking_up(self) -> None:
        """Whoever cancels while the name is looked up is told at once; nothing is begun after."""
        connecting = self.connect("a.example")
        connecting.cancel()
        self.failureResultOf(connecting, CancelledError)
        self.resolver.answer("a.example", found(FOUR))
        self.assertEqual((self.tried, self.reactor.getDelayedCalls()), ([], []))

    def test_while_connecting(self) -> None:
        """Whoever cancels has every attempt ended, and no further one begun."""
        self.resolve(SIX, FOUR, FOUR2)
        connecting = self.connect("a.example")
        self.reactor.advance(ATTEMPT_DELAY)
        connecting.cancel()
        self.failureResultOf(connecting, CancelledError)
        self.assertEqual((self.stopped(), self.reactor.getDelayedCalls()), ([0, 1], []))
        self.lose(0, error.UserError())
        self.lose(1, error.UserError())
        self.assertEqual(self.tried, [SIX, FOUR])

    def test_while_handed_over(self) -> None:
        """Whoever cancels as the connection is being handed over has it ended."""
        connecting = self.connect(FOUR)
        self.accept(0)
        connecting.cancel()
        self.failureResultOf(connecting, CancelledError)
        self.assertEqual((self.stopped(), self.reactor.getDelayedCalls()), ([0], []))


class LocalTests(SynchronousTestCase):
    def test_local(self) -> None:
        """Loopback addresses are this host's, those set aside for documentation are not."""
        addresses: tuple[Address, ...] = tuple(map(ip_address, ("127.0.0.1", "127.9.9.9", "::1")))
        self.assertTrue(all(map(is_local, addresses)))
        for text in ("203.0.113.7", "2001:db8::7", "fe80::7%nowhere"):
            self.assertFalse(is_local(ip_address(text)))
