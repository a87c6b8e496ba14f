"""Names of services."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.scanning.services import WELL_KNOWN, name_of, port_of


class NamesTests(SynchronousTestCase):
    def test_known(self) -> None:
        """Well-known services have their names, whether the system knows them or not."""
        for port in WELL_KNOWN:
            self.assertTrue(name_of(port))
        self.assertEqual((name_of(80), port_of("http"), port_of("ssh")), ("http", 80, 22))
        self.assertEqual(port_of("nats"), 4222)

    def test_unknown(self) -> None:
        """Others have none."""
        self.assertEqual(name_of(64999), "")
        for name in ("nosuch-service", "", "\0", "a\ud800"):
            self.assertIsNone(port_of(name))

    def test_in_order(self) -> None:
        """The ports that are tried by default are ports, in ascending order."""
        self.assertEqual(list(WELL_KNOWN), sorted(WELL_KNOWN))
