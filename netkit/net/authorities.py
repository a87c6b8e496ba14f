"""Certificates that vouch for others, as the PEM files of an operator hold them.

Rule: what cannot be used is told of file by file, and hides nothing else that is wrong.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from attrs import frozen
from cryptography import x509
from OpenSSL import crypto

from netkit.net.certificates import CERTIFICATE, CUT_OFF, UNREADABLE, Fault, PemFile, blocks
from netkit.net.pemfiles import gather


@frozen
class Authorities:
    """Certificates that may vouch for others, and what is wrong with the rest."""

    certificates: tuple[x509.Certificate, ...] = ()
    faults: tuple[Fault, ...] = ()


def read(
    path: Path, belongs_here: str, complaint: Callable[[x509.Certificate], str] = lambda _: ""
) -> Authorities:
    """Return the certificates in the PEM file at `path`, or in those of a folder.

    `complaint` returns what is wrong with one, or the empty string. Where nothing is wrong there is at
    least one; of a path without any, `belongs_here` says what is missing.
    """
    gathered = gather([path])
    found = [each for file in gathered.files for each in _read(file, complaint)]
    certificates = tuple(each for each in found if isinstance(each, x509.Certificate))
    faults = [*gathered.faults, *(each for each in found if isinstance(each, Fault))]
    if not faults and not certificates:
        faults.append(Fault(str(path), f"holds no certificate; {belongs_here} belongs here"))
    return Authorities(certificates, tuple(faults))


def _read(
    file: PemFile, complaint: Callable[[x509.Certificate], str]
) -> Iterator[x509.Certificate | Fault]:
    for label, pem in blocks(file.data):
        if not pem:
            yield Fault(file.name, CUT_OFF)
        elif label in CERTIFICATE:
            yield _certificate(file, pem, complaint)


def _certificate(
    file: PemFile, pem: bytes, complaint: Callable[[x509.Certificate], str]
) -> x509.Certificate | Fault:
    try:
        certificate = x509.load_pem_x509_certificate(pem)
        crypto.X509.from_cryptography(certificate)  # OpenSSL must understand it, too
        wrong = complaint(certificate)
    except (crypto.Error, *UNREADABLE):
        return Fault(file.name, "holds a certificate that is damaged; copy the file again")
    return Fault(file.name, wrong) if wrong else certificate
