"""Tests of the command that makes a certificate for trying TLS."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from stat import S_IMODE

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netkit.net.identities import Identity
from netkit.net.tls import Store, load
from netkit.replacing import replace
from netkit.tools.certificate import NAMES, Issued, issue, provide
from tests.net.authorities import DAY, NOW, authority, found, issued, pem
from tests.net.loopback import output, serve
from tests.tools.commanded import called


class IssueTests(SynchronousTestCase):
    """Certificates of every sort."""

    def test_server(self) -> None:
        """A server's certificate says what clients want to read."""
        issuer = authority("Issuer")
        pair = issue(("a.example", "192.0.2.1"), NOW, NOW + DAY, issuer=issuer)
        read = pair.certificate
        self.assertEqual(read.subject.rfc4514_string(), "CN=a.example")
        self.assertEqual(read.issuer, issuer.certificate.subject)
        read.verify_directly_issued_by(issuer.certificate)
        self.assertEqual((read.not_valid_before_utc, read.not_valid_after_utc), (NOW, NOW + DAY))
        purposes = read.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        self.assertEqual(list(purposes), [ExtendedKeyUsageOID.SERVER_AUTH])
        constraints = read.extensions.get_extension_for_class(x509.BasicConstraints)
        self.assertEqual((constraints.value.ca, constraints.critical), (False, True))

    def test_authority(self) -> None:
        """An authority's certificate is good for issuing and nothing else."""
        extensions = authority("Issuer").certificate.extensions
        self.assertTrue(extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
        self.assertEqual((usage.key_cert_sign, usage.digital_signature), (True, False))

    def test_self_signed(self) -> None:
        """Without an issuer the certificate is its own."""
        pair = issued("a.example")
        pair.certificate.verify_directly_issued_by(pair.certificate)

    def test_long_names(self) -> None:
        """A name that is too long for a common name is in the subjectAltName whole."""
        name = f"{'a' * 63}.example"
        self.assertEqual(found(pem("a", issued(name).pem)).identities.default.names, (name,))

    def test_no_key_is_shown(self) -> None:
        """Whoever prints what was issued prints no key."""
        self.assertNotIn("key", repr(issued("a.example")).lower())


class ProvideTests(SynchronousTestCase):
    """When a certificate is made, and when not."""

    def setUp(self) -> None:
        """Name a folder that is not there."""
        self.folder = Path(self.mktemp()) / "tls"
        self.file = self.folder / "localhost.pem"

    def provide(self, names: Sequence[str] = NAMES, days: int = 0) -> str:
        """Run it so many days later; return what it says, without the path."""
        return provide(self.folder, names, NOW + days * DAY).removeprefix(f"{self.folder}/")

    def write(self, pair: Issued) -> bytes:
        """Put a pair where the command would put its own; return what was written."""
        self.folder.mkdir(parents=True)
        self.file.write_bytes(pair.pem)
        return pair.pem

    def standing(self, days: int = 0) -> Identity:
        """Return what a store finds in the folder."""
        result = load([self.folder], NOW + days * DAY)
        self.assertEqual(result.faults, ())
        return result.identities.default

    def test_made(self) -> None:
        """In a new folder it makes one for localhost, valid at once and for a year."""
        self.assertEqual(
            self.provide(),
            "localhost.pem: made for localhost, 127.0.0.1, ::1; self-signed, valid until 2027-12-31",
        )
        made = self.standing()
        self.assertEqual(made.names, ("localhost", "127.0.0.1", "::1"))
        self.assertEqual(made.expires, NOW + 365 * DAY - timedelta(hours=1))

    def test_modes(self) -> None:
        """The file is its owner's only, and so is a folder that it makes."""
        self.provide()
        self.assertEqual(S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertEqual(S_IMODE(self.folder.stat().st_mode), 0o700)
        self.assertEqual(list(self.folder.iterdir()), [self.file])

    def test_mode_of_a_folder_that_is_there(self) -> None:
        """A folder that is there keeps its mode."""
        self.folder.mkdir(parents=True)
        self.folder.chmod(0o750)
        self.provide()
        self.assertEqual(S_IMODE(self.folder.stat().st_mode), 0o750)

    def test_stands(self) -> None:
        """While the one that it made is valid it does nothing, and says so."""
        self.provide()
        before = self.file.read_bytes()
        said = self.provide(days=364)
        self.assertEqual(said, "localhost.pem: stands, valid until 2027-12-31; nothing done")
        self.assertEqual(self.file.read_bytes(), before)

    def test_another_stands(self) -> None:
        """One for the same names, by whoever and in whichever file, is as good."""
        self.folder.mkdir(parents=True)
        pair = issued("other.example", *NAMES, issuer=authority())
        (self.folder / "own.crt").write_bytes(pair.certificate_pem)
        (self.folder / "own.key").write_bytes(pair.key_pem)
        self.assertEqual(self.provide(), "own.crt: stands, valid until 2027-01-31; nothing done")
        self.assertFalse(self.file.exists())

    def test_expired(self) -> None:
        """One that has expired is made anew in its place."""
        self.provide()
        before = self.standing()
        self.assertEqual(
            self.provide(days=365),
            "localhost.pem: made anew for localhost, 127.0.0.1, ::1; "
            "self-signed, valid until 2028-12-30",
        )
        self.assertNotEqual(self.standing(days=365), before)

    def test_other_names(self) -> None:
        """One for fewer names is made anew; one for others stays, and the new one is beside it."""
        self.provide(("localhost",))
        self.assertIn("made anew", self.provide(("localhost", "a.example")))
        self.assertIn("_wildcard.b.example.pem: made for", self.provide(("*.b.example",)))
        result = load([self.folder], NOW)
        self.assertEqual(
            [each.names for each in result.identities.members],
            [("*.b.example",), ("localhost", "a.example")],
        )

    def test_not_its_own(self) -> None:
        """A file that is no self-signed certificate is left as it is."""
        for pair in (
            issued("localhost", issuer=authority(), days=-1, since=9),
            issued("other.example", issuer=authority()),
        ):
            before = self.write(pair)
            error = self.assertRaises(FileExistsError, self.provide)
            self.assertEqual(
                error.strerror, "is not a self-signed certificate and is left alone; move it away"
            )
            self.assertEqual(self.file.read_bytes(), before)
            self.file.write_bytes(b"notes")
            self.assertRaises(FileExistsError, self.provide)
            self.file.unlink()
            self.folder.rmdir()

    def test_nothing_half_written(self) -> None:
        """Where the file cannot be put in its place, nothing of it stays."""
        self.file.mkdir(parents=True)
        self.assertRaises(IsADirectoryError, self.provide)
        self.assertRaises(IsADirectoryError, replace, self.file, b"data")
        self.assertEqual(list(self.folder.iterdir()), [self.file])


class CommandTests(SynchronousTestCase):
    """The command as it is called."""

    def test_one_line(self) -> None:
        """It says in one line what it did, and then that there was nothing to do."""
        folder = self.mktemp()
        ran = called("certificate", folder)
        self.assertEqual((ran.status, ran.errors), (0, ""))
        self.assertTrue(ran.out.startswith(f"{folder}/localhost.pem: made for localhost, "), ran)
        self.assertEqual(ran.out.count("\n"), 1)
        self.assertTrue(called("certificate", folder).out.endswith("; nothing done\n"))

    def test_names(self) -> None:
        """Names may be given instead; addresses and small letters are put in order."""
        folder = self.mktemp()
        ran = called("certificate", folder, "--name", "A.Example", "--name", "0:0::1")
        self.assertIn("a.example.pem: made for a.example, ::1; self-signed", ran.out)

    def test_a_bad_name(self) -> None:
        """What is no name is shown, and nothing is made."""
        folder = self.mktemp()
        ran = called("certificate", folder, "--name", "../x")
        self.assertEqual(ran.status, 2)
        right = 'a DNS name (in its "xn--" form where it is not ASCII) or an IP address'
        self.assertIn(f'"../x" is not right; {right}', ran.errors)
        self.assertFalse(Path(folder).exists())

    def test_cannot_be_written(self) -> None:
        """A place where nothing can be made is named in one line."""
        file = Path(self.mktemp())
        file.touch()
        ran = called("certificate", f"{file}/tls")
        self.assertEqual((ran.status, ran.out), (2, ""))
        self.assertEqual(ran.errors, f"netkit: {file}/tls: not a directory\n")


class Page(Protocol):
    """Answers the first bytes with a page."""

    def dataReceived(self, _: bytes) -> None:
        """Answer and end."""
        assert self.transport is not None
        self.transport.write(b"HTTP/1.0 200 OK\r\n\r\nhello from netkit\n")
        self.transport.loseConnection()


class CurlTests(TestCase):
    """The certificate as curl sees it."""

    async def test_curl(self) -> None:
        """A curl that is given the file trusts it, for the name and for the address."""
        folder = Path(self.mktemp())
        now = datetime.now(UTC)
        provide(folder, NAMES, now)
        store = Store(load([folder], now).identities)
        port = serve(self, store, (b"http/1.1",), Factory.forProtocol(Page))
        for host in ("localhost", "127.0.0.1"):
            where = ["--resolve", f"localhost:{port}:127.0.0.1", f"https://{host}:{port}/"]
            trust = ["--cacert", str(folder / "localhost.pem")]
            said, status = await output("curl", ["--silent", "--show-error", *trust, *where])
            self.assertEqual((said, status), ("hello from netkit\n", 0))
