"""Tests of TLS with a client that this project did not write: `openssl s_client`."""

from pathlib import Path

from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.trial.unittest import TestCase

from netkit.net.pemfiles import signature
from netkit.net.reloading import Watch
from netkit.net.tls import Source, Store
from netkit.tools.certificate import Issued
from tests.net.authorities import NOW, authority, found, issued, pem
from tests.net.loopback import output, serve


class Greeting(Protocol):
    """Says hello and ends, as soon as it may."""

    def connectionMade(self) -> None:
        """Write before the handshake has begun."""
        assert self.transport is not None
        self.transport.write(b"hello from netkit\n")
        self.transport.loseConnection()


class RenewedTests(TestCase):
    """A certificate that changes under a server that runs."""

    def setUp(self) -> None:
        """Listen with a certificate in a folder that is watched, by a clock of the test's."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.old, self.new = issued("a.example"), issued("a.example", days=60)
        self.put(self.old)
        source = Source((self.folder,))
        seen = signature(source.paths)
        store = Store(source.read(NOW).found.identities)
        self.clock = Clock()
        watch = Watch(
            "tls.main", source, store, seen, clock=self.clock, wall=lambda: NOW, log=Logger()
        )
        watch.startService()
        self.addCleanup(watch.stopService)
        self.port = serve(self, store, (), Factory.forProtocol(Greeting))

    def put(self, pair: Issued) -> None:
        """Put a certificate in the place of the one that is there, as a client of ACME does."""
        (self.folder / ".next").write_bytes(pair.pem)
        (self.folder / ".next").rename(self.folder / "a.pem")

    async def test_renewed(self) -> None:
        """Who connects after the files have come to rest meets the new one."""
        for pair in (self.old, self.new):
            self.put(pair)
            self.clock.pump([1, 1])
            where = ["-connect", f"127.0.0.1:{self.port}", "-ign_eof", "-servername", "a.example"]
            said, _ = await output("openssl", ["s_client", *where])
            self.assertIn("hello from netkit", said)
            self.assertIn(pair.certificate_pem.decode().strip(), said)


class OpenSSLTests(TestCase):
    """What `openssl s_client` says of a listener with two names and a chain."""

    def setUp(self) -> None:
        """Listen with two certificates of one authority that is not the root."""
        self.root = authority()
        middle = authority("Middle", issuer=self.root)
        names = ("a.example", "127.0.0.1"), ("*.b.example",)
        leaves = [issued(*each, issuer=middle) for each in names]
        files = [pem(str(number), leaf.pem) for number, leaf in enumerate(leaves)]
        chain = pem("chain", middle.certificate_pem)
        store = Store(found(*files, chain).identities)
        self.port = serve(self, store, (b"greeting",), Factory.forProtocol(Greeting))

    async def ask(self, *arguments: str, root: Issued | None = None) -> str:
        """Return what s_client says, which trusts `root` and no other."""
        trusted = self.written(root or self.root)
        where = ["-connect", f"127.0.0.1:{self.port}", "-ign_eof"]
        trust = ["-CAfile", trusted, "-verify_return_error", "-x509_strict"]
        time = ["-attime", str(int(NOW.timestamp()))]
        return (await output("openssl", ["s_client", *where, *trust, *time, *arguments]))[0]

    def written(self, root: Issued) -> str:
        """Write the certificate of `root` to a file; return its path."""
        path = Path(self.mktemp())
        path.write_bytes(root.certificate_pem)
        return str(path)

    async def test_names(self) -> None:
        """Each name is met by its certificate with the chain to a root that only the client has."""
        for name in ("a.example", "x.b.example"):
            said = await self.ask("-servername", name, "-verify_hostname", name)
            self.assertIn("Verification: OK", said)
            self.assertIn("hello from netkit", said)

    async def test_address(self) -> None:
        """A client that asks for no name, as by an address, meets the default."""
        said = await self.ask("-noservername", "-verify_ip", "127.0.0.1")
        self.assertIn("Verification: OK", said)

    async def test_unknown_name(self) -> None:
        """A name that is not here is met by the default, and the client notices."""
        said = await self.ask("-servername", "c.example", "-verify_hostname", "c.example")
        self.assertIn("hostname mismatch", said)
        self.assertNotIn("hello", said)

    async def test_versions(self) -> None:
        """TLS 1.3 and 1.2 are spoken, 1.1 is not."""
        for version, cipher in (
            ("-tls1_3", "TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384"),
            ("-tls1_2", "TLSv1.2, Cipher is ECDHE-ECDSA-AES256-GCM-SHA384"),
        ):
            self.assertIn(cipher, await self.ask(version))
        said = await self.ask("-tls1_1", "-cipher", "ALL:@SECLEVEL=0")
        self.assertIn("alert protocol version", said)

    async def test_no_weak_cipher(self) -> None:
        """CBC is refused."""
        said = await self.ask("-tls1_2", "-cipher", "ECDHE+AES:!AESGCM:!AESCCM")
        self.assertIn("handshake failure", said)

    async def test_protocols(self) -> None:
        """ALPN is agreed on, or the handshake fails with the alert for it."""
        self.assertIn("ALPN protocol: greeting", await self.ask("-alpn", "h2,greeting"))
        self.assertIn("no application protocol", await self.ask("-alpn", "h2"))

    async def test_another_authority(self) -> None:
        """The test itself is right: who trusts another authority is not content."""
        said = await self.ask(root=authority("Another"))
        self.assertIn("Verification error", said)
        self.assertNotIn("hello", said)
