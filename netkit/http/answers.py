"""From the bytes of a header section to the head of a response (RFC 9112 4 and 6.3). Pure.

Rule: as strict as with requests; an answer whose end could be understood in two ways is none.
"""

import re

from httptools import HttpResponseParser

from netkit.http.limits import Limits
from netkit.http.messages import CHUNKED, ResponseHead
from netkit.http.sections import RefusedError, fields, listed

_LINE = re.compile(rb"(HTTP/1\.[01]) ([1-9][0-9]{2})(?: ([\t\x20-\x7e\x80-\xff]*))?\r\n")


class BadAnswerError(ValueError):
    """What a server sent is no response; the text says why, for the log."""


def response_head(section: bytes, method: bytes, limits: Limits) -> ResponseHead:
    """Return what `section` says, the answer to a request of `method`; raise BadAnswerError."""
    line = _LINE.match(section)
    if line is None:
        raise BadAnswerError("this is no status line of HTTP/1.1")
    try:
        headers = fields(section, HttpResponseParser, limits)
    except RefusedError as error:
        raise BadAnswerError(str(error)) from None
    named: dict[bytes, list[bytes]] = {}
    for name, value in headers:
        named.setdefault(name.lower(), []).append(value)
    version, status, reason = line[1], int(line[2]), line[3] or b""
    length = _length(named, version)
    if _has_no_body(status, method):
        length = 0
    options = listed(named.get(b"connection", []))
    stays = b"keep-alive" in options if version == b"HTTP/1.0" else b"close" not in options
    return ResponseHead(
        status=status,
        reason=reason,
        version=version,
        headers=headers,
        length=None if length is _UNTIL_CLOSE else length,
        until_close=length is _UNTIL_CLOSE,
        persists=stays and length is not _UNTIL_CLOSE,
    )


_UNTIL_CLOSE = -1


def _has_no_body(status: int, method: bytes) -> bool:
    tunnel = method == b"CONNECT" and 200 <= status < 300  # noqa: PLR2004
    return method == b"HEAD" or status < 200 or status in {204, 304} or tunnel  # noqa: PLR2004


def _length(named: dict[bytes, list[bytes]], version: bytes) -> int | None:
    codings = named.get(b"transfer-encoding")
    lengths = named.get(b"content-length", [])
    if codings is not None:
        if version == b"HTTP/1.0" or lengths or listed(codings) != [b"chunked"]:
            raise BadAnswerError("nothing says without doubt where the body ends")
        return CHUNKED
    if len(lengths) > 1 or not all(re.fullmatch(rb"[0-9]{1,18}", each) for each in lengths):
        raise BadAnswerError("the length is no number")
    return int(lengths[0]) if lengths else _UNTIL_CLOSE
