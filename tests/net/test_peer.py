"""A peer's address as text."""

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.peer import host, host_and_port


class PeerTests(SynchronousTestCase):
    def test_texts(self) -> None:
        """IPv6 is bracketed beside a port, and a UNIX socket's peer has no address."""
        for peer, alone, with_port in (
            (IPv4Address("TCP", "192.0.2.1", 40), "192.0.2.1", "192.0.2.1:40"),
            (IPv6Address("TCP", "2001:db8::1", 40), "2001:db8::1", "[2001:db8::1]:40"),
            (UNIXAddress(b"/run/x"), "unix", "unix"),
        ):
            with self.subTest(with_port):
                self.assertEqual((host(peer), host_and_port(peer)), (alone, with_port))
