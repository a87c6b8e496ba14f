"""Why there is no connection, in the terms of RFC 9209."""

from ipaddress import ip_address

from twisted.internet.error import ConnectionRefusedError as Refused
from twisted.internet.error import NoRouteError
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.asking import Problem
from netkit.http.problems import not_connected
from netkit.net.addresses import SocketAddress
from netkit.net.failures import (
    Attempt,
    CertificateError,
    ForbiddenError,
    NoConnectionError,
    TimedOutError,
    TlsError,
    UnresolvedError,
    unreachable,
)

ADDRESS = SocketAddress(ip_address("192.0.2.1"), 80)


class ProblemTests(SynchronousTestCase):
    def test_each(self) -> None:
        """Each has its problem; the words stay, and the server has seen nothing."""
        for error, problem in (
            (ForbiddenError("x", ADDRESS, "rule"), Problem.DESTINATION_IP_PROHIBITED),
            (UnresolvedError("x"), Problem.DNS_ERROR),
            (TimedOutError("x", 80, 3, ()), Problem.CONNECTION_TIMEOUT),
            (unreachable((Attempt(ADDRESS, Refused()),)), Problem.CONNECTION_REFUSED),
            (unreachable((Attempt(ADDRESS, NoRouteError()),)), Problem.DESTINATION_IP_UNROUTABLE),
            (CertificateError("x"), Problem.TLS_CERTIFICATE_ERROR),
            (TlsError("x"), Problem.TLS_PROTOCOL_ERROR),
            (NoConnectionError("x"), Problem.DESTINATION_UNAVAILABLE),
        ):
            asked = not_connected(error)
            self.assertIs(asked.problem, problem)
            self.assertEqual(str(asked), str(error))
            self.assertTrue(asked.untouched)
            self.assertIs(asked.__cause__, error)
