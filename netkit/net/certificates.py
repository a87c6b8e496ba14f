"""Which identities a set of PEM files holds, and what is wrong with the files.

Keys and certificates are matched by public key across all files, so that a file may hold both, or
each its own, under any name. Rule: pure. No disk, no OpenSSL context, and the time is an argument.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from attrs import field, frozen
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.types import (
    CertificatePublicKeyTypes,
    PrivateKeyTypes,
    PublicKeyTypes,
)
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from netkit.document.values import quoted
from netkit.net.identities import Identities, Identity, host_name

SMALLEST_RSA_KEY = 2048  # bits

CERTIFICATE = (b"CERTIFICATE", b"X509 CERTIFICATE")  # labels, RFC 7468 5.1
CUT_OFF = "is cut off, or holds a block without its end; copy it again"

_CURVES = ("secp256r1", "secp384r1", "secp521r1")
_WEAK_DIGESTS = ("md5", "sha1")
UNREADABLE = (
    ValueError,
    TypeError,
    UnsupportedAlgorithm,
    x509.DuplicateExtension,
    x509.InvalidVersion,
    x509.UnsupportedGeneralNameType,
)
"""What comes of reading a certificate or a key that is not as it should be."""

_Item = TypeVar("_Item")


@frozen(order=True)
class Fault:
    """Something wrong with `file`: what it is; what would be right.

    `denied` says that it is there, and that this process may not read it.
    """

    file: str
    text: str
    denied: bool = field(default=False, eq=False, kw_only=True)


@frozen
class PemFile:
    """What stands in the file `name`."""

    name: str
    data: bytes = field(repr=False)


@frozen
class Found:
    """What can be used, and what is wrong with the rest."""

    identities: Identities
    faults: tuple[Fault, ...]


def find(files: Iterable[PemFile], now: datetime, *, complete: bool = True) -> Found:
    """Return the identities in `files` that can be used at `now` (with a time zone), and the faults.

    `complete` is false where there are more files that could not be read: then a key or a certificate
    that stands alone is no fault, for its other half may be there.
    """
    pieces = [piece for file in files for piece in _pieces(file)]
    faults = [piece for piece in pieces if isinstance(piece, Fault)]
    found = {piece.x509: piece for piece in reversed(pieces) if isinstance(piece, _Certificate)}
    certificates = tuple(reversed(found.values()))
    keys = {piece.public: piece for piece in reversed(pieces) if isinstance(piece, _Key)}
    if complete and not faults:
        faults.extend(_alone(certificates, keys))
    members = []
    for certificate in certificates:
        if certificate.public in keys:
            chain = _chain(certificate, certificates, now)
            wrong = tuple(_faults(certificate, chain, now))
            faults.extend(wrong)
            if not wrong:
                members.append(_identity(certificate, keys[certificate.public], chain))
    return Found(Identities(tuple(members)), _distinct(faults))


@frozen
class _Key:
    file: str
    public: bytes
    private: PrivateKeyTypes = field(repr=False)


@frozen
class _Certificate:
    """What is asked of a certificate, read at once: its library reads each part when asked for it."""

    file: str
    x509: x509.Certificate
    key: CertificatePublicKeyTypes
    public: bytes
    names: tuple[str, ...]
    subject: str
    self_issued: bool
    authority: bool
    digest: str
    begins: datetime
    expires: datetime

    def __str__(self) -> str:
        return f"a certificate for {self.names[0] if self.names else quoted(self.subject)}"


_Piece = _Key | _Certificate | Fault


def has_pem(data: bytes) -> bool:
    """Say whether there is anything in `data` that looks like PEM (RFC 7468 2)."""
    return b"-----BEGIN " in data


def blocks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the label and the whole of each block of PEM in `data`; b"" for one without its end."""
    for block in data.split(b"-----BEGIN ")[1:]:
        label = block.partition(b"-----")[0]
        body, end, _ = block.partition(b"-----END " + label + b"-----")
        yield label, b"-----BEGIN " + body + end if end else b""


def _pieces(file: PemFile) -> Iterator[_Piece]:
    if not has_pem(file.data):
        text = "is not PEM; a PEM file is a text with lines such as -----BEGIN CERTIFICATE-----"
        yield Fault(file.name, text)
    for label, pem in blocks(file.data):
        if not pem:
            yield Fault(file.name, CUT_OFF)
        elif label in CERTIFICATE:
            yield _certificate(file.name, pem)
        elif label.endswith(b"PRIVATE KEY"):
            yield _key(file.name, pem)


def _certificate(file: str, pem: bytes) -> _Certificate | Fault:
    try:
        read = x509.load_pem_x509_certificate(pem)
        key = read.public_key()
        return _Certificate(
            file=file,
            x509=read,
            key=key,
            public=_public(key),
            names=tuple(_names(read)),
            subject=read.subject.rfc4514_string(),
            self_issued=read.issuer == read.subject,
            authority=_is_authority(read),
            digest=_digest(read),
            begins=read.not_valid_before_utc,
            expires=read.not_valid_after_utc,
        )
    except UNREADABLE:
        return Fault(file, "holds a certificate that is damaged; copy the file again")


def _key(file: str, pem: bytes) -> _Key | Fault:
    encrypted = "holds an encrypted key, and netkit asks no passphrase; store it decrypted"
    if pem.startswith(b"-----BEGIN ENCRYPTED") or b"\nProc-Type: 4,ENCRYPTED" in pem:
        return Fault(file, f"{encrypted}, readable by its owner only (openssl pkey does it)")
    try:
        key = load_pem_private_key(pem, password=None)
        return _Key(file, _public(key.public_key()), key)
    except UNREADABLE:
        text = "holds a key that is damaged or of an unknown sort; copy the file again"
        return Fault(file, text)


def _public(key: PublicKeyTypes) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def _names(certificate: x509.Certificate) -> Iterator[str]:
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return
    for name in names.get_values_for_type(x509.DNSName):
        if host := host_name(name.encode()):
            yield host
    for address in names.get_values_for_type(x509.IPAddress):
        yield str(address)


def _is_authority(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _digest(certificate: x509.Certificate) -> str:
    """Return the name of what the signature digests with; empty where that is not known."""
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return ""
    return algorithm.name if algorithm else ""


def _alone(certificates: tuple[_Certificate, ...], keys: dict[bytes, _Key]) -> Iterator[Fault]:
    """Complain of keys without certificate, and of certificates that should have a key.

    An authority's certificate needs none, unless it has names as a server has: then it was made as
    both, and issued nothing here but itself.
    """
    public = {certificate.public for certificate in certificates}
    for key in keys.values():
        if key.public not in public:
            text = "holds a key that fits no certificate here; add its certificate or take it away"
            yield Fault(key.file, text)
    for certificate in certificates:
        needs = certificate.names or not certificate.authority
        issued = any(_issued(certificate, other) for other in certificates if other != certificate)
        if certificate.public not in keys and needs and not issued:
            yield Fault(certificate.file, f"holds {certificate} without its key; add the key")


def _chain(
    leaf: _Certificate, certificates: tuple[_Certificate, ...], now: datetime
) -> tuple[_Certificate, ...]:
    """Return what stands between `leaf` and a root, in the order of TLS (RFC 8446 4.4.2).

    Roots stay out: a client that trusts one has it. Of two that could stand in one place, as where
    an authority renewed its certificate, the one that is valid now and longest is taken.
    """
    rest = [each for each in certificates if not each.self_issued]
    chain = [leaf]
    while fitting := [each for each in rest if each not in chain and _issued(each, chain[-1])]:
        chain.append(max(fitting, key=lambda each: (_untimely(each, now) is None, each.expires)))
    return tuple(chain[1:])


def _issued(issuer: _Certificate, certificate: _Certificate) -> bool:
    if certificate.x509.issuer != issuer.x509.subject:
        return False
    try:
        certificate.x509.verify_directly_issued_by(issuer.x509)
    except (InvalidSignature, *UNREADABLE):
        return False
    return True


def _faults(leaf: _Certificate, chain: tuple[_Certificate, ...], now: datetime) -> Iterator[Fault]:
    for certificate in (leaf, *chain):
        weak = _weak_key(certificate.key) or _weak_signature(certificate)
        for text in filter(None, (weak, _untimely(certificate, now))):
            yield Fault(certificate.file, f"holds {certificate} {text}")


def _untimely(certificate: _Certificate, now: datetime) -> str | None:
    if now > certificate.expires:
        return f"that expired on {certificate.expires:%Y-%m-%d %H:%M} UTC; renew it"
    if now < certificate.begins:
        moment = f"{certificate.begins:%Y-%m-%d %H:%M} UTC"
        return f"that is not valid before {moment}; wait, or set the clock right"
    return None


def _weak_key(key: CertificatePublicKeyTypes) -> str | None:
    match key:
        case rsa.RSAPublicKey() if key.key_size < SMALLEST_RSA_KEY:
            sort = f"an RSA key of {key.key_size} bits"
        case ec.EllipticCurvePublicKey() if key.curve.name not in _CURVES:
            sort = f"an EC key on the curve {key.curve.name}"
        case (
            rsa.RSAPublicKey()
            | ec.EllipticCurvePublicKey()
            | ed25519.Ed25519PublicKey()
            | ed448.Ed448PublicKey()
        ):
            return None
        case _:
            sort = "a key of a sort that is not for TLS"
    return f"with {sort}, which clients refuse; EC on P-256, or RSA of 2048 bits or more"


def _weak_signature(certificate: _Certificate) -> str | None:
    """Complain of MD5 and SHA-1 (RFC 9155); what is self-signed is not judged by its signature."""
    if certificate.self_issued or certificate.digest not in _WEAK_DIGESTS:
        return None
    name = certificate.digest.upper()
    return f"that is signed with {name}, which clients refuse; have it issued anew"


def _identity(leaf: _Certificate, key: _Key, chain: tuple[_Certificate, ...]) -> Identity:
    files = (leaf.file, key.file, *(each.file for each in chain))
    return Identity(
        certificate=leaf.x509,
        chain=tuple(each.x509 for each in chain),
        key=key.private,
        names=leaf.names,
        files=_distinct(files),
    )


def _distinct(items: Iterable[_Item]) -> tuple[_Item, ...]:
    return tuple(dict.fromkeys(items))
