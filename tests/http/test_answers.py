"""Heads of responses: what they say, and what is none."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.answers import BadAnswerError, response_head
from netkit.http.limits import DEFAULTS, Limits
from netkit.http.messages import CHUNKED, ResponseHead


def read(section: bytes, method: bytes = b"GET") -> ResponseHead:
    """Return the head of a section without its empty line."""
    return response_head(section + b"\r\n\r\n", method, DEFAULTS)


class Answers(SynchronousTestCase):
    def test_as_received(self) -> None:
        """Status, reason, version and fields are as received."""
        head = read(b"HTTP/1.1 299 Odd \xe4 reason\r\nX-a: 1\r\nx-A:  2 ")
        self.assertEqual((head.status, head.reason), (299, b"Odd \xe4 reason"))
        self.assertEqual(head.headers, ((b"X-a", b"1"), (b"x-A", b"2")))
        self.assertEqual(head.fields, {b"x-a": b"1, 2"})

    def test_no_reason(self) -> None:
        """The reason may be empty, and the space before it missing."""
        for line in (b"HTTP/1.1 200 ", b"HTTP/1.1 200"):
            self.assertEqual(read(line).reason, b"")

    def test_lengths(self) -> None:
        """The body ends after its length, with its chunks, or with the connection."""
        self.assertEqual(read(b"HTTP/1.1 200 OK\r\nContent-Length: 7").length, 7)
        self.assertIs(read(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked").length, CHUNKED)
        head = read(b"HTTP/1.1 200 OK")
        self.assertTrue(head.until_close)
        self.assertFalse(head.persists)

    def test_no_body(self) -> None:
        """Some statuses and methods leave no body, whatever the fields say (RFC 9112 6.3)."""
        fields = b"\r\nContent-Length: 7"
        for status in (b"100", b"103", b"204", b"304"):
            self.assertEqual(read(b"HTTP/1.1 " + status + b" x" + fields).length, 0)
        self.assertEqual(read(b"HTTP/1.1 200 OK" + fields, b"HEAD").length, 0)
        self.assertEqual(read(b"HTTP/1.1 200 OK" + fields, b"CONNECT").length, 0)
        self.assertEqual(read(b"HTTP/1.1 404 No" + fields, b"CONNECT").length, 7)

    def test_persistence(self) -> None:
        """HTTP/1.1 stays unless it says close, HTTP/1.0 only where it says keep-alive."""
        sized = b"\r\nContent-Length: 0"
        self.assertTrue(read(b"HTTP/1.1 200 OK" + sized).persists)
        self.assertFalse(read(b"HTTP/1.1 200 OK\r\nConnection: x, Close" + sized).persists)
        self.assertFalse(read(b"HTTP/1.0 200 OK" + sized).persists)
        self.assertTrue(read(b"HTTP/1.0 200 OK\r\nConnection: keep-alive" + sized).persists)

    def test_none(self) -> None:
        """What could be understood in two ways, or breaks out of its line, is no answer."""
        ok = b"HTTP/1.1 200 OK\r\n"
        for section in (
            b"HTTP/2.0 200 OK",
            b"HTTP/1.1 20 OK",
            b"HTTP/1.1 099 OK",
            b"HTTP/1.1  200 OK",
            b"HTTP/1.1 200 a\nSet-Cookie: b",
            b"HTTP/1.1 200 a\rb",
            b"ICY 200 OK",
            ok + b"Content-Length: 3\r\nContent-Length: 3",
            ok + b"Content-Length: 3, 3",
            ok + b"Content-Length: +3",
            ok + b"Content-Length: 0x3",
            ok + b"Content-Length: " + b"9" * 5000,
            ok + b"Content-Length: 3\r\nTransfer-Encoding: chunked",
            ok + b"Transfer-Encoding: gzip, chunked",
            ok + b"Transfer-Encoding: identity",
            b"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked",
            ok + b"X : y",
            ok + b"X: y\r\n z",
            ok + b"X: \x00",
        ):
            with self.subTest(section), self.assertRaises(BadAnswerError):
                read(section)

    def test_too_much(self) -> None:
        """A header section has its limits."""
        limits = Limits(header_bytes=1000, header_fields=3)
        for fields in (b"X: y\r\n" * 4, b"X: " + b"y" * 1000 + b"\r\n"):
            with self.assertRaises(BadAnswerError):
                response_head(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n", b"GET", limits)

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=100))
    def test_rubbish(self, rubbish: bytes) -> None:
        """Whatever comes is a head or a BadAnswerError."""
        for section in (rubbish, b"HTTP/1.1 200 OK\r\n" + rubbish):
            try:
                read(section)
            except BadAnswerError:
                continue
