"""What a connection that broke off had brought, and nobody had read.

A peer that closes with bytes of ours unread resets the connection, right behind what it said last:
why it wanted no more. The kernel has that still, though nothing can be sent any more.
"""

from contextlib import suppress
from socket import MSG_DONTWAIT, socket
from typing import Any, cast

from twisted.protocols.tls import TLSMemoryBIOProtocol

from netkit.net.stream import IStream
from netkit.tools.bridging.standard import PIECE, Output


class Remnants:
    """Those of `stream`; of TLS there are none, since the transport has read them."""

    def __init__(self, stream: IStream) -> None:
        self.read = 0
        self._socket: socket | None = None
        if not isinstance(stream, TLSMemoryBIOProtocol):
            with suppress(AttributeError, OSError):
                self._socket = cast("Any", stream).socket.dup()

    async def written_to(self, output: Output) -> None:
        """Write them out, as fast as they are taken."""
        while self._socket is not None:
            try:
                data = self._socket.recv(PIECE, MSG_DONTWAIT)
            except OSError:
                data = b""
            if not data:
                return
            self.read += len(data)
            output.write(data)
            await output.drained()

    def close(self) -> None:
        """Read nothing; until then the connection stays open, whoever closes it."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
