"""The header section that is sent, and how a response's body ends (RFC 9112 6). Pure.

Rule: every message is framed in exactly one way, chosen here; fields of a handler that would frame
it in another are an error of the handler, as is anything that could break out of its line.
"""

import re
from enum import Enum, auto
from http import HTTPStatus

from netkit.http.messages import Headers, RequestHead

_FIELD_NAME = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_FIELD_VALUE = re.compile(
    rb"(?:[\x21-\x7e\x80-\xff](?:[\t\x20-\x7e\x80-\xff]*[\x21-\x7e\x80-\xff])?)?"
)
_FRAMING = frozenset((b"content-length", b"transfer-encoding", b"keep-alive", b"trailer"))
_OF_THE_CLIENT = _FRAMING | {b"connection", b"expect", b"upgrade"}
_TARGET = re.compile(rb"[\x21-\x7e]+")
_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}
_STATUSES = range(100, 1000)
_NO_CONTENT = frozenset((204, 304))

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class InvalidResponseError(ValueError):
    """A handler's response cannot be sent as it is."""


class InvalidRequestError(ValueError):
    """A request cannot be sent as it is."""


class Framing(Enum):
    """How the client knows where the body ends."""

    NO_BODY = auto()
    LENGTH = auto()
    CHUNKED = auto()
    CLOSE = auto()


def opening(status: int, headers: Headers, common: Headers, *, upgrades: bool = False) -> bytes:
    """Return the status line and the field lines, without the end of the section.

    `common` are fields for every response that has none of the same name. Raise
    InvalidResponseError for what may not be sent. Connection may only be said where it `upgrades`.
    """
    if status not in _STATUSES:
        raise InvalidResponseError(f"{status} is no status")
    lines = [b"HTTP/1.1 %d %b" % (status, _PHRASES.get(status, b""))]
    said = {name.lower() for name, _ in headers}
    if said & _FRAMING or (b"connection" in said and not upgrades):
        raise InvalidResponseError("the fields that frame a message are the server's")
    for name, value in (*(each for each in common if each[0].lower() not in said), *headers):
        if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise InvalidResponseError(f"the field {name!r} cannot be sent")
        lines.append(b"%b: %b" % (name, value))
    return b"\r\n".join(lines) + b"\r\n"


def request_opening(method: bytes, target: bytes, headers: Headers) -> bytes:
    """Return the request line and the field lines, without the end of the section.

    Raise InvalidRequestError for what may not be sent, and for fields that frame the message or are
    about the connection, which are the client's.
    """
    if not _FIELD_NAME.fullmatch(method) or not _TARGET.fullmatch(target):
        raise InvalidRequestError("this is no request line")
    lines = [b"%b %b HTTP/1.1" % (method, target)]
    for name, value in headers:
        if name.lower() in _OF_THE_CLIENT:
            raise InvalidRequestError("the fields that frame a message are the client's")
        if not _FIELD_NAME.fullmatch(name) or not _FIELD_VALUE.fullmatch(value):
            raise InvalidRequestError(f"the field {name!r} cannot be sent")
        lines.append(b"%b: %b" % (name, value))
    return b"\r\n".join(lines) + b"\r\n"


def bodiless(head: RequestHead, status: int) -> bool:
    """Return whether the response with `status` to `head` has no body, whatever the handler gave."""
    return head.method == b"HEAD" or status in _NO_CONTENT or status < 200  # noqa: PLR2004


def framing(head: RequestHead, status: int, length: int | None) -> Framing:
    """Return how the response with `status` to `head` is framed, whose body has `length` bytes."""
    if bodiless(head, status):
        return Framing.NO_BODY
    if length is not None:
        return Framing.LENGTH
    return Framing.CHUNKED if head.version == b"HTTP/1.1" else Framing.CLOSE


def ending(head: RequestHead, status: int, length: int | None, *, persists: bool) -> bytes:
    """Return the field lines that frame the message, and the empty line.

    The answer to a HEAD says the length that the body would have had (RFC 9110 8.6).
    """
    if length is not None and status not in _NO_CONTENT and status >= 200:  # noqa: PLR2004
        if persists and head.version == b"HTTP/1.1":
            return b"Content-Length: %d\r\n\r\n" % length
        lines = b"Content-Length: %d\r\n" % length
    else:
        chunked = framing(head, status, length) is Framing.CHUNKED
        lines = b"Transfer-Encoding: chunked\r\n" if chunked else b""
    if not persists:
        return lines + b"Connection: close\r\n\r\n"
    return lines + (b"\r\n" if head.version == b"HTTP/1.1" else b"Connection: keep-alive\r\n\r\n")
