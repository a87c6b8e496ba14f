"""Tests of what a set of PEM files holds."""

from base64 import encodebytes
from datetime import timedelta
from random import Random
from warnings import catch_warnings, simplefilter

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.certificates import Fault, find
from netkit.net.identities import Identities, Identity
from netkit.tools.certificate import Issued
from tests.net.authorities import DAY, NOW, authority, found, identities, issued, pem

CSR = b"-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"
EC_PARAMETERS = b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"


def certificates(*pairs: Issued) -> list[x509.Certificate]:
    """Return the certificates alone."""
    return [pair.certificate for pair in pairs]


def shown(identity: Identity) -> list[x509.Certificate]:
    """Return what a client would be sent."""
    return [identity.certificate, *identity.chain]


class PairTests(SynchronousTestCase):
    """A key and a certificate find each other."""

    def test_one_file(self) -> None:
        """A file may hold the certificate and its key, in either order."""
        pair = issued("a.example")
        for parts in ((pair.key_pem, pair.certificate_pem), (pair.certificate_pem, pair.key_pem)):
            result = found(pem("both", *parts))
            self.assertEqual(result.faults, ())
            (identity,) = result.identities.members
            self.assertEqual(identity.certificate, pair.certificate)
            self.assertEqual(identity.names, ("a.example",))
            self.assertEqual(identity.files, ("both",))

    def test_apart_under_any_name(self) -> None:
        """Keys and certificates are matched by what they are, whatever their files are called."""
        one, two = issued("one.example"), issued("two.example")
        result = found(
            pem("a", two.key_pem, one.certificate_pem),
            pem("b", two.certificate_pem),
            pem("c", one.key_pem),
        )
        self.assertEqual(result.faults, ())
        self.assertEqual(
            [(each.names, each.files) for each in result.identities.members],
            [(("one.example",), ("a", "c")), (("two.example",), ("b", "a"))],
        )

    def test_the_key_proves_the_certificate(self) -> None:
        """The key of an identity is the one whose public half the certificate has."""
        (identity,) = identities(issued("a.example")).members
        self.assertEqual(identity.key.public_key(), identity.certificate.public_key())

    def test_one_key_for_two_certificates(self) -> None:
        """A key may serve more than one certificate."""
        one = issued("one.example")
        two = issued("two.example", key=one.key)
        result = found(pem("all", one.pem, two.certificate_pem))
        self.assertEqual(result.faults, ())
        self.assertEqual(len(result.identities.members), 2)

    def test_the_same_twice(self) -> None:
        """A folder as certbot fills it, with the same certificate in two files, is one identity."""
        root = authority()
        middle = authority("Middle", issuer=root)
        leaf = issued("a.example", issuer=middle)
        result = found(
            pem("cert.pem", leaf.certificate_pem),
            pem("chain.pem", middle.certificate_pem),
            pem("fullchain.pem", leaf.certificate_pem, middle.certificate_pem),
            pem("privkey.pem", leaf.key_pem),
        )
        self.assertEqual(result.faults, ())
        (identity,) = result.identities.members
        self.assertEqual(identity.files, ("cert.pem", "privkey.pem", "chain.pem"))

    def test_other_blocks(self) -> None:
        """Text between the blocks, requests and parameters are passed over."""
        pair = issued("a.example")
        result = found(
            pem("a", b"subject=CN = a\r\n", pair.certificate_pem, CSR),
            pem("b", EC_PARAMETERS, pair.key_pem, b"done"),
        )
        self.assertEqual(result.faults, ())
        self.assertEqual(len(result.identities.members), 1)

    def test_lines_of_windows(self) -> None:
        """Lines may end in CRLF."""
        pair = issued("a.example")
        result = found(pem("a", pair.pem.replace(b"\n", b"\r\n")))
        self.assertEqual((len(result.identities.members), result.faults), (1, ()))

    def test_sorts_of_key(self) -> None:
        """RSA, the curves of NIST and Ed25519 are good, the key in any form that is not encrypted."""
        root = authority()
        for key in (
            rsa.generate_private_key(65537, 2048),
            ec.generate_private_key(ec.SECP384R1()),
            ed25519.Ed25519PrivateKey.generate(),
        ):
            pair = issued("a.example", issuer=root, key=key)
            self.assertEqual(found(pem("a", pair.pem)).faults, ())
        pair = issued("a.example")
        self.assertEqual(found(pem("a", traditional(pair), pair.certificate_pem)).faults, ())

    def test_no_key_is_shown(self) -> None:
        """Whoever prints an identity or a file prints no key."""
        pair = issued("a.example")
        self.assertNotIn("key", repr(identities(pair)).lower())
        self.assertEqual(repr(pem("a", pair.pem)), "PemFile(name='a')")


class ChainTests(SynchronousTestCase):
    """What stands between a certificate and its root."""

    def setUp(self) -> None:
        """Issue a leaf three steps below a root."""
        self.root = authority()
        self.upper = authority("Upper", issuer=self.root)
        self.lower = authority("Lower", issuer=self.upper)
        self.leaf = issued("a.example", issuer=self.lower)

    def test_order(self) -> None:
        """The chain goes from the leaf upwards, in whatever order the files have it."""
        parts = [self.leaf.pem, self.lower.certificate_pem, self.upper.certificate_pem]
        for seed in range(6):
            Random(seed).shuffle(parts)
            (identity,) = found(pem("all", *parts)).identities.members
            self.assertEqual(shown(identity), certificates(self.leaf, self.lower, self.upper))

    def test_no_root(self) -> None:
        """A root in the files is no fault, and is not sent."""
        result = found(
            pem("a", self.leaf.pem, self.lower.certificate_pem),
            pem("b", self.upper.certificate_pem, self.root.certificate_pem),
        )
        self.assertEqual(result.faults, ())
        (identity,) = result.identities.members
        self.assertEqual(shown(identity), certificates(self.leaf, self.lower, self.upper))

    def test_a_namesake(self) -> None:
        """An authority of the right name that did not sign is not in the chain."""
        namesake = authority("Lower", issuer=self.root)
        result = found(pem("a", namesake.certificate_pem, self.leaf.pem))
        (identity,) = result.identities.members
        self.assertEqual(shown(identity), certificates(self.leaf))

    def test_renewed_authority(self) -> None:
        """Of two certificates of one authority, the one that is valid and longest so is taken."""
        expired = authority("Lower", issuer=self.upper, key=self.lower.key, days=-1, since=9)
        early = authority("Lower", issuer=self.upper, key=self.lower.key, days=90, since=-60)
        longer = authority("Lower", issuer=self.upper, key=self.lower.key, days=60)
        others = (each.certificate_pem for each in (expired, self.lower, longer, early))
        result = found(pem("a", self.leaf.pem, *others))
        self.assertEqual(result.faults, ())
        (identity,) = result.identities.members
        self.assertEqual(shown(identity), certificates(self.leaf, longer))

    def test_authorities_that_certify_each_other(self) -> None:
        """Two authorities that issued each other's certificates make no endless chain."""
        other = authority("Other")
        one = authority("Root", issuer=other, key=self.root.key)
        two = authority("Other", issuer=self.root, key=other.key)
        leaf = issued("a.example", issuer=self.root)
        files = pem("a", leaf.pem, one.certificate_pem, two.certificate_pem)
        (identity,) = found(files).identities.members
        self.assertEqual(shown(identity), certificates(leaf, one, two))

    def test_expires_with_its_chain(self) -> None:
        """An identity expires as soon as one certificate in its chain does."""
        soon = authority("Soon", issuer=self.root, days=3)
        leaf = issued("a.example", issuer=soon, days=30)
        members = found(pem("a", leaf.pem, soon.certificate_pem)).identities
        self.assertEqual(members.expires, NOW + 3 * DAY)
        self.assertIsNone(Identities().expires)


class FaultTests(SynchronousTestCase):
    """What is wrong with the files, word for word."""

    def faults(self, *files: tuple[str, bytes]) -> list[Fault]:
        """Return what is wrong with `files`."""
        return list(found(*(pem(*file) for file in files)).faults)

    def test_no_pem(self) -> None:
        """A file without PEM is named."""
        self.assertEqual(
            self.faults(("a.pem", b"\x30\x82\x01\x00"), ("b.pem", b"")),
            [
                Fault(
                    name,
                    "is not PEM; a PEM file is a text with lines such as -----BEGIN CERTIFICATE-----",
                )
                for name in ("a.pem", "b.pem")
            ],
        )

    def test_cut_off(self) -> None:
        """A file that ends in the middle of a key or a certificate is named, wherever it ends."""
        pair = issued("a.example")
        for part in (pair.certificate_pem, pair.key_pem):
            for length in (15, 100, len(part) - 2):
                self.assertEqual(
                    self.faults(("a.pem", part[:length])),
                    [Fault("a.pem", "is cut off, or holds a block without its end; copy it again")],
                )

    def test_damaged_certificate(self) -> None:
        """A certificate with other bytes than it had is a fault of its file."""
        pair = issued("a.example")
        text = "holds a certificate that is damaged; copy the file again"
        for change in (b"AAAA", b"M!!!", b""):
            self.assertEqual(
                self.faults(("a.crt", change.join(pair.certificate_pem.split(b"MIIB", 1)))),
                [Fault("a.crt", text)],
            )

    def test_damaged_key(self) -> None:
        """A key with other bytes than it had, or for something else, is a fault of its file."""
        pair = issued("a.example")
        text = "holds a key that is damaged or of an unknown sort; copy the file again"
        strange = b"-----BEGIN ODD PRIVATE KEY-----\nAAAA\n-----END ODD PRIVATE KEY-----\n"
        for data in (pair.key_pem.replace(b"MIG", b"AAA"), strange):
            self.assertEqual(
                self.faults(("a.key", data), ("a.crt", pair.certificate_pem)),
                [Fault("a.key", text)],
            )

    def test_encrypted_key(self) -> None:
        """An encrypted key is refused, in both forms there are."""
        pair = issued("a.example")
        text = (
            "holds an encrypted key, and netkit asks no passphrase; "
            "store it decrypted, readable by its owner only (openssl pkey does it)"
        )
        for form in (PrivateFormat.PKCS8, PrivateFormat.TraditionalOpenSSL):
            key = pair.key.private_bytes(Encoding.PEM, form, BestAvailableEncryption(b"secret"))
            self.assertEqual(
                self.faults(("a.crt", pair.certificate_pem), ("a.key", key)), [Fault("a.key", text)]
            )

    def test_mismatch(self) -> None:
        """A key and a certificate that do not belong together are both named."""
        one, two = issued("one.example"), issued("two.example")
        self.assertEqual(
            self.faults(("one.crt", one.certificate_pem), ("two.key", two.key_pem)),
            [
                Fault(
                    "two.key",
                    "holds a key that fits no certificate here; add its certificate or take it away",
                ),
                Fault(
                    "one.crt", "holds a certificate for one.example without its key; add the key"
                ),
            ],
        )

    def test_a_nameless_certificate_is_called_by_its_subject(self) -> None:
        """Where there are no names the subject says which it is, in printable characters."""
        odd = issued(subject="odd\x1b[2Jname")
        self.assertEqual(
            self.faults(("odd.crt", odd.certificate_pem)),
            [
                Fault(
                    "odd.crt",
                    'holds a certificate for "CN=odd\\x1b[2Jname" without its key; add the key',
                )
            ],
        )

    def test_an_authority_needs_no_key(self) -> None:
        """An authority's certificate is no fault, with names too if it issued another."""
        root = authority()
        lab = issued("lab.example", authority=True)
        pair, other = issued("a.example", issuer=root), issued("b.example", issuer=lab)
        self.assertEqual(self.faults(("a", pair.pem), ("b", root.certificate_pem)), [])
        self.assertEqual(self.faults(("a", pair.pem), ("b", other.pem + lab.certificate_pem)), [])

    def test_a_server_that_is_an_authority_needs_a_key(self) -> None:
        """A self-signed certificate with a server's names needs its key, authority or not."""
        lab = issued("lab.example", authority=True)
        self.assertEqual(
            self.faults(("lab.crt", lab.certificate_pem)),
            [Fault("lab.crt", "holds a certificate for lab.example without its key; add the key")],
        )

    def test_no_second_fault_follows_from_a_first(self) -> None:
        """While a file cannot be read, what stands alone is no fault: its half may be there."""
        pair, alone = issued("a.example"), issued("b.example")
        crt = pem("a.crt", pair.certificate_pem)
        self.assertEqual(len(find([crt], NOW).faults), 1)
        self.assertEqual(find([crt], NOW, complete=False).faults, ())
        self.assertEqual(
            [
                fault.file
                for fault in self.faults(("a.crt", b"cut"), ("a.key", pair.key_pem + alone.key_pem))
            ],
            ["a.crt"],
        )

    def test_expired(self) -> None:
        """An expired certificate is named with its moment, and not used."""
        late, good = issued("late.example", days=-1, since=9), issued("good.example")
        result = found(pem("late.pem", late.pem), pem("good.pem", good.pem))
        text = "holds a certificate for late.example that expired on 2026-12-31 00:00 UTC; renew it"
        self.assertEqual(result.faults, (Fault("late.pem", text),))
        self.assertEqual(
            certificates(good), [each.certificate for each in result.identities.members]
        )

    def test_not_yet_valid(self) -> None:
        """A certificate of the future is named with its moment, and not used."""
        early = issued("early.example", since=-2)
        result = found(pem("early.pem", early.pem))
        text = (
            "holds a certificate for early.example that is not valid before 2027-01-03 00:00 UTC; "
            "wait, or set the clock right"
        )
        self.assertEqual(result.faults, (Fault("early.pem", text),))
        self.assertEqual(result.identities, Identities())

    def test_the_bounds_of_validity(self) -> None:
        """A certificate is valid in its first second and in its last one (RFC 5280 4.1.2.5)."""
        file = pem("a", issued("a.example", since=1, days=1).pem)
        second = timedelta(seconds=1)
        for now, good in (
            (NOW - DAY - second, 0),
            (NOW - DAY, 1),
            (NOW + DAY, 1),
            (NOW + DAY + second, 0),
        ):
            self.assertEqual(len(find([file], now).identities.members), good)

    def test_expired_authority(self) -> None:
        """An expired certificate in the chain is named by its own file, once."""
        old = authority("Old", issuer=authority(), days=-1, since=9)
        one, two = issued("a.example", issuer=old), issued("b.example", issuer=old)
        text = 'holds a certificate for "CN=Old" that expired on 2026-12-31 00:00 UTC; renew it'
        self.assertEqual(
            self.faults(("a", one.pem), ("b", two.pem), ("old.crt", old.certificate_pem)),
            [Fault("old.crt", text)],
        )

    def test_weak_keys(self) -> None:
        """Keys that no client would accept are refused."""
        root = authority()
        right = "which clients refuse; EC on P-256, or RSA of 2048 bits or more"
        for key, sort in (
            (rsa.generate_private_key(65537, 1024), "an RSA key of 1024 bits"),
            (
                ec.generate_private_key(ec.BrainpoolP256R1()),
                "an EC key on the curve brainpoolP256r1",
            ),
            (dsa.generate_private_key(1024), "a key of a sort that is not for TLS"),
        ):
            pair = issued("a.example", issuer=root, key=key)
            self.assertEqual(
                self.faults(("a.pem", pair.pem)),
                [Fault("a.pem", f"holds a certificate for a.example with {sort}, {right}")],
            )

    def test_weak_signatures(self) -> None:
        """A signature by MD5 or SHA-1 is refused, but for a self-signed certificate's."""
        signer = rsa.generate_private_key(65537, 2048)
        for last_octet, digest in ((b"\x04", "MD5"), (b"\x05", "SHA1")):
            pair = issued("a.example", issuer=authority(key=signer))
            text = f"that is signed with {digest}, which clients refuse; have it issued anew"
            self.assertEqual(
                self.faults(("a.key", pair.key_pem), ("a.crt", signed_by(pair, last_octet))),
                [Fault("a.crt", f"holds a certificate for a.example {text}")],
            )
            pair = issued("a.example", key=signer)
            self.assertEqual(
                self.faults(("a.key", pair.key_pem), ("a.crt", signed_by(pair, last_octet))), []
            )

    def test_all_at_once(self) -> None:
        """Every fault of every file is there, and what is good is there too."""
        good = issued("good.example")
        late = issued("late.example", days=-1, since=9)
        early = issued("early.example", since=-2)
        result = found(
            pem("a", late.pem), pem("b", early.pem), pem("c", b"nothing"), pem("d", good.pem)
        )
        self.assertEqual(sorted(fault.file for fault in result.faults), ["a", "b", "c"])
        self.assertEqual(len(result.identities.members), 1)


class DamageTests(SynchronousTestCase):
    """Files that are not as they should be."""

    @given(st.binary(max_size=300))
    @settings(deadline=None, max_examples=100)
    def test_any_bytes(self, data: bytes) -> None:
        """Any bytes are an identity or a fault."""
        result = found(pem("a", b"-----BEGIN " + data))
        self.assertEqual(result.identities, Identities())

    def assert_used_or_faulty(self, *parts: bytes) -> None:
        """Check that `parts` are an identity or have faults, whatever their library warns of."""
        with catch_warnings():
            simplefilter("ignore")
            result = found(pem("a", *parts))
        self.assertTrue(result.identities.members or result.faults)

    @given(st.integers(min_value=0), st.binary(min_size=1, max_size=3))
    @settings(deadline=None, max_examples=100)
    def test_changed_bytes(self, place: int, change: bytes) -> None:
        """A pair with some bytes changed is a pair or has faults."""
        self.assert_used_or_faulty(changed(PAIR.pem, place, change))

    def test_changed_content(self) -> None:
        """A certificate with any one byte changed inside is an identity or has faults."""
        der = PAIR.certificate.public_bytes(Encoding.DER)
        for place in range(len(der)):
            for change in (b"\x00", b"\x03", b"s", b"\xff"):
                self.assert_used_or_faulty(PAIR.key_pem, armoured(changed(der, place, change)))

    @given(st.integers(min_value=0))
    @settings(deadline=None, max_examples=100)
    def test_half_written(self, length: int) -> None:
        """A pair that is not written to its end has faults, or lacks no more than line ends."""
        data = PAIR.pem[: length % len(PAIR.pem)]
        result = found(pem("a", data))
        self.assertEqual(bool(result.faults), data.strip() != PAIR.pem.strip())


def changed(data: bytes, place: int, change: bytes) -> bytes:
    """Return `data` with other bytes at some place."""
    place %= len(data)
    return data[:place] + change + data[place + len(change) :]


def armoured(der: bytes) -> bytes:
    """Return what stands in PEM for the bytes of a certificate, right or wrong."""
    return b"-----BEGIN CERTIFICATE-----\n%b-----END CERTIFICATE-----\n" % encodebytes(der)


def traditional(pair: Issued) -> bytes:
    """Return the key in the form that OpenSSL wrote before PKCS 8."""
    return pair.key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def signed_by(pair: Issued, last_octet: bytes) -> bytes:
    """Return the certificate as if RSA had signed it with another digest; the signature is wrong."""
    algorithm = b"\x2a\x86\x48\x86\xf7\x0d\x01\x01"
    der = pair.certificate.public_bytes(Encoding.DER)
    changed = der.replace(algorithm + b"\x0b", algorithm + last_octet)
    return x509.load_der_x509_certificate(changed).public_bytes(Encoding.PEM)


PAIR = issued("a.example")
