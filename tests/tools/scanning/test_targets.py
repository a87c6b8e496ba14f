"""Hosts as people write them."""

from ipaddress import ip_address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.scanning.targets import MOST_ADDRESSES, Target, parse, parse_all


class ParseTests(SynchronousTestCase):
    def test_names_and_addresses(self) -> None:
        """A name stays one; addresses are read in each of their forms."""
        self.assertEqual(parse("a.example"), Target("a.example", name="a.example"))
        for text, address in (
            ("127.0.0.1", "127.0.0.1"),
            ("0x7f.1", "127.0.0.1"),
            ("::1", "::1"),
            ("[::1]", "::1"),
            ("fe80::1%eth0", "fe80::1%eth0"),
        ):
            self.assertEqual(parse(text).addresses, (ip_address(address),), text)

    def test_networks(self) -> None:
        """A network is all of its addresses, whichever of them it was written with."""
        self.assertEqual(
            list(map(str, parse("192.0.2.6/30").addresses)),
            ["192.0.2.4", "192.0.2.5", "192.0.2.6", "192.0.2.7"],
        )
        self.assertEqual(
            list(map(str, parse("2001:db8::/127").addresses)), ["2001:db8::", "2001:db8::1"]
        )
        self.assertEqual(len(parse("10.1.0.0/16").addresses), MOST_ADDRESSES)
        self.assertEqual(len(parse("2001:db8::/112").addresses), MOST_ADDRESSES)

    def test_wrong(self) -> None:
        """What is wrong is said, with what would be right."""
        for text, said in (
            (
                "10.0.0.0/15",
                '"10.0.0.0/15" has too many addresses; /16 or longer, 65,536 addresses',
            ),
            ("::1/0", '"::1/0" has too many addresses; /112 or longer, 65,536 addresses'),
            ("10.0.0.0/33", '"10.0.0.0/33" is no network; /32 at most'),
            ("10.0.0.0/x", '"10.0.0.0/x" is no network; as in 192.0.2.0/24'),
            ("a.example/24", '"a.example/24" is no network; as in 192.0.2.0/24'),
            (
                "http://a.example/",
                '"http://a.example/" is a URL; a host name, an address or a network',
            ),
            ("0.0.0.0", '"0.0.0.0" is the address of no host; 127.0.0.1 is this one'),
            ("::", '"::" is the address of no host; 127.0.0.1 is this one'),
            ("0.0.0.9/28", '"0.0.0.9/28" has 0.0.0.0 in it, the address of no host'),
            (
                "a.example:22",
                '"a.example:22" is neither an address nor a host name; as in: scan a.example 22',
            ),
            ("a b", '"a b" is neither an address nor a host name'),
        ):
            with self.subTest(text):
                self.assertEqual(str(self.assertRaises(ValueError, parse, text)), said)

    def test_too_many(self) -> None:
        """All targets together have no more than 65,536 addresses; a name counts as one."""
        error = self.assertRaises(ValueError, parse_all, ["10.0.0.0/16", "a.example"])
        self.assertEqual(str(error), "65,537 addresses are too many; 65,536 at most")

    @settings(deadline=None)
    @given(st.integers(2**16, 2**32 - 1), st.integers(20, 32))
    def test_as_ipaddress(self, number: int, prefix: int) -> None:
        """A network has the addresses that the standard library says it has."""
        text = f"{ip_address(number)}/{prefix}"
        self.assertEqual(parse(text).addresses, tuple(ip_network(text, strict=False)))

    @settings(deadline=None)
    @given(st.text(alphabet="0123456789abcdef.:/%[]-x", max_size=30) | st.text(max_size=30))
    def test_anything(self, text: str) -> None:
        """Whatever is written is a name, addresses within bounds, or a ValueError."""
        try:
            target = parse(text)
        except ValueError:
            return
        self.assertNotEqual(bool(target.name), bool(target.addresses))
        self.assertLessEqual(len(target.addresses), MOST_ADDRESSES)
