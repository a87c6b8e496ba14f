"""The cookie that brings a visitor back to the same server (RFC 6265). Pure.

Its value is a digest of the server's name: the same on every host and after every start, and it names
nothing that is not configured. Rule: what a visitor writes there can choose among the servers that
are fit to be asked, and do nothing else.
"""

import re
from hashlib import blake2b

_DIGEST_BYTES = 12
_COOKIES = re.compile(rb"(?:\A|;)[ \t]*([^=;\s]+)=([^;]*)")
_LONGEST_KEY = 64


def digest(name: str, secret: str = "") -> bytes:
    """Return what stands for the server `name` in a cookie; only `secret` keeps it from being guessed."""
    key = blake2b(secret.encode()).digest()[:_LONGEST_KEY] if secret else b""
    return blake2b(name.encode(), digest_size=_DIGEST_BYTES, key=key).hexdigest().encode()


def cookie(field: bytes, name: bytes) -> bytes | None:
    """Return the value of the first cookie `name` in the field value Cookie, or None."""
    for found in _COOKIES.finditer(field):
        if found[1] == name:
            return found[2].strip(b" \t").strip(b'"')
    return None


def set_cookie(
    name: bytes, value: bytes, path: str, max_age: int, *, secure: bool
) -> tuple[bytes, bytes]:
    """Return the field that sets the cookie for what is below `path`, which is encoded.

    `max_age` is in seconds, and 0 for as long as the browser is open.
    """
    parts = [name + b"=" + value, b"Path=" + path.encode(), b"HttpOnly", b"SameSite=Lax"]
    if max_age:
        parts.insert(1, b"Max-Age=%d" % max_age)
    if secure:
        parts.append(b"Secure")
    return b"Set-Cookie", b"; ".join(parts)
