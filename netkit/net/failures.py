"""Why there is no connection: what `connect` raises.

Rule: the text of each names what was tried and what stood in the way, on one line that can be shown
to whoever asked; what a peer or a client wrote is quoted in it.
"""

from attrs import frozen
from twisted.internet import error

from netkit.document.values import printable
from netkit.net.addresses import SocketAddress


class NoConnectionError(Exception):
    """There is no connection."""


class UnresolvedError(NoConnectionError):
    """There is no address to connect to."""


class ForbiddenError(NoConnectionError):
    """The policy forbids every address there is; `rule` is the one that forbids `address`."""

    def __init__(self, host: str, address: SocketAddress, rule: str) -> None:
        disguise = "" if host == str(address.host) else f"{printable(host)}: "
        super().__init__(f"{disguise}{address} is forbidden: {rule}")
        self.address = address
        self.rule = rule


@frozen
class Attempt:
    """One attempt at a connection, which failed because of `cause`; a UNIX socket's is at a path."""

    address: SocketAddress | str
    cause: Exception

    def __str__(self) -> str:
        return f"{self.address}: {_words(self.cause)}"


class UnreachableError(NoConnectionError):
    """Every attempt failed; `attempts` has them in the order in which they did."""

    def __init__(self, attempts: tuple[Attempt, ...]) -> None:
        super().__init__("; ".join(map(str, attempts)))
        self.attempts = attempts


class RefusedError(UnreachableError):
    """Every address was reached and none accepts connections at that port."""


class TimedOutError(NoConnectionError):
    """There was no connection by the deadline; `attempts` has those that had failed by then."""

    def __init__(self, host: str, port: int, seconds: float, attempts: tuple[Attempt, ...]) -> None:
        late = f"{printable(host)}: no connection to port {port} within {seconds:g} s"
        super().__init__("; ".join((late, *map(str, attempts))))
        self.attempts = attempts


class TlsError(NoConnectionError):
    """The server was reached, and TLS did not come about."""


class CertificateError(TlsError):
    """The server showed no certificate that is good for its name."""


def unreachable(attempts: tuple[Attempt, ...]) -> UnreachableError:
    """Return what failed `attempts` come to."""
    refused = all(isinstance(attempt.cause, error.ConnectionRefusedError) for attempt in attempts)
    return RefusedError(attempts) if refused else UnreachableError(attempts)


def _words(cause: Exception) -> str:
    """Return the system's words for `cause`, or else its own."""
    words = cause.strerror if isinstance(cause, OSError) else cause.args and cause.args[0]
    return printable(str(words or cause)).lower()
