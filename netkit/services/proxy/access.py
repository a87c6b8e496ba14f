"""Where the proxy's clients may go. Pure.

A destination is judged twice: by what the client wrote, before anybody is asked for an address, and by
the address that is connected to. Rule: what is not on the public Internet is reached only through
a rule that names its network; that a host's name is allowed opens nothing.
"""

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Annotated, TypeAlias

from attrs import field, frozen

from netkit.document.values import Network, OneOrMore, quoted
from netkit.net.addresses import Address, within
from netkit.net.addresses import host as host_or_address
from netkit.net.policy import EVERYWHERE, Order
from netkit.services.proxy.targets import Target

PUBLIC = "what is public"
"""The name, in a log, of the rule for what no other rule is about."""

_RANGE = re.compile(r"([0-9]{1,5})(?:-([0-9]{1,5}))?")
_LAST_PORT = 65535


class Action(Enum):
    """What a rule does with the destinations that it fits."""

    ALLOW = "allow"
    REFUSE = "refuse"


@frozen
class PortText:
    """Checks ports as they are written: 443, "443" or "1024-65535"."""

    def complaint(self, value: object) -> str | None:
        """Return what is wrong with `value`."""
        match = _RANGE.fullmatch(str(value))
        if match and 0 < int(match[1]) <= int(match[2] or match[1]) <= _LAST_PORT:
            return None
        shown = quoted(value) if isinstance(value, str) else value
        return f'{shown} is not right; a port as in 443, or ports as in "1024-65535"'


@frozen
class HostText:
    """Checks hosts as they are written: "example.org", "*.example.org", or "*" for all."""

    def complaint(self, value: object) -> str | None:
        """Return what is wrong with `value`."""
        written = str(value)
        try:
            named = written == "*" or isinstance(host_or_address(written.removeprefix("*.")), str)
        except ValueError:
            return f'{quoted(written)} is not right; a name as in "example.org" or "*.example.org"'
        return None if named else f"{quoted(written)} is an address; write it in networks"


PortRange: TypeAlias = Annotated[int | str, PortText()]
HostPattern: TypeAlias = Annotated[str, HostText()]


@frozen(kw_only=True)
class DestinationRule:
    """One table `destination`: what becomes of destinations that it fits.

    It fits where all that it says fits; what it does not say fits everything. An address is in one of
    the `networks`. `name` is what the log calls it.
    """

    action: Action
    hosts: Annotated[tuple[HostPattern, ...], OneOrMore()] = ()
    networks: Annotated[tuple[Network, ...], OneOrMore()] = ()
    ports: Annotated[tuple[PortRange, ...], OneOrMore()] = ()
    name: str = ""


class Ports:
    """Which ports are meant by a list of ports and of ranges, without complaints."""

    def __init__(self, written: Iterable[int | str]) -> None:
        self._ranges = tuple(map(_range, written))

    def __contains__(self, port: int) -> bool:
        return any(port in each for each in self._ranges)


def _range(written: int | str) -> range:
    low, _, high = str(written).partition("-")
    return range(int(low), int(high or low) + 1)


class Hosts:
    """Which names are meant by a list of patterns, without complaints."""

    def __init__(self, patterns: Iterable[str]) -> None:
        written = tuple(patterns)
        self._all = "*" in written or not written
        written = tuple(each for each in written if each != "*")
        self._names = frozenset(_name(each) for each in written if not each.startswith("*."))
        self._endings = tuple("." + _name(each[2:]) for each in written if each.startswith("*."))

    def __contains__(self, host: str | Address) -> bool:
        if self._all or not isinstance(host, str):
            return self._all
        name = _name(host)
        return name in self._names or name.endswith(self._endings)


def _name(written: str) -> str:
    return str(host_or_address(written)).lower().removesuffix(".")


@frozen
class Verdict:
    """What is to become of a destination.

    `refused_by`: the rule that refuses it, whatever its address is. Otherwise `orders` are asked about
    the address, and `allowed_by` are the rules that may let it pass, the last one what no order fits.
    """

    refused_by: str = ""
    orders: tuple[Order, ...] = ()
    allowed_by: tuple[str, ...] = (PUBLIC,)

    def passed_by(self, found: Address | str) -> str:
        """Return which rule lets an address pass; those that may, of what is no address yet."""
        if isinstance(found, str):
            return " or ".join(self.allowed_by)
        fitting = (order.name for order in self.orders if within(found, order.networks))
        return next(fitting, self.allowed_by[-1] if self.allowed_by else "")


@frozen
class _Rule:
    label: str
    allows: bool
    hosts: Hosts
    ports: Ports | None
    networks: tuple[Network, ...]

    def fits(self, target: Target) -> bool:
        """Return whether it is about `target`, as far as can be said before its address is known."""
        return target.host in self.hosts and (self.ports is None or target.port in self.ports)


_REST = _Rule(PUBLIC, allows=True, hosts=Hosts(()), ports=None, networks=())


@frozen
class Access:
    """The rules of one proxy; the first that fits decides."""

    connect_ports: Ports
    ports: Ports
    rules: tuple[_Rule, ...] = field(default=())

    @classmethod
    def of(
        cls,
        connect_ports: Iterable[int | str],
        ports: Iterable[int | str],
        rules: Iterable[DestinationRule],
    ) -> "Access":
        """Return the rules as they are written down."""
        return cls(
            Ports(connect_ports),
            Ports(ports),
            tuple(
                _Rule(
                    f'destination "{rule.name}"' if rule.name else f"destination {number}",
                    rule.action is Action.ALLOW,
                    Hosts(rule.hosts),
                    Ports(rule.ports) if rule.ports else None,
                    rule.networks,
                )
                for number, rule in enumerate(rules, 1)
            ),
        )

    def judge(self, target: Target, *, tunnel: bool, by_address: bool = True) -> Verdict:
        """Return the verdict on `target`, for a CONNECT or for another request.

        Rules about networks do not count where nobody will know the address: not `by_address`.
        """
        if target.port not in (self.connect_ports if tunnel else self.ports):
            return Verdict(refused_by="connect_ports" if tunnel else "ports")
        orders: list[Order] = []
        allowed_by: list[str] = []
        for rule in self._about(target, by_address=by_address):
            if rule.allows:
                allowed_by.append(rule.label)
            if rule.networks or not rule.allows:
                orders.append(Order(rule.label, rule.networks or EVERYWHERE, rule.allows))
        if orders and orders[0] == Order(orders[0].name, EVERYWHERE, allowed=False):
            return Verdict(refused_by=orders[0].name)
        return Verdict("", tuple(orders), tuple(allowed_by))

    def _about(self, target: Target, *, by_address: bool) -> Iterator[_Rule]:
        """Yield the rules that may decide, up to the first that needs no address."""
        for rule in self.rules:
            if rule.fits(target) and (by_address or not rule.networks):
                yield rule
                if not rule.networks:
                    return
        yield _REST
