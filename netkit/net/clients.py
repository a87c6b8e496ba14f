"""Clients that show a certificate: who may have issued it, and what it calls them.

Rule: a name is given out only where the handshake has proved it. What a certificate holds is its
issuer's and the client's choice: nothing in it is an error of ours.
"""

from collections.abc import Iterator
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from attrs import frozen
from cryptography import x509
from cryptography.x509.oid import NameOID
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import ITransport

from netkit.document.values import quoted
from netkit.net.certificates import CERTIFICATE, CUT_OFF, UNREADABLE, Fault, PemFile, blocks
from netkit.net.pemfiles import gather


class ClientCertificates(Enum):
    """Whether a client may come without a certificate; one that it shows has to be good."""

    OPTIONAL = "optional"
    REQUIRED = "required"


@frozen
class Authorities:
    """Certificates of those who may issue clients' certificates, and what is wrong with others."""

    certificates: tuple[x509.Certificate, ...] = ()
    faults: tuple[Fault, ...] = ()


@frozen
class ClientName:
    """What a client's certificate calls it, in the certificate's own order and spelling.

    `common_name` is the subject's first, or None; the others are those of the subjectAltName. They
    may hold any character, and are for `printable` before anybody sees them.
    """

    common_name: str | None = None
    dns_names: tuple[str, ...] = ()
    emails: tuple[str, ...] = ()
    uris: tuple[str, ...] = ()


def authorities(path: Path, now: datetime) -> Authorities:
    """Return the authorities in the PEM file at `path`, or in those of a folder.

    Where all have expired at `now` (with a time zone), or are not valid yet, that is a fault: nobody
    could come in. Where nothing is wrong there is at least one.
    """
    gathered = gather([path])
    read = [each for file in gathered.files for each in _read(file)]
    certificates = tuple(each for each in read if isinstance(each, x509.Certificate))
    faults = [*gathered.faults, *(each for each in read if isinstance(each, Fault))]
    if not faults and not certificates:
        faults.append(Fault(str(path), "holds no certificate; that of an authority belongs here"))
    if certificates and not any(_timely(each, now) for each in certificates):
        faults.append(Fault(str(path), "holds no authority that is valid now; renew it"))
    return Authorities(certificates, tuple(faults))


def client_name(transport: ITransport) -> ClientName | None:
    """Return the name of the client at the other end of `transport`, a protocol's own.

    None where there is no TLS, the client showed no certificate, or the handshake is not done.
    """
    handle: Any = getattr(transport, "getHandle", lambda: None)()
    if not isinstance(handle, SSL.Connection) or handle.get_peer_finished() is None:
        return None
    shown = handle.get_peer_certificate()
    return None if shown is None else named(shown.to_cryptography())


def named(certificate: x509.Certificate) -> ClientName:
    """Return what `certificate` calls its holder; what of it cannot be read is left out."""
    names = _alternatives(certificate)
    if names is None:
        return ClientName(_common_name(certificate))
    return ClientName(
        _common_name(certificate),
        tuple(names.get_values_for_type(x509.DNSName)),
        tuple(names.get_values_for_type(x509.RFC822Name)),
        tuple(names.get_values_for_type(x509.UniformResourceIdentifier)),
    )


def _read(file: PemFile) -> Iterator[x509.Certificate | Fault]:
    for label, pem in blocks(file.data):
        if not pem:
            yield Fault(file.name, CUT_OFF)
        elif label in CERTIFICATE:
            yield _authority(file, pem)


def _authority(file: PemFile, pem: bytes) -> x509.Certificate | Fault:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        crypto.X509.from_cryptography(certificate)  # OpenSSL must understand it, too
        return certificate if _may_issue(certificate) else _no_authority(file, certificate)
    except (crypto.Error, *UNREADABLE):
        return Fault(file.name, "holds a certificate that is damaged; copy the file again")


def _no_authority(file: PemFile, certificate: x509.Certificate) -> Fault:
    who = quoted(certificate.subject.rfc4514_string())
    return Fault(file.name, f"holds {who}, who is no authority; who issues clients' belongs here")


def _may_issue(certificate: x509.Certificate) -> bool:
    """Return whether it is an authority's (RFC 5280 4.2.1.9), which may sign certificates (4.2.1.3)."""
    extensions = certificate.extensions
    try:
        if not extensions.get_extension_for_class(x509.BasicConstraints).value.ca:
            return False
        return extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound as missing:
        return missing.oid == x509.KeyUsage.oid


def _timely(certificate: x509.Certificate, now: datetime) -> bool:
    return certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc


def _common_name(certificate: x509.Certificate) -> str | None:
    try:
        found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    except ValueError:
        return None
    return str(found[0].value) if found else None


def _alternatives(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    try:
        return certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, *UNREADABLE):
        return None
