"""TLS to servers: on which terms, and whether a server is who it has to be.

TLS 1.2 and 1.3, forward-secret AEAD ciphers, no compression, no renegotiation. Rule: a server's name
is verified (RFC 9525, by service-identity) within the handshake, before a byte is sent to it.
"""

from functools import cached_property
from ipaddress import ip_address
from pathlib import Path
from typing import Any, cast

from attrs import frozen
from cryptography import x509
from OpenSSL import SSL, crypto
from service_identity import CertificateError as UnfitError
from service_identity import VerificationError
from service_identity.cryptography import extract_patterns
from service_identity.hazmat import DNS_ID, IPAddress_ID, verify_service_identity
from twisted.internet.interfaces import IOpenSSLClientConnectionCreator
from twisted.internet.ssl import AcceptableCiphers, CertificateOptions, TLSVersion, platformTrust
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from netkit.document.values import printable, quoted
from netkit.net.authorities import Authorities, read
from netkit.net.tls import CIPHERS, Protocols

HANDSHAKE_TIMEOUT = 10.0  # seconds

_NO_RENEGOTIATION = 1 << 30  # OpenSSL's figure (ssl.h); not every pyOpenSSL has a name for it

# Of OpenSSL's x509_vfy.h, the complaints that an operator meets.
_COMPLAINTS = {
    9: "is not valid yet",
    10: "has expired",
    18: "is self-signed",
    19: "comes from a root that is not trusted",
    20: "comes from an issuer that is not trusted",
    21: "comes from an issuer that is not trusted",
    24: "comes from an issuer that is no authority",
    26: "is not made for servers",
}


def trusted(path: Path) -> Authorities:
    """Return the certificates in the PEM file at `path`, or in those of a folder.

    Authorities', or servers' own. Where nothing is wrong there is at least one.
    """
    return read(path, "that of the server's issuer")


@frozen(cache_hash=True)
class TlsTerms:
    """On which terms servers are spoken to.

    `authorities` are trusted, and nobody else; without any it is the system's roots. Where `verify`
    is false anybody is taken for the server. `protocols` are offered by ALPN (RFC 7301). The
    handshake may take `handshake_timeout` seconds.
    """

    authorities: tuple[x509.Certificate, ...] = ()
    verify: bool = True
    protocols: Protocols = ()
    handshake_timeout: float = HANDSHAKE_TIMEOUT

    @cached_property
    def context(self) -> SSL.Context:
        """What OpenSSL needs for a connection on these terms, made once."""
        options = CertificateOptions(
            trustRoot=platformTrust() if self.verify and not self.authorities else None,
            acceptableCiphers=AcceptableCiphers.fromOpenSSLCipherString(CIPHERS),
            raiseMinimumTo=TLSVersion.TLSv1_2,
        )
        context = options.getContext()
        context.set_options(_NO_RENEGOTIATION)
        if self.protocols:
            context.set_alpn_protos(list(self.protocols))
        store = cast("crypto.X509Store", context.get_cert_store())
        store.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)  # any that is trusted may be the end
        for authority in self.authorities:
            store.add_cert(crypto.X509.from_cryptography(authority))
        return context


DEFAULT_TERMS = TlsTerms()


@implementer(IOpenSSLClientConnectionCreator)
class Caller:
    """Begins one connection to the server `name`, a host name in ASCII or an address.

    `complaint` says, if the handshake failed for it, what is wrong with the server's certificate.
    """

    def __init__(self, terms: TlsTerms, name: str) -> None:
        self.complaint = ""
        self._terms = terms
        self._name = name

    def clientConnectionForTLS(self, _: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Return the client's end."""
        connection = SSL.Connection(self._terms.context, None)
        if not _is_address(self._name):
            connection.set_tlsext_host_name(self._name.removesuffix(".").encode("ascii"))
        verify = SSL.VERIFY_PEER if self._terms.verify else SSL.VERIFY_NONE
        connection.set_verify(verify, self._judge if self._terms.verify else _anybody)
        return connection

    def _judge(
        self, _: SSL.Connection, shown: crypto.X509, code: int, depth: int, good: int
    ) -> bool:
        """Say whether to go on, as OpenSSL asks of each certificate of a chain.

        No error may leave this: pyOpenSSL would print it and go on as if nothing were.
        """
        if not good:
            what = _COMPLAINTS.get(code, f"is not good (OpenSSL's error {code})")
            self.complaint = self.complaint or f"its certificate {what}"
            return False
        if depth == 0:
            self.complaint = _misnamed(shown, self._name)
        return not self.complaint


def _anybody(*_: object) -> bool:
    return True


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def _misnamed(shown: crypto.X509, name: str) -> str:
    """Return what is wrong with the names of a certificate, or the empty string."""
    try:
        certificate = shown.to_cryptography()
        bare = name.removesuffix(".")
        wanted: Any = IPAddress_ID(name) if _is_address(name) else DNS_ID(bare)
        verify_service_identity(extract_patterns(certificate), [wanted], [])
    except VerificationError:
        return f"its certificate is not for {quoted(name)}"
    except UnfitError:
        return "its certificate has no names"
    except Exception as error:  # noqa: BLE001 (whatever is wrong with it, it is not good)
        return f"its certificate cannot be read: {printable(type(error).__name__)}"
    return ""
