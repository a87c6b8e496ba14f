"""The cookies of one run (RFC 6265).

Pure; the time, in seconds since 1970, comes in by argument. Rule: a cookie goes to nobody who is not
plainly the one that set it. Without a list of public suffixes (5.3) nobody can tell "co.uk" from a
firm's name, so that a domain with two labels counts as such a suffix if it looks like one.
"""

from collections.abc import Iterable, Iterator

from attrs import frozen

from netkit.http.dates import parse_date
from netkit.http.messages import ResponseHead
from netkit.net.addresses import literal
from netkit.tools.web.urls import Url

MOST = 300
MOST_OF_A_HOST = 50
LONGEST = 4096
"""Bytes of a cookie, its attributes included."""

_HEADER_BYTES = 8 * 1024
_COUNTRY = 2  # letters
_SHORT = 3


@frozen
class Cookie:
    """One cookie. `expires` is a time, or None for the end of the run."""

    name: bytes
    value: bytes
    domain: str
    path: str
    host_only: bool
    secure: bool
    expires: float | None

    @property
    def key(self) -> tuple[bytes, str, str]:
        """What a later cookie has in common with the one that it replaces."""
        return self.name, self.domain, self.path

    def is_for(self, url: Url, now: float) -> bool:
        """Return whether it goes to `url` (RFC 6265 5.4)."""
        if (self.secure and not url.is_secure) or (
            self.expires is not None and self.expires <= now
        ):
            return False
        near = url.host == self.domain or (not self.host_only and _is_below(url.host, self.domain))
        return near and _is_on(url.path, self.path)


class Cookies:
    """What servers have set."""

    def __init__(self) -> None:
        self._kept: dict[tuple[bytes, str, str], Cookie] = {}

    def hear(self, url: Url, head: ResponseHead, now: float) -> None:
        """Keep what the answer `head` from `url` sets, and forget what it takes back."""
        for name, value in head.headers:
            if name.lower() == b"set-cookie":
                cookie = parse(url, value, now)
                if cookie is not None:
                    self._keep(cookie, now)

    def _keep(self, cookie: Cookie, now: float) -> None:
        if cookie.expires is not None and cookie.expires <= now:
            self._kept.pop(cookie.key, None)
            return
        of_host = sum(each.domain == cookie.domain for each in self._kept.values())
        room = len(self._kept) < MOST and of_host < MOST_OF_A_HOST
        if room or cookie.key in self._kept:
            self._kept[cookie.key] = cookie

    def header(self, url: Url, now: float) -> bytes:
        """Return the value of Cookie for `url`; empty where there is none."""
        fit = [each for each in self._kept.values() if each.is_for(url, now)]
        fit.sort(key=lambda each: -len(each.path))
        value = b"; ".join(each.name + b"=" + each.value for each in fit)
        return value if len(value) <= _HEADER_BYTES else b""


def parse(url: Url, value: bytes, now: float) -> Cookie | None:
    """Return the cookie that `url` sets with a Set-Cookie of this value, if it may (RFC 6265 5.2)."""
    pair, *attributes = value.split(b";")
    name, equals, content = (each.strip(b" \t") for each in pair.partition(b"="))
    if not equals or not name or len(value) > LONGEST:
        return None
    said = dict(_attributes(attributes))
    domain = _text(said.get(b"domain", b"")).removeprefix(".").lower()
    path = _text(said.get(b"path", b""))
    cookie = Cookie(
        name,
        content,
        domain or url.host,
        path if path.startswith("/") else _default_path(url),
        host_only=domain in {"", url.host},
        secure=b"secure" in said,
        expires=_expiry(said, now),
    )
    return cookie if _may(cookie, url, said) else None


def _may(cookie: Cookie, url: Url, said: dict[bytes, bytes]) -> bool:
    """Return whether `url` may set `cookie`."""
    if not cookie.host_only and not (
        _is_below(url.host, cookie.domain) and not _is_public(cookie.domain)
    ):
        return False
    if cookie.secure and not url.is_secure:
        return False
    name = cookie.name.lower()
    if name.startswith(b"__host-"):
        return cookie.secure and b"domain" not in said and said.get(b"path") == b"/"
    return cookie.secure or not name.startswith(b"__secure-")


def _attributes(parts: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    for part in parts:
        name, _, value = part.partition(b"=")
        yield name.strip(b" \t").lower(), value.strip(b" \t")


def _expiry(said: dict[bytes, bytes], now: float) -> float | None:
    age = said.get(b"max-age", b"")
    if age.removeprefix(b"-").isdigit():
        return now + int(age[:12])
    if b"expires" in said:
        # Servers write a hyphen where RFC 9110 5.6.7 has a blank.
        return parse_date(said[b"expires"].replace(b"-", b" "), now)
    return None


def _default_path(url: Url) -> str:
    return url.path.rpartition("/")[0] or "/"


def _is_on(path: str, base: str) -> bool:
    return path == base or path.startswith(base if base.endswith("/") else f"{base}/")


def _is_below(host: str, domain: str) -> bool:
    return host.endswith(f".{domain}") and literal(host) is None


def _is_public(domain: str) -> bool:
    """Return whether `domain` may be a registry's rather than somebody's own, as "com" and "co.uk"."""
    *rest, top = domain.split(".")
    if not rest:
        return True
    return len(rest) == 1 and len(top) == _COUNTRY and len(rest[0]) <= _SHORT


def _text(octets: bytes) -> str:
    return octets.decode("latin-1")
