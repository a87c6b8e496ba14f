"""`netkit certificate FOLDER`: a self-signed certificate, so that TLS can be tried.

`issue` makes certificates of every sort for those who ask by code. The command makes one sort, and
replaces no file but one of that sort.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import click
from attrs import field, frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPrivateKeyTypes
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from netkit.document.values import quoted
from netkit.net.certificates import find
from netkit.net.identities import host_name
from netkit.net.pemfiles import gather
from netkit.replacing import replace
from netkit.tools.options import examples, show

NAMES = ("localhost", "127.0.0.1", "::1")
VALID = timedelta(days=365)  # browsers accept 398 days at most
SLOW_CLOCK = timedelta(hours=1)  # by which a client's clock may be behind

_LONGEST_COMMON_NAME = 64  # RFC 5280 A.1, ub-common-name


@frozen
class Issued:
    """A certificate with its key, and so what can issue others if it is an authority's."""

    certificate: x509.Certificate
    key: CertificateIssuerPrivateKeyTypes = field(repr=False)

    @property
    def certificate_pem(self) -> bytes:
        """The certificate alone."""
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def key_pem(self) -> bytes:
        """The key alone, not encrypted."""
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    @property
    def pem(self) -> bytes:
        """The key and then the certificate, as one file."""
        return self.key_pem + self.certificate_pem


def issue(  # noqa: PLR0913 (a certificate has many properties, and each has a default)
    names: Sequence[str],
    begins: datetime,
    ends: datetime,
    *,
    subject: str = "",
    issuer: Issued | None = None,
    authority: bool = False,
    key: CertificateIssuerPrivateKeyTypes | None = None,
) -> Issued:
    """Return a certificate for `names` (DNS names and IP addresses), valid from `begins` to `ends`.

    The subject's common name is `subject`, which is needed where there are no names, or else the
    first of them. Without `issuer` it is self-signed. Without `key` a new one is made, EC on P-256.
    The signing key is RSA or EC.
    """
    key = key or ec.generate_private_key(ec.SECP256R1())
    signer = issuer.key if issuer else key
    own_name = _subject(subject or names[0])
    builder = (
        x509.CertificateBuilder()
        .subject_name(own_name)
        .issuer_name(issuer.certificate.subject if issuer else own_name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        .add_extension(_usage(authority=authority), critical=True)
        .add_extension(_key_identifier(key), critical=False)
        .add_extension(_issuer_key_identifier(signer), critical=False)
    )
    if names:
        alternatives = x509.SubjectAlternativeName(map(_general_name, names))
        builder = builder.add_extension(alternatives, critical=False)
    if not authority:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(purpose, critical=False)
    return Issued(builder.sign(signer, SHA256()), key)


def provide(folder: Path, names: Sequence[str], now: datetime) -> str:
    """See to it that `folder` has a certificate for all `names` that is valid at `now`.

    One that stands there is left alone, whoever issued it. Else a self-signed one is written to a
    file that has the first name and mode 0600; a folder that is not there is made, with mode 0700.
    Returns what was done, in one line. Raises OSError: FileExistsError where the file is there and
    holds anything but a self-signed certificate.
    """
    for identity in find(gather([folder]).files, now).identities.members:
        if set(names) <= set(identity.names):
            return f"{identity.files[0]}: stands, valid until {identity.expires:%Y-%m-%d}; nothing done"
    file = folder / f"{names[0].replace('*', '_wildcard')}.pem"
    done = "made"
    if file.exists():
        _check_replaceable(file)
        done = "made anew"
    begins = now.replace(microsecond=0) - SLOW_CLOCK
    issued = issue(names, begins, begins + VALID)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    replace(file, issued.pem)
    return (
        f"{file}: {done} for {', '.join(names)}; self-signed, valid until {begins + VALID:%Y-%m-%d}"
    )


@click.command(
    epilog=examples("certificate etc/tls", "certificate --name lab.example /etc/netkit/tls")
)
@click.argument("folder", type=click.Path(path_type=Path))
@click.option(
    "--name",
    "names",
    multiple=True,
    metavar="NAME",
    callback=lambda _, __, written: tuple(map(_name, written)) or NAMES,
    help=f"A DNS name or IP address; may be repeated. By default: {', '.join(NAMES)}.",
)
def command(folder: Path, names: Sequence[str]) -> None:
    """Make a self-signed certificate in FOLDER, unless a valid one stands there."""
    show(provide(folder, names, datetime.now(UTC)))


def _name(written: str) -> str:
    try:
        return str(ip_address(written))
    except ValueError:
        name = host_name(written.encode(errors="replace"))
    if not name:
        right = 'a DNS name (in its "xn--" form where it is not ASCII) or an IP address'
        raise click.BadParameter(f"{quoted(written)} is not right; {right}")
    return name


def _subject(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:_LONGEST_COMMON_NAME])])


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _key_identifier(key: CertificateIssuerPrivateKeyTypes) -> x509.SubjectKeyIdentifier:
    return x509.SubjectKeyIdentifier.from_public_key(key.public_key())


def _issuer_key_identifier(key: CertificateIssuerPrivateKeyTypes) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _check_replaceable(file: Path) -> None:
    try:
        certificates = x509.load_pem_x509_certificates(file.read_bytes())
    except ValueError:
        certificates = []
    if not certificates or any(each.issuer != each.subject for each in certificates):
        text = "is not a self-signed certificate and is left alone; move it away"
        raise FileExistsError(0, text, str(file))
