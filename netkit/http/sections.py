"""What the header sections of requests and responses have in common (RFC 9112 5). Pure.

llhttp judges the syntax of every field. Rule: a section is read from all of its bytes at once, so that
how they were split on the way cannot change what they say.
"""

import re
from http import HTTPStatus
from typing import Any

from httptools import HttpParserError, HttpParserInvalidMethodError, HttpParserUpgrade

from netkit.http.limits import Limits
from netkit.http.messages import Headers

END = b"\r\n\r\n"

_LONE_BREAK = re.compile(rb"\r(?!\n)|(?<!\r)\n")


class RefusedError(ValueError):
    """A request that is not served: `status` is the answer's, the text says why, for whom it concerns."""

    def __init__(self, status: HTTPStatus, words: str) -> None:
        super().__init__(words)
        self.status = status


class _Collected:
    """What llhttp finds in a header section."""

    __slots__ = ("fields",)

    def __init__(self) -> None:
        self.fields: list[tuple[bytes, bytes]] = []

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value.rstrip(b" \t")))


def fields(section: bytes, parser: Any, limits: Limits) -> Headers:  # noqa: ANN401 (one of httptools' two)
    """Return the fields of `section`, up to and with its empty line, as `parser` of httptools sees them.

    Raise RefusedError where there are too many, or where something is no field.
    """
    if len(section) > limits.header_bytes or section.count(b"\n") - 2 > limits.header_fields:
        raise RefusedError(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, "there is too much header")
    if _LONE_BREAK.search(section):
        raise RefusedError(HTTPStatus.BAD_REQUEST, "a line does not end in CR LF")
    found = _Collected()
    try:
        parser(found).feed_data(section)
    except HttpParserUpgrade:
        pass
    except HttpParserInvalidMethodError:
        raise RefusedError(HTTPStatus.NOT_IMPLEMENTED, "this method is not known") from None
    except HttpParserError as error:
        raise RefusedError(HTTPStatus.BAD_REQUEST, f"{error}") from None
    return tuple(found.fields)


def listed(values: list[bytes]) -> list[bytes]:
    """Return the members of a comma-separated list of tokens, in lower case (RFC 9110 5.6.1)."""
    members = b",".join(values).lower().split(b",")
    return [member.strip(b" \t") for member in members]
