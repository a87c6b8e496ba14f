"""Queries without the secrets in them.

Pure. Rule: what a secret's key might be is taken for one; a value too many left out does no harm.
"""

import re
from urllib.parse import unquote

_PART = re.compile(r"[^&;]+")
_SECRET = re.compile(
    r"auth|code|cred|jwt|key|pass|pwd|secret|session|sig|ticket|token"
    r"|(?<![a-z])(?:hmac|mac|nonce|otp|pin|pw|sid)(?![a-z])",
    re.IGNORECASE,
)


def without_secrets(query: str) -> str:
    """Return `query` with `-` for each value whose key looks like that of a secret.

    Where a value holds a query of its own, encoded or not, its keys count, too.
    """
    return _PART.sub(lambda match: _without_secret(match[0]), query)


def _without_secret(part: str) -> str:
    readings = (part, unquote(part), unquote(unquote(part)))
    if not any(_SECRET.search(reading.rpartition("=")[0]) for reading in readings):
        return part
    key, mark, _ = part.partition("=")
    return f"{key}=-" if mark and "=" not in unquote(unquote(key)) else "-"
