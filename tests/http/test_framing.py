"""Responses are framed in exactly one way, which h11 reads as it was meant."""

from http import HTTPStatus

import h11
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.chunked import LAST, chunk
from netkit.http.framing import (
    Framing,
    InvalidResponseError,
    bodiless,
    ending,
    framing,
    opening,
)
from netkit.http.messages import Headers, RequestHead

GET = RequestHead(method=b"GET", target=b"/")
HEAD = RequestHead(method=b"HEAD", target=b"/")
OLD = RequestHead(method=b"GET", target=b"/", version=b"HTTP/1.0")
COMMON = ((b"Server", b"test"), (b"Date", b"now"))


def _may_be_sent(headers: Headers, *, upgrades: bool = False) -> bool:
    """Return whether a response may have these fields."""
    try:
        opening(200, headers, (), upgrades=upgrades)
    except InvalidResponseError:
        return False
    return True


def _read_by_h11(method: str, response: bytes) -> bytes:
    """Return the body that a client finds in `response`, behind which the connection ends."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "h")]))
    connection.send(h11.EndOfMessage())
    connection.receive_data(response)
    connection.receive_data(b"")
    body = b""
    while True:
        match connection.next_event():
            case h11.Data(data=data):
                body += data
            case h11.EndOfMessage():
                return body


class Opening(SynchronousTestCase):
    """The status line and the fields."""

    def test_lines(self) -> None:
        """The fields common to all come first, but for those that the response has itself."""
        self.assertEqual(
            opening(404, ((b"server", b"mine"), (b"X", b"")), COMMON),
            b"HTTP/1.1 404 Not Found\r\nDate: now\r\nserver: mine\r\nX: \r\n",
        )

    def test_status(self) -> None:
        """Any status of three digits can be sent, one without a phrase too, and no other."""
        self.assertEqual(opening(799, (), ()), b"HTTP/1.1 799 \r\n")
        for status in (99, 1000, 0, -200):
            self.assertRaises(InvalidResponseError, opening, status, (), ())

    def test_framing_is_the_servers(self) -> None:
        """A handler cannot say where the body ends, and Connection only where it upgrades."""
        for name in (b"Content-Length", b"transfer-encoding", b"KEEP-ALIVE", b"Trailer"):
            self.assertFalse(_may_be_sent(((name, b"1"),)), name)
            self.assertFalse(_may_be_sent(((name, b"1"),), upgrades=True), name)
        self.assertFalse(_may_be_sent(((b"Connection", b"upgrade"),)))
        self.assertTrue(_may_be_sent(((b"Connection", b"upgrade"),), upgrades=True))

    @settings(deadline=None, max_examples=100)
    @given(st.binary(max_size=8), st.binary(max_size=8))
    def test_no_way_out_of_a_line(self, name: bytes, value: bytes) -> None:
        """Whatever a field is made of, it is one line as given, or cannot be sent."""
        if _may_be_sent(((name, value),)):
            line = opening(200, ((name, value),), ()).removeprefix(b"HTTP/1.1 200 OK\r\n")
            self.assertEqual(line, name + b": " + value + b"\r\n")
            self.assertNotRegex(line[:-2], rb"[\r\n\x00]")
            self.assertNotRegex(name, rb"[^!-~]|:")

    def test_no_field(self) -> None:
        """A field with a line break, a control, a space at an end or an empty name is not sent."""
        for name, value in (
            (b"", b"x"),
            (b"a b", b"x"),
            (b"a:", b"x"),
            (b"a\r\nb", b"x"),
            (b"a\n", b"x"),
            (b"a", b"x\r\nb: y"),
            (b"a", b"x\n"),
            (b"a", b"\x00"),
            (b"a", b" x"),
            (b"a", b"x\t"),
        ):
            self.assertFalse(_may_be_sent(((name, value),)), (name, value))


class HowItEnds(SynchronousTestCase):
    """The end of the header section."""

    def test_framing(self) -> None:
        """No body, its length, chunks, or in HTTP/1.0 the end of the connection, say the end."""
        for head, status, length, how in (
            (GET, 200, 5, Framing.LENGTH),
            (GET, 200, None, Framing.CHUNKED),
            (OLD, 200, 5, Framing.LENGTH),
            (OLD, 200, None, Framing.CLOSE),
            (HEAD, 200, 5, Framing.NO_BODY),
            (HEAD, 200, None, Framing.NO_BODY),
            (GET, 204, 5, Framing.NO_BODY),
            (GET, 304, None, Framing.NO_BODY),
            (GET, 101, None, Framing.NO_BODY),
        ):
            self.assertIs(framing(head, status, length), how)
            self.assertEqual(bodiless(head, status), how is Framing.NO_BODY)

    def test_lines(self) -> None:
        """What stays is not said in HTTP/1.1, what ends is; HTTP/1.0 is told what stays."""
        for head, status, length, persists, lines in (
            (GET, 200, 5, True, b"Content-Length: 5\r\n"),
            (GET, 200, 5, False, b"Content-Length: 5\r\nConnection: close\r\n"),
            (GET, 200, None, True, b"Transfer-Encoding: chunked\r\n"),
            (OLD, 200, 5, True, b"Content-Length: 5\r\nConnection: keep-alive\r\n"),
            (OLD, 200, None, False, b"Connection: close\r\n"),
            (HEAD, 200, 5, True, b"Content-Length: 5\r\n"),
            (HEAD, 200, None, True, b""),
            (GET, 204, 0, True, b""),
            (GET, 304, 7, True, b""),
            (GET, 304, 7, False, b"Connection: close\r\n"),
        ):
            self.assertEqual(ending(head, status, length, persists=persists), lines + b"\r\n")

    def test_h11_reads_it(self) -> None:
        """For every status, method and way to send a body, h11 finds just that body."""
        for head in (GET, HEAD, OLD):
            for status in (status for status in HTTPStatus if status >= 200):
                for length in (5, None):
                    how = framing(head, status, length)
                    persists = how is not Framing.CLOSE
                    body = {
                        Framing.NO_BODY: b"",
                        Framing.CHUNKED: chunk(b"hello") + LAST,
                    }.get(how, b"hello")
                    end = ending(head, status, length, persists=persists)
                    found = _read_by_h11(
                        head.method.decode(), opening(status, (), COMMON) + end + body
                    )
                    self.assertEqual(found, b"" if how is Framing.NO_BODY else b"hello")
