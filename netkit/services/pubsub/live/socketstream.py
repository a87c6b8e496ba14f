"""A WebSocket as the transport of a protocol that is spoken on connections: NATS, as browsers have it.

What the protocol writes goes out as binary messages, and what the client's messages hold, text or
binary, is what has come, wherever one ends; it is handed on as it comes. Rule: back-pressure works as on a connection, both ways.
"""

from typing import Any, cast

from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import IAddress, IProtocol, IPushProducer
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.http.frames import message_frame
from netkit.http.sockets import Socket
from netkit.net.stream import IStream


class Framing:
    """Makes frames; what is sent to many, one after the other, is framed once."""

    def __init__(self) -> None:
        self._piece = self._frame = b""

    def __call__(self, piece: bytes) -> bytes:
        """Return the binary message with `piece`."""
        if piece is not self._piece:
            self._piece, self._frame = piece, message_frame(piece)
        return self._frame


@implementer(IStream)
class SocketStream:
    """The endpoint of a WebSocket, which is the transport of `protocol`."""

    disconnecting = False
    _socket: Socket

    def __init__(self, protocol: IProtocol, framing: Framing) -> None:
        self._protocol = protocol
        self._framing = framing
        self._producer: IPushProducer | None = None
        self._full = False

    @property
    def carrier(self) -> object:
        """The transport of the connection that the WebSocket is on."""
        return self._socket.transport

    # What the WebSocket calls.

    def opened(self, socket: Socket) -> None:
        """Connect the protocol."""
        self._socket = socket
        self._protocol.makeConnection(cast("Any", self))

    def received(self, message: str | bytes) -> None:
        """Hand the bytes on."""
        self._protocol.dataReceived(message.encode() if isinstance(message, str) else message)

    def paused(self) -> None:
        """Let the protocol rest."""
        self._full = True
        if self._producer is not None:
            self._producer.pauseProducing()

    def resumed(self) -> None:
        """Let the protocol go on."""
        self._full = False
        if self._producer is not None:
            self._producer.resumeProducing()

    def closed(self, code: int, reason: str) -> None:  # noqa: ARG002 (all ends are alike)
        """Tell the protocol."""
        self._producer = None
        self._protocol.connectionLost(Failure(ConnectionDone()))

    # What the protocol calls.

    def write(self, data: bytes) -> None:
        """Send `data` as a message."""
        if data:
            self._socket.send_frames(self._framing(data))

    def writeSequence(self, iovec: Any) -> None:  # noqa: ANN401 (zope's signature)
        """Send all of it as a message."""
        self.write(b"".join(iovec))

    def registerProducer(self, producer: Any, streaming: bool) -> None:  # noqa: ANN401, ARG002, FBT001 (all here stream)
        """Have `producer` rest while the client does not keep up."""
        self._producer = producer
        if self._full:
            producer.pauseProducing()

    def unregisterProducer(self) -> None:
        """Tell the producer nothing more."""
        self._producer = None

    def pauseProducing(self) -> None:
        """Read no more."""
        self._socket.pause_reading()

    def resumeProducing(self) -> None:
        """Read again."""
        self._socket.resume_reading()

    def stopProducing(self) -> None:
        """Close."""
        self.loseConnection()

    def loseConnection(self) -> None:
        """Close the WebSocket once everything is sent; the client has some seconds to agree."""
        self.disconnecting = True
        self._socket.close()

    def loseWriteConnection(self) -> None:
        """Close: a WebSocket has no other way to say that this was all."""
        self.loseConnection()

    def abortConnection(self) -> None:
        """Close at once."""
        self._socket.transport.abortConnection()

    def getPeer(self) -> IAddress:
        """Return the client's address."""
        return self._socket.peer

    def getHost(self) -> IAddress:
        """Return the address that it has connected to."""
        return self._socket.transport.getHost()
