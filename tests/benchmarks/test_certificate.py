"""The certificate that servers of TLS are given."""

from datetime import UTC, datetime
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.certificate import self_signed
from netkit.net.tls import load


class CertificateTests(SynchronousTestCase):
    def test_netkit_finds_nothing_wrong_with_it(self) -> None:
        """Certificate and key are in one file, valid now."""
        file = Path(self.mktemp())
        file.write_bytes(self_signed())
        found = load([file], datetime.now(UTC))
        self.assertEqual(found.faults, ())
        self.assertEqual(found.identities.default.names, ("localhost",))
