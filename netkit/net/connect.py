"""Outgoing connections: a host and a port become a connection, or one line that says why not.

Rule: what is connected to is exactly an address that the policy has passed; between the check and
the socket nothing is resolved again. Of a name with several addresses those that the policy forbids
are left out: connecting to none of them is what keeps a proxy's user from reaching them, and a name
with an inward address beside an outward one is nothing unusual.
"""

from collections import deque
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from socket import AF_INET, AF_INET6, SOCK_DGRAM, socket
from typing import Any, cast

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import NoProtocol
from twisted.internet.interfaces import (
    IAddress,
    IConnector,
    IDelayedCall,
    IProtocol,
    IProtocolFactory,
    IReactorTCP,
    IReactorTime,
)
from twisted.internet.protocol import ClientFactory
from twisted.python.failure import Failure

from netkit.net.addresses import Address, SocketAddress, host, interleaved
from netkit.net.failures import (
    Attempt,
    ForbiddenError,
    TimedOutError,
    UnresolvedError,
    unreachable,
)
from netkit.net.names import Names
from netkit.net.policy import Policy

TIMEOUT = 15.0  # seconds, from the look-up to the connection
ATTEMPT_DELAY = 0.25  # seconds (RFC 8305 5)
_HIGHEST_PORT = 65535


def is_local(address: Address) -> bool:
    """Return whether `address` is one of this host's: what goes there is sent from there.

    Asks the kernel for the route and sends nothing.
    """
    if address.is_loopback:
        return True
    with socket(AF_INET if address.version == 4 else AF_INET6, SOCK_DGRAM) as probe:  # noqa: PLR2004
        try:
            probe.connect((str(address), 9))
        except OSError:
            return False
        source = ip_address(probe.getsockname()[0].partition("%")[0])
        return int(source) == int(address)


@frozen
class Connector:
    """Connects to hosts as far as `policy` lets it; `timeout` is in seconds, look-up included."""

    clock: IReactorTime
    network: IReactorTCP
    names: Names
    policy: Policy = field(factory=Policy)
    timeout: float = TIMEOUT
    is_local: Callable[[Address], bool] = is_local

    def connect(self, to: str, port: int, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """Return the protocol that `factory` makes, connected to the host `to`: a name or an address.

        `factory` is asked for one protocol, once there is a connection for it. Fails with one of
        `netkit.net.failures`; whoever cancels gets CancelledError and no connection stays.
        ValueError where `port` is none from 1 to 65535.
        """
        if not 0 < port <= _HIGHEST_PORT:
            raise ValueError(f"{port} is not a port; 1 to {_HIGHEST_PORT}")
        race = _Race(self, factory)

        def late(_: object, seconds: float) -> Failure:
            return Failure(TimedOutError(to, port, seconds, race.attempts))

        connecting = Deferred.fromCoroutine(self._connect(to, port, race))
        return connecting.addTimeout(self.timeout, self.clock, late)

    async def _connect(self, to: str, port: int, race: "_Race") -> IProtocol:
        return await race.run(self._permitted(to, port, await self._addresses(to)))

    async def _addresses(self, to: str) -> tuple[Address, ...]:
        try:
            found = host(to)
        except ValueError as error:
            raise UnresolvedError(str(error)) from None
        return await self.names.look_up(found) if isinstance(found, str) else (found,)

    def _permitted(self, to: str, port: int, found: tuple[Address, ...]) -> list[SocketAddress]:
        """Return those of `found` that may be connected to, in the order in which to try."""
        refusals = {each: self._refusal(each, port) for each in found}
        permitted = [each for each, refusal in refusals.items() if not refusal]
        if not permitted:
            raise ForbiddenError(to, SocketAddress(found[0], port), refusals[found[0]])
        return [SocketAddress(each, port) for each in interleaved(permitted)]

    def _refusal(self, address: Address, port: int) -> str:
        return self.policy.refusal(SocketAddress(address, port), self.is_local)


class _Race:
    """Attempts at several addresses, each a little after the one before; the first one up wins.

    `_running` has the attempts whose outcome is open: many while they connect, then the winner until
    it is handed over.
    """

    def __init__(self, connector: Connector, factory: IProtocolFactory) -> None:
        self.attempts: tuple[Attempt, ...] = ()
        self._connector = connector
        self._factory = factory
        self._waiting: deque[SocketAddress] = deque()
        self._running: set[_Runner] = set()
        self._timer: IDelayedCall | None = None
        self._won: Deferred[IProtocol] = Deferred(lambda _: self._stop())

    def run(self, addresses: Iterable[SocketAddress]) -> Deferred[IProtocol]:
        """Connect to the first of `addresses`, of which there is one; return what comes of all."""
        self._waiting.extend(addresses)
        self._start_next()
        return self._won

    def _start_next(self) -> None:
        self._stop_timer()
        runner = _Runner(self, self._waiting.popleft())
        self._running.add(runner)
        if self._waiting:
            self._timer = self._connector.clock.callLater(ATTEMPT_DELAY, self._start_next)
        runner.start(self._connector.network, self._connector.timeout)

    def failed(self, runner: "_Runner", error: Exception) -> None:
        """Take `runner` out of the race and start the next at once; fail where there is none."""
        if runner not in self._running:
            return
        self._running.remove(runner)
        self.attempts = (*self.attempts, Attempt(runner.address, error))
        if self._waiting:
            self._start_next()
        elif not self._running:
            self._stop_timer()
            self._won.errback(unreachable(self.attempts))

    def connected(self, runner: "_Runner", address: IAddress) -> IProtocol | None:
        """Return a protocol for `runner` and stop the others; None where the race is over."""
        if runner not in self._running:
            return None
        self._running.remove(runner)
        self._stop()
        self._running.add(runner)  # a factory that raises fails the attempt
        protocol = self._factory.buildProtocol(address)
        if protocol is None:
            self._running.clear()
            self._won.errback(NoProtocol())
            return None
        # The transport tells the protocol when this has returned: it is handed over after that.
        self._timer = self._connector.clock.callLater(0, self._hand_over, runner, protocol)
        return protocol

    def _hand_over(self, runner: "_Runner", protocol: IProtocol) -> None:
        self._running.clear()
        runner.retire()
        self._won.callback(protocol)

    def _stop(self) -> None:
        """End every attempt, made and to be made."""
        self._stop_timer()
        self._waiting.clear()
        running, self._running = self._running, set()
        for runner in running:
            runner.stop()

    def _stop_timer(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()


class _Runner(ClientFactory[Any]):
    """One attempt, as the reactor sees it."""

    noisy = False

    def __init__(self, race: _Race, address: SocketAddress) -> None:
        self.address = address
        self._race: _Race | None = race
        self._connector: IConnector | None = None

    def start(self, network: IReactorTCP, timeout: float) -> None:
        """Begin to connect; within `timeout` seconds somebody stops it."""
        never = 2 * timeout  # the reactor wants a figure
        try:
            network.connectTCP(str(self.address.host), self.address.port, self, never)
        except OSError as error:  # as with a zone that is none of this host's
            self._fail(error)

    def stop(self) -> None:
        """End the attempt, or the connection that it has come to."""
        if self._connector is not None:
            self._connector.disconnect()

    def retire(self) -> None:
        """Forget the race, which has been won."""
        self._race = None

    def startedConnecting(self, connector: IConnector) -> None:
        """Keep what can stop the attempt."""
        self._connector = connector

    def buildProtocol(self, addr: IAddress | None) -> IProtocol | None:
        """Return the protocol of the connection, if this attempt is the first that has one."""
        return self._race.connected(self, cast("IAddress", addr)) if self._race else None

    def clientConnectionFailed(self, _: IConnector, reason: Failure) -> None:
        """Tell the race."""
        self._fail(cast("Exception", reason.value))

    def clientConnectionLost(self, _: IConnector, reason: Failure) -> None:
        """Tell the race, which minds until the protocol has been handed over."""
        self._fail(cast("Exception", reason.value))

    def _fail(self, error: Exception) -> None:
        if self._race is not None:
            self._race.failed(self, error)
