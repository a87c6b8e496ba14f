"""TLS for listeners: a store of identities, whose content can be exchanged while they listen.

TLS 1.2 and 1.3, forward-secret AEAD ciphers, no compression, no renegotiation. Rule: how OpenSSL is
set up stands here and nowhere else; what files hold is judged in `certificates` and `clients`.
"""

from collections.abc import Callable, Iterable
from datetime import datetime
from enum import Enum
from pathlib import Path
from typing import Any, TypeAlias, cast

from attrs import evolve, frozen
from cryptography import x509
from OpenSSL import SSL, crypto
from twisted.internet.interfaces import IOpenSSLServerConnectionCreator
from twisted.internet.ssl import AcceptableCiphers, CertificateOptions, TLSVersion
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import implementer

from netkit.net.authorities import Authorities
from netkit.net.certificates import Fault, Found, find
from netkit.net.clients import ClientCertificates, authorities
from netkit.net.identities import Identities, Identity
from netkit.net.pemfiles import advice, gather
from netkit.net.servernames import refuse_names

Protocols: TypeAlias = tuple[bytes, ...]
"""Names for ALPN (RFC 7301), the dearest first; without any a client's ALPN goes unanswered."""

CIPHERS = "ECDHE+AESGCM:ECDHE+CHACHA20"  # of TLS 1.2; those of TLS 1.3 are all of that sort

# The figures are OpenSSL's (ssl.h); not every pyOpenSSL has names for them.
_NO_RENEGOTIATION = 1 << 30
_PRIORITIZE_CHACHA = 1 << 21  # where it is the client's first choice, as without AES in hardware

_Switch: TypeAlias = Callable[[bytes | None], SSL.Context | None]


def load(paths: Iterable[Path], now: datetime) -> Found:
    """Return the identities in `paths` that can be used at `now`, and what is wrong with the rest.

    `paths` are PEM files and folders of them, `now` has a time zone. Where nothing is wrong there is
    at least one identity.
    """
    paths = tuple(paths)
    gathered = gather(paths)
    found = find(gathered.files, now, complete=not gathered.faults)
    tried = _tried(found.identities)
    faults = (*gathered.faults, *found.faults, *tried.faults)
    if not faults and not tried.identities.members:
        faults = (_nothing(paths),)
    return Found(tried.identities, faults)


class UnknownNames(Enum):
    """What a client gets that asks for a name which no certificate has."""

    DEFAULT = "default"
    REFUSE = "refuse"


@frozen
class Content:
    """What a source holds: certificates to show, and who may issue those of clients."""

    found: Found
    authorities: Authorities

    @property
    def faults(self) -> tuple[Fault, ...]:
        """All that is wrong; where there is anything, the rest is not to be used."""
        return (*self.found.faults, *self.authorities.faults)


@frozen
class Source:
    """What a store is read from: PEM files, and folders of them.

    With `client_ca` clients are asked for certificates that an authority in there has issued.
    """

    certificates: tuple[Path, ...]
    client_ca: Path | None = None

    @property
    def paths(self) -> tuple[Path, ...]:
        """All that is read, whatever for."""
        return (*self.certificates, *([self.client_ca] if self.client_ca else ()))

    def read(self, now: datetime) -> Content:
        """Return what can be used at `now` (with a time zone), and what is wrong with the rest."""
        clients = authorities(self.client_ca, now) if self.client_ca else Authorities()
        return Content(load(self.certificates, now), clients)


@frozen
class Terms:
    """On which terms a store serves clients.

    Without `authorities` clients are asked for no certificate. With them, one that a client shows was
    issued by one of these, or the handshake fails.
    """

    unknown_names: UnknownNames = UnknownNames.DEFAULT
    authorities: tuple[x509.Certificate, ...] = ()
    client_certificates: ClientCertificates = ClientCertificates.OPTIONAL

    @property
    def verify(self) -> int:
        """What OpenSSL is to ask of a client."""
        if not self.authorities:
            return SSL.VERIFY_NONE
        if self.client_certificates is ClientCertificates.REQUIRED:
            return SSL.VERIFY_PEER | SSL.VERIFY_FAIL_IF_NO_PEER_CERT
        return SSL.VERIFY_PEER


class Store:
    """Identities as the listeners of one `[tls.*]` table use them, on the table's terms.

    `replace` exchanges them all at once: handshakes that begin afterwards use the new ones, those
    under way end with what they began with. There is at least one identity, and an authority where
    clients need a certificate; else ValueError. OpenSSL.SSL.Error or crypto.Error where OpenSSL
    refuses one, which it does with none that `load` returned.
    """

    def __init__(self, identities: Identities, terms: Terms | None = None) -> None:
        self._contexts: dict[Protocols, SSL.Context] = {}
        self._terms = terms or Terms()
        self.replace(identities)

    @property
    def identities(self) -> Identities:
        """What the store holds now."""
        return self._identities

    @property
    def terms(self) -> Terms:
        """On which terms handshakes begin now."""
        return self._terms

    def replace(
        self, identities: Identities, authorities: tuple[x509.Certificate, ...] | None = None
    ) -> None:
        """Use `identities` from the next handshake on, and `authorities` if they are given.

        Where it raises, all stays as it was.
        """
        terms = self._terms
        if authorities is not None:
            terms = evolve(terms, authorities=authorities)
        if not identities.members:
            raise ValueError("a store holds at least one identity")
        if terms.client_certificates is ClientCertificates.REQUIRED and not terms.authorities:
            raise ValueError("somebody must issue the certificates that clients need")
        contexts = {each: _first_context(identities, each, terms) for each in {*self._contexts, ()}}
        self._identities, self._terms, self._contexts = identities, terms, contexts

    def creator(self, protocols: Protocols = ()) -> "Creator":
        """Return what makes the TLS connections of a listener that offers `protocols` by ALPN.

        A client that offers protocols and none of these is refused (RFC 7301 3.2).
        """
        if protocols not in self._contexts:
            self._contexts[protocols] = _first_context(self._identities, protocols, self._terms)
        return Creator(self, protocols)

    def context(self, protocols: Protocols) -> SSL.Context:
        """Return what a handshake begins with now, where there is a creator for `protocols`."""
        return self._contexts[protocols]


@implementer(IOpenSSLServerConnectionCreator)
@frozen
class Creator:
    """Makes the connections of one listener, for `twisted.protocols.tls.TLSMemoryBIOFactory`."""

    store: Store
    protocols: Protocols

    @property
    def context(self) -> SSL.Context:
        """What a handshake begins with now; the name that the client sends may exchange it."""
        return self.store.context(self.protocols)

    def serverConnectionForTLS(self, _: TLSMemoryBIOProtocol) -> SSL.Connection:
        """Return a connection over memory with what the store holds now."""
        return SSL.Connection(self.context)


def _tried(identities: Identities) -> Found:
    usable, faults = [], []
    for identity in identities.members:
        try:
            _context(identity, (), Terms())
        except (SSL.Error, crypto.Error) as error:
            faults.append(_refused(identity, error))
        else:
            usable.append(identity)
    return Found(Identities(tuple(usable)), tuple(faults))


def _refused(identity: Identity, error: Exception) -> Fault:
    reasons = ", ".join(dict.fromkeys(entry[-1] for entry in error.args[0]))
    name = identity.names[0] if identity.names else "nobody"
    text = f"holds a certificate for {name} that OpenSSL refuses ({reasons}); have it issued anew"
    return Fault(identity.files[0], text)


def _nothing(paths: tuple[Path, ...]) -> Fault:
    made_by = advice(paths[0]) if len(paths) == 1 and paths[0].is_dir() else "add both"
    name = ", ".join(map(str, paths))
    return Fault(name, f"holds no certificate with its key; {made_by}")


def _first_context(identities: Identities, protocols: Protocols, terms: Terms) -> SSL.Context:
    """Return the context of the default, which switches to another where the name is another's."""
    default = identities.default
    others = {
        each: _context(each, protocols, terms) for each in identities.members if each != default
    }

    def switch(server_name: bytes | None) -> SSL.Context | None:
        return others.get(identities.answering(server_name))

    context = _context(default, protocols, terms, switch)
    if terms.unknown_names is UnknownNames.REFUSE:
        refuse_names(context, lambda name: identities.named(name) is not None)
    return context


def _context(
    identity: Identity, protocols: Protocols, terms: Terms, switch: _Switch | None = None
) -> SSL.Context:
    options = CertificateOptions(
        # pyOpenSSL's own types, which the annotations still ask for, are deprecated.
        privateKey=cast("Any", identity.key),
        certificate=cast("Any", identity.certificate),
        extraCertChain=cast("Any", identity.chain),
        acceptableCiphers=AcceptableCiphers.fromOpenSSLCipherString(CIPHERS),
        raiseMinimumTo=TLSVersion.TLSv1_2,
        enableSessionTickets=not terms.authorities,
        contextForServerName=switch,
    )
    context = options.getContext()
    context.set_options(_NO_RENEGOTIATION | _PRIORITIZE_CHACHA)
    context.set_alpn_select_callback(_chooser(protocols))
    _verify_clients(context, terms)
    return context


def _verify_clients(context: SSL.Context, terms: Terms) -> None:
    """Have clients verified, every time anew.

    A session that is resumed is not verified again: for hours it would outlive the certificate. So
    there are none, neither by ticket nor by memory. Any authority may be the end of a chain, be it
    a root or not.
    """
    context.set_verify(terms.verify)
    if not terms.authorities:
        return
    context.set_session_cache_mode(SSL.SESS_CACHE_OFF)
    trusted = cast("crypto.X509Store", context.get_cert_store())
    trusted.set_flags(crypto.X509StoreFlags.PARTIAL_CHAIN)
    for authority in terms.authorities:
        trusted.add_cert(crypto.X509.from_cryptography(authority))
        context.add_client_ca(authority)


def _chooser(protocols: Protocols) -> Callable[[SSL.Connection, list[bytes]], Any]:
    """Return what OpenSSL asks, in the place of Twisted's, which wants a TLSMemoryBIOProtocol."""

    def choose(_: SSL.Connection, offered: list[bytes]) -> object:
        for protocol in protocols:
            if protocol in offered:
                return protocol
        if not protocols:
            return SSL.NO_OVERLAPPING_PROTOCOLS
        raise SSL.Error([("", "", "no application protocol in common")])

    return choose
