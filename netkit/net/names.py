"""Host names become addresses, by whatever resolver the reactor has.

Rule: looking up is bounded. Twisted's resolver asks the system in a thread that cannot be called
back, and whoever chooses the names could otherwise fill its queue; and an answer is as long as its
sender likes.
"""

from collections.abc import Callable

from twisted.internet.address import IPv6Address
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import (
    IAddress,
    IHostnameResolver,
    IHostResolution,
    IResolutionReceiver,
)
from zope.interface import implementer

from netkit.net.addresses import Address, literal
from netkit.net.failures import UnresolvedError

LOOKUPS = 100  # names that are being looked up at a time
ADDRESSES_PER_FAMILY = 8  # of one name; further ones are left out


class Names:
    """Looks names up with `resolver`, no more than `at_once` at a time."""

    def __init__(self, resolver: IHostnameResolver, at_once: int = LOOKUPS) -> None:
        self._resolver = resolver
        self._at_once = at_once
        self._under_way = 0

    def look_up(self, name: str) -> Deferred[tuple[Address, ...]]:
        """Return the addresses of `name`, in the resolver's order.

        Fails with UnresolvedError where there are none, or where too many names are being looked up.
        A look-up that is cancelled goes on unheard, and counts until it ends.
        """
        answer: Deferred[tuple[Address, ...]] = Deferred()
        if self._under_way >= self._at_once:
            answer.errback(UnresolvedError(f"{name}: too many names are being looked up"))
            return answer
        self._under_way += 1
        self._resolver.resolveHostName(_Answer(name, answer, self._ended), name)
        return answer

    def _ended(self) -> None:
        self._under_way -= 1


@implementer(IResolutionReceiver)
class _Answer:
    """Gathers the addresses of one name."""

    def __init__(
        self, name: str, answer: Deferred[tuple[Address, ...]], ended: Callable[[], None]
    ) -> None:
        self._name = name
        self._answer = answer
        self._ended = ended
        self._addresses: list[Address] = []

    def resolutionBegan(self, resolutionInProgress: IHostResolution) -> None:
        """Do nothing: what has begun cannot be stopped."""

    def addressResolved(self, address: IAddress) -> None:
        """Keep `address` where it is new, of IP, and not one too many."""
        found = _found(address)
        if found is None or found in self._addresses:
            return
        alike = sum(1 for each in self._addresses if each.version == found.version)
        if alike < ADDRESSES_PER_FAMILY:
            self._addresses.append(found)

    def resolutionComplete(self) -> None:
        """Hand over what was found."""
        self._ended()
        if self._answer.called:  # cancelled
            return
        if self._addresses:
            self._answer.callback(tuple(self._addresses))
        else:
            self._answer.errback(UnresolvedError(f"{self._name}: no address is known"))


def _found(address: IAddress) -> Address | None:
    """Return what a resolver found as an address, with its zone; None where it is not of IP."""
    text = getattr(address, "host", "")
    zone = address.scopeID if isinstance(address, IPv6Address) else 0
    return literal(f"{text}%{zone}" if zone and "%" not in text else text)
