"""A connection that is HTTP no longer, until somebody takes it. See `asking.Handover`."""

from typing import Any

from twisted.internet.interfaces import IHalfCloseableProtocol, IProtocol
from twisted.python.failure import Failure


class HandedOver:
    """What comes on `transport` behind `rest`; it is not read before somebody takes it."""

    def __init__(self, transport: Any, rest: bytes) -> None:  # noqa: ANN401 (a transport of any sort)
        self._transport = transport
        self._rest = rest
        self._ended = self._closed = False
        self._lost: Failure | None = None
        self._successor: IProtocol | None = None
        transport.pauseProducing()

    def hand_over(self, successor: IProtocol) -> None:
        """See Handover."""
        self._successor = successor
        if not self._ended and self._lost is None:
            self._transport.resumeProducing()  # before the successor may want it to rest
        successor.makeConnection(self._transport)
        rest, self._rest = self._rest, b""
        if rest:
            successor.dataReceived(rest)
        if self._lost is not None:
            successor.connectionLost(self._lost)
        elif self._ended:
            self.end()

    def close(self) -> None:
        """See Handover."""
        if self._successor is None and not self._closed:
            self._closed = True
            self._transport.abortConnection()

    def receive(self, data: bytes) -> None:
        """Pass `data` on, or keep it: no more than what was read before reading stopped."""
        if self._successor is not None:
            self._successor.dataReceived(data)
        elif not self._closed:
            self._rest += data

    def end(self) -> None:
        """Pass on that the server says no more."""
        if IHalfCloseableProtocol.providedBy(self._successor):
            self._successor.readConnectionLost()
        elif self._successor is not None:
            self._transport.loseConnection()
        else:
            self._ended = True

    def end_of_writing(self) -> None:
        """Pass on that our half is closed."""
        if IHalfCloseableProtocol.providedBy(self._successor):
            self._successor.writeConnectionLost()

    def lose(self, reason: Failure) -> None:
        """Pass on that the connection is lost."""
        self._lost = reason
        if self._successor is not None:
            self._successor.connectionLost(reason)
