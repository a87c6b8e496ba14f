"""The header section of an answer as a resource has set it, without what is the server's to say.

Rule: what could not be sent as one field, or frames the message in another way than it is, is an error
of the resource.
"""

import re
from collections.abc import Sequence

from attrs import frozen
from twisted.web.http_headers import Headers as FieldTable

from netkit.http.messages import Headers

_NOT_ITS_OWN = frozenset(
    (
        b"Connection",
        b"Content-Length",
        b"Date",
        b"Keep-Alive",
        b"Proxy-Connection",
        b"Server",
        b"Te",
        b"TE",
        b"Trailer",
        b"Transfer-Encoding",
    )
)
_UNPRINTABLE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(rb"[0-9]{1,18}")


class ResourceError(Exception):
    """A resource has answered with what is no answer; the text says in what way."""


class Fields(FieldTable):
    """Header fields of a response that remember whether one was given more than a line.

    Twisted would join the lines with a blank and say nothing.
    """

    __slots__ = ("torn",)

    def __init__(self) -> None:
        super().__init__()
        self.torn = False

    def setRawHeaders(self, name: str | bytes, values: Sequence[str | bytes]) -> None:
        """Set the values of a field."""
        FieldTable.setRawHeaders(self, name, values)
        self.torn = self.torn or _torn(values)

    def addRawHeader(self, name: str | bytes, value: str | bytes) -> None:
        """Add a value to a field."""
        FieldTable.addRawHeader(self, name, value)
        self.torn = self.torn or _torn((value,))


def _torn(values: Sequence[str | bytes]) -> bool:
    for value in values:
        data = value.encode() if isinstance(value, str) else value
        if b"\n" in data or b"\r" in data:
            return True
    return False


@frozen
class Head:
    """What a resource has said of its answer; `length` is the one that it announced, if any."""

    status: int
    headers: Headers
    length: int | None


def head(status: int, fields: FieldTable) -> Head:
    """Return what a resource has said of its answer; raise ResourceError where that is no answer."""
    if not 200 <= status <= 599:  # noqa: PLR2004
        raise ResourceError(f"{status} is no status of an answer")
    if isinstance(fields, Fields) and fields.torn:
        raise ResourceError("a header field has more than a line")
    headers = []
    for name, values in fields.getAllRawHeaders():
        if name not in _NOT_ITS_OWN:
            for value in values:
                if _UNPRINTABLE.search(value):
                    raise ResourceError("a header field has a control character in it")
                headers.append((name, value))
    return Head(status, tuple(headers), _announced(fields))


def _announced(fields: FieldTable) -> int | None:
    lengths = set(fields.getRawHeaders(b"Content-Length", ()))
    if not lengths:
        return None
    length = lengths.pop()
    if lengths or not _LENGTH.fullmatch(length):
        raise ResourceError("the Content-Length is no number of bytes")
    return int(length)
