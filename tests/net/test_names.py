"""Looking names up: what is found, and how much at most."""

from ipaddress import ip_address

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IAddress
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.addresses import Address
from netkit.net.failures import UnresolvedError
from netkit.net.names import ADDRESSES_PER_FAMILY, Names
from tests.net.resolver import Resolver


def found(text: str, zone: int = 0) -> IAddress:
    """Return an address as a resolver finds it."""
    if ":" in text:
        return IPv6Address("TCP", text, 0, 0, zone)
    return IPv4Address("TCP", text, 0)


class NamesTests(SynchronousTestCase):
    def looked_up(self, *addresses: IAddress) -> tuple[Address, ...]:
        names = Names(Resolver({"a.example": addresses}))
        return self.successResultOf(names.look_up("a.example"))

    def test_found(self) -> None:
        """The addresses are returned in the resolver's order."""
        self.assertEqual(
            self.looked_up(found("2001:db8::1"), found("192.0.2.1")),
            (ip_address("2001:db8::1"), ip_address("192.0.2.1")),
        )

    def test_zone(self) -> None:
        """An address keeps its zone."""
        self.assertEqual(self.looked_up(found("fe80::1", 2)), (ip_address("fe80::1%2"),))
        self.assertEqual(self.looked_up(found("fe80::1%eth0", 2)), (ip_address("fe80::1%eth0"),))

    def test_odd_ones(self) -> None:
        """What is found twice counts once, and what is no IP address not at all."""
        self.assertEqual(
            self.looked_up(found("192.0.2.1"), UNIXAddress("/run/x"), found("192.0.2.1")),
            (ip_address("192.0.2.1"),),
        )

    def test_many(self) -> None:
        """Of a very long answer a few of each family are kept."""
        many = [found(f"192.0.2.{number}") for number in range(256)]
        many += [found(f"2001:db8::{number:x}") for number in range(1, 256)]
        kept = self.looked_up(*many)
        self.assertEqual(len(kept), 2 * ADDRESSES_PER_FAMILY)
        self.assertEqual({each.version for each in kept}, {4, 6})

    def test_none(self) -> None:
        """A name without address is told as such."""
        error = self.failureResultOf(Names(Resolver({"a.example": ()})).look_up("a.example"))
        self.assertEqual(str(error.value), "a.example: no address is known")
        error.trap(UnresolvedError)

    def test_late(self) -> None:
        """An answer may come later."""
        resolver = Resolver()
        looking = Names(resolver).look_up("a.example")
        self.assertNoResult(looking)
        resolver.answer("a.example", found("192.0.2.1"))
        self.assertEqual(self.successResultOf(looking), (ip_address("192.0.2.1"),))

    def test_too_many_names(self) -> None:
        """One name too many at a time is refused; whoever was first is served, and makes room."""
        resolver = Resolver()
        names = Names(resolver, at_once=2)
        first, second = names.look_up("a.example"), names.look_up("b.example")
        error = self.failureResultOf(names.look_up("c.example"), UnresolvedError)
        self.assertEqual(str(error.value), "c.example: too many names are being looked up")
        self.assertEqual(resolver.asked, ["a.example", "b.example"])
        resolver.answer("a.example", found("192.0.2.1"))
        self.successResultOf(first)
        third = names.look_up("c.example")
        resolver.answer("c.example", found("192.0.2.3"))
        self.successResultOf(third)
        self.assertNoResult(second)

    def test_cancelled(self) -> None:
        """A look-up that nobody waits for any more counts until it ends, unheard."""
        resolver = Resolver()
        names = Names(resolver, at_once=1)
        looking = names.look_up("a.example")
        looking.cancel()
        self.failureResultOf(looking, CancelledError)
        self.failureResultOf(names.look_up("b.example"), UnresolvedError)
        resolver.answer("a.example", found("192.0.2.1"))
        resolver.known["b.example"] = (found("192.0.2.2"),)
        self.successResultOf(names.look_up("b.example"))
