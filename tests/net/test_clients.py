"""Tests of clients that show certificates, and of clients that ask for names that nobody has."""

import socket
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import SkipTest

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import SSL
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.testing import StringTransport
from twisted.internet.threads import deferToThread
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase, TestCase

from netkit.net.authorities import Authorities
from netkit.net.clients import (
    ClientCertificates,
    ClientName,
    authorities,
    client_name,
    named,
)
from netkit.net.limits import Limits
from netkit.net.listener import Gate
from netkit.net.reactor import EagerReactor
from netkit.net.tls import Store, Terms, UnknownNames
from netkit.tools.certificate import Issued, issue
from tests.listening import listening
from tests.net.authorities import identities, issued
from tests.net.handshakes import client, met, returning, server, shake, show, taken, turn

NOW = datetime.now(UTC).replace(microsecond=0)  # OpenSSL asks the real clock about clients
DAY = timedelta(days=1)
VERSIONS = (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION)


def ca(subject: str, days: int = 9, **more: Any) -> Issued:
    """Return an authority of the present."""
    return issue([], NOW - 9 * DAY, NOW + days * DAY, subject=subject, authority=True, **more)


def of_client(
    issuer: Issued, names: Sequence[x509.GeneralName] = (), days: int = 1, common_name: str = "Ann"
) -> Issued:
    """Return a certificate for a client."""
    key = ec.generate_private_key(ec.SECP256R1())
    builder = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)]))
        .issuer_name(issuer.certificate.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - 5 * DAY)
        .not_valid_after(NOW + days * DAY)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    )
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return Issued(builder.sign(issuer.key, SHA256()), key)


ROOT, STRANGE = ca("Clients"), ca("Strangers")
NAMES = (
    x509.DNSName("ann.example"),
    x509.RFC822Name("ann@example.org"),
    x509.UniformResourceIdentifier("spiffe://example.org/ann"),
)
ANN = of_client(ROOT, NAMES)
ANNS_NAME = ClientName("Ann", ("ann.example",), ("ann@example.org",), ("spiffe://example.org/ann",))
IDENTITIES = identities(issued("a.example"), issued("b.example"))


def store(how: ClientCertificates = ClientCertificates.OPTIONAL, trusted: Issued = ROOT) -> Store:
    """Return a store that asks clients for certificates of one authority."""
    terms = Terms(authorities=(trusted.certificate,), client_certificates=how)
    return Store(IDENTITIES, terms)


REQUIRED = ClientCertificates.REQUIRED


class ShownTests(SynchronousTestCase):
    """What becomes of a client with a certificate, or without."""

    def shown(self, shows: Issued | None, into: Store, version: int, name: bytes) -> str:
        """Return the common name that the server sees, or why it refuses."""
        answering = server(into)
        try:
            shake(client(name, version=version, shows=shows), answering)
        except SSL.Error as error:
            return str(error.args[0][-1][-1])
        certificate = answering.get_peer_certificate()
        return named(certificate.to_cryptography()).common_name or "" if certificate else ""

    def each(self, shows: Issued | None, into: Store, expected: str) -> None:
        """Check what is seen by both versions, by the default identity and by another."""
        for version in VERSIONS:
            for name in (b"a.example", b"b.example"):
                self.assertEqual(self.shown(shows, into, version, name), expected)

    def test_good(self) -> None:
        """A certificate of the right authority is let in and seen."""
        for how in ClientCertificates:
            self.each(ANN, store(how), "Ann")

    def test_none(self) -> None:
        """Without a certificate a client is let in, unless one is required."""
        self.each(None, store(), "")
        self.each(None, store(REQUIRED), "peer did not return a certificate")

    def test_bad(self) -> None:
        """A certificate that is not good is refused, even where none would do."""
        for how in ClientCertificates:
            for shows in (
                of_client(STRANGE),
                of_client(ca("Clients")),  # another key under the right name
                of_client(ROOT, days=-1),
                issue(["ann.example"], NOW - DAY, NOW + DAY, issuer=ROOT),  # a server's
                issue(["self.example"], NOW - DAY, NOW + DAY),  # its own
            ):
                self.each(shows, store(how), "certificate verify failed")

    def test_not_asked(self) -> None:
        """Where there is no client_ca no certificate is asked for, and none is seen."""
        self.each(ANN, Store(IDENTITIES), "")

    def test_expired_authority(self) -> None:
        """Whom an authority that has expired let in is let in no more."""
        old = ca("Old", days=-1)
        self.each(of_client(old), store(trusted=old), "certificate verify failed")

    def test_below_a_root(self) -> None:
        """An authority that is no root is trusted for its own, and not the root's others."""
        middle = ca("Middle", issuer=ROOT)
        self.each(of_client(middle), store(trusted=middle), "Ann")
        self.each(ANN, store(trusted=middle), "certificate verify failed")

    def test_asked_by_name(self) -> None:
        """Clients are told whose certificates will do, so that they can choose."""
        asking = client(b"b.example")
        shake(asking, server(store()))
        self.assertEqual([each.CN for each in asking.get_client_ca_list()], ["Clients"])

    def test_nobody_to_issue(self) -> None:
        """A store that needs certificates of clients has somebody to issue them, now and later."""
        terms = Terms(client_certificates=REQUIRED)
        self.assertRaises(ValueError, Store, IDENTITIES, terms)
        demanding = store(REQUIRED)
        self.assertRaises(ValueError, demanding.replace, IDENTITIES, ())
        self.each(None, demanding, "peer did not return a certificate")

    def test_replaced(self) -> None:
        """Authorities stay when identities are exchanged, and are exchanged where others are given."""
        demanding = store(REQUIRED)
        demanding.replace(IDENTITIES)
        self.each(ANN, demanding, "Ann")
        demanding.replace(IDENTITIES, (STRANGE.certificate,))
        self.each(ANN, demanding, "certificate verify failed")
        self.each(of_client(STRANGE), demanding, "Ann")


class ResumptionTests(SynchronousTestCase):
    """A client that comes back."""

    def test_verified_again(self) -> None:
        """A client that was let in once, and comes back without its certificate, is nobody."""
        for version in VERSIONS:
            for into, back in ((store(), ""), (store(REQUIRED), "peer did not return")):
                first = client(b"a.example", version=version, shows=ANN)
                shake(first, server(into))
                asking, answering = returning(first, b"a.example"), server(into)
                if back:
                    error = self.assertRaises(SSL.Error, shake, asking, answering)
                    self.assertIn(back, str(error))
                else:
                    shake(asking, answering)
                    self.assertIsNone(answering.get_peer_certificate())

    def test_still_served(self) -> None:
        """A client that offers its session, and has its certificate, is served by a full handshake."""
        for version in VERSIONS:
            into = store(REQUIRED)
            first = client(b"b.example", version=version, shows=ANN)
            shake(first, server(into))
            again = returning(first, b"b.example")
            show(again, ANN)
            shake(again, server(into))
            self.assertNotEqual(again.master_key(), first.master_key())

    def test_authority_dismissed(self) -> None:
        """A session does not outlive the authority that it was let in by."""
        for version in VERSIONS:
            into = store()
            first = client(version=version, shows=ANN)
            shake(first, server(into))
            into.replace(IDENTITIES, (STRANGE.certificate,))
            again = returning(first, b"a.example")
            show(again, ANN)
            error = self.assertRaises(SSL.Error, shake, again, server(into))
            self.assertIn("certificate verify failed", str(error))


class UnknownNamesTests(SynchronousTestCase):
    """Clients that ask for a name which no certificate has."""

    refusing = Store(IDENTITIES, Terms(UnknownNames.REFUSE))

    def test_refused(self) -> None:
        """They get the alert for it, whatever they ask for."""
        for version in VERSIONS:
            for name in (b"c.example", b"x.a.example", b"\xff", b"*", b"a" * 255):
                asking, answering = client(name, version=version), server(self.refusing)
                turn(asking)
                answering.bio_write(taken(asking))
                self.assertRaises(SSL.Error, answering.do_handshake)
                asking.bio_write(taken(answering))
                error = self.assertRaises(SSL.Error, asking.do_handshake)
                self.assertIn("unrecognized name", str(error))

    def test_known(self) -> None:
        """Names that are known, and no name, are served as ever."""
        for version in VERSIONS:
            for name, number in ((b"a.example", 0), (b"B.Example.", 1), (None, 0)):
                asking = client(name, version=version)
                shake(asking, server(self.refusing))
                self.assertEqual(met(asking), [IDENTITIES.members[number].certificate])

    def test_resumed(self) -> None:
        """No session of TLS 1.3 lets a client in under a name that is not known."""
        first = client(b"a.example", version=SSL.TLS1_3_VERSION)
        shake(first, server(self.refusing))
        shake(returning(first, b"a.example"), server(self.refusing))
        error = self.assertRaises(
            SSL.Error, shake, returning(first, b"c.example"), server(self.refusing)
        )
        self.assertIn("callback failed", str(error))

    def test_replaced(self) -> None:
        """Names come and go with the identities."""
        changing = Store(IDENTITIES, Terms(UnknownNames.REFUSE))
        changing.replace(identities(issued("c.example")))
        shake(client(b"c.example"), server(changing))
        self.assertRaises(SSL.Error, shake, client(b"a.example"), server(changing))


class AuthoritiesTests(SynchronousTestCase):
    """What a file for client_ca may hold."""

    def read(self, *parts: bytes) -> Authorities:
        """Return what is in a file of `parts`."""
        path = Path(self.mktemp())
        path.write_bytes(b"".join(parts))
        return authorities(path, NOW)

    def fault(self, *parts: bytes) -> str:
        """Return the only fault of a file of `parts`."""
        (fault,) = self.read(*parts).faults
        return fault.text

    def test_good(self) -> None:
        """One or more authorities are read in order; one that has expired does no harm beside them."""
        files = [each.certificate_pem for each in (STRANGE, ROOT, ca("Old", days=-1))]
        found = self.read(*files)
        self.assertEqual(found.faults, ())
        self.assertEqual(found.certificates[:2], (STRANGE.certificate, ROOT.certificate))

    def test_faults(self) -> None:
        """Each thing that can be wrong is named."""
        for nothing in (b"", b"words", ROOT.key_pem):
            self.assertIn("holds no certificate;", self.fault(nothing))
        self.assertIn("cut off", self.fault(ROOT.certificate_pem, STRANGE.certificate_pem[:-9]))
        rubbish = ROOT.certificate_pem.replace(b"M", b"N")
        self.assertIn("is damaged", self.fault(STRANGE.certificate_pem, rubbish))
        self.assertEqual(
            self.fault(ROOT.certificate_pem, ANN.certificate_pem),
            'holds "CN=Ann", who is no authority; who issues clients\' belongs here',
        )
        old = ca("Old", days=-1)
        self.assertIn("no authority that is valid now", self.fault(old.certificate_pem))

    def test_not_there(self) -> None:
        """A file that is not there is named, and an empty folder."""
        path = Path(self.mktemp())
        (fault,) = authorities(path, NOW).faults
        self.assertIn("does not exist", fault.text)
        path.mkdir()
        (fault,) = authorities(path, NOW).faults
        self.assertIn("holds no certificate", fault.text)

    def test_may_not_sign(self) -> None:
        """An authority whose key is not for signing certificates is none."""
        usage = dict.fromkeys(
            ("content_commitment", "key_encipherment", "data_encipherment", "key_agreement"), False
        )
        more = dict.fromkeys(("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"), False)
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Odd")])
        certificate = (
            x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - DAY, NOW + DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(True, **usage, **more), critical=True)
            .sign(key, SHA256())
        )
        self.assertIn("no authority", self.fault(Issued(certificate, key).certificate_pem))


class NamedTests(SynchronousTestCase):
    """What a certificate calls its holder."""

    def test_whole(self) -> None:
        """Common name and every sort of name are found."""
        self.assertEqual(named(ANN.certificate), ANNS_NAME)

    def test_bare(self) -> None:
        """A certificate without alternative names has its common name."""
        self.assertEqual(named(of_client(ROOT).certificate), ClientName("Ann"))

    def test_no_common_name(self) -> None:
        """A subject may have no common name."""
        key = ec.generate_private_key(ec.SECP256R1())
        builder = x509.CertificateBuilder(
            x509.Name([]), x509.Name([]), key.public_key(), 1, NOW - DAY, NOW + DAY
        )
        self.assertEqual(named(builder.sign(key, SHA256())), ClientName())

    def test_damaged(self) -> None:
        """Alternative names that are no such names are left out."""
        oid = x509.SubjectAlternativeName.oid
        key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "\x1b[2J")])
        builder = x509.CertificateBuilder(name, name, key.public_key(), 1, NOW - DAY, NOW + DAY)
        builder = builder.add_extension(x509.UnrecognizedExtension(oid, b"rubbish"), critical=False)
        self.assertEqual(named(builder.sign(key, SHA256())), ClientName("\x1b[2J"))


class Asking(Protocol):
    """Notes the client's name when it is made, and when data comes."""

    def __init__(self) -> None:
        self.names: list[ClientName | None] = []

    def connectionMade(self) -> None:
        assert self.transport is not None
        self.names.append(client_name(self.transport))

    def dataReceived(self, data: bytes) -> None:
        assert self.transport is not None
        self.names.append(client_name(self.transport))
        self.transport.write(data)


class TransportTests(TestCase):
    """The name as a protocol gets it."""

    def test_in_memory(self) -> None:
        """Over memory the name is there with the first byte, and not before."""
        factory = TLSMemoryBIOFactory(
            store().creator(), isClient=False, wrappedFactory=Factory.forProtocol(Asking)
        )
        for shows, expected in ((ANN, ANNS_NAME), (None, None)):
            protocol: Any = factory.buildProtocol(None)
            transport = StringTransport()
            protocol.makeConnection(transport)
            asking = client(shows=shows)
            for _ in range(4):
                turn(asking)
                if data := taken(asking):
                    protocol.dataReceived(data)
                if transport.value():
                    asking.bio_write(transport.value())
                    transport.clear()
            asking.send(b"hello")
            protocol.dataReceived(taken(asking))
            self.assertEqual(protocol.wrappedProtocol.names, [None, expected])

    def test_plain(self) -> None:
        """Without TLS nobody has a name."""
        self.assertIsNone(client_name(StringTransport()))

    async def test_on_the_socket(self) -> None:
        """On netkit's own transport it is the same."""
        from twisted.internet import reactor  # noqa: PLC0415 (trial has chosen it by now)

        if not isinstance(reactor, EagerReactor):
            raise SkipTest("needs trial --reactor=netkit")
        made: list[Asking] = []

        class Noting(Factory):
            def buildProtocol(self, addr: object) -> Any:
                made.append(Asking())
                return made[-1]

        gate = Gate(Noting(), Limits(), reactor, Logger(), store().creator())
        port = listening(self, gate)

        def talk() -> bytes:
            path = Path(self.mktemp())
            path.write_bytes(ANN.pem)
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
            context.load_cert_chain(path)
            with (
                socket.create_connection(("127.0.0.1", port), 20) as plain,
                context.wrap_socket(plain) as secured,
            ):
                secured.sendall(b"hello")
                return secured.recv(100)

        self.assertEqual(await deferToThread(talk), b"hello")
        self.assertEqual(made[0].names, [None, ANNS_NAME])
