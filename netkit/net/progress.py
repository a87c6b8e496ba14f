"""What a look at a transport shows: has it heard anything, what waits, has the peer taken any.

The connections of netkit's own reactor note it themselves. For those of other reactors it is worked
out here, the one place that names what is private to Twisted's transports.
"""

from typing import Any, Protocol

from netkit.net.eager import EagerConnection
from netkit.net.proxied import ProxiedTransport


class Progress(Protocol):
    """What can be seen of a connection.

    `heard` is set as bytes come in; who looks sets it back. `unsent`: how many bytes wait for the peer
    to take them. `taken`: a number that grows as it takes some of them.
    """

    heard: bool

    @property
    def unsent(self) -> int:
        """How many bytes wait for the peer to take them."""

    @property
    def taken(self) -> int:
        """A number that grows as the peer takes some of them."""


class OfStockTransport:
    """The progress of a `transport` of Twisted's own; whoever passes its bytes on sets `heard`."""

    __slots__ = ("_transport", "heard")

    def __init__(self, transport: Any) -> None:  # noqa: ANN401 (its attributes are Twisted's secret)
        self._transport = transport
        self.heard = False

    @property
    def unsent(self) -> int:
        """How many bytes wait; 0 for a transport that has no such queue."""
        queue = self._transport
        try:
            return int(len(queue.dataBuffer) - queue.offset + queue._tempDataLen)  # noqa: SLF001
        except AttributeError:
            return 0

    @property
    def taken(self) -> int:
        """What is unsent, turned round: it grows as the peer takes more than is added."""
        return -self.unsent


def progress(transport: object) -> Progress:
    """Return what can be seen of `transport`."""
    if isinstance(transport, ProxiedTransport):
        return OfStockTransport(transport.original)
    return transport if isinstance(transport, EagerConnection) else OfStockTransport(transport)
