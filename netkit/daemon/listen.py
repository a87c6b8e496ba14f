"""One listener of the plan as a service: binds as root, serves later, stops with the rest.

Rule: whatever keeps a socket from being bound is one line that names the service and the endpoint.
"""

import errno
import os
from typing import Any

from twisted.application.service import Service
from twisted.internet.address import IPv4Address, IPv6Address
from twisted.internet.defer import Deferred, maybeDeferred, succeed
from twisted.internet.endpoints import AdoptedStreamServerEndpoint, serverFromString
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort, IProtocolFactory
from twisted.logger import Logger
from twisted.python.failure import Failure

from netkit.config.plan import ListenerPlan
from netkit.document.values import quoted
from netkit.net.addresses import SocketAddress, plain

_WHY = {
    errno.EADDRINUSE: "the address is in use; is another server, or another netkit, running there?",
    errno.EACCES: "permission denied; ports below 1024 need a start as root, or a systemd socket",
    errno.EADDRNOTAVAIL: "no interface of this host has that address",
}


class Listener(Service):
    """Listens on one endpoint for as long as it runs; `service` is the name in the plan."""

    def __init__(
        self,
        service: str,
        plan: ListenerPlan,
        factory: IProtocolFactory,
        reactor: Any,  # noqa: ANN401 (an endpoint may want any interface of it)
        log: Logger,
    ) -> None:
        self.service = service
        self.plan = plan
        self.factory = factory
        self._reactor = reactor
        self._log = log
        self._port: IListeningPort | None = None

    def bind(self) -> str:
        """Bind the socket; return why it cannot be bound, or the empty string."""
        failures: list[Failure] = []
        listening = maybeDeferred(self._listen)
        listening.addCallback(self._bound)
        listening.addErrback(failures.append if listening.called else self._failed_late)
        return f"{self._cannot()}: {_why(failures[0])}" if failures else ""

    def _cannot(self) -> str:
        return f"{self.service}: cannot listen on {self.plan.endpoint}"

    def _listen(self) -> Any:  # noqa: ANN401 (Twisted names no type for it)
        endpoint = serverFromString(self._reactor, str(self.plan.endpoint))
        if isinstance(endpoint, AdoptedStreamServerEndpoint):
            # The endpoint itself would close systemd's descriptor, and could be used once only.
            os.set_blocking(endpoint.fileno, False)
            return succeed(
                self._reactor.adoptStreamPort(endpoint.fileno, endpoint.addressFamily, self.factory)
            )
        return endpoint.listen(self.factory)

    def _bound(self, port: IListeningPort) -> None:
        self._port = port

    def _failed_late(self, failure: Failure) -> None:
        """End the daemon: it would lack a listener."""
        self._log.critical("{cannot}: {why}", cannot=self._cannot(), why=_why(failure))
        self._reactor.stop()

    @property
    def address(self) -> SocketAddress | None:
        """Where it listens on IP, or None where it does not."""
        where = self._port.getHost() if self._port is not None else None
        if not isinstance(where, IPv4Address | IPv6Address):
            return None
        return SocketAddress(plain(where.host), where.port)

    def startService(self) -> None:
        """Say where the service listens."""
        super().startService()
        self._log.info(
            "{service} listens on {listener}{port}",
            service=self.service,
            listener=self.plan,
            port=self._chosen_port(),
        )

    def _chosen_port(self) -> str:
        """Return the port that the kernel chose where the plan left it the choice."""
        host = self._port.getHost() if self._port is not None else None
        port = getattr(host, "port", None)
        return f" (port {port})" if port and self.plan.endpoint.get(0, "port") == "0" else ""

    def stopService(self) -> Deferred[None] | None:
        """Stop listening; connections go on."""
        super().stopService()
        port, self._port = self._port, None
        return port.stopListening() if port is not None else None


def _why(failure: Failure) -> str:
    error = failure.value
    cause = error.socketError if isinstance(error, CannotListenError) else error
    if isinstance(cause, OSError):
        return _WHY.get(cause.errno or 0, cause.strerror or str(cause))
    if isinstance(error, KeyError | IndexError):  # as Twisted looks a descriptor up
        return (
            f"systemd passed no descriptor {quoted(str(error.args[0]))}; is it in the .socket unit?"
        )
    return str(error) or type(error).__name__
