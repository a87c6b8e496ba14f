"""The words of failures."""

from errno import EMFILE, ENETUNREACH
from ipaddress import ip_address

from twisted.internet import error
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.addresses import SocketAddress
from netkit.net.failures import (
    Attempt,
    ForbiddenError,
    RefusedError,
    TimedOutError,
    UnreachableError,
    unreachable,
)

ONE = SocketAddress(ip_address("192.0.2.1"), 80)
OTHER = SocketAddress(ip_address("2001:db8::1"), 80)
REFUSED = error.ConnectionRefusedError(111, "Connection refused")


class WordsTests(SynchronousTestCase):
    def test_forbidden(self) -> None:
        """What was asked for is named beside the address where it is not the same."""
        self.assertEqual(
            str(ForbiddenError("a.example", ONE, "loopback")),
            "a.example: 192.0.2.1:80 is forbidden: loopback",
        )
        self.assertEqual(
            str(ForbiddenError("192.0.2.1", ONE, "loopback")),
            "192.0.2.1:80 is forbidden: loopback",
        )

    def test_attempts(self) -> None:
        """Every attempt is named with the system's words."""
        failed = (
            Attempt(ONE, error.NoRouteError(ENETUNREACH, "Network is unreachable")),
            Attempt(OTHER, OSError(EMFILE, "Too many open files")),
            Attempt(OTHER, error.TimeoutError()),
        )
        self.assertEqual(
            str(unreachable(failed)),
            "192.0.2.1:80: network is unreachable; [2001:db8::1]:80: too many open files;"
            " [2001:db8::1]:80: user timeout caused connection failure.",
        )

    def test_refused(self) -> None:
        """It is refused only where every address refused; our own fault is none of the peer's."""
        own = Attempt(OTHER, error.ConnectError(EMFILE, "Too many open files"))
        self.assertIs(type(unreachable((Attempt(ONE, REFUSED),))), RefusedError)
        self.assertIs(type(unreachable((Attempt(ONE, REFUSED), own))), UnreachableError)

    def test_timed_out(self) -> None:
        """A deadline names itself, and what had failed before."""
        self.assertEqual(
            str(TimedOutError("a\x1b", 80, 1.5, (Attempt(ONE, REFUSED),))),
            "a\\x1b: no connection to port 80 within 1.5 s; 192.0.2.1:80: connection refused",
        )
