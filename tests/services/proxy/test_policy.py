"""Who may use the proxy."""

from ipaddress import ip_network

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.proxy.policy import admits
from netkit.services.proxy.service import LOOPBACK


class Admits(SynchronousTestCase):
    def test_loopback(self) -> None:
        """By default this host alone is served, whatever clothes its address wears."""
        for host in ("127.0.0.1", "127.255.255.255", "::1", "::ffff:127.0.0.1", "::1%lo"):
            self.assertTrue(admits(LOOPBACK, host))
        for host in ("128.0.0.1", "192.0.2.1", "::", "::2", "::ffff:192.0.2.1", "::127.0.0.1"):
            self.assertFalse(admits(LOOPBACK, host))

    def test_networks(self) -> None:
        """An address must be in one of the networks, and in none of no networks."""
        networks = (ip_network("192.0.2.0/24"), ip_network("2001:db8::/32"))
        self.assertTrue(admits(networks, "192.0.2.77"))
        self.assertTrue(admits(networks, "2001:db8::1"))
        self.assertFalse(admits(networks, "192.0.3.1"))
        self.assertFalse(admits((), "127.0.0.1"))

    def test_no_address(self) -> None:
        """What is no address is in no network."""
        for host in ("", "local", "localhost", "127.0.0.1.", "0x7f.1"):
            self.assertFalse(admits((ip_network("0.0.0.0/0"), ip_network("::/0")), host))
