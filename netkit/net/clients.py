"""Clients that show a certificate: who may have issued it, and what it calls them.

Rule: a name is given out only where the handshake has proved it. What a certificate holds is its
issuer's and the client's choice: nothing in it is an error of ours.
"""

from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any

from attrs import frozen
from cryptography import x509
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet.interfaces import ITransport

from netkit.document.values import quoted
from netkit.net.authorities import Authorities, read
from netkit.net.certificates import UNREADABLE, Fault


class ClientCertificates(Enum):
    """Whether a client may come without a certificate; one that it shows has to be good."""

    OPTIONAL = "optional"
    REQUIRED = "required"


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
    found = read(path, "that of an authority", _unfit)
    certificates = found.certificates
    if certificates and not any(_timely(each, now) for each in certificates):
        late = Fault(str(path), "holds no authority that is valid now; renew it")
        return Authorities(certificates, (*found.faults, late))
    return found


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


def _unfit(certificate: x509.Certificate) -> str:
    if _may_issue(certificate):
        return ""
    who = quoted(certificate.subject.rfc4514_string())
    return f"holds {who}, who is no authority; who issues clients' belongs here"


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
