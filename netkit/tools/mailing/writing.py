"""What is said to an IMAP server (RFC 3501 6 and 9). Pure.

Rule: nothing that a user writes ends a line: what a quoted string cannot hold goes as a literal.
"""

import re
from base64 import b64encode

_QUOTABLE = re.compile(rb"[ -~]{0,1000}")
_ENCODED = re.compile("[^ -~]+")


def command(name: bytes, *arguments: bytes) -> tuple[bytes, ...]:
    """Return a command, in the parts between which a server says that it waits for the next.

    None has its CRLF. `arguments` are strings of any bytes but NUL.
    """
    parts = [name]
    for each in arguments:
        parts[-1] += b" "
        if _QUOTABLE.fullmatch(each):
            parts[-1] += _quoted(each)
        else:
            parts[-1] += b"{%d}" % len(each)
            parts.append(each)
    return tuple(parts)


def plain(user: str, password: str) -> bytes:
    """Return the message of SASL's PLAIN (RFC 4616), in Base64."""
    return b64encode(b"\0".join((b"", _octets(user), _octets(password))))


def login(user: str, password: str) -> tuple[bytes, ...]:
    """Return the command LOGIN, in parts."""
    return command(b"LOGIN", _octets(user), _octets(password))


def mailbox(name: str) -> bytes:
    """Return the name of a mailbox in modified UTF-7 (RFC 3501 5.1.3)."""
    return _ENCODED.sub(_base64, name.replace("&", "&-")).encode("ascii")


def _quoted(octets: bytes) -> bytes:
    return b'"' + octets.replace(b"\\", rb"\\").replace(b'"', rb"\"") + b'"'


def _octets(text: str) -> bytes:
    # What came by way of the operating system is what it was there.
    return text.encode(errors="surrogateescape")


def _base64(match: re.Match[str]) -> str:
    encoded = b64encode(match[0].encode("utf-16-be", "replace"), b"+,").decode()
    return f"&{encoded.rstrip('=')}-"
