"""What a look at a transport shows: has it heard anything, what waits, has the peer taken any.

The connections of netkit's own reactor note it themselves. For those of other reactors it is worked
out here, the one place that names what is private to Twisted's transports.

What the kernel took the peer has not got yet: a socket may hold megabytes, and asks for more only
once a third of them is gone, which takes a slow reader minutes. `acknowledged` and `outstanding`
ask the kernel what has become of them. Rule: nobody asks per event, but at looks now and then, and
there only about connections on which something waits.
"""

import socket
import struct
import sys
import termios
from fcntl import ioctl
from typing import Any, Protocol

from twisted.protocols.tls import TLSMemoryBIOProtocol

from netkit.net.eager import EagerConnection
from netkit.net.proxied import ProxiedTransport

_TCP_INFO: int = getattr(socket, "TCP_INFO", 0) if sys.platform == "linux" else 0
_BYTES_ACKED = struct.Struct("=120xQ")  # tcpi_bytes_acked in the struct tcp_info of Linux
_ROUND_TRIP = struct.Struct("=68xI")  # tcpi_rtt there, in microseconds
_COUNT = struct.Struct("=i")
_UNKNOWN = (AttributeError, OSError, ValueError, struct.error)
"""What comes of a question to what is no socket, is none any more, or is of another sort."""


class Progress(Protocol):
    """What can be seen of a connection without asking the kernel.

    `heard` is set as bytes come in; who looks sets it back. `unsent`: how many bytes wait for the
    kernel to take them. `taken`: a number that grows as it takes some of them.
    """

    heard: bool

    @property
    def unsent(self) -> int:
        """How many bytes wait for the kernel to take them."""

    @property
    def taken(self) -> int:
        """A number that grows as the kernel takes some of them."""


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
            queued = int(len(queue.dataBuffer) - queue.offset + queue._tempDataLen)  # noqa: SLF001
        except AttributeError:
            return 0
        return queued + int(getattr(queue, "beside", 0))

    @property
    def taken(self) -> int:
        """What is unsent, turned round: it grows as the peer takes more than is added."""
        return -self.unsent


def progress(transport: object) -> Progress:
    """Return what can be seen of `transport`."""
    if isinstance(transport, ProxiedTransport):
        return OfStockTransport(transport.original)
    return transport if isinstance(transport, EagerConnection) else OfStockTransport(transport)


def acknowledged(transport: object) -> int:
    """Return a number that grows as the peer of `transport` takes bytes, whatever is sent meanwhile.

    By TCP it is the bytes that the peer has acknowledged since the connection began, TLS included,
    and never falls. Elsewhere it is what is known: of what had to wait, how much the kernel took,
    less what the kernel holds; so it may fall as something is written, and grows as that is taken.
    One or two system calls; for a connection that is lost, some number.
    """
    below = _below(transport)
    try:
        (count,) = _BYTES_ACKED.unpack(
            below.socket.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _BYTES_ACKED.size)
        )
    except _UNKNOWN:
        return progress(below).taken - outstanding(below)
    return int(count)


def outstanding(transport: object) -> int:
    """Return how many bytes the kernel has taken for the peer and the peer has not acknowledged.

    By TCP a FIN counts as one. With a UNIX socket it is the memory that holds what the peer has not
    read, some more than the bytes. 0 where there is no socket, or the system does not tell.
    """
    try:
        (count,) = _COUNT.unpack(
            ioctl(_below(transport).socket.fileno(), termios.TIOCOUTQ, bytes(_COUNT.size))
        )
    except _UNKNOWN:
        return 0
    return int(count)


def round_trip(transport: object) -> float | None:
    """Return how long a packet to the peer and its answer take, in seconds, as the kernel has it.

    None where that is not known, which is so behind a proxy as well: the kernel knows the proxy only.
    """
    below: Any = transport
    while isinstance(below, TLSMemoryBIOProtocol):
        below = below.transport
    try:
        (microseconds,) = _ROUND_TRIP.unpack(
            below.socket.getsockopt(socket.IPPROTO_TCP, _TCP_INFO, _ROUND_TRIP.size)
        )
    except _UNKNOWN:
        return None
    return int(microseconds) / 1e6


def _below(transport: object) -> Any:  # noqa: ANN401 (a transport of any sort)
    """Return the transport of the socket itself."""
    below: Any = transport
    while isinstance(below, TLSMemoryBIOProtocol | ProxiedTransport):
        below = below.transport if isinstance(below, TLSMemoryBIOProtocol) else below.original
    return below
