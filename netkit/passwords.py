"""Passwords as they are kept: hashed by scrypt (RFC 7914), as text in the PHC string format.

    $scrypt$ln=15,r=8,p=3$SALT$DIGEST      salt and digest in base64 without padding

Rule: a name that nobody has costs the same work as one that somebody has, and neither a password
nor a hash stands in a repr or in a complaint.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Mapping
from hashlib import blake2b, scrypt
from hmac import compare_digest
from secrets import token_bytes
from unicodedata import normalize

from attrs import field, frozen

RIGHT = 'a hash of a password, as "netkit password" prints it'

LONGEST_PASSWORD = 1024  # bytes in UTF-8

_FORM = re.compile(
    r"\$scrypt\$ln=([0-9]{1,2}),r=([0-9]{1,2}),p=([0-9]{1,2})"
    r"\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})"
)
_MOST_WORK = 2**20  # N · r · p, which is at most 128 MiB; ln=17, r=8, p=1 just fits
_LEAST_WORK = 2**12
_SALT_BYTES = 16
_DIGEST_BYTES = 32


@frozen
class Cost:
    """What a hash costs: 2**`ln` · `r` · 128 bytes of memory, gone through `p` times."""

    ln: int = 15
    r: int = 8
    p: int = 3

    @property
    def work(self) -> int:
        """The number of blocks that are mixed."""
        return (1 << self.ln) * self.r * self.p

    @property
    def memory(self) -> int:
        """How many bytes OpenSSL has to be allowed."""
        return 128 * self.r * ((1 << self.ln) + self.p + 2)


@frozen
class PasswordHash:
    """One password, hashed. As text it is what an operator writes down."""

    cost: Cost
    salt: bytes = field(repr=False)
    digest: bytes = field(repr=False)

    def __str__(self) -> str:
        cost = self.cost
        numbers = f"ln={cost.ln},r={cost.r},p={cost.p}"
        return f"$scrypt${numbers}${_unpadded(self.salt)}${_unpadded(self.digest)}"

    def matches(self, password: str) -> bool:
        """Return whether it is the hash of `password`. Takes its time: some tenths of a second."""
        digest = _scrypt(password, self.salt, self.cost, len(self.digest))
        return compare_digest(digest, self.digest)


def parse(text: str) -> PasswordHash:
    """Return the hash that `text` is; raise ValueError where it is none, or costs too much.

    What the error says holds nothing of `text`, which may be a password.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"is not right; {RIGHT}")
    cost = Cost(*map(int, match.group(1, 2, 3)))
    if not cost.ln or cost.ln > _MOST_WORK or not _LEAST_WORK <= cost.work <= _MOST_WORK:
        raise ValueError(f"costs {cost}; N · r · p is between {_LEAST_WORK} and {_MOST_WORK}")
    try:
        return PasswordHash(cost, _bytes(match[4]), _bytes(match[5]))
    except ValueError:
        raise ValueError(f"is not right; {RIGHT}") from None


def hashed(password: str, cost: Cost = Cost()) -> PasswordHash:
    """Return a new hash of `password`; raise ValueError where it cannot be one.

    A password has at least one character and no control characters (RFC 7617 2), and at most
    LONGEST_PASSWORD bytes.
    """
    if not password or any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in password):  # noqa: PLR2004
        raise ValueError("a password has at least one character, and no control characters")
    if len(password.encode(errors="surrogatepass")) > LONGEST_PASSWORD:
        raise ValueError(f"a password has at most {LONGEST_PASSWORD} bytes")
    salt = token_bytes(_SALT_BYTES)
    return PasswordHash(cost, salt, _scrypt(password, salt, cost, _DIGEST_BYTES))


def _composed(hashes: Mapping[str, PasswordHash]) -> Mapping[str, PasswordHash]:
    return {normalize("NFC", user): hashes[user] for user in hashes}


@frozen
class Passwords:
    """Who may log in, and by which password. Names are compared in their composed form (NFC)."""

    _hashes: Mapping[str, PasswordHash] = field(converter=_composed, repr=False)
    _secret: bytes = field(factory=lambda: token_bytes(_DIGEST_BYTES), repr=False, eq=False)

    def verify(self, user: str, password: str) -> bool:
        """Return whether `password` is that of `user`. Takes its time, whoever `user` is."""
        found = self.hash_of(user)
        return found.matches(password) and self.knows(user)

    def knows(self, user: str) -> bool:
        """Return whether there is a `user`."""
        return normalize("NFC", user) in self._hashes

    def hash_of(self, user: str) -> PasswordHash:
        """Return the hash to try: the user's, or a stand-in at the cost of some user's.

        The same name always gets the same stand-in, as it would if somebody had it.
        """
        name = normalize("NFC", user)
        stand_in = self._stand_in(name)
        return self._hashes.get(name, stand_in)

    def _stand_in(self, name: str) -> PasswordHash:
        drawn = blake2b(name.encode(errors="surrogatepass"), key=self._secret).digest()
        costs = [each.cost for each in self._hashes.values()] or [Cost()]
        cost = costs[int.from_bytes(drawn[:8]) % len(costs)]
        return PasswordHash(cost, drawn[:_SALT_BYTES], drawn[-_DIGEST_BYTES:])


def _scrypt(password: str, salt: bytes, cost: Cost, length: int) -> bytes:
    return scrypt(
        normalize("NFC", password).encode(errors="surrogatepass"),
        salt=salt,
        n=1 << cost.ln,
        r=cost.r,
        p=cost.p,
        maxmem=cost.memory,
        dklen=length,
    )


def _unpadded(data: bytes) -> str:
    return b64encode(data).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return b64decode(text + "=" * (-len(text) % 4), validate=True)
