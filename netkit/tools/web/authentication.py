"""How a login is proved: Basic (RFC 7617) and Digest (RFC 7616).

Pure; what has to be random comes in by argument. Rule: of what a server takes the strongest is used,
and what it takes in another way than these is no way at all.
"""

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable
from typing import Protocol, TypeAlias
from unicodedata import normalize
from urllib.parse import quote

from netkit.http.basicauth import Credentials
from netkit.tools.web.challenges import Challenge

Random: TypeAlias = Callable[[], str]
"""Returns a text of ASCII letters and digits that nobody can guess."""

# By strength; RFC 7616 6.1 has them.
_ALGORITHMS = {"md5": "md5", "sha-256": "sha256", "sha-512-256": "sha512_256"}
_STRENGTH = ("basic", *_ALGORITHMS)
_SESSION = "-sess"
_QUALITY = "auth"


class Proof(Protocol):
    """Proves a login to one server, for one realm, as often as it is asked."""

    def authorization(self, method: bytes, target: bytes) -> bytes:
        """Return the value of Authorization for a request."""


def strongest(offered: Iterable[Challenge]) -> Challenge | None:
    """Return the strongest of the challenges that can be met here, the first of equals, or None."""
    usable = [(_strength(each), -place, each) for place, each in enumerate(offered)]
    best = max(usable, key=lambda each: each[:2], default=None)
    return best[2] if best is not None and best[0] >= 0 else None


def is_stale(challenge: Challenge) -> bool:
    """Return whether the login was right and only its proof too old (RFC 7616 3.3)."""
    return challenge.parameters.get("stale", "").lower() == "true"


def proof(challenge: Challenge, credentials: Credentials, random: Random) -> Proof:
    """Return how to prove `credentials` to whoever sent `challenge`, one of `strongest`."""
    if challenge.scheme == "basic":
        return Basic(credentials)
    return Digest(challenge, credentials, random)


def _strength(challenge: Challenge) -> int:
    if challenge.scheme == "basic":
        return 0
    parameters = challenge.parameters
    if challenge.scheme != "digest" or "nonce" not in parameters or "realm" not in parameters:
        return -1
    if "qop" in parameters and _QUALITY not in _listed(parameters["qop"]):
        return -1
    name = _algorithm(challenge).removesuffix(_SESSION)
    known = _ALGORITHMS.get(name) in hashlib.algorithms_available
    return _STRENGTH.index(name) if known else -1


def _algorithm(challenge: Challenge) -> str:
    return challenge.parameters.get("algorithm", "MD5").lower()


def _listed(value: str) -> list[str]:
    return [each.strip(" \t").lower() for each in value.split(",")]


def _encoded(text: str) -> bytes:
    """Return `text` in UTF-8, with accents as RFC 7617 2.1 wants them."""
    return normalize("NFC", text).encode("utf-8", "surrogateescape")


class Basic:
    """The scheme that sends the password itself."""

    def __init__(self, credentials: Credentials) -> None:
        if ":" in credentials.user:
            raise ValueError("a user whose name has a colon cannot log in here (RFC 7617 2)")
        self._login = _encoded(f"{credentials.user}:{credentials.password}")

    def authorization(self, method: bytes, target: bytes) -> bytes:  # noqa: ARG002 (as in Proof)
        """See Proof."""
        return b"Basic " + b64encode(self._login)


class Digest:
    """The scheme that proves to know the password, with a count that no request has twice."""

    def __init__(self, challenge: Challenge, credentials: Credentials, random: Random) -> None:
        parameters = challenge.parameters
        self._random = random
        self._count = 0
        self._user = credentials.user
        self._realm = parameters["realm"]
        self._nonce = parameters["nonce"]
        self._opaque = parameters.get("opaque")
        self._algorithm = parameters.get("algorithm")
        self._has_quality = "qop" in parameters
        self._hides_user = parameters.get("userhash", "").lower() == "true"
        name = _algorithm(challenge)
        self._name = _ALGORITHMS[name.removesuffix(_SESSION)]
        self._secret = self._hash(
            _encoded(credentials.user), self._realm_bytes, _encoded(credentials.password)
        )
        # With a session the first client nonce is part of the secret of all (RFC 7616 3.4.2).
        self._session = random() if name.endswith(_SESSION) else ""
        if self._session:
            self._secret = self._hash(self._secret, self._nonce_bytes, self._session)

    @property
    def _realm_bytes(self) -> bytes:
        return self._realm.encode("utf-8", "surrogateescape")

    @property
    def _nonce_bytes(self) -> bytes:
        return self._nonce.encode("utf-8", "surrogateescape")

    def authorization(self, method: bytes, target: bytes) -> bytes:
        """See Proof."""
        self._count += 1
        client_nonce = self._session or self._random()
        count = f"{self._count:08x}"
        request = self._hash(method, target)
        between = (count, client_nonce, _QUALITY) if self._has_quality else ()
        response = self._hash(self._secret, self._nonce_bytes, *between, request)
        parts = [
            self._name_of_user(),
            f"realm={_quoted(self._realm)}",
            f"nonce={_quoted(self._nonce)}",
            f"uri={_quoted(target.decode('latin-1'))}",
            f'response="{response}"',
        ]
        if self._algorithm is not None:
            parts.append(f"algorithm={self._algorithm}")
        if self._opaque is not None:
            parts.append(f"opaque={_quoted(self._opaque)}")
        if self._has_quality or self._session:
            parts.append(f'cnonce="{client_nonce}"')
        if self._has_quality:
            parts.append(f"qop={_QUALITY}, nc={count}")
        return f"Digest {', '.join(parts)}".encode("utf-8", "surrogateescape")

    def _name_of_user(self) -> str:
        if self._hides_user:
            return (
                f'username="{self._hash(_encoded(self._user), self._realm_bytes)}", userhash=true'
            )
        if self._user.isascii():
            return f"username={_quoted(self._user)}"
        return f"username*=UTF-8''{quote(_encoded(self._user), safe='')}"

    def _hash(self, *parts: str | bytes) -> str:
        octets = (each.encode() if isinstance(each, str) else each for each in parts)
        return hashlib.new(self._name, b":".join(octets), usedforsecurity=False).hexdigest()


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
