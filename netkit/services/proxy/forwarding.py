"""What goes on to the origin and what comes back from it (RFC 9110 7.6). Pure.

Rule: nothing of the message's framing, of this hop's connection or of what a client keeps for the
proxy alone is passed on; whoever sends the message frames it anew.
"""

import re

from attrs import frozen

from netkit.http.messages import Headers

VIA = (b"Via", b"1.1 netkit")

_ABSOLUTE = re.compile(rb"([a-z][a-z0-9+.-]*)://([^/?#]*)([\x21-\x22\x24-\x7e]*)", re.IGNORECASE)
_AUTHORITY = re.compile(rb"([A-Za-z0-9._~-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{0,5}))?")
_HIGHEST_PORT = 65535

_OF_THIS_HOP = frozenset(
    (
        b"connection",
        b"content-length",
        b"expect",
        b"host",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authentication-info",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    )
)


class NotForwardedError(ValueError):
    """The target is none that is forwarded; the text says why and what would be, as a sentence."""


@frozen
class Destination:
    """An origin server and the target to ask it for; `host` has no brackets."""

    host: str
    port: int
    target: bytes

    @property
    def authority(self) -> bytes:
        """Return the value of the Host field, without the port where it is 80."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (host if self.port == 80 else f"{host}:{self.port}").encode()  # noqa: PLR2004


def destination(target: bytes) -> Destination:
    """Return where a request-target in absolute-form leads (RFC 9112 3.2.2).

    Raise NotForwardedError for other forms and schemes, and for URLs that name no host, no port that
    exists, or a user.
    """
    match = _ABSOLUTE.fullmatch(target)
    if match is None:
        raise NotForwardedError("This is a proxy: it wants a whole URL, as in http://host/path.")
    scheme, written, rest = match.groups()
    if scheme.lower() != b"http":
        raise NotForwardedError("Only http:// is forwarded.")
    authority = _AUTHORITY.fullmatch(written)
    if authority is None:
        raise NotForwardedError("The URL names no host, or more than a host and a port.")
    port = int(authority[2] or b"80")
    if not 0 < port <= _HIGHEST_PORT:
        raise NotForwardedError("There is no such port; 1 to 65535.")
    path = rest if rest.startswith(b"/") else b"/" + rest
    return Destination(authority[1].decode().strip("[]"), port, path)


def passed_on(headers: Headers, connection: bytes = b"") -> Headers:
    """Return the fields that go to the next hop, with Via.

    `connection` is the value of a Connection field that stands elsewhere than in `headers`.
    """
    values = [value for name, value in headers if name.lower() == b"connection"]
    named = {option.strip().lower() for option in b",".join((*values, connection)).split(b",")}
    kept = (field for field in headers if field[0].lower() not in _OF_THIS_HOP | named)
    return (*kept, VIA)
