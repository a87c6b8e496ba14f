"""What there is to be seen of those who are connected, for whoever watches over a service.

Rule: nothing by which anybody could log in.
"""

from collections.abc import Collection
from typing import Any, Protocol

from attrs import frozen
from OpenSSL import SSL
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.interfaces import IAddress

from netkit.services.pubsub.counters import Tally
from netkit.services.pubsub.gathering import Receiver
from netkit.services.pubsub.subscriptions import Subscription


@frozen(kw_only=True)
class Connection:
    """One connection: `kind` is what is spoken on it, and what is empty is not known.

    `name`, `lang` and `version` are the client's own words, `user` is whom it has proved to be.
    """

    kind: str
    peer: IAddress
    name: str = ""
    lang: str = ""
    version: str = ""
    user: str = ""
    tls_version: str = ""
    tls_cipher: str = ""

    @property
    def address(self) -> tuple[str, int] | None:
        """Where the client is, if it has come by IP."""
        peer = self.peer
        return (peer.host, peer.port) if isinstance(peer, IPv4Address | IPv6Address) else None


class Connected(Protocol):
    """Somebody who is connected."""

    number: int

    @property
    def tally(self) -> Tally:
        """What has come from it, and gone to it."""

    @property
    def pending(self) -> int:
        """How many bytes wait for it."""

    @property
    def round_trip(self) -> float | None:
        """How long a packet and its answer take, in seconds, where that is known."""

    @property
    def wanted(self) -> Collection[Subscription[Receiver]]:
        """Its subscriptions."""

    def shown(self) -> Connection:
        """Return what there is to be seen of it; that may ask TLS."""


def tls_of(transport: object) -> tuple[str, str]:
    """Return the version of TLS and the cipher that `transport` has, as OpenSSL calls them, if any."""
    handle: Any = getattr(transport, "getHandle", lambda: None)()
    if not isinstance(handle, SSL.Connection):
        return "", ""
    return handle.get_protocol_version_name(), handle.get_cipher_name() or ""
