"""From a representation to an answer."""

import os
from email import message_from_bytes
from http import HTTPStatus
from io import BytesIO
from typing import Any, BinaryIO

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.conditions import EntityTag, Validators
from netkit.http.dates import http_date
from netkit.http.messages import FileRange, Headers, RequestHead, Response, Stream
from netkit.http.representation import Representation, respond
from tests.http.fakes import content, field

NOW = 1_780_000_000
DATA = b"0123456789abcdefghij"
TAG = b'"tag"'


def shown(source: bytes | BinaryIO = DATA) -> Representation:
    """Return a representation of the data."""
    return Representation(
        content=source,
        length=len(DATA),
        media_type=b"text/plain",
        validators=Validators(EntityTag(TAG), NOW - 1000, dated=True),
        described=((b"Content-Encoding", b"br"),),
        lasting=((b"Vary", b"Accept-Encoding"),),
    )


def ask(source: bytes | BinaryIO = DATA, method: bytes = b"GET", /, **fields: str) -> Response:
    """Return the answer to a request with `fields`, written if_match=."""
    headers = tuple(
        (name.replace("_", "-").encode(), each.encode()) for name, each in fields.items()
    )
    return respond(shown(source), RequestHead(method=method, target=b"/", headers=headers), NOW)


class Answers(SynchronousTestCase):
    def body(self, response: Response) -> bytes:
        """Return the bytes of the body, which are as many as were announced."""
        if isinstance(response.body, bytes):
            return response.body
        stream: Any = response.body

        async def read(stream: Stream) -> bytes:
            return b"".join([piece async for piece in stream])

        got = self.successResultOf(Deferred.fromCoroutine(read(stream)))
        self.assertEqual(stream.length, len(got))
        response.close()
        return got

    def test_whole(self) -> None:
        """Without conditions and ranges there is a 200 with all that is known of the content."""
        response = ask()
        self.assertEqual((response.status, response.body), (200, DATA))
        self.assertEqual(
            response.headers,
            (
                (b"Content-Type", b"text/plain"),
                (b"Content-Encoding", b"br"),
                (b"Accept-Ranges", b"bytes"),
                (b"ETag", TAG),
                (b"Last-Modified", http_date(NOW - 1000)),
                (b"Vary", b"Accept-Encoding"),
            ),
        )

    def test_not_modified(self) -> None:
        """A 304 has the tag and what lasts, and no word of the content."""
        response = ask(if_none_match='"tag"')
        self.assertEqual(
            (response.status, response.headers, response.body),
            (304, ((b"ETag", TAG), (b"Vary", b"Accept-Encoding")), b""),
        )

    def test_failed(self) -> None:
        """A failed condition is a 412 with a page."""
        response = ask(if_match='"other"')
        self.assertEqual(response.status, 412)
        self.assertIn(b"412", content(response))

    def test_range(self) -> None:
        """One range is a 206 of that part, from memory and from a file."""
        for source in (DATA, BytesIO(DATA)):
            response = ask(source, range="bytes=2-5")
            self.assertEqual(response.status, 206)
            self.assertEqual(field(response, b"Content-Range"), b"bytes 2-5/20")
            self.assertEqual(field(response, b"ETag"), TAG)
            self.assertEqual(field(response, b"Content-Type"), b"text/plain")
            self.assertEqual(self.body(response), b"2345")

    def test_ranges(self) -> None:
        """Several ranges are parts of one body, behind a boundary that differs each time."""
        kinds = set()
        for source in (DATA, BytesIO(DATA)):
            response = ask(source, range="bytes=0-1, -3, 5-5")
            self.assertEqual(response.status, 206)
            self.assertIs(field(response, b"Content-Range"), None)
            kind = field(response, b"Content-Type") or b""
            kinds.add(kind)
            message = message_from_bytes(b"Content-Type: " + kind + b"\r\n" + self.body(response))
            parts: Any = message.get_payload()
            self.assertEqual(
                [(part["Content-Range"], part.get_payload(decode=True)) for part in parts],
                [("bytes 0-1/20", b"01"), ("bytes 17-19/20", b"hij"), ("bytes 5-5/20", b"5")],
            )
        self.assertEqual(len(kinds), 2)

    def test_unsatisfiable(self) -> None:
        """A range behind the end is a 416 that says where the end is."""
        response = ask(range="bytes=20-")
        self.assertEqual(response.status, 416)
        self.assertEqual(field(response, b"Content-Range"), b"bytes */20")

    def test_range_is_for_get(self) -> None:
        """A HEAD with a range is answered as for the whole."""
        self.assertEqual(ask(DATA, b"HEAD", range="bytes=0-1").status, 200)

    def test_if_range(self) -> None:
        """A range of another version than the client has is the whole of this one."""
        date = http_date(NOW - 1000).decode()
        for known, status in (('"tag"', 206), ('"old"', 200), ('W/"tag"', 200), (date, 206)):
            self.assertEqual(ask(range="bytes=0-1", if_range=known).status, status)

    def test_conditions_first(self) -> None:
        """A condition is judged before a range is looked at (RFC 9110 13.2.2)."""
        self.assertEqual(ask(range="bytes=0-1", if_none_match='"tag"').status, 304)
        self.assertEqual(ask(range="bytes=99-", if_match='"x"').status, 412)

    def test_closed(self) -> None:
        """A file that is not sent is closed, and one that is sent is closed with the response."""
        for fields, sent in (
            ({"if_none_match": "*"}, False),
            ({"if_match": '"x"'}, False),
            ({"range": "bytes=20-"}, False),
            ({"range": "bytes=0-"}, True),
            ({"range": "bytes=0-1,3-4"}, True),
            ({}, True),
        ):
            file = BytesIO(DATA)
            response = ask(file, **fields)
            self.assertEqual(file.closed, not sent)
            response.close()
            self.assertTrue(file.closed)

    def test_whole_file(self) -> None:
        """A whole file is the range that has all of it, an empty one included."""
        with open(os.devnull, "rb") as empty:  # noqa: PTH123 (devices are names)
            response = ask(empty)
            assert isinstance(response.body, FileRange)
            self.assertEqual((response.body.offset, response.body.length), (0, 20))

    def test_own_refusals(self) -> None:
        """A caller can say no in its own words."""

        def refuse(status: HTTPStatus, headers: Headers) -> Response:
            return Response(status, (*headers, (b"X", b"y")), b"no")

        head = RequestHead(method=b"GET", target=b"/", headers=((b"Range", b"bytes=99-"),))
        response = respond(shown(), head, NOW, refuse)
        self.assertEqual((response.body, field(response, b"X")), (b"no", b"y"))
        self.assertEqual(field(response, b"Content-Range"), b"bytes */20")
