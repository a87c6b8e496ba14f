"""What the connections of one listener may cost: how many, and for how long.

Pure: the counts and the rules for letting go, with the time as an argument. `listener.py` applies
them. Rule: whatever a peer does or leaves undone, its connection ends after a time named here.
"""

from collections import Counter
from ipaddress import IPv6Network

from attrs import define, field, frozen
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from netkit.document.values import Bytes, Count, Seconds, SecondsOrNever
from netkit.net.addresses import plain

_V6_NETWORK = 64
_REASONS = 100  # so many reasons of refusals are told apart between two reports


@frozen
class Limits:
    """The table `[limits]`; times are in seconds, and 0 stands for never where never is allowed.

    `handshake_timeout` is for the PROXY header and TLS together, `first_byte_timeout` for the first
    byte after them, `write_timeout` for a peer that acknowledges nothing of what waits for it, or does
    not let a connection end that has been closed. A producer rests while more than `high_water` bytes
    wait for the peer.
    """

    connections: Count = 10_000
    connections_per_address: Count = 512
    handshake_timeout: Seconds = 5.0
    first_byte_timeout: SecondsOrNever = 30.0
    idle_timeout: SecondsOrNever = 60.0
    write_timeout: Seconds = 60.0
    high_water: Bytes = 65_536


DEFAULTS = Limits()


def source(address: IAddress) -> str:
    """Return what one peer is counted under: an IPv4 address, an IPv6 network of 64 bits.

    A UNIX socket's peer has no address, and is not counted apart: the empty string.
    """
    if isinstance(address, IPv4Address):
        return address.host
    if not isinstance(address, IPv6Address):
        return ""
    host = plain(address.host)
    return str(host if host.version == 4 else IPv6Network((host, _V6_NETWORK), strict=False))  # noqa: PLR2004


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
            self.refuse(f"{self.total} connections are open")
            return False
        if who and self.by_source[who] >= self.limits.connections_per_address:
            self.refuse(f"{who} has {self.by_source[who]} open")
            return False
        self.total += 1
        self.by_source[who] += 1
        return True

    def refuse(self, reason: str) -> None:
        """Count a connection that was refused for `reason`."""
        known = reason in self.refused or len(self.refused) < _REASONS
        self.refused[reason if known else "for many reasons"] += 1

    def leave(self, who: str) -> None:
        """Count one connection from `who` less."""
        self.total -= 1
        self.by_source[who] -= 1
        if not self.by_source[who]:
            del self.by_source[who]

    def report(self) -> tuple[str, int]:
        """Return the commonest reason of refusals since the last report, and how many there were."""
        if not self.refused:
            return "", 0
        reason, _ = self.refused.most_common(1)[0]
        count = self.refused.total()
        self.refused.clear()
        return reason, count


@frozen
class Glance:
    """What a look at a connection shows.

    `heard`: bytes have come in since the last look. `unsent`: how many bytes wait for the peer to
    take them. `taken`: a number that grows as it takes some, or None where nobody asked because
    nothing waits. `greeted`: PROXY header and handshake are done. `closing`: our side has closed.
    """

    heard: bool = False
    unsent: int = 0
    taken: int | None = None
    greeted: bool = True
    closing: bool = False


class Patience:
    """How long one connection has been as it is; looked at once a sweep, never once an event."""

    __slots__ = ("_greeted_at", "_heard_at", "_moved_at", "_spoke", "_taken")

    def __init__(self, now: float) -> None:
        self._greeted_at = self._heard_at = self._moved_at = now
        self._spoke = False
        self._taken: int | None = None

    def reason_to_go(self, limits: Limits, now: float, glance: Glance) -> str:
        """Return why the connection has to end `now`, or the empty string."""
        if not glance.greeted:
            late = now - self._greeted_at >= limits.handshake_timeout
            return "did not finish the handshake in time" if late else ""
        took = self._took(glance.taken)
        if took or not (glance.unsent or glance.closing):
            self._moved_at = now
        if took or (glance.heard and not glance.closing):
            self._heard_at = now
        self._spoke = self._spoke or glance.heard
        return self._too_long(limits, now, glance)

    def _took(self, taken: int | None) -> bool:
        before, self._taken = self._taken, taken
        return taken is not None and before is not None and taken > before

    def _too_long(self, limits: Limits, now: float, glance: Glance) -> str:
        if now - self._moved_at >= limits.write_timeout:
            what = f"took nothing of {glance.unsent} bytes" if glance.unsent else "did not let go"
            return f"{what} for {limits.write_timeout:g} s"
        if not self._spoke and 0 < limits.first_byte_timeout <= now - self._greeted_at:
            return f"said nothing in its first {limits.first_byte_timeout:g} s"
        if not glance.unsent and 0 < limits.idle_timeout <= now - self._heard_at:
            return f"said nothing for {limits.idle_timeout:g} s"
        return ""
