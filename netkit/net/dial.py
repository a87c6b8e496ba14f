"""Ways to a server: values that make connections.

Rule: a way is a value. Equal ways lead to the same place on the same terms, so that whoever keeps
connections may keep them by their way.
"""

from typing import Protocol

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol, IProtocolFactory

from netkit.net.connect import Connector


class Way(Protocol):
    """Leads to a server. Hashable."""

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Return the protocol that `factory` makes, connected, and with TLS greeted.

        Fails with one of `netkit.net.failures`; whoever cancels gets CancelledError and no connection
        stays.
        """

    def __str__(self) -> str:
        """Return the server as an operator would write it."""

    def __hash__(self) -> int: ...


@frozen(cache_hash=True)
class TcpWay:
    """The way to the port `port` of `host`, a name or an address, as far as `connector` lets it."""

    host: str
    port: int
    connector: Connector = field(eq=id, repr=False)

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """See Way."""
        return self.connector.connect(self.host, self.port, factory)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"
