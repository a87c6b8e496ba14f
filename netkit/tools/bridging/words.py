"""What is said of a connection: who is at the other end, and by what it is known.

Rule: what a peer has written in its certificate is made harmless.
"""

from typing import Any

from cryptography import x509
from cryptography.x509.oid import NameOID
from OpenSSL import SSL
from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import IAddress

from netkit.document.values import printable
from netkit.net.peer import host_and_port
from netkit.net.stream import IStream
from netkit.tools.bridging.bridge import Ended

_SHOWN = 3  # names of a certificate


def address(found: IAddress) -> str:
    """Return an address as a person writes it."""
    if isinstance(found, IPv4Address | IPv6Address):
        return host_and_port(found)
    name = found.name if isinstance(found, UNIXAddress) else None
    return f"unix:{printable(name.decode(errors='replace'))}" if name else "unix"


def connection(stream: IStream) -> str:
    """Return who is at the other end of `stream`, and with TLS its version and the certificate."""
    handle: Any = getattr(stream, "getHandle", lambda: None)()
    peer = address(stream.getPeer())
    if not isinstance(handle, SSL.Connection):
        return peer
    shown = handle.get_peer_certificate()
    name = f", certificate of {names(shown.to_cryptography())}" if shown else ""
    return f"{peer}, {handle.get_protocol_version_name()}{name}"


def ending(ended: Ended) -> str:
    """Return why a bridge ended, and what went over it."""
    return f"{ended.reason.value}; {ended.sent} bytes sent, {ended.received} received"


def names(certificate: x509.Certificate) -> str:
    """Return the names that a certificate is for, or else its subject's."""
    try:
        extension = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        found = extension.value.get_values_for_type(x509.DNSName)
        found += map(str, extension.value.get_values_for_type(x509.IPAddress))
    except (ValueError, x509.ExtensionNotFound):
        subject = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        found = [str(each.value) for each in subject]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return printable(", ".join(found[:_SHOWN])) + more if found else "nobody"
