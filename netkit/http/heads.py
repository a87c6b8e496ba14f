"""From the bytes of a header section to a request's head (RFC 9112 2 to 6). Pure.

llhttp judges the syntax of every field; what it leaves open is decided here. Rule: a head is read
from all of its bytes at once, so that how they were split on the way cannot change what they say,
and what is refused has one status that says why.
"""

import re
from http import HTTPStatus
from ipaddress import AddressValueError, IPv6Address

from httptools import HttpRequestParser

from netkit.http.limits import Limits
from netkit.http.messages import CHUNKED, RequestHead
from netkit.http.sections import RefusedError, fields, listed

_LINE = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+) ([\x21-\x7e]+) (HTTP/[0-9]\.[0-9])\r\n")
_START = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?: [\x21-\x7e]*(?: [HTP/0-9.]{0,8}\r?)?)?")
_ABSOLUTE = re.compile(rb"[A-Za-z][A-Za-z0-9+.\-]*://([^/?]*)(?:[/?].*)?")
_AUTHORITY = re.compile(
    rb"(\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})+)(?::([0-9]{0,5}))?"
)
_VERSIONS = (b"HTTP/1.0", b"HTTP/1.1")
_LAST_PORT = 65535
_HTTP2 = (b"h2c", b"h2", b"http/2")


def refuse_start(begun: bytes, limits: Limits) -> None:
    """Raise RefusedError where `begun`, the beginning of a head, cannot become one that is served."""
    line, ended, _ = begun.partition(b"\r\n")
    if len(line) > limits.target_bytes + len(b"UNSUBSCRIBE  HTTP/1.1"):
        raise RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG, "the request line is too long")
    if not (_LINE.match(begun) if ended else _START.fullmatch(line)):
        _refuse_line(line)
    if len(begun) > limits.header_bytes:
        raise RefusedError(
            HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "the header section is too long"
        )


def request_head(section: bytes, limits: Limits) -> RequestHead:
    """Return what `section` says: a request line and fields, up to and with the empty line.

    What comes behind a CONNECT is no request of ours, also where there will be no tunnel (RFC 9112 9.3
    leaves it to a server when to close): no such head persists.
    Raise RefusedError where it cannot be served: 400, 414, 417, 431, 501 or 505.
    """
    line = _LINE.match(section)
    if line is None or line[3] not in _VERSIONS:
        _refuse_line(section.partition(b"\r\n")[0])
        raise AssertionError(section)  # pragma: no cover
    method, target, version = line.groups()
    if len(target) > limits.target_bytes:
        raise RefusedError(HTTPStatus.REQUEST_URI_TOO_LONG, "the target is too long")
    headers = fields(section, HttpRequestParser, limits)
    named: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        named.setdefault(name.lower(), []).append(value)
    host = _host(named.get(b"host", []), version)
    options = frozenset(listed(named.get(b"connection", [])))
    return RequestHead(
        method=method,
        target=target,
        version=version,
        headers=headers,
        authority=_authority(method, target, host),
        length=_length(named, version),
        persists=method != b"CONNECT" and _persists(options, version),
        expects=_expects(named.get(b"expect", []), version),
        upgrade=_upgrade(named.get(b"upgrade", []), options, version),
    )


def _refuse_line(line: bytes) -> None:
    """Raise the error that says what is wrong with a request line."""
    version = line.rpartition(b" ")[2]
    if re.fullmatch(rb"HTTP/[0-9]\.[0-9]", version) and version not in _VERSIONS:
        raise RefusedError(HTTPStatus.HTTP_VERSION_NOT_SUPPORTED, "this version is not spoken here")
    raise RefusedError(HTTPStatus.BAD_REQUEST, "this is no request line of HTTP/1.1")


def _host(values: list[bytes], version: bytes) -> bytes:
    """Return the one Host (RFC 9112 3.2), or nothing where HTTP/1.0 left it out."""
    if len(values) > 1 or (not values and version == b"HTTP/1.1"):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "a request has one Host")
    if not values:
        return b""
    return _valid_authority(values[0])


def _valid_authority(written: bytes) -> bytes:
    """Return `written` where it is a host with or without a port (RFC 3986 3.2), no user before it."""
    match = _AUTHORITY.fullmatch(written)
    if match is None or int(match[2] or 0) > _LAST_PORT:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "this is no host")
    if match[1].startswith(b"["):
        try:
            IPv6Address(match[1][1:-1].decode())
        except AddressValueError:
            raise RefusedError(HTTPStatus.BAD_REQUEST, "this is no IPv6 address") from None
    return written


def _authority(method: bytes, target: bytes, host: bytes) -> bytes:
    """Return the host that the request is for; refuse a target that does not go with the method.

    The forms are those of RFC 9112 3.2; the authority of an absolute-form is believed before Host.
    """
    if method == b"CONNECT":
        if not re.search(rb":[0-9]+$", target):
            raise RefusedError(HTTPStatus.BAD_REQUEST, "CONNECT is to a host and a port")
        return _valid_authority(target)
    if b"#" in target:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "a target has no fragment")
    if target.startswith(b"/") or (target == b"*" and method == b"OPTIONS"):
        return host
    if absolute := _ABSOLUTE.fullmatch(target):
        return _valid_authority(absolute[1])
    raise RefusedError(HTTPStatus.BAD_REQUEST, "this target goes with no such method")


def _length(named: dict[bytes, list[bytes]], version: bytes) -> int | None:
    """Return the body's length (RFC 9112 6.3); llhttp has refused two lengths, and signs in one.

    Python refuses more than 4300 digits of what llhttp takes: zeros at its beginning are no part of it.
    """
    codings = named.get(b"transfer-encoding")
    if codings is None:
        return int(named.get(b"content-length", [b""])[0].lstrip(b"0") or b"0")
    if version == b"HTTP/1.0" or b"content-length" in named:
        raise RefusedError(HTTPStatus.BAD_REQUEST, "the length of the body is said in two ways")
    *others, last = listed(codings)
    if last == b"chunked" and not others:
        return CHUNKED
    if last == b"chunked" and b"chunked" not in others:
        raise RefusedError(HTTPStatus.NOT_IMPLEMENTED, "chunked is the only coding known")
    raise RefusedError(HTTPStatus.BAD_REQUEST, "nothing says where the body ends")


def _persists(options: frozenset[bytes], version: bytes) -> bool:
    """Return whether the connection stays (RFC 9112 9.3)."""
    if b"close" in options:
        return False
    return version == b"HTTP/1.1" or b"keep-alive" in options


def _expects(values: list[bytes], version: bytes) -> bool:
    """Return whether the client waits for a 100 (RFC 9110 10.1.1), which HTTP/1.0 does not know."""
    if not values or version == b"HTTP/1.0":
        return False
    if listed(values) != [b"100-continue"]:
        raise RefusedError(
            HTTPStatus.EXPECTATION_FAILED, "100-continue is all that can be expected"
        )
    return True


def _upgrade(values: list[bytes], options: frozenset[bytes], version: bytes) -> bytes:
    """Return what the client would rather speak; HTTP/1.0 cannot say it (RFC 9110 7.8).

    HTTP/2 is never among it (RFC 9113 3.1): behind a proxy that passed such an offer on, the client
    would ask a server for whatever it likes, and nobody would look at its requests.
    """
    if b"upgrade" not in options or version == b"HTTP/1.0":
        return b""
    offered = (each.strip(b" \t") for each in b",".join(values).split(b","))
    return b", ".join(each for each in offered if not each.lower().startswith(_HTTP2))
