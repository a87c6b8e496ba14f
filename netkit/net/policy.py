"""Which addresses may be connected to.

Pure. A policy is asked about the address that a socket is to be connected to, never about a name,
so that it does not matter what a name stood for a moment earlier. Rule: an IPv6 address that carries
an IPv4 address has to pass as both.
"""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_network

from attrs import frozen

from netkit.document.values import Network
from netkit.net.addresses import Address, SocketAddress, within


@frozen
class Rule:
    """Networks that are not connected to; `name` completes "… is forbidden: "."""

    name: str
    networks: tuple[Network, ...]


def _rule(name: str, *networks: str) -> Rule:
    return Rule(name, tuple(map(ip_network, networks)))


_COMPATIBLE = _rule("IPv4-compatible (RFC 4291)", "::/96")
_TRANSLATED = _rule("IPv4-translated (RFC 2765)", "::ffff:0:0:0/96")
_NAT64 = _rule("NAT64 (RFC 6052)", "64:ff9b::/96")

NOT_PUBLIC = (
    _rule("unspecified (RFC 1122)", "0.0.0.0/8", "::/128"),
    _rule("loopback", "127.0.0.0/8", "::1/128"),
    _rule("link-local", "169.254.0.0/16", "fe80::/10"),
    _rule("private (RFC 1918)", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),
    _rule("private (RFC 4193)", "fc00::/7"),
    _rule("site-local (RFC 3879)", "fec0::/10"),
    _rule("shared by a carrier's customers (RFC 6598)", "100.64.0.0/10"),
    _rule("multicast", "224.0.0.0/4", "ff00::/8"),
    _rule("broadcast", "255.255.255.255/32"),
    _rule("IPv4-mapped (RFC 4291)", "::ffff:0:0/96"),
    _COMPATIBLE,
    _TRANSLATED,
    _NAT64,
    _rule("NAT64 (RFC 8215)", "64:ff9b:1::/48"),
    _rule("6to4 (RFC 7526)", "2002::/16", "192.88.99.0/24"),
    _rule("Teredo (RFC 4380)", "2001::/32"),
    _rule(
        "for documentation (RFC 5737, 3849, 9637)",
        "192.0.2.0/24",
        "198.51.100.0/24",
        "203.0.113.0/24",
        "2001:db8::/32",
        "3fff::/20",
    ),
    _rule("for benchmarks (RFC 2544, 5180)", "198.18.0.0/15", "2001:2::/48"),
    _rule("for protocols (RFC 6890)", "192.0.0.0/24", "2001::/23"),
    # Of IPv6 only 2000::/3 has been given out for unicast.
    _rule("reserved", "240.0.0.0/4", "::/3", "4000::/2", "8000::/1"),
)
"""What is not on the public Internet, the more telling rule first (RFC 6890 and IANA's registries)."""

OWN = "one of our own listeners"


def nowhere_local(_: Address) -> bool:
    """Say of every address that it is not this host's."""
    return False


@frozen
class Order:
    """What an operator says of `networks`: that they are connected to, or that they are not.

    `name` completes "… is forbidden: ".
    """

    name: str
    networks: tuple[Network, ...]
    allowed: bool


EVERYWHERE: tuple[Network, ...] = (ip_network("0.0.0.0/0"), ip_network("::/0"))


@frozen
class Policy:
    """Addresses that are forbidden (`rules`), except for networks that are `allowed`.

    Before that the first of the `orders` decides that an address fits. `own` are listeners, which are forbidden even where their network is allowed; one on the
    unspecified address stands for its port on every address of this host.
    """

    rules: tuple[Rule, ...] = NOT_PUBLIC
    allowed: tuple[Network, ...] = ()
    own: frozenset[SocketAddress] = frozenset()
    orders: tuple[Order, ...] = ()

    def refusal(
        self, to: SocketAddress, is_local: Callable[[Address], bool] = nowhere_local
    ) -> str:
        """Return the name of the rule that forbids `to`, or the empty string.

        `is_local` says whether an address is this host's.
        """
        if self._is_own(to, is_local):
            return OWN
        return next(filter(None, map(self._rule_for, _faces(to.host))), "")

    def _rule_for(self, address: Address) -> str:
        for order in self.orders:
            if within(address, order.networks):
                return "" if order.allowed else order.name
        if within(address, self.allowed):
            return ""
        return next((rule.name for rule in self.rules if within(address, rule.networks)), "")

    def _is_own(self, to: SocketAddress, is_local: Callable[[Address], bool]) -> bool:
        """Return whether one of `own` is at `to`, where the unspecified address means this host."""
        ours = [listener.host for listener in self.own if listener.port == to.port]
        if not ours:
            return False
        faces = _faces(to.host)
        if any(face.is_unspecified or face in ours for face in faces):
            return True
        everywhere = any(each.is_unspecified for each in ours)
        return everywhere and any(map(is_local, (to.host, *faces[1:])))


ANYWHERE = Policy(rules=())
"""For destinations that the operator has written down."""


def _faces(address: Address) -> tuple[Address, ...]:
    """Return `address` without its zone, and the IPv4 address that it carries."""
    if isinstance(address, IPv4Address):
        return (address,)
    bare = IPv6Address(int(address))
    inside = _carried(bare)
    return (bare,) if inside is None else (bare, inside)


def _carried(address: IPv6Address) -> IPv4Address | None:
    """Return the IPv4 address to which a gateway, or the kernel, would take `address`."""
    if address.ipv4_mapped or address.sixtofour:
        return address.ipv4_mapped or address.sixtofour
    if address.teredo:
        return address.teredo[1]
    if address.is_unspecified or address.is_loopback:
        return None
    for rule in (_COMPATIBLE, _TRANSLATED, _NAT64):
        if within(address, rule.networks):
            return IPv4Address(int(address) & 0xFFFFFFFF)
    return None
