"""The clients' side of tunnels: who comes is let in, gets a connection to the server, and is joined.

Rule: whoever has come in has one line in the log, as the tunnel ends or as it does not come about.
"""

from collections.abc import Callable
from typing import Any

from OpenSSL import SSL
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IAddress, IHandshakeListener, IReactorTime, ITransport
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from netkit.document.values import Network
from netkit.net.addresses import plain, within
from netkit.net.dial import Way
from netkit.net.failures import NoConnectionError
from netkit.net.peer import LOCAL, host, host_and_port
from netkit.net.sides import Side, join, reach
from netkit.net.tunnel import Outcome, Tunnels

_LINE = "{peer} to {to}: {there} bytes there, {back} back, {seconds:.3f} s; {reason}"


class Entrances(ServerFactory):
    """Makes the entrance of a tunnel for each client that is of one of the networks `clients`.

    `way` leads from a client's transport to the server, and `to` is that one's name in the log. A
    client of a UNIX socket has no address; who may use that is what its mode says.
    """

    noisy = False

    def __init__(  # noqa: PLR0913 (each is one thing that an entrance needs)
        self,
        *,
        to: str,
        way: Callable[[ITransport], Way],
        tunnels: Tunnels,
        clients: tuple[Network, ...],
        clock: IReactorTime,
        log: Logger,
    ) -> None:
        self.to = to
        self.way = way
        self.tunnels = tunnels
        self.clock = clock
        self.log = log
        self.waiting: set[Entrance] = set()
        self._clients = clients

    def buildProtocol(self, addr: IAddress) -> "Entrance | None":  # type: ignore[override] # no Protocol
        """Return the entrance for a client at `addr`, or None where that may not use it."""
        if self._admits(host(addr)):
            return Entrance(self, host_and_port(addr))
        self.log.info("{peer} may not use the tunnel to {to}", peer=host_and_port(addr), to=self.to)
        return None

    def _admits(self, client: str) -> bool:
        return client == LOCAL or within(plain(client), self._clients)

    def abort(self) -> None:
        """End all tunnels at once, and those that are not open yet."""
        for entrance in list(self.waiting):
            entrance.abort()
        self.tunnels.abort()


@implementer(IHandshakeListener)
class Entrance(Side):
    """One client's side. With TLS the server is not called before the handshake is done."""

    def __init__(self, entrances: Entrances, peer: str) -> None:
        super().__init__(self._leave)
        self._entrances = entrances
        self._peer = peer
        self._began = entrances.clock.seconds()
        self._reaching: Deferred[Any] | None = None

    def makeConnection(self, transport: ITransport) -> None:
        """Call the server, or wait for TLS."""
        super().makeConnection(transport)
        self._entrances.waiting.add(self)
        handle = getattr(transport, "getHandle", lambda: None)()
        if not isinstance(handle, SSL.Connection):
            self._call()

    def handshakeCompleted(self) -> None:
        """Call the server."""
        self._call()

    def abort(self) -> None:
        """Let the client go, and call no server for it."""
        if self._reaching is not None:
            self._reaching.cancel()
        self.close()

    def _call(self) -> None:
        reaching: Deferred[Any] = reach(self._entrances.way(self.transport))
        self._reaching = reaching
        reaching.addCallbacks(self._join, self._give_up)
        reaching.addErrback(self._fail)

    def _leave(self) -> None:
        self._entrances.waiting.discard(self)
        if self._reaching is not None:
            self._reaching.cancel()

    def _join(self, far: Side) -> None:
        self._entrances.waiting.discard(self)
        join(self._entrances.tunnels, self, far).finished.addCallback(self._tell)

    def _give_up(self, failure: Failure) -> None:
        failure.trap(NoConnectionError, CancelledError)
        left = failure.check(CancelledError)
        reason = "it left before it was connected" if left else f"no connection: {failure.value}"
        self._tell_of(0, 0, reason)
        self.close()

    def _fail(self, failure: Failure) -> None:
        self._entrances.log.failure(
            "{peer} to {to}", failure, peer=self._peer, to=self._entrances.to
        )
        self.close()

    def _tell(self, outcome: Outcome) -> None:
        self._tell_of(outcome.near_to_far, outcome.far_to_near, outcome.reason.value)

    def _tell_of(self, there: int, back: int, reason: str) -> None:
        entrances = self._entrances
        entrances.log.info(
            _LINE,
            peer=self._peer,
            to=entrances.to,
            there=there,
            back=back,
            seconds=entrances.clock.seconds() - self._began,
            reason=reason,
        )
