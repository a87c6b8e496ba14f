"""URLs of the schemes http and https (RFC 9110 4.2), as people type them and servers refer to them.

Pure. Rule: what is parsed can be asked for: the host is an address or a name in ASCII, and the target
is of characters that may stand on a request line. A password in a URL is in no repr and no text.
"""

import re
from urllib.parse import unquote

from attrs import evolve, field, frozen

from netkit.document.values import did_you_mean, quoted
from netkit.http.basicauth import Credentials
from netkit.http.dotsegments import without_dots
from netkit.net.addresses import host as address_or_name

PORTS = {"http": 80, "https": 443}

LONGEST = 16_000
"""Characters of a URL; more is on no request line that a server takes."""

_HIGHEST_PORT = 65535
_RIGHT = 'as in "https://example.org/path"'

# RFC 3986 appendix B: scheme, authority, path, query, fragment; each matches anything.
_PARTS = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#.*)?", re.DOTALL
)
_HAS_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_AUTHORITY = re.compile(r"(?:(.*)@)?(\[[^]]*\]|[^:]*)(?::([^:]*))?", re.DOTALL)
_PORT = re.compile(r"[0-9]{1,5}")
_MARKS = r"A-Za-z0-9._~!$&'()*+,;=:@/\-"
_UNFIT_IN_PATH = re.compile(rf"%(?![0-9A-Fa-f]{{2}})|[^{_MARKS}%]")
_UNFIT_IN_QUERY = re.compile(rf"%(?![0-9A-Fa-f]{{2}})|[^{_MARKS}%?]")


@frozen(cache_hash=True)
class Url:
    """What can be asked for: `target` (path and query, percent-encoded) of the server at a `port`.

    `host` is in ASCII and lower case, an IPv6 address without brackets. `credentials` are those that
    stood in the text, which is the one way in which they get here; they make no difference between
    two URLs.
    """

    scheme: str
    host: str
    port: int
    target: str = "/"
    credentials: Credentials | None = field(default=None, eq=False, repr=False)

    @property
    def is_secure(self) -> bool:
        """Whether it is asked for over TLS."""
        return self.scheme == "https"

    @property
    def authority(self) -> str:
        """The host, and the port where it is not the scheme's, as Host has it (RFC 9110 7.2).

        Without the zone of an address, which is nobody else's affair (RFC 6874 1).
        """
        default = self.port == PORTS[self.scheme]
        return self._bare_authority if default else f"{self._bare_authority}:{self.port}"

    @property
    def _bare_authority(self) -> str:
        return f"[{self.host.partition('%')[0]}]" if ":" in self.host else self.host

    @property
    def connect_authority(self) -> str:
        """The host and the port, as the target of a CONNECT (RFC 9110 9.3.6)."""
        return f"{self._bare_authority}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """What two URLs have in common that are one server's (RFC 9110 4.3.1)."""
        return self.scheme, self.host, self.port

    @property
    def path(self) -> str:
        """The path, percent-encoded."""
        return self.target.partition("?")[0]

    @property
    def name(self) -> str:
        """The last segment of the path, decoded; empty where there is none."""
        return unquote(self.path.rpartition("/")[2])

    def joined(self, reference: str) -> "Url":
        """Return what `reference` refers to here (RFC 3986 5.2), without credentials.

        Raise ValueError with what is wrong.
        """
        scheme, authority, path, query = _taken_apart(reference)
        if scheme is not None and (authority is None or scheme.lower() not in PORTS):
            raise ValueError(f"{quoted(reference)} is no URL of http or https")
        if authority is not None:
            text = reference if scheme is not None else f"{self.scheme}:{reference}"
            return evolve(parse(text), credentials=None)
        return evolve(self, target=self._target(path, query), credentials=None)

    def _target(self, path: str, query: str | None) -> str:
        if path.startswith("/"):
            return _target(path, query)
        if path:
            return _target(f"{self.path.rpartition('/')[0]}/{path}", query)
        return self.target if query is None else _target(self.path, query)

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.target}"


def parse(text: str) -> Url:
    """Return the URL that `text` is; without a scheme it is one of http.

    Bytes that are no UTF-8 may stand in it as surrogates (PEP 383). Raise ValueError with what is wrong
    and what would be right.
    """
    text = text.strip(" \t\r\n")
    if len(text) > LONGEST:
        raise ValueError(f"a URL of {len(text)} characters is too long; {LONGEST} at most")
    if not text:
        raise ValueError(f"the URL is empty; {_RIGHT}")
    if not _HAS_SCHEME.match(text):
        text = f"http://{text.removeprefix('//')}"
    scheme, authority, path, query = _taken_apart(text)
    scheme = (scheme or "").lower()
    if scheme not in PORTS:
        advice = did_you_mean(scheme, PORTS)
        raise ValueError(f"{quoted(scheme)} is no scheme of the web; {advice}")
    user, host, port = _authority(authority or "", text)
    return Url(scheme, host, port or PORTS[scheme], _target(path, query), _credentials(user))


def _taken_apart(text: str) -> tuple[str | None, str | None, str, str | None]:
    found = _PARTS.fullmatch(text)
    assert found is not None  # noqa: S101 (it matches anything)
    return found[1], found[2], found[3], found[4]


def _authority(authority: str, text: str) -> tuple[str | None, str, int]:
    """Return the user information, the host and the port, 0 where none is said."""
    found = _AUTHORITY.fullmatch(authority)
    place = authority.rpartition("@")[2]  # a password would be shown otherwise
    if found is None:
        raise ValueError(f'{quoted(place)} is no host; an IPv6 address as in "http://[::1]/"')
    user, host, port = found[1], found[2], found[3] or ""
    if not host:
        raise ValueError(f"{quoted(_without_user(text))} names no host; {_RIGHT}")
    if port and not (_PORT.fullmatch(port) and 0 < int(port) <= _HIGHEST_PORT):
        raise ValueError(f"{quoted(port)} is not a port; 1 to {_HIGHEST_PORT}")
    decoded = host if host.startswith("[") else unquote(host, errors="surrogateescape")
    return user, str(address_or_name(decoded)).lower(), int(port or 0)


def _without_user(text: str) -> str:
    start, slashes, rest = text.partition("//")
    return start + slashes + rest.rpartition("@")[2]


def _credentials(user: str | None) -> Credentials | None:
    if not user:
        return None
    name, _, password = user.partition(":")
    return Credentials(unquote(name), unquote(password))


def _target(path: str, query: str | None) -> str:
    target = _UNFIT_IN_PATH.sub(_encoded, without_dots(path))
    return target if query is None else f"{target}?{_UNFIT_IN_QUERY.sub(_encoded, query)}"


def _encoded(match: re.Match[str]) -> str:
    char = match[0]
    errors = "surrogateescape" if "\udc80" <= char <= "\udcff" else "replace"
    octets = char.encode("utf-8", errors)
    return "".join(f"%{octet:02X}" for octet in octets)
