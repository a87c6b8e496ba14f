"""Answers whose end is noticed: of a stream, and of a connection that has been handed over.

Rule: the end is told once, and nothing stands in the way of the bytes.
"""

from collections.abc import AsyncIterator, Callable
from typing import cast

from attrs import evolve
from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol, ITransport
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.http.messages import Response, Stream, Takeover


def counted(response: Response, over: Callable[[], None]) -> Response:
    """Return `response`, whose body is no bytes, as one that calls `over` when it has ended."""
    end = _End(over)
    body = response.body
    if isinstance(body, Takeover):
        return evolve(response, body=_taken_over(body, end))
    return evolve(response, body=_Counted(cast("Stream", body), end))


class _End:
    """Calls `over` the first time."""

    def __init__(self, over: Callable[[], None]) -> None:
        self._over: Callable[[], None] | None = over

    def __call__(self) -> None:
        over, self._over = self._over, None
        if over is not None:
            over()


class _Counted:
    """A stream that tells when it is closed."""

    __slots__ = ("_end", "_stream")

    def __init__(self, stream: Stream, end: _End) -> None:
        self._stream = stream
        self._end = end

    @property
    def length(self) -> int | None:
        """See Stream."""
        return self._stream.length

    def __aiter__(self) -> AsyncIterator[bytes]:
        """Return the stream's own pieces."""
        return self._stream.__aiter__()

    def close(self) -> None:
        """Close the stream, and tell."""
        self._stream.close()
        self._end()


def _taken_over(takeover: Takeover, end: _End) -> Takeover:
    successor = _Successor(takeover.protocol, end)

    def ending() -> None:
        takeover.close()
        if not successor.connected:
            end()

    return Takeover(successor, ending)


@implementer(IProtocol, IHalfCloseableProtocol)
class _Successor:
    """A protocol that tells when its connection is lost."""

    factory = None

    def __init__(self, inner: IProtocol, end: _End) -> None:
        self.connected = False
        self.dataReceived = inner.dataReceived
        self._inner = inner
        self._end = end

    def makeConnection(self, transport: ITransport) -> None:
        """Pass it on."""
        self.connected = True
        self._transport = transport
        self._inner.makeConnection(transport)

    def connectionMade(self) -> None:
        """Do nothing: the protocol inside has been told."""

    def readConnectionLost(self) -> None:
        """Pass it on, or close where the protocol inside knows no half-closes."""
        if IHalfCloseableProtocol.providedBy(self._inner):
            cast("IHalfCloseableProtocol", self._inner).readConnectionLost()
        else:
            self._transport.loseConnection()

    def writeConnectionLost(self) -> None:
        """Pass it on."""
        if IHalfCloseableProtocol.providedBy(self._inner):
            cast("IHalfCloseableProtocol", self._inner).writeConnectionLost()

    def connectionLost(self, reason: Failure) -> None:
        """Pass it on, and tell."""
        self._inner.connectionLost(reason)
        self._end()
