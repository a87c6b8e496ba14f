"""Where the proxy's clients may go."""

from ipaddress import ip_network
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.addresses import SocketAddress, host, literal
from netkit.net.policy import Policy
from netkit.services.proxy.access import (
    PUBLIC,
    Access,
    Action,
    DestinationRule,
    Hosts,
    HostText,
    Ports,
    PortText,
)
from netkit.services.proxy.targets import Target


def rule(action: str = "allow", **kw: Any) -> DestinationRule:
    """Return a rule whose networks are written as text."""
    networks = tuple(map(ip_network, kw.pop("networks", ())))
    return DestinationRule(action=Action(action), networks=networks, **kw)


def access(*rules: DestinationRule, ports: tuple[int | str, ...] = ("1-65535",)) -> Access:
    """Return rules for all `ports`."""
    return Access.of(ports, ports, rules)


def to(name: str, port: int = 80) -> Target:
    """Return a target."""
    return Target(host(name), port)


def refused(rules: Access, name: str, address: str = "", port: int = 80) -> str:
    """Return which rule refuses `name`, which has the address `address`; or the empty string."""
    verdict = rules.judge(to(name, port), tunnel=False)
    if verdict.refused_by:
        return verdict.refused_by
    found = literal(address or name)
    assert found is not None
    return Policy(orders=verdict.orders).refusal(SocketAddress(found, port))


class WrittenTests(SynchronousTestCase):
    def test_ports(self) -> None:
        """Ports are numbers, or ranges as text."""
        check = PortText()
        for right in (1, 65535, "80", "1024-65535", "1-1"):
            self.assertIsNone(check.complaint(right))
        for wrong in (0, 65536, -1, "", "80-", "90-80", "0-5", "a", "1-65536", "1 - 2"):
            self.assertIn("a port as in 443", check.complaint(wrong) or "")
        ports = Ports((80, "1024-1026"))
        self.assertEqual([each for each in range(2000) if each in ports], [80, 1024, 1025, 1026])

    def test_hosts(self) -> None:
        """Hosts are names, or patterns with a star for all that stands before a dot."""
        check = HostText()
        for right in ("a", "example.org", "*.example.org", "*", "m\u00fcnchen.example", "a."):
            self.assertIsNone(check.complaint(right))
        for wrong in ("", "*.", "a.*", "a*.b", "**", "a b", "*.*.a", "a:80"):
            self.assertIsNotNone(check.complaint(wrong), wrong)
        for address in ("127.0.0.1", "0x7f.1", "::1", "*.1"):
            self.assertIn("write it in networks", check.complaint(address) or "", address)

    def test_patterns(self) -> None:
        """A name fits itself, a star one label or more; case and a dot at the end do not count."""
        hosts = Hosts(("example.org", "*.Example.net", "m\u00fcnchen.example"))
        for name in ("example.org", "EXAMPLE.org.", "a.example.net", "a.b.example.net."):
            self.assertIn(name, hosts)
        self.assertIn("xn--mnchen-3ya.example", hosts)
        for name in ("example.net", "a.example.org", "aexample.net", "example.org.net"):
            self.assertNotIn(name, hosts)
        address = host("192.0.2.1")
        self.assertNotIn(address, hosts)
        for everything in (Hosts(()), Hosts(("*",)), Hosts(("a", "*"))):
            self.assertIn(address, everything)
            self.assertIn("any.name", everything)


class JudgementTests(SynchronousTestCase):
    def test_default(self) -> None:
        """Without rules everything public may be asked for, at the ports that are listed."""
        rules = Access.of((443,), (80, 443, "1024-65535"), ())
        self.assertEqual(refused(rules, "a", "8.8.8.8"), "")
        self.assertEqual(refused(rules, "a", "127.0.0.1"), "loopback")
        self.assertEqual(refused(rules, "a", "8.8.8.8", 25), "ports")
        self.assertEqual(rules.judge(to("a", 25), tunnel=True).refused_by, "connect_ports")
        self.assertEqual(rules.judge(to("a", 443), tunnel=True).allowed_by, (PUBLIC,))

    def test_first(self) -> None:
        """The first rule that fits decides."""
        rules = access(
            rule("allow", hosts=("good.bad.org",)),
            rule("refuse", hosts=("*.bad.org",), name="bad"),
            rule("refuse", ports=(81,)),
        )
        self.assertEqual(refused(rules, "good.bad.org", "8.8.8.8", 81), "")
        self.assertEqual(refused(rules, "x.bad.org"), 'destination "bad"')
        self.assertEqual(refused(rules, "other", port=81), "destination 3")
        self.assertEqual(refused(rules, "other", "8.8.8.8"), "")

    def test_names_open_nothing(self) -> None:
        """A host that is allowed is not reached where its address is not public."""
        rules = access(rule("allow", hosts=("*.example.org",)), rule("refuse"))
        self.assertEqual(refused(rules, "a.example.org", "10.0.0.1"), "private (RFC 1918)")
        self.assertEqual(refused(rules, "a.example.org", "8.8.8.8"), "")
        self.assertEqual(refused(rules, "8.8.8.8"), "destination 2")

    def test_networks(self) -> None:
        """A network that is allowed is reached, by a host that the rule is for."""
        rules = access(
            rule("allow", hosts=("lab",), networks=("10.0.0.0/8",), name="lab"),
            rule("refuse", networks=("8.8.8.0/24",)),
        )
        self.assertEqual(refused(rules, "lab", "10.1.2.3"), "")
        self.assertEqual(refused(rules, "other", "10.1.2.3"), "private (RFC 1918)")
        self.assertEqual(refused(rules, "lab", "127.0.0.1"), "loopback")
        self.assertEqual(refused(rules, "lab", "8.8.8.8"), "destination 2")
        verdict = rules.judge(to("lab"), tunnel=False)
        for found, rules_said in (
            ("lab", f'destination "lab" or {PUBLIC}'),
            ("10.1.2.3", 'destination "lab"'),
            ("9.9.9.9", PUBLIC),
        ):
            self.assertEqual(verdict.passed_by(host(found)), rules_said)

    def test_only_some(self) -> None:
        """A rule at the end that refuses all leaves what was allowed before it."""
        rules = access(rule("allow", networks=("10.0.0.0/8",)), rule("refuse"))
        self.assertEqual(refused(rules, "a", "10.1.2.3"), "")
        self.assertEqual(refused(rules, "a", "8.8.8.8"), "destination 2")
        self.assertEqual(refused(rules, "a", "2001:4860::8"), "destination 2")

    def test_without_addresses(self) -> None:
        """Where nobody will know the address, rules about networks do not count."""
        rules = access(rule("allow", networks=("10.0.0.0/8",)), rule("refuse", hosts=("b",)))
        self.assertEqual(rules.judge(to("a"), tunnel=False, by_address=False).orders, ())
        verdict = rules.judge(to("b"), tunnel=False, by_address=False)
        self.assertEqual(verdict.refused_by, "destination 2")

    def test_disguises(self) -> None:
        """No way of writing an address gets it past the rules."""
        rules = access(rule("allow", networks=("10.0.0.0/8",)))
        for inward in DISGUISES:
            with self.subTest(inward):
                self.assertNotEqual(refused(rules, inward), "")

    @settings(max_examples=60, deadline=None)
    @given(
        st.lists(
            st.sampled_from(
                RULES := (
                    rule("refuse", hosts=("a",)),
                    rule("allow", hosts=("a",)),
                    rule("refuse", networks=("8.0.0.0/8",)),
                    rule("allow", networks=("8.0.0.0/8", "10.0.0.0/8")),
                    rule("refuse", ports=(80,)),
                    rule("allow"),
                    rule("refuse"),
                )
            ),
            max_size=4,
        ),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["8.8.8.8", "10.0.0.1", "9.9.9.9"]),
    )
    def test_as_if_known(self, rules: list[DestinationRule], name: str, address: str) -> None:
        """The two judgements together are as one in which all is known at once."""
        found = literal(address)

        def fits(each: DestinationRule) -> bool:
            return (
                (not each.hosts or name in each.hosts)
                and (not each.ports or 80 in each.ports)
                and (not each.networks or any(found in network for network in each.networks))
            )

        first = next(filter(fits, rules), rule("allow"))
        allowed = first.action is Action.ALLOW and (bool(first.networks) or address != "10.0.0.1")
        self.assertEqual(refused(access(*rules), name, address) == "", allowed)


DISGUISES = (
    "2130706433",
    "0x7f000001",
    "0177.0.0.1",
    "127.1",
    "127.0.0.1.",
    "::1",
    "[::1]",
    "::ffff:127.0.0.1",
    "::127.0.0.1",
    "::ffff:0:127.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "::ffff:10.0.0.1",
    "0",
    "0.0.0.0",
    "::",
)
