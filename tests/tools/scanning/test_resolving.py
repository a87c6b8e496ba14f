"""Targets become hosts."""

from collections.abc import Sequence
from ipaddress import ip_address

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.names import Names
from netkit.tools.scanning.resolving import LOOKUP_TIMEOUT, LOOKUPS, Host, Resolved, resolve
from netkit.tools.scanning.targets import parse_all
from tests.net.resolver import Resolver
from tests.net.test_names import found

KNOWN = {
    "both.example": tuple(map(found, ("2001:db8::1", "192.0.2.1", "2001:db8::2"))),
    "six.example": (found("2001:db8::6"),),
    "none.example": (),
}


class ResolveTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.resolver = Resolver(KNOWN)
        self.clock = Clock()

    def begun(self, texts: Sequence[str], *, prefer_v6: bool = False) -> "Deferred[Resolved]":
        names = Names(self.resolver)
        resolving = resolve(parse_all(texts), names, self.clock, prefer_v6=prefer_v6)
        return Deferred.fromCoroutine(resolving)

    def resolved(self, *texts: str, prefer_v6: bool = False) -> Resolved:
        return self.successResultOf(self.begun(texts, prefer_v6=prefer_v6))

    def test_one_of_several(self) -> None:
        """Of a name the first IPv4 address is taken, or an IPv6 one where wanted; others are told."""
        first, second, third = map(ip_address, ("192.0.2.1", "2001:db8::1", "2001:db8::2"))
        four = self.resolved("both.example")
        self.assertEqual(four.hosts, (Host(first, "both.example"),))
        self.assertEqual(four.further, {"both.example": (second, third)})
        six = self.resolved("both.example", prefer_v6=True)
        self.assertEqual(six.hosts, (Host(second, "both.example"),))

    def test_only_v6(self) -> None:
        """A name that has nothing else has an IPv6 address."""
        only = self.resolved("six.example")
        self.assertEqual((len(only.hosts), only.further, only.failed), (1, {}, {}))
        self.assertEqual(str(only.hosts[0]), "six.example (2001:db8::6)")

    def test_unknown(self) -> None:
        """A name without an address keeps the others from nothing, and why is told."""
        resolved = self.resolved("none.example", "127.0.0.1")
        self.assertEqual(list(map(str, resolved.hosts)), ["127.0.0.1"])
        said = {name: str(error) for name, error in resolved.failed.items()}
        self.assertEqual(said, {"none.example": "none.example: no address is known"})

    def test_each_once(self) -> None:
        """An address that is named twice is there once, in the place where it was named first."""
        hosts = self.resolved("192.0.2.2", "192.0.2.0/30", "both.example", "both.example").hosts
        self.assertEqual(
            [str(host.address) for host in hosts],
            ["192.0.2.2", "192.0.2.0", "192.0.2.1", "192.0.2.3"],
        )
        self.assertEqual(self.resolver.asked, ["both.example"])

    def test_no_answer(self) -> None:
        """A resolver that says nothing is not waited for without end; few are asked at once."""
        names = [f"{number}.example" for number in range(LOOKUPS + 5)]
        resolving = self.begun(names)
        self.assertEqual(len(self.resolver.asked), LOOKUPS)
        self.clock.advance(LOOKUP_TIMEOUT)
        self.clock.advance(LOOKUP_TIMEOUT)
        resolved = self.successResultOf(resolving)
        said = str(resolved.failed["0.example"])
        self.assertEqual(said, "0.example: no resolver has answered within 15 s")
        self.assertEqual(len(resolved.failed), LOOKUPS + 5)
