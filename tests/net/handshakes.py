"""TLS in memory: a client as a test wants it, and handshakes with it."""

from typing import Any

from cryptography import x509
from OpenSSL import SSL

from netkit.net.tls import Protocols, Store
from netkit.tools.certificate import Issued

LARGEST_FLIGHT = 1_000_000  # bytes

PLACEHOLDER = b"placeholder.example"


def client(
    name: bytes | None = None,
    protocols: Protocols = (),
    ciphers: bytes = b"DEFAULT",
    version: int = 0,
    shows: Issued | None = None,
) -> SSL.Connection:
    """Return a client that trusts anybody; `version` is the only one of TLS that it speaks, or 0.

    `shows` is its own certificate.
    """
    context = SSL.Context(SSL.TLS_METHOD)
    context.set_cipher_list(ciphers)
    context.set_min_proto_version(version)
    context.set_max_proto_version(version)
    connection = _asking(context, name)
    if shows:
        show(connection, shows)
    if protocols:
        connection.set_alpn_protos(list(protocols))
    return connection


def show(connection: SSL.Connection, certificate: Issued) -> None:
    """Have one connection of a client show a certificate."""
    connection.use_certificate(certificate.certificate)
    key: Any = certificate.key
    connection.use_privatekey(key)


def returning(earlier: SSL.Connection, name: bytes) -> SSL.Connection:
    """Return a client that has the session of an earlier one, and shows no certificate."""
    session = earlier.get_session()
    assert session is not None
    connection = _asking(earlier.get_context(), name)
    connection.set_session(session)
    return connection


def _asking(context: SSL.Context, name: bytes | None) -> SSL.Connection:
    connection = SSL.Connection(context)
    connection.set_connect_state()
    if name is not None:
        connection.set_tlsext_host_name(name)
    return connection


def server(store: Store, protocols: Protocols = ()) -> SSL.Connection:
    """Return the server's end of a connection that is accepted now."""
    connection = SSL.Connection(store.creator(protocols).context)
    connection.set_accept_state()
    return connection


def shake(one: SSL.Connection, other: SSL.Connection) -> bytes:
    """Carry a handshake on until both are silent; return what `other` sent."""
    sent = b""
    while True:
        for end in (one, other):
            turn(end)
        there, back = taken(one), taken(other)
        sent += back
        if not there and not back:
            return sent
        for end, data in ((other, there), (one, back)):
            if data:
                end.bio_write(data)


def turn(end: SSL.Connection) -> None:
    """Let one end do what it can with what it has got."""
    try:
        end.do_handshake()
        end.recv(LARGEST_FLIGHT)
    except SSL.WantReadError:
        pass


def taken(end: SSL.Connection) -> bytes:
    """Return what one end wants to send."""
    try:
        return end.bio_read(LARGEST_FLIGHT)
    except SSL.WantReadError:
        return b""


def met(end: SSL.Connection) -> list[x509.Certificate]:
    """Return the certificates that the other end showed."""
    return [each.to_cryptography() for each in end.get_peer_cert_chain() or ()]


def hello(name: bytes) -> bytes:
    """Return the first bytes of a client of TLS 1.2 that asks for `name`, be it a name or not."""
    asking = client(PLACEHOLDER, version=SSL.TLS1_2_VERSION)
    turn(asking)
    message = taken(asking)
    at = message.index(PLACEHOLDER)
    extensions = _extensions(message)
    changed = bytearray(message.replace(PLACEHOLDER, name))
    # The lengths around a name, from the record's to its own (RFC 5246 6.2.1, 7.4; RFC 6066 3).
    for place, size in ((3, 2), (6, 3), (extensions, 2), (at - 7, 2), (at - 5, 2), (at - 2, 2)):
        length = int.from_bytes(message[place : place + size]) + len(name) - len(PLACEHOLDER)
        changed[place : place + size] = length.to_bytes(size)
    return bytes(changed)


def _extensions(message: bytes) -> int:
    """Return where the length of a ClientHello's extensions stands (RFC 5246 7.4.1.2)."""
    session = 5 + 4 + 2 + 32  # record, handshake, version, random
    ciphers = session + 1 + message[session]
    compression = ciphers + 2 + int.from_bytes(message[ciphers : ciphers + 2])
    return compression + 1 + message[compression]
