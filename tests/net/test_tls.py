"""Tests of TLS as a store gives it to listeners."""

from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st
from OpenSSL import SSL
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.protocols.tls import TLSMemoryBIOFactory, TLSMemoryBIOProtocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from netkit.net.certificates import Fault
from netkit.net.identities import Identities, Identity
from netkit.net.tls import Store, _tried, load
from netkit.tools.certificate import Issued
from tests.net.authorities import NOW, authority, identities, issued
from tests.net.handshakes import client, hello, met, returning, server, shake, taken, turn

DEFAULT, WWW, WILD = issued("default.example"), issued("www.example"), issued("*.wild.example")
IDENTITIES = identities(DEFAULT, WWW, WILD)
RSA_IDENTITIES = identities(issued("rsa.example", key=rsa.generate_private_key(65537, 2048)))

ALERT = 21  # the record type, RFC 8446 5.1
LONGEST_SERVER_NAME = 255  # that OpenSSL hands on

VERSIONS = (SSL.TLS1_2_VERSION, SSL.TLS1_3_VERSION)


class ServerNameTests(SynchronousTestCase):
    """The certificate that a client gets for the name it sends."""

    def shown(self, name: bytes | None, version: int) -> list[x509.Certificate]:
        """Return what a client that asks for `name` is shown."""
        asking = client(name, version=version)
        shake(asking, server(Store(IDENTITIES)))
        return met(asking)

    def test_names(self) -> None:
        """The exact name, then a wildcard, then the default, by both versions."""
        for version in VERSIONS:
            for name, pair in (
                (b"www.example", WWW),
                (b"WWW.Example", WWW),
                (b"a.wild.example", WILD),
                (b"a.b.wild.example", DEFAULT),
                (b"default.example", DEFAULT),
                (b"unknown.example", DEFAULT),
                (b"b\xfccher.example", DEFAULT),
                (b"*", DEFAULT),
                (b"a" * LONGEST_SERVER_NAME, DEFAULT),
                (None, DEFAULT),
            ):
                self.assertEqual(self.shown(name, version), [pair.certificate], name)

    def test_sorts_of_key(self) -> None:
        """A name's certificate may have a key of another sort than the default's."""
        store = Store(Identities((*IDENTITIES.members, *RSA_IDENTITIES.members)))
        for version in VERSIONS:
            asking = client(b"rsa.example", version=version)
            shake(asking, server(store))
            self.assertEqual(met(asking), [RSA_IDENTITIES.default.certificate])

    def test_chain(self) -> None:
        """The leaf comes first, then the chain upwards, for the default and for another."""
        root = authority()
        middle = authority("Middle", issuer=root)
        leaves = [issued(name, issuer=middle) for name in ("a.example", "b.example")]
        folder = Path(self.mktemp())
        folder.mkdir()
        (folder / "chain.pem").write_bytes(root.certificate_pem + middle.certificate_pem)
        for number, leaf in enumerate(leaves):
            (folder / f"{number}.pem").write_bytes(leaf.pem)
        found = load([folder], NOW)
        self.assertEqual(found.faults, ())
        for name, leaf in zip((b"a.example", b"b.example"), leaves, strict=True):
            asking = client(name)
            shake(asking, server(Store(found.identities)))
            self.assertEqual(met(asking), [leaf.certificate, middle.certificate])


class Greeting(Protocol):
    """Says hello at once, and remembers how it ended."""

    def connectionMade(self) -> None:
        """Write before the handshake has begun."""
        assert self.transport is not None
        self.transport.write(b"hello")


class HostileTests(SynchronousTestCase):
    """What a client may send as a name, through the transport that listeners use."""

    def answer(self, message: bytes, piece: int = 0) -> bytes:
        """Return what a server sends that gets `message`, whole or in pieces of so many bytes.

        A traceback in the log fails the test.
        """
        protocol = wrapped(Store(IDENTITIES), Factory.forProtocol(Greeting)).buildProtocol(None)
        assert protocol is not None
        transport = StringTransport()
        protocol.makeConnection(transport)
        step = piece or len(message)
        for at in range(0, len(message), step):
            protocol.dataReceived(message[at : at + step])
        answer: bytes = transport.value()
        return answer

    def test_a_name(self) -> None:
        """The test's own messages are right: a name that is known gets its certificate."""
        self.assertIn(der(WWW), self.answer(hello(b"www.example")))

    def test_byte_by_byte(self) -> None:
        """A name that comes in single bytes gets the same certificate, and nothing before."""
        self.assertIn(der(WWW), self.answer(hello(b"www.example"), piece=1))
        self.assertEqual(self.answer(hello(b"www.example")[:-1], piece=1), b"")

    def test_not_ascii(self) -> None:
        """Bytes that are no name get the default."""
        for name in (
            b"\xff\xfe",
            b"\x1b[2J",
            b"www.example\r\n",
            b"...",
            b" ",
            b"",
            b"*.wild.example.",
        ):
            answer = self.answer(hello(name))
            pair = WILD if b"wild" in name else DEFAULT
            self.assertIn(der(pair), answer, name)

    def test_refused_by_openssl(self) -> None:
        """A name with NUL, or longer than any, is answered by an alert."""
        for name in (b"www.example\0", b"\0", b"a" * 256, b"a" * 10_000):
            self.assertEqual(self.answer(hello(name))[0], ALERT)

    @given(st.binary(max_size=300))
    @settings(deadline=None, max_examples=50)
    def test_any_bytes(self, name: bytes) -> None:
        """Whatever bytes come as a name, the answer is a certificate or an alert."""
        answer = self.answer(hello(name))
        if b"\0" not in name and len(name) <= LONGEST_SERVER_NAME:
            self.assertIn(der(DEFAULT), answer)
        else:
            self.assertEqual(answer[0], ALERT)

    @given(st.binary(min_size=1, max_size=200))
    @settings(deadline=None, max_examples=50)
    def test_rubbish(self, data: bytes) -> None:
        """A client that speaks no TLS gets nothing, or an alert."""
        self.assertIn(self.answer(data)[:1], (b"", bytes([ALERT])))


class RefusalTests(SynchronousTestCase):
    """What a client cannot get."""

    def refused(self, asking: SSL.Connection, *, with_rsa: bool = False) -> str:
        """Return OpenSSL's reason for which the server ends the handshake."""
        error = self.assertRaises(
            SSL.Error, shake, asking, server(Store(RSA_IDENTITIES if with_rsa else IDENTITIES))
        )
        return str(error.args[0][0][-1])

    def test_old_versions(self) -> None:
        """TLS 1.0 and 1.1 are refused."""
        for version in (SSL.TLS1_VERSION, SSL.TLS1_1_VERSION):
            asking = client(version=version, ciphers=b"ALL:@SECLEVEL=0")
            self.assertEqual(self.refused(asking), "unsupported protocol")

    def test_ciphers(self) -> None:
        """No CBC, nothing without forward secrecy, nothing without authentication."""
        for ciphers in (
            b"ECDHE+AES:!AESGCM:!AESCCM",
            b"ECDHE+AESCCM",
            b"RSA+AESGCM:RSA+AES",
            b"DHE+AESGCM",
            b"aNULL:@SECLEVEL=0",
        ):
            for with_rsa in (False, True):
                asking = client(ciphers=ciphers, version=SSL.TLS1_2_VERSION)
                self.assertEqual(
                    self.refused(asking, with_rsa=with_rsa), "no shared cipher", ciphers
                )

    def test_renegotiation(self) -> None:
        """A client that wants to begin again is told no, and the server stays as it was."""
        asking = client(version=SSL.TLS1_2_VERSION)
        answering = server(Store(IDENTITIES))
        shake(asking, answering)
        self.assertTrue(asking.renegotiate())
        turn(asking)
        answering.bio_write(taken(asking))
        self.assertRaises(SSL.WantReadError, answering.recv, 100)
        self.assertEqual(answering.total_renegotiations(), 0)
        asking.bio_write(taken(answering))
        error = self.assertRaises(SSL.Error, asking.recv, 100)
        self.assertEqual(error.args[0][0][-1], "no renegotiation")

    def test_no_compression(self) -> None:
        """Nothing is compressed, whatever the client says."""
        set_options: Any = Store(IDENTITIES).creator().context.set_options
        self.assertTrue(set_options(0) & SSL.OP_NO_COMPRESSION)


class CipherTests(SynchronousTestCase):
    """What a client gets."""

    def agreed(self, asking: SSL.Connection, *, with_rsa: bool = False) -> tuple[str, str | None]:
        """Return the version and the cipher that both agree on."""
        shake(asking, server(Store(RSA_IDENTITIES if with_rsa else IDENTITIES)))
        return asking.get_protocol_version_name(), asking.get_cipher_name()

    def test_versions(self) -> None:
        """TLS 1.3 where the client has it, else 1.2; with EC and RSA keys."""
        for with_rsa, name in (
            (False, "ECDHE-ECDSA-AES256-GCM-SHA384"),
            (True, "ECDHE-RSA-AES256-GCM-SHA384"),
        ):
            self.assertEqual(
                self.agreed(client(), with_rsa=with_rsa), ("TLSv1.3", "TLS_AES_256_GCM_SHA384")
            )
            asking = client(version=SSL.TLS1_2_VERSION)
            self.assertEqual(self.agreed(asking, with_rsa=with_rsa), ("TLSv1.2", name))

    def test_chacha_for_those_who_prefer_it(self) -> None:
        """A client without AES in hardware, which puts ChaCha20 first, gets it; others get AES."""
        chacha, aes = b"ECDHE+CHACHA20", b"ECDHE+AESGCM"
        for ciphers, name in (
            ((chacha, aes), "ECDHE-ECDSA-CHACHA20-POLY1305"),
            ((aes, chacha), "ECDHE-ECDSA-AES256-GCM-SHA384"),
        ):
            asking = client(ciphers=b":".join(ciphers), version=SSL.TLS1_2_VERSION)
            self.assertEqual(self.agreed(asking), ("TLSv1.2", name))


class ProtocolTests(SynchronousTestCase):
    """What listeners and clients agree to speak (ALPN, RFC 7301)."""

    def test_agreed(self) -> None:
        """The first of the listener's protocols that the client has is taken, for every identity."""
        for name in (None, b"www.example"):
            asking = client(name, protocols=(b"h3", b"b", b"a"))
            answering = server(Store(IDENTITIES), (b"a", b"b"))
            shake(asking, answering)
            self.assertEqual(asking.get_alpn_proto_negotiated(), b"a")
            self.assertEqual(answering.get_alpn_proto_negotiated(), b"a")

    def test_nothing_in_common(self) -> None:
        """A client that speaks nothing of the listener's is refused with the alert for it."""
        asking = client(protocols=(b"h2",))
        answering = server(Store(IDENTITIES), (b"http/1.1",))
        turn(asking)
        answering.bio_write(taken(asking))
        self.assertRaises(SSL.Error, answering.do_handshake)
        asking.bio_write(taken(answering))
        error = self.assertRaises(SSL.Error, asking.do_handshake)
        self.assertIn("no application protocol", error.args[0][0][-1])

    def test_not_asked(self) -> None:
        """A client without ALPN is served, and so is any client of a listener without."""
        for asked, offered in (((), (b"http/1.1",)), ((b"h2",), ()), ((), ())):
            asking = client(protocols=asked)
            shake(asking, server(Store(IDENTITIES), offered))
            self.assertEqual(asking.get_alpn_proto_negotiated(), b"")
            self.assertEqual(met(asking), [DEFAULT.certificate])

    def test_listeners_differ(self) -> None:
        """Two listeners with one store have each its own protocols."""
        store = Store(IDENTITIES)
        for protocol in (b"http/1.1", b"nats"):
            asking = client(protocols=(b"nats", b"http/1.1"))
            shake(asking, server(store, (protocol,)))
            self.assertEqual(asking.get_alpn_proto_negotiated(), protocol)


class StoreTests(SynchronousTestCase):
    """What is in a store, and how it is exchanged."""

    def test_creator(self) -> None:
        """A creator is what Twisted asks for, and its connection has no socket."""
        store = Store(IDENTITIES)
        creator = store.creator((b"http/1.1",))
        verifyObject(IOpenSSLServerConnectionCreator, creator)
        protocol = TLSMemoryBIOProtocol(wrapped(store, Factory()), Protocol())
        connection = creator.serverConnectionForTLS(protocol)
        self.assertIs(connection.get_context(), creator.context)

    def test_replace(self) -> None:
        """A handshake that has begun ends with the old identities, the next begins with the new."""
        store = Store(IDENTITIES)
        creator = store.creator((b"http/1.1",))
        early = SSL.Connection(creator.context)
        early.set_accept_state()
        renewed = issued("www.example")
        store.replace(identities(renewed))
        late = SSL.Connection(creator.context)
        late.set_accept_state()
        for answering, pair in ((early, WWW), (late, renewed)):
            asking = client(b"www.example", protocols=(b"http/1.1",))
            shake(asking, answering)
            self.assertEqual(met(asking), [pair.certificate])
            self.assertEqual(asking.get_alpn_proto_negotiated(), b"http/1.1")
        self.assertEqual(store.identities, identities(renewed))

    def test_connections_outlive_it(self) -> None:
        """A connection that stands goes on when its identity is gone."""
        store = Store(IDENTITIES)
        asking, answering = client(), server(store)
        shake(asking, answering)
        store.replace(identities(WWW))
        asking.send(b"still here")
        answering.bio_write(taken(asking))
        self.assertEqual(answering.recv(100), b"still here")

    def test_nothing_is_refused_and_changes_nothing(self) -> None:
        """A store without identity cannot be made, nor can a good one become one."""
        self.assertRaises(ValueError, Store, Identities())
        store = Store(IDENTITIES)
        context = store.creator().context
        self.assertRaises(ValueError, store.replace, Identities())
        self.assertRaises(SSL.Error, store.replace, Identities((mismatched(),)))
        self.assertIs(store.creator().context, context)
        self.assertEqual(store.identities, IDENTITIES)

    def test_sessions(self) -> None:
        """A client that comes back needs no second full handshake, until the identities change."""
        store = Store(IDENTITIES)
        first = client(b"www.example", version=SSL.TLS1_2_VERSION)
        self.assertIn(der(WWW), shake(first, server(store)))
        self.assertNotIn(b"example", shake(returning(first, b"www.example"), server(store)))
        other = shake(returning(first, b"default.example"), server(store))
        self.assertIn(der(DEFAULT), other)
        store.replace(IDENTITIES)
        self.assertIn(der(WWW), shake(returning(first, b"www.example"), server(store)))


class LoadTests(SynchronousTestCase):
    """From paths to identities."""

    def setUp(self) -> None:
        """Make a folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def write(self, name: str, *parts: bytes) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.write_bytes(b"".join(parts))
        return path

    def test_good(self) -> None:
        """Files and folders give identities in their order, ready for a store."""
        second = self.write("b.pem", WWW.pem)
        first = self.write("c.pem", DEFAULT.pem)
        for paths, names in (
            ([self.folder], ["www.example", "default.example"]),
            ([first, second], ["default.example", "www.example"]),
        ):
            found = load(paths, NOW)
            self.assertEqual(found.faults, ())
            self.assertEqual([each.names[0] for each in found.identities.members], names)
            Store(found.identities)

    def test_faults_of_all_sorts_at_once(self) -> None:
        """What cannot be read, what it holds and what stands alone: all in one go."""
        self.write("a.pem", DEFAULT.pem)
        self.write("b.pem", b"nothing")
        late = self.write("late.pem", issued("late.example", days=-1, since=9).pem)
        gone = self.folder / "gone.pem"
        found = load([self.folder, gone], NOW)
        self.assertEqual(
            [fault.file for fault in found.faults],
            [str(gone), str(self.folder / "b.pem"), str(late)],
        )
        self.assertEqual([each.names for each in found.identities.members], [("default.example",)])

    def test_a_file_that_cannot_be_read_may_hold_the_other_half(self) -> None:
        """Where a file cannot be read, no certificate is said to lack its key."""
        crt = self.write("a.crt", DEFAULT.certificate_pem)
        key = self.folder / "a.key"
        self.assertEqual([fault.file for fault in load([crt, key], NOW).faults], [str(key)])

    def test_nothing_there(self) -> None:
        """A folder without certificate is named, with how to make one."""
        self.assertEqual(
            load([self.folder], NOW).faults,
            (
                Fault(
                    str(self.folder),
                    "holds no certificate with its key; "
                    f"netkit certificate {self.folder} makes one for localhost",
                ),
            ),
        )

    def test_no_pair(self) -> None:
        """Files that hold no pair, and nothing wrong, are named together."""
        one = self.write("a.pem", authority("A").certificate_pem)
        two = self.write("b.pem", authority("B").certificate_pem)
        self.assertEqual(
            load([one, two], NOW).faults,
            (Fault(f"{one}, {two}", "holds no certificate with its key; add both"),),
        )

    def test_refused_by_openssl(self) -> None:
        """What OpenSSL refuses for reasons of its own is a fault, and the rest is used."""
        found = _tried(Identities((mismatched(), *IDENTITIES.members)))
        text = (
            "holds a certificate for default.example that OpenSSL refuses (key values mismatch); "
            "have it issued anew"
        )
        self.assertEqual(found.faults, (Fault("000.pem", text),))
        self.assertEqual(found.identities, IDENTITIES)


def wrapped(store: Store, factory: Factory) -> TLSMemoryBIOFactory:
    """Return what a listener with TLS is given, in the place of `factory`."""
    return TLSMemoryBIOFactory(
        store.creator(), isClient=False, wrappedFactory=factory, clock=Clock()
    )


def der(pair: Issued) -> bytes:
    """Return the certificate as it goes over the wire, unencrypted before TLS 1.3."""
    return pair.certificate.public_bytes(Encoding.DER)


def mismatched() -> Identity:
    """Return what no file can give: a certificate with the key of another."""
    default, other, *_ = IDENTITIES.members
    return Identity(
        default.certificate, (), key=other.key, names=default.names, files=default.files
    )
