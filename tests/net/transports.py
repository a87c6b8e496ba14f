"""Transports for tests, in memory, on which a peer does what a test says and when."""

from twisted.internet.abstract import FileDescriptor
from twisted.internet.address import IPv4Address
from twisted.internet.error import ConnectionAborted, ConnectionDone
from twisted.internet.interfaces import IAddress, IHalfCloseableProtocol, IProtocol
from twisted.internet.testing import MemoryReactor
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.net.stream import IStream


@implementer(IStream)
class PeerTransport(FileDescriptor):
    """A connection whose peer takes no byte until it is told to.

    The buffering, the pausing of a producer and the closing are Twisted's own, as on a socket.
    """

    connected = 1

    def __init__(self, protocol: IProtocol, peer: IAddress | None = None) -> None:
        self._fds = MemoryReactor()
        super().__init__(self._fds)
        self._peer = peer or IPv4Address("TCP", "192.0.2.1", 4321)
        self._room = 0
        self.protocol = protocol
        self._chunks: list[bytes] = []
        self.aborted = False
        self.startReading()
        protocol.makeConnection(self)

    @property
    def reading(self) -> bool:
        """Whether the next bytes of the peer would be read."""
        return self in self._fds.getReaders()

    @property
    def waiting(self) -> int:
        """The bytes in the write buffer."""
        return len(self.dataBuffer) - self.offset + self._tempDataLen

    @property
    def finished(self) -> bool:
        """Whether the peer has got a FIN."""
        return self._writeDisconnected or bool(self.disconnected)

    @property
    def taken(self) -> bytes:
        """Everything the peer has taken."""
        return b"".join(self._chunks)

    def send(self, data: bytes) -> bool:
        """Let the peer send `data`; return whether it was read."""
        if self.reading:
            self.protocol.dataReceived(data)
            return True
        return False

    def finish(self) -> None:
        """Let the peer send its FIN."""
        self.stopReading()
        half_closeable = IHalfCloseableProtocol(self.protocol, None)
        if half_closeable is None:
            self.connectionLost(Failure(ConnectionDone()))
        else:
            half_closeable.readConnectionLost()

    def take(self, most: int = 2**62) -> bytes:
        """Let the peer take what is there for it, at most `most` bytes; return that."""
        before = len(self._chunks)
        self._room = most
        while self._room and self in self._fds.getWriters():
            end = self.doWrite()
            if end is not None:
                self.connectionLost(Failure(end))
        self._room = 0
        return b"".join(self._chunks[before:])

    def writeSomeData(self, data: bytes) -> int:
        """Take what there is room for, as a socket does."""
        length = min(len(data), self._room)
        self._chunks.append(bytes(data[:length]))
        self._room -= length
        return length

    def _closeWriteConnection(self) -> None:
        half_closeable = IHalfCloseableProtocol(self.protocol, None)
        if half_closeable is not None:
            half_closeable.writeConnectionLost()

    def connectionLost(self, reason: Failure) -> None:
        """Tell the protocol, as a socket does."""
        super().connectionLost(reason)
        self.protocol.connectionLost(reason)

    def abortConnection(self) -> None:
        """Close at once."""
        self.aborted = True
        self.connectionLost(Failure(ConnectionAborted()))

    def getPeer(self) -> IAddress:
        """Return the address of the peer."""
        return self._peer

    def getHost(self) -> IAddress:
        """Return the address where the connection was accepted."""
        return IPv4Address("TCP", "192.0.2.254", 4222)
