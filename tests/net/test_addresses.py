"""What is an address, what is a name, and what is neither."""

import socket
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.addresses import (
    Address,
    SocketAddress,
    host,
    interleaved,
    literal,
    plain,
    within,
)

DISGUISES = {
    "127.0.0.1": "127.0.0.1",
    "127.0.0.1.": "127.0.0.1",
    "127.1": "127.0.0.1",
    "127.0.1": "127.0.0.1",
    "2130706433": "127.0.0.1",
    "0x7f000001": "127.0.0.1",
    "0X7F.1": "127.0.0.1",
    "0177.0.0.01": "127.0.0.1",
    "00000000000177.1": "127.0.0.1",
    "0": "0.0.0.0",
    "4294967295": "255.255.255.255",
    "1.16777215": "1.255.255.255",
    "\uff11\uff12\uff17.\uff10.\uff10.\uff11": "127.0.0.1",
    "127\u30020\uff0e0\uff611": "127.0.0.1",
    "\u2460\u2461\u2466.1": "127.0.0.1",
    "0\uff587f.1": "127.0.0.1",
    "::1": "::1",
    "[::1]": "::1",
    "0:0:0:0:0:0:0:1": "::1",
    "::ffff:127.0.0.1": "::ffff:127.0.0.1",
    "::FFFF:7F00:1": "::ffff:127.0.0.1",
    "[::ffff:7f00:0001]": "::ffff:127.0.0.1",
    "fe80::1%eth0": "fe80::1%eth0",
    "[fe80::1%25eth0]": "fe80::1%eth0",
    "[fe80::1%2]": "fe80::1%2",
}
NAMES = ("example.com", "localhost.", "a_b.example", "xn--bcher-kva.example", "-a-.b", "1.2.3.4.in")
NEITHER = (
    "",
    ".",
    "..",
    "a..b",
    " 127.0.0.1",
    "127.0.0.1\n",
    "127.0.0.1 ",
    "127.0.0.1:80",
    "1.2.3.4.5",
    "256.256.256.256",
    "1.2.3.256",
    "4294967296",
    "0x100000000",
    "08.1",
    "127.0.0.0x",
    "+1.1",
    "1_0.1",
    "[127.0.0.1]",
    "[::1",
    "[::1].",
    "::1.",
    "::ffff:0177.0.0.1",
    "fe80::1%",
    "fe80::1%eth0%eth1",
    "fe80::1%an-interface-with-a-long-name",
    "fe80::1%/../",
    "a\x00b",
    "a\x00.\uff11",
    "a b",
    "a/b",
    "user@example.com",
    "\uff3b::\uff11\uff3d",
    "\ud800",
    "a" * 64,
    "a." * 127 + "a",
    "9" * 5000,
    "\uff11" * 100_000,
)

_numbers = st.builds(
    lambda number, written: written(number),
    st.one_of(st.integers(0, 300), st.integers(0, 2**33)),
    st.sampled_from((str, "{:#x}".format, "0{:o}".format, "0X{:X}".format, "00{:o}".format)),
)


def _in_c(parse: Callable[[str], object], text: str) -> bool:
    try:
        parse(text)
    except OSError:
        return False
    return True


class HostTests(SynchronousTestCase):
    def test_disguises(self) -> None:
        """However an address is written, it is that address."""
        for text, address in DISGUISES.items():
            with self.subTest(text):
                self.assertEqual(host(text), ip_address(address))

    def test_names(self) -> None:
        """Names stay as they are written."""
        for name in NAMES:
            with self.subTest(name):
                self.assertEqual(host(name), name)

    def test_international_names(self) -> None:
        """A name beyond ASCII is turned into the form that the DNS has."""
        self.assertEqual(host("b\u00fccher.example"), "xn--bcher-kva.example")
        self.assertEqual(host("stra\u00dfe.example"), "xn--strae-oqa.example")

    def test_neither(self) -> None:
        """What is neither an address nor a name is refused in words that can be printed."""
        for text in NEITHER:
            with self.subTest(text[:100]):
                error = self.assertRaises(ValueError, host, text)
                self.assertIn("is neither an address nor a host name", str(error))
                self.assertTrue(str(error).isprintable())
                self.assertLess(len(str(error)), 200)

    @settings(deadline=None, max_examples=200)
    @given(st.one_of(st.text(), st.from_regex(r"[0-9a-fxA-F.:%\[\]]{1,20}", fullmatch=True)))
    def test_no_name_is_an_address(self, text: str) -> None:
        """What goes to a resolver as a name is nothing that the C library takes for an address."""
        try:
            found = host(text)
        except ValueError:
            return
        if isinstance(found, str):
            self.assertTrue(found.isascii())
            self.assertRaises(OSError, socket.getaddrinfo, found, None, flags=socket.AI_NUMERICHOST)


class LiteralTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=300)
    @given(st.lists(_numbers, min_size=1, max_size=5).map(".".join))
    def test_as_inet_aton(self, text: str) -> None:
        """IPv4 is what the C library makes of it."""
        expected = IPv4Address(socket.inet_aton(text)) if _in_c(socket.inet_aton, text) else None
        self.assertEqual(literal(text), expected)

    @settings(deadline=None, max_examples=200)
    @given(st.text("0123456789xXabf.", max_size=12))
    def test_as_inet_aton_with_slips(self, text: str) -> None:
        """What the C library does not take for IPv4 is none, a dot at the end apart."""
        if not text.endswith("."):
            self.assertEqual(literal(text) is not None, _in_c(socket.inet_aton, text))

    @settings(deadline=None, max_examples=200)
    @given(
        st.one_of(
            st.text("0123456789abcF:.", max_size=20).map(":".__add__),
            st.ip_addresses(v=6).map(str),
            st.ip_addresses(v=6).map(lambda address: address.exploded.upper()),
            st.ip_addresses(v=4).map("::ffff:{}".format),
        )
    )
    def test_as_inet_pton(self, text: str) -> None:
        """IPv6 is what the C library makes of it."""
        known = _in_c(lambda text: socket.inet_pton(socket.AF_INET6, text), text)
        expected = IPv6Address(socket.inet_pton(socket.AF_INET6, text)) if known else None
        self.assertEqual(literal(text), expected)


class ListTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """A peer's address loses its zone, and a mapped one is the IPv4 address that it is."""
        self.assertEqual(plain("fe80::1%eth0"), IPv6Address("fe80::1"))
        self.assertEqual(plain("::ffff:192.0.2.1"), IPv4Address("192.0.2.1"))

    def test_within(self) -> None:
        """An address is within a network of its own family only."""
        networks = (ip_network("10.0.0.0/8"), ip_network("::/64"))
        self.assertTrue(within(IPv4Address("10.1.1.1"), networks))
        self.assertTrue(within(IPv6Address("::a01:101"), networks))
        self.assertFalse(within(IPv4Address("11.0.0.1"), networks))
        self.assertFalse(within(IPv4Address("0.0.0.1"), networks[1:]))

    def test_interleaved(self) -> None:
        """Families take turns, beginning with the first; within one the order stays."""
        six = [IPv6Address(number) for number in range(1, 4)]
        four = [IPv4Address("10.0.0.1")]
        self.assertEqual(interleaved([*six, *four]), [six[0], four[0], six[1], six[2]])
        self.assertEqual(interleaved([*four, *six]), [four[0], *six])
        self.assertEqual(interleaved([]), [])

    @settings(deadline=None)
    @given(st.lists(st.ip_addresses(), unique=True))
    def test_none_lost(self, addresses: list[Address]) -> None:
        """All are there, once."""
        self.assertEqual(set(interleaved(addresses)), set(addresses))
        self.assertEqual(len(interleaved(addresses)), len(addresses))

    def test_printed(self) -> None:
        """A socket's address is printed as in a URL."""
        self.assertEqual(str(SocketAddress(IPv4Address("192.0.2.1"), 80)), "192.0.2.1:80")
        self.assertEqual(str(SocketAddress(IPv6Address("::1"), 80)), "[::1]:80")
