"""The header block of a message (docs.nats.io, "Message Headers"; ADR-4).

A first line `NATS/1.0`, which may have a status and its description, and fields as in HTTP. Rule: a
server passes blocks on as they came; they are read only where they are shown, and written only
where a message begins here.
"""

import re

from attrs import frozen

NO_RESPONDERS = b"NATS/1.0 503\r\n\r\n"
"""The block of the empty answer to a request that nobody was there to get."""

_FIRST = b"NATS/1.0"
_END = b"\r\n\r\n"
_STATUS = re.compile(rb"[1-9][0-9]{2}")
_NAME = re.compile(rb"[\x21-\x39\x3b-\x7e]+")
_VALUE = re.compile(rb"[^\x00-\x08\x0a-\x1f\x7f]*")


class HeadersError(ValueError):
    """The bytes are no header block, or the fields cannot stand in one."""


@frozen
class Headers:
    """The fields in their order; names keep their case, and values have no blanks at their ends.

    `status` is 0 for none; 503 without anything else says that nobody was there to answer.
    """

    fields: tuple[tuple[bytes, bytes], ...] = ()
    status: int = 0
    description: bytes = b""


def read(block: bytes) -> Headers:
    """Return the headers that a whole block is; HeadersError: it is none."""
    first, *lines = block.removesuffix(_END).split(b"\r\n")
    if not block.endswith(_END) or not first.startswith(_FIRST):
        raise HeadersError("no header block")
    status, description = _status(first.removeprefix(_FIRST))
    return Headers(tuple(map(_field, lines)), status, description)


def written(headers: Headers) -> bytes:
    """Return the block; HeadersError: a name, a value or the status cannot stand in one."""
    for name, value in headers.fields:
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise HeadersError("a field cannot be written")
    if not (headers.status == 0 or 100 <= headers.status <= 999):  # noqa: PLR2004 (three digits)
        raise HeadersError("a status has three digits")
    if not _VALUE.fullmatch(headers.description):
        raise HeadersError("the description cannot be written")
    status = b" %d %b" % (headers.status, headers.description) if headers.status else b""
    lines = [b"%b: %b\r\n" % pair for pair in headers.fields]
    return b"NATS/1.0%b\r\n%b\r\n" % (status.rstrip(), b"".join(lines))


def _status(words: bytes) -> tuple[int, bytes]:
    status, _, description = words.strip(b" \t").partition(b" ")
    if not words.strip(b" \t"):
        return 0, b""
    if words[:1] not in (b" ", b"\t") or not _STATUS.fullmatch(status):
        raise HeadersError("no status")
    return int(status), _value(description)


def _field(line: bytes) -> tuple[bytes, bytes]:
    name, colon, value = line.partition(b":")
    if not colon or not _NAME.fullmatch(name):
        raise HeadersError("no header field")
    return name, _value(value)


def _value(octets: bytes) -> bytes:
    if not _VALUE.fullmatch(octets):
        raise HeadersError("a control character in a value")
    return octets.strip(b" \t")
