"""A form with files in it: multipart/form-data (RFC 7578, RFC 2046 5.1) as names and contents.

Pure. Parts are cut out and never nested, and their number is bounded. Contents are as sent: a part's
own Content-Transfer-Encoding is a thing of mail (RFC 7578 4.7).
"""

import re
from collections.abc import Iterator
from typing import TypeAlias

from netkit.http.forms import FormTooLargeError, NotAFormError

Parts: TypeAlias = tuple[tuple[bytes, bytes], ...]

_BOUNDARY = re.compile(
    rb""";\s*boundary=(?:"([\w'()+,./:=? -]{1,70})"|([\w'+./-]{1,70}))\s*(?=;|$)""",
    re.IGNORECASE | re.ASCII,
)
_DISPOSITION = re.compile(rb"^content-disposition:(.*)$", re.IGNORECASE | re.MULTILINE)
_NAME = re.compile(rb""";[ \t]*name=(?:"((?:\\.|[^"\\])*)"|([^\s";]+))""", re.IGNORECASE)


def parts(body: bytes, content_type: bytes, *, at_most: int) -> Parts:
    """Return the parts that have a name, as pairs of the name and the content, in their order.

    Raise NotAFormError where there is no boundary, or no end of the last part, and
    FormTooLargeError beyond `at_most` parts.
    """
    boundary = _BOUNDARY.search(content_type)
    if boundary is None:
        raise NotAFormError("the form has no boundary between its parts")
    return tuple(
        (name, content)
        for name, content in map(_read, _cut(body, boundary[1] or boundary[2], at_most))
        if name is not None
    )


def _cut(body: bytes, boundary: bytes, at_most: int) -> Iterator[bytes]:
    delimiter = re.compile(rb"\r\n--" + re.escape(boundary) + rb"(--)?[ \t]*(?=\r\n|\Z)")
    text = b"\r\n" + body
    begin = 0
    for count, mark in enumerate(delimiter.finditer(text)):
        if count > at_most:
            raise FormTooLargeError(f"more than {at_most} parts")
        if count:
            yield text[begin : mark.start()]
        if mark[1]:
            return
        begin = mark.end()
    raise NotAFormError("the form is cut off")


def _read(part: bytes) -> tuple[bytes | None, bytes]:
    """Return the name and the content of a part, which begins with the CRLF of its delimiter."""
    header, _, content = part.partition(b"\r\n\r\n")
    disposition = _DISPOSITION.search(header)
    name = _NAME.search(disposition[1]) if disposition else None
    if name is None:
        return None, content
    return re.sub(rb"\\(.)", rb"\1", name[1]) if name[1] is not None else name[2], content
