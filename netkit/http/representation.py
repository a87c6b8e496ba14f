"""From what there is to the answer that one request gets: conditions, then ranges (RFC 9110 13, 14).

Rule: what is sent, how long it is and what its validators say were taken from the same open file, or
from bytes at hand. A file that is not sent is closed here.
"""

from collections.abc import AsyncIterator, Callable
from http import HTTPStatus
from secrets import token_hex
from typing import BinaryIO, TypeAlias

from attrs import field, frozen

from netkit.http.conditions import Validators, Verdict, judge, range_applies
from netkit.http.dates import http_date
from netkit.http.messages import FileRange, Headers, Pieces, RequestHead, Response, Stream
from netkit.http.pages import error_page
from netkit.http.ranges import Multipart, Span, content_range, multipart, spans, unsatisfied

Refuse: TypeAlias = Callable[[HTTPStatus, Headers], Response]
"""Returns the page for a status that says no, with fields of the caller's."""


def _page(status: HTTPStatus, headers: Headers) -> Response:
    return error_page(status, headers=headers)


@frozen(kw_only=True)
class Representation:
    """What a 200 would send: `length` bytes, at hand or in an open file.

    `described` are fields that belong to the content, such as Content-Encoding, `lasting` those that
    a 304 has as well, such as Vary and Cache-Control (RFC 9110 15.4.5).
    """

    content: bytes | BinaryIO = field(repr=False)
    length: int
    media_type: bytes
    validators: Validators
    described: Headers = ()
    lasting: Headers = ()

    def close(self) -> None:
        """Close the file, if there is one."""
        if not isinstance(self.content, bytes):
            self.content.close()

    def part(self, span: Span) -> bytes | Stream:
        """Return a part as the body of a response."""
        if isinstance(self.content, bytes):
            return self.content[span.offset : span.offset + span.length]
        return FileRange(self.content, span.offset, span.length)

    def parts(self, plan: Multipart) -> bytes | Stream:
        """Return several parts as the body of a response."""
        content = self.content
        if not isinstance(content, bytes):
            return Pieces(_pieces(content, plan), plan.length, content.close)
        sent = (
            head + content[span.offset : span.offset + span.length] for head, span in plan.parts
        )
        return b"".join(sent) + plan.end


async def _pieces(file: BinaryIO, plan: Multipart) -> AsyncIterator[bytes]:
    for head, span in plan.parts:
        yield head
        async for piece in FileRange(file, span.offset, span.length):
            yield piece
    yield plan.end


def respond(
    shown: Representation, head: RequestHead, now: float, refuse: Refuse = _page
) -> Response:
    """Return the answer to a GET or HEAD for `shown`: 200, 206, 304, 412 or 416.

    `now` is the time of day, in seconds since 1970.
    """
    match judge(head.fields, head.method, shown.validators, now):
        case Verdict.FAILED:
            shown.close()
            return refuse(HTTPStatus.PRECONDITION_FAILED, ())
        case Verdict.NOT_MODIFIED:
            shown.close()
            return Response(HTTPStatus.NOT_MODIFIED, _validating(shown, brief=True))
        case Verdict.PROCEED:
            wanted = _wanted(shown, head, now)
    if wanted is None:
        whole = shown.content if isinstance(shown.content, bytes) else None
        body = shown.part(Span(0, shown.length)) if whole is None else whole
        return Response(HTTPStatus.OK, _fields(shown), body)
    if not wanted:
        shown.close()
        return refuse(
            HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
            ((b"Content-Range", unsatisfied(shown.length)),),
        )
    return _partial(shown, wanted)


def _wanted(shown: Representation, head: RequestHead, now: float) -> tuple[Span, ...] | None:
    asked = head.fields.get(b"range")
    if asked is None or head.method != b"GET":
        return None
    if not range_applies(head.fields.get(b"if-range"), shown.validators, now):
        return None
    return spans(asked, shown.length)


def _partial(shown: Representation, wanted: tuple[Span, ...]) -> Response:
    if len(wanted) == 1:
        place = (b"Content-Range", content_range(wanted[0], shown.length))
        return Response(HTTPStatus.PARTIAL_CONTENT, (*_fields(shown), place), shown.part(wanted[0]))
    boundary = token_hex(12).encode()
    plan = multipart(wanted, shown.length, shown.media_type, boundary)
    kind = b"multipart/byteranges; boundary=" + boundary
    return Response(HTTPStatus.PARTIAL_CONTENT, _fields(shown, kind), shown.parts(plan))


def _fields(shown: Representation, media_type: bytes = b"") -> Headers:
    return (
        (b"Content-Type", media_type or shown.media_type),
        *shown.described,
        (b"Accept-Ranges", b"bytes"),
        *_validating(shown),
    )


def _validating(shown: Representation, *, brief: bool = False) -> Headers:
    """Return the validators and what lasts; `brief`: of two validators the better alone."""
    tag, modified = shown.validators.tag, shown.validators.modified
    fields: Headers = ()
    if tag is not None:
        fields = ((b"ETag", bytes(tag)),)
    if modified is not None and not (brief and fields):
        fields = (*fields, (b"Last-Modified", http_date(modified)))
    return (*fields, *shown.lasting)
