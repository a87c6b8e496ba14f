"""Outgoing connections to UNIX sockets: a path becomes a connection, or one line that says why not.

Rule: there is as much time as for any other connection. The kernel lets nobody wait for a server
whose queue is full, so that is tried again and again.
"""

from errno import EAGAIN
from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectError, NoProtocol
from twisted.internet.interfaces import (
    IAddress,
    IConnector,
    IDelayedCall,
    IProtocol,
    IProtocolFactory,
    IReactorUNIX,
)
from twisted.internet.protocol import ClientFactory
from twisted.python.failure import Failure

from netkit.document.values import printable
from netkit.net.connect import Connector
from netkit.net.failures import Attempt, unreachable

RETRY = 0.05
"""Seconds until a socket whose queue is full is tried again."""


def connect_unix(connector: Connector, path: str, factory: IProtocolFactory) -> Deferred[IProtocol]:
    """Return the protocol that `factory` makes, connected to the socket at `path`.

    On the reactor and within the time of `connector`. Fails with one of `netkit.net.failures`;
    whoever cancels gets CancelledError and no connection stays.
    """
    network = cast("IReactorUNIX", connector.network)
    attempt = _Attempt(connector, path, factory)
    network.connectUNIX(path, attempt, connector.timeout)
    return attempt.done


class _Attempt(ClientFactory[Any]):
    """An attempt, as the reactor sees it."""

    noisy = False

    def __init__(self, connector: Connector, path: str, factory: IProtocolFactory) -> None:
        self.done: Deferred[IProtocol] = Deferred(lambda _: self._cancel())
        self._path = path
        self._factory = factory
        self._clock = connector.clock
        self._deadline = self._clock.seconds() + connector.timeout
        self._connector: IConnector | None = None
        self._timer: IDelayedCall | None = None

    def startedConnecting(self, connector: IConnector) -> None:
        """Keep what can stop the attempt."""
        self._connector = connector

    def buildProtocol(self, addr: IAddress | None) -> IProtocol | None:
        """Return the protocol; the transport tells it when this has returned."""
        protocol = self._factory.buildProtocol(cast("IAddress", addr))
        if protocol is None:
            self._end(NoProtocol())
        else:
            self._clock.callLater(0, self._hand_over, protocol)
        return protocol

    def _hand_over(self, protocol: IProtocol) -> None:
        if not self.done.called:
            self.done.callback(protocol)

    def clientConnectionFailed(self, connector: IConnector, reason: Failure) -> None:
        """Try again where that may help; else say why."""
        error = cast("Exception", reason.value)
        if not _is_full(error):
            self._end(self._unreachable(error))
        elif self._clock.seconds() + RETRY < self._deadline:
            self._timer = self._clock.callLater(RETRY, connector.connect)
        else:
            self._end(self._unreachable(OSError(EAGAIN, "too many wait for it already")))

    def clientConnectionLost(self, connector: IConnector, reason: Failure) -> None:  # noqa: ARG002
        """Say why, where the protocol has not been handed over."""
        self._end(self._unreachable(cast("Exception", reason.value)))

    def _unreachable(self, error: Exception) -> Exception:
        return unreachable((Attempt(f"unix:{printable(self._path)}", error),))

    def _end(self, error: Exception) -> None:
        if not self.done.called:
            self.done.errback(error)

    def _cancel(self) -> None:
        self._end(CancelledError())
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._connector is not None:
            self._connector.disconnect()


def _is_full(error: Exception) -> bool:
    """Return whether connect(2) said EAGAIN, which Twisted takes for a connection under way."""
    return type(error) is ConnectError and error.osError is None
