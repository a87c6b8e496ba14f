"""Echo on a transport.

Rule: a peer costs the transport's write buffer and one read, no more. While that buffer is full
nothing is read from the peer, and what it has sent before its FIN goes back before the close.
"""

from twisted.internet.interfaces import (
    IAddress,
    IHalfCloseableProtocol,
    IPushProducer,
    IReactorTime,
)
from twisted.internet.protocol import Protocol, ServerFactory, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.net.farewell import Farewell
from netkit.net.stream import IStream
from netkit.services.echo.settings import Mode, Settings
from netkit.services.echo.wire import Conversation


@implementer(IPushProducer, IHalfCloseableProtocol)
class RawEcho(Protocol):
    """Sends back what it gets (RFC 862)."""

    transport: IStream

    def connectionMade(self) -> None:
        """Let a full write buffer stop the reading."""
        self.transport.registerProducer(self, streaming=True)

    def dataReceived(self, data: bytes) -> None:
        """Send back `data`."""
        self.transport.write(data)

    def pauseProducing(self) -> None:
        """Read nothing more: the peer does not take what is there for it."""
        self.transport.pauseProducing()

    def resumeProducing(self) -> None:
        """Read again: the peer has taken all."""
        self.transport.resumeProducing()

    def stopProducing(self) -> None:
        """Do nothing: the connection is lost."""

    def readConnectionLost(self) -> None:
        """Close once everything has gone back: the peer sends nothing more."""
        self.transport.unregisterProducer()  # a close waits for a producer
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Do nothing: only both directions are closed."""


class LineEcho(RawEcho):
    """Answers each line, of at most `line_bytes` bytes."""

    def __init__(self, line_bytes: int, clock: IReactorTime) -> None:
        self._conversation = Conversation(line_bytes)
        self._clock = clock
        self._farewell: Farewell | None = None

    def dataReceived(self, data: bytes) -> None:
        """Send the answers to `data`; after the last one, close."""
        if self._farewell is not None:
            return
        self.transport.write(self._conversation.answer(data))
        if self._conversation.ended:
            self.transport.unregisterProducer()
            self._farewell = Farewell(self.transport, self._clock)

    def writeConnectionLost(self) -> None:
        """Wait for the peer to end as well: the last answer is sent."""
        if self._farewell is not None:
            self._farewell.sent()

    def connectionLost(self, reason: Failure = connectionDone) -> None:  # noqa: ARG002 (all are alike)
        """Wait for nothing any more."""
        if self._farewell is not None:
            self._farewell.over()


class EchoFactory(ServerFactory):
    """Builds the protocol of the service's mode."""

    noisy = False

    def __init__(self, settings: Settings, clock: IReactorTime) -> None:
        self._settings = settings
        self._clock = clock

    def buildProtocol(self, addr: IAddress | None) -> RawEcho:  # noqa: ARG002 (an echo serves every peer)
        """Return an echo for one connection."""
        if self._settings.mode is Mode.LINE:
            return LineEcho(self._settings.line_bytes, self._clock)
        return RawEcho()
