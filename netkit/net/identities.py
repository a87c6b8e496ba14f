"""The identities that a server has, and which of them answers to a name.

An identity is a certificate with its key and its chain. Rule: pure values; where they come from is
`certificates`' concern, how they are shown `tls`'s.
"""

import re
from datetime import datetime

from attrs import Factory, field, frozen
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

LONGEST_NAME = 253  # characters, RFC 1035 2.3.4 less the length octets

_HOST = re.compile(r"(?:\*\.)?[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


@frozen(cache_hash=True)
class Identity:
    """What a server shows (the certificate, then its chain) and proves (with the key).

    `names` are the DNS names and IP addresses of the subjectAltName, in small letters. The subject's
    common name counts for nothing (RFC 9525 2). `files` are those that any part came from. Two
    identities are equal if all but the key is, since the certificate has the public half of it.
    """

    certificate: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key: PrivateKeyTypes = field(eq=False, repr=False)
    names: tuple[str, ...]
    files: tuple[str, ...]

    @property
    def expires(self) -> datetime:
        """The moment (UTC) from which clients refuse the certificate, or one of its chain."""
        return min(each.not_valid_after_utc for each in (self.certificate, *self.chain))


def _by_name(identities: "Identities") -> dict[str, Identity]:
    """Give each name to the identity that is valid longest, and the first of equals."""
    named: dict[str, Identity] = {}
    for identity in identities.members:
        for name in identity.names:
            if name not in named or identity.expires > named[name].expires:
                named[name] = identity
    return named


@frozen
class Identities:
    """The identities of one store, in the order of their certificates' files; each has its names.

    Where two have the same name, the one that is valid longest answers to it.
    """

    members: tuple[Identity, ...] = ()
    _named: dict[str, Identity] = field(
        default=Factory(_by_name, takes_self=True), init=False, eq=False, repr=False
    )

    @property
    def default(self) -> Identity:
        """Who answers where no name fits: who has the first name of the first that has names.

        Where none has names it is the first. IndexError where there is none at all.
        """
        for identity in self.members:
            if identity.names:
                return self._named[identity.names[0]]
        return self.members[0]

    @property
    def expires(self) -> datetime | None:
        """The moment (UTC) at which the first of them expires; None where there is none."""
        return min((identity.expires for identity in self.members), default=None)

    def named(self, server_name: bytes | None) -> Identity | None:
        """Return who answers to the name that a client sent (RFC 6066 3), or None.

        The whole name is looked for first, then a wildcard in the place of its first label (RFC
        9525 6.3). Any bytes may be asked for; those that are no name are nobody's.
        """
        name = host_name(server_name or b"")
        _, dot, parent = name.partition(".")
        return self._named.get(name) or self._named.get(f"*{dot}{parent}")

    def answering(self, server_name: bytes | None) -> Identity:
        """Return who answers to `server_name`, or the default."""
        return self.named(server_name) or self.default


def host_name(name: bytes) -> str:
    """Return `name`, any bytes, as names are compared: in small letters, without the root's dot.

    Empty where it is no name of a host (RFC 1123 2.1, and `_` and a wildcard as first label).
    """
    text = name[: LONGEST_NAME + 2].decode("latin-1").lower().removesuffix(".")
    return text if len(text) <= LONGEST_NAME and _HOST.fullmatch(text) else ""
