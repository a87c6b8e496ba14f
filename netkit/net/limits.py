"""What the connections of one listener may cost: how many, and for how long.

Pure: the counts and the rules for letting go, with the time as an argument. `listener.py` applies
them. Rule: whatever a peer does or leaves undone, its connection ends after a time named here.
"""

from collections import Counter
from ipaddress import IPv6Network, ip_address

from attrs import define, field, frozen
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from netkit.document.values import Count, Seconds, SecondsOrNever

_V6_NETWORK = 64


@frozen
class Limits:
    """The table `[limits]`; times are in seconds, and 0 stands for never where never is allowed."""

    connections: Count = 10_000
    connections_per_address: Count = 512
    handshake_timeout: Seconds = 5.0
    idle_timeout: SecondsOrNever = 60.0
    write_timeout: SecondsOrNever = 60.0


def source(address: IAddress) -> str:
    """Return what one peer is counted under: an IPv4 address, an IPv6 network of 64 bits.

    A UNIX socket's peer has no address, and is not counted apart: the empty string.
    """
    if not isinstance(address, IPv4Address | IPv6Address):
        return ""
    parsed = ip_address(address.host.partition("%")[0])
    if parsed.version == 4:  # noqa: PLR2004
        return str(parsed)
    return str(parsed.ipv4_mapped or IPv6Network((parsed, _V6_NETWORK), strict=False))


@define
class Census:
    """Who is connected, by source, and how many were refused since the last report."""

    limits: Limits
    total: int = 0
    by_source: Counter[str] = field(factory=Counter)
    refused: Counter[str] = field(factory=Counter)

    def admit(self, who: str) -> bool:
        """Count one more connection from `who`; False where that would be one too many."""
        if self.total >= self.limits.connections:
            self.refused[f"{self.total} connections are open"] += 1
            return False
        if who and self.by_source[who] >= self.limits.connections_per_address:
            self.refused[f"{who} has {self.by_source[who]} open"] += 1
            return False
        self.total += 1
        self.by_source[who] += 1
        return True

    def leave(self, who: str) -> None:
        """Count one connection from `who` less."""
        self.total -= 1
        self.by_source[who] -= 1
        if not self.by_source[who]:
            del self.by_source[who]

    def report(self) -> tuple[str, int]:
        """Return the commonest reason of refusals since the last report, and how many there were.

        At most as many reasons are remembered as sources are connected, so the memory is bounded.
        """
        if not self.refused:
            return "", 0
        reason, _ = self.refused.most_common(1)[0]
        count = self.refused.total()
        self.refused.clear()
        return reason, count


@define
class Patience:
    """How long one connection has been as it is; looked at once a sweep, never once an event."""

    since: float
    heard_at: float
    taken_at: float
    unsent: int = 0

    @classmethod
    def starting(cls, now: float) -> "Patience":
        """Return the state of a connection accepted at `now`."""
        return cls(now, now, now)

    def reason_to_go(
        self, limits: Limits, now: float, *, heard: bool, unsent: int, greeted: bool
    ) -> str:
        """Return why the connection has to end, or the empty string.

        `heard` says whether bytes came in since the last look, `unsent` how many bytes wait for the
        peer to take them, `greeted` whether the handshake is done.
        """
        if heard:
            self.heard_at = now
        if unsent == 0 or unsent < self.unsent:
            self.taken_at = now
        if unsent < self.unsent:
            self.heard_at = now  # who takes bytes is not idle
        self.unsent = unsent
        if not greeted:
            late = now - self.since >= limits.handshake_timeout
            return "did not finish the handshake in time" if late else ""
        if _over(limits.write_timeout, now - self.taken_at):
            return f"took nothing of {unsent} bytes for {limits.write_timeout:g} s"
        if not unsent and _over(limits.idle_timeout, now - self.heard_at):
            return f"said nothing for {limits.idle_timeout:g} s"
        return ""


def _over(limit: float, seconds: float) -> bool:
    return 0 < limit <= seconds
