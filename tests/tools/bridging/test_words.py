"""What is said of a connection, and made harmless where a peer wrote it."""

from datetime import UTC, datetime, timedelta

from cryptography.x509 import Certificate
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.bridging.bridge import Ended
from netkit.tools.bridging.ends import Reason
from netkit.tools.bridging.words import address, ending, names
from netkit.tools.certificate import issue

NOW = datetime(2027, 1, 1, tzinfo=UTC)


def shown(*written: str, subject: str = "") -> Certificate:
    return issue(written, NOW, NOW + timedelta(days=1), subject=subject).certificate


class WordsTests(SynchronousTestCase):
    def test_addresses(self) -> None:
        """An address is written as a person would, whatever its sort."""
        for found, written in (
            (IPv4Address("TCP", "192.0.2.1", 7), "192.0.2.1:7"),
            (IPv6Address("TCP", "2001:db8::1", 7), "[2001:db8::1]:7"),
            (UNIXAddress("/run/x"), "unix:/run/x"),
            (UNIXAddress(b"/run/\x1b"), "unix:/run/\\x1b"),
            (UNIXAddress(None), "unix"),
        ):
            self.assertEqual(address(found), written)

    def test_certificates(self) -> None:
        """A certificate is known by its names, a few of them, or else by its subject."""
        for certificate, written in (
            (shown("a.example"), "a.example"),
            (shown("a.example", "::1"), "a.example, ::1"),
            (shown("a", "b", "c", "d", "e"), "a, b, c and 2 more"),
            (shown(subject="Lab\x1b[2J"), "Lab\\x1b[2J"),
        ):
            self.assertEqual(names(certificate), written)

    def test_ending(self) -> None:
        """The end says why, and what went over the bridge."""
        said = ending(Ended(Reason.PEER_ENDED, 3, 5))
        self.assertEqual(said, "the peer ended; 3 bytes sent, 5 received")
