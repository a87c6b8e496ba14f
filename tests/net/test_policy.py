"""What may be connected to, and which rule says no."""

from ipaddress import IPv4Address, IPv6Address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.document.values import Network
from netkit.net.addresses import Address, SocketAddress, host
from netkit.net.policy import ANYWHERE, EVERYWHERE, NOT_PUBLIC, OWN, Order, Policy

FORBIDDEN = {
    "0.0.0.0": "unspecified",
    "0.1.2.3": "unspecified",
    "::": "unspecified",
    "127.0.0.1": "loopback",
    "127.255.255.254": "loopback",
    "2130706433": "loopback",
    "0177.1": "loopback",
    "0x7f.1": "loopback",
    "::1": "loopback",
    "169.254.169.254": "link-local",
    "fe80::1": "link-local",
    "fe80::1%eth0": "link-local",
    "febf:ffff::1": "link-local",
    "10.0.0.1": "private (RFC 1918)",
    "172.31.255.255": "private (RFC 1918)",
    "192.168.0.1": "private (RFC 1918)",
    "fc00::1": "private (RFC 4193)",
    "fd12:3456::1": "private (RFC 4193)",
    "fec0::1": "site-local",
    "100.64.0.1": "shared by a carrier's customers",
    "100.127.255.255": "shared by a carrier's customers",
    "224.0.0.1": "multicast",
    "239.255.255.255": "multicast",
    "ff02::1": "multicast",
    "255.255.255.255": "broadcast",
    "::ffff:127.0.0.1": "IPv4-mapped",
    "::ffff:8.8.8.8": "IPv4-mapped",
    "::127.0.0.1": "IPv4-compatible",
    "::ffff:0:127.0.0.1": "IPv4-translated",
    "64:ff9b::7f00:1": "NAT64 (RFC 6052)",
    "64:ff9b::808:808": "NAT64 (RFC 6052)",
    "64:ff9b:1::1": "NAT64 (RFC 8215)",
    "2002:7f00:1::1": "6to4",
    "2001:0:1::1": "Teredo",
    "192.0.2.1": "for documentation",
    "198.51.100.1": "for documentation",
    "203.0.113.1": "for documentation",
    "2001:db8::1": "for documentation",
    "3fff::1": "for documentation",
    "198.18.0.1": "for benchmarks",
    "2001:2::1": "for benchmarks",
    "192.0.0.1": "for protocols",
    "2001:20::1": "for protocols",
    "240.0.0.1": "reserved",
    "100::1": "reserved",
    "5f00::1": "reserved",
    "4000::1": "reserved",
    "e000::1": "reserved",
}
PUBLIC = ("8.8.8.8", "1.1.1.1", "100.63.255.255", "172.32.0.1", "2606:4700::1111", "2a00::1")
_ports = st.integers(1, 65535)


def at(text: str, port: int = 80) -> SocketAddress:
    """Return what a host in a request's target and a port come to."""
    address = host(text)
    assert not isinstance(address, str)
    return SocketAddress(address, port)


def allowing(*networks: str) -> Policy:
    """Return the default policy with exceptions."""
    return Policy(allowed=tuple(map(ip_network, networks)))


class DefaultTests(SynchronousTestCase):
    def test_forbidden(self) -> None:
        """What is not on the public Internet is forbidden, by the rule that says most."""
        for text, rule in FORBIDDEN.items():
            with self.subTest(text):
                self.assertIn(rule, Policy().refusal(at(text)))

    def test_public(self) -> None:
        """What is on it is not."""
        for text in PUBLIC:
            with self.subTest(text):
                self.assertEqual(Policy().refusal(at(text)), "")

    def test_every_rule(self) -> None:
        """No rule is hidden by those before it."""
        said = {Policy().refusal(at(text)) for text in FORBIDDEN}
        self.assertEqual(said, {rule.name for rule in NOT_PUBLIC})

    @settings(deadline=None, max_examples=300)
    @given(st.ip_addresses())
    def test_global_only(self, address: Address) -> None:
        """What is permitted is what the standard library too calls global, and never multicast."""
        if not Policy().refusal(SocketAddress(address, 80)):
            self.assertTrue(address.is_global)
            self.assertFalse(address.is_multicast)

    @settings(deadline=None)
    @given(st.ip_addresses(v=4))
    def test_carried(self, address: IPv4Address) -> None:
        """No IPv6 address that carries an IPv4 address is permitted."""
        low = int(address)
        for prefix in ("::", "::ffff:0:0", "::ffff:0:0:0", "64:ff9b::"):
            inside = IPv6Address(int(IPv6Address(prefix)) + low)
            self.assertNotEqual(Policy().refusal(SocketAddress(inside, 80)), "")
        sixtofour = IPv6Address(0x2002 << 112 | low << 80)
        self.assertNotEqual(Policy().refusal(SocketAddress(sixtofour, 80)), "")


class AllowedTests(SynchronousTestCase):
    def test_allowed(self) -> None:
        """A network that is allowed is permitted, its neighbours are not."""
        policy = allowing("10.1.0.0/16", "fd00::/64")
        self.assertEqual(policy.refusal(at("10.1.2.3")), "")
        self.assertEqual(policy.refusal(at("fd00::1")), "")
        self.assertIn("RFC 1918", policy.refusal(at("10.2.0.1")))

    def test_zone(self) -> None:
        """A zone changes nothing about an address."""
        self.assertEqual(allowing("fe80::/10").refusal(at("fe80::1%eth0")), "")

    def test_both_faces(self) -> None:
        """Where a gateway's prefix is allowed, the address behind it still has to pass."""
        policy = allowing("64:ff9b::/96", "2002::/16", "::ffff:0:0/96", "2001::/32")
        self.assertEqual(policy.refusal(at("64:ff9b::8.8.8.8")), "")
        self.assertEqual(policy.refusal(at("2002:808:808::1")), "")
        self.assertEqual(policy.refusal(at("::ffff:8.8.8.8")), "")
        self.assertEqual(policy.refusal(at("64:ff9b::127.0.0.1")), "loopback")
        self.assertEqual(policy.refusal(at("2002:7f00:1::1")), "loopback")
        self.assertEqual(policy.refusal(at("::ffff:169.254.169.254")), "link-local")
        self.assertEqual(policy.refusal(at("2001:0:1::80ff:fffe")), "loopback")

    def test_loopback_carries_nothing(self) -> None:
        """The loopback address of IPv6 is not 0.0.0.1 as well."""
        self.assertEqual(allowing("::1/128").refusal(at("::1")), "")

    def test_mapped_needs_its_own(self) -> None:
        """To allow an IPv4 network does not allow the same mapped to IPv6."""
        self.assertIn("mapped", allowing("127.0.0.0/8").refusal(at("::ffff:127.0.0.1")))

    @settings(deadline=None)
    @given(st.ip_addresses(), _ports)
    def test_anywhere(self, address: Address, port: int) -> None:
        """Where there are no rules nothing is forbidden."""
        self.assertEqual(ANYWHERE.refusal(SocketAddress(address, port)), "")

    def test_everything(self) -> None:
        """All can be allowed."""
        everything: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))
        for text in FORBIDDEN:
            self.assertEqual(Policy(allowed=everything).refusal(at(text)), "")


class OrderTests(SynchronousTestCase):
    def test_first(self) -> None:
        """The first order that an address fits decides, before the rules."""
        policy = Policy(
            orders=(
                Order("no", (ip_network("10.1.0.0/16"),), allowed=False),
                Order("yes", (ip_network("10.0.0.0/8"),), allowed=True),
                Order("none", EVERYWHERE, allowed=False),
            ),
            own=frozenset({at("10.0.0.1", 8001)}),
        )
        for text, said in (("10.1.0.1", "no"), ("10.2.0.1", ""), ("8.8.8.8", "none")):
            self.assertEqual(policy.refusal(at(text)), said)
        self.assertEqual(policy.refusal(at("10.0.0.1", 8001)), OWN)

    def test_both_faces(self) -> None:
        """An address that carries another has to pass as both."""
        policy = Policy(orders=(Order("yes", (ip_network("10.0.0.0/8"),), allowed=True),))
        for text in ("::ffff:10.0.0.1", "64:ff9b::a00:1", "2002:a00:1::"):
            self.assertNotEqual(policy.refusal(at(text)), "")


class OwnTests(SynchronousTestCase):
    def test_own(self) -> None:
        """An own listener is forbidden though its network is allowed; another port is not."""
        policy = Policy(
            allowed=(ip_network("127.0.0.0/8"),), own=frozenset({at("127.0.0.1", 8001)})
        )
        self.assertEqual(policy.refusal(at("127.0.0.1", 8001)), OWN)
        self.assertEqual(policy.refusal(at("127.0.0.1", 8080)), "")
        self.assertEqual(policy.refusal(at("127.0.0.2", 8001)), "")

    def test_in_disguise(self) -> None:
        """An own listener is the same in every disguise."""
        policy = Policy(rules=(), own=frozenset({at("127.0.0.1", 8001)}))
        for text in ("127.1", "::ffff:127.0.0.1", "0.0.0.0", "::"):
            with self.subTest(text):
                self.assertEqual(policy.refusal(at(text, 8001)), OWN)

    def test_everywhere(self) -> None:
        """A listener on every address is met at each address of this host, and at no other's."""
        for wildcard in ("0.0.0.0", "::"):
            policy = Policy(rules=(), own=frozenset({at(wildcard, 8001)}))

            def is_local(address: Address) -> bool:
                return str(address) == "8.8.8.8"

            self.assertEqual(policy.refusal(at("8.8.8.8", 8001), is_local), OWN)
            self.assertEqual(policy.refusal(at("8.8.8.8", 8002), is_local), "")
            self.assertEqual(policy.refusal(at("8.8.4.4", 8001), is_local), "")

    def test_zone_and_loopback(self) -> None:
        """A zone hides no listener, and it is asked with its zone whether an address is local."""
        policy = Policy(rules=(), own=frozenset({at("::1", 8001), at("::", 8002)}))
        asked: list[Address] = []

        def is_local(address: Address) -> bool:
            asked.append(address)
            return True

        self.assertEqual(policy.refusal(at("::1%1", 8001), is_local), OWN)
        self.assertEqual(asked, [])
        self.assertEqual(policy.refusal(at("fe80::1%eth0", 8002), is_local), OWN)
        self.assertEqual(asked, [host("fe80::1%eth0")])

    def test_seldom_asked(self) -> None:
        """Whether an address is local is asked only where a listener's port is wanted."""
        policy = Policy(own=frozenset({at("0.0.0.0", 8001)}))
        asked: list[Address] = []

        def is_local(address: Address) -> bool:
            asked.append(address)
            return False

        policy.refusal(at("8.8.8.8", 443), is_local)
        self.assertEqual(asked, [])
        policy.refusal(at("8.8.8.8", 8001), is_local)
        self.assertEqual(len(asked), 1)
