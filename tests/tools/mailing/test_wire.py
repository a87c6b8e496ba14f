"""What an IMAP server says: bytes become the same responses however they are split, and within limits."""

import contextlib
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.mailing.wire import (
    DEEPEST,
    Condition,
    Continuation,
    Data,
    Response,
    Responses,
    Status,
    WireError,
    WireLimits,
)
from tests.net.splits import split, streams

SMALL = WireLimits(line=64, literal=32, response=100)


def responses(*pieces: bytes, limits: WireLimits = SMALL) -> list[Response]:
    """Return all the responses in a stream that comes in pieces."""
    reading = Responses(limits)
    found: list[Response] = []
    for piece in pieces:
        reading.feed(piece)
        while (response := reading.next()) is not None:
            found.append(response)
    return found


def outcome(*pieces: bytes) -> object:
    """Return what comes of a stream: its responses, or the complaint."""
    try:
        return responses(*pieces)
    except WireError as error:
        return str(error)


def values(text: bytes) -> Any:
    """Return the values of the one response that is `text`."""
    (response,) = responses(b"* X " + text + b"\r\n", limits=WireLimits())
    assert isinstance(response, Data)
    return response.values


class StatusTests(SynchronousTestCase):
    def test_conditions(self) -> None:
        """Remarks, ends of commands and continuations are told apart, in any case of letters."""
        stream = (
            b"* OK [CAPABILITY IMAP4rev1] hello\r\n* preauth\r\n+ go on\r\n+\r\n+ \r\n"
            b"n1 NO [AUTHENTICATIONFAILED] no [way]\r\nn2 ok [ALERT]\r\n* BYE {5}\r\n"
        )
        self.assertEqual(
            responses(stream),
            [
                Status("*", Condition.OK, "CAPABILITY", "hello"),
                Status("*", Condition.PREAUTH),
                Continuation(),
                Continuation(),
                Continuation(),
                Status("n1", Condition.NO, "AUTHENTICATIONFAILED", "no [way]"),
                Status("n2", Condition.OK, "ALERT"),
                Status("*", Condition.BYE, "", "{5}"),
            ],
        )

    def test_bytes(self) -> None:
        """Text that is not UTF-8 is text all the same."""
        self.assertEqual(responses(b"* NO \xff\r\n"), [Status("*", Condition.NO, "", "\ufffd")])

    def test_rubbish(self) -> None:
        """What is no response is told of without a word of it."""
        for line in (
            b"",
            b" ",
            b"HTTP/1.0 400 Bad",
            b"* ",
            b"*",
            b"* \x1b[31m",
            b"n1 MAYBE",
            b"\0",
        ):
            with self.subTest(line):
                self.assertEqual(outcome(line + b"\r\n"), "a line that is not IMAP")

    def test_bare_line_feed(self) -> None:
        """A line ends in CRLF."""
        self.assertEqual(outcome(b"* OK\n"), "a line that ends without CR")


class ValueTests(SynchronousTestCase):
    def test_values(self) -> None:
        """Atoms, strings, literals, lists and NIL are told apart."""
        self.assertEqual(
            values(rb'a "b \"\\" (NIL (\Seen 12) ()) {3}' + b"\r\n\r\n) ~{2}\r\n\0\0 nil"),
            ("a", b'b "\\', (None, ("\\Seen", "12"), ()), b"\r\n)", b"\0\0", None),
        )

    def test_fetch(self) -> None:
        """What is told of a message is found by name; a section is a part of the name."""
        stream = (
            b'* 7 FETCH (UID 9 body[header.fields ("DATE" FROM)]<0> {6}\r\nA: b\r\n FLAGS ())\r\n'
        )
        (data,) = responses(stream, limits=WireLimits())
        assert isinstance(data, Data)
        self.assertEqual((data.name, data.number), ("FETCH", 7))
        self.assertEqual(
            data.attributes,
            {"UID": "9", 'BODY[HEADER.FIELDS ("DATE" FROM)]<0>': b"A: b\r\n", "FLAGS": ()},
        )

    def test_not_values(self) -> None:
        """What breaks the grammar is an error, and only for whoever wants the values."""
        for text in (b"(", b")", b'"', b'"\\a"', b"{", b"a\x01", b"((a)"):
            with self.subTest(text):
                self.assertRaises(WireError, values, text)

    def test_not_a_message(self) -> None:
        """A message has one list of names and values."""
        for text in (b"", b"a b", b"(a)", b"((a) b)", b"(a b) c"):
            (data,) = responses(b"* 1 FETCH " + text + b"\r\n")
            assert isinstance(data, Data)
            with self.subTest(text):
                self.assertRaises(WireError, lambda data=data: data.attributes)

    def test_deepest(self) -> None:
        """Lists may be so deep, and no deeper."""
        self.assertTrue(values(b"(" * (DEEPEST - 1) + b")" * (DEEPEST - 1)))
        self.assertRaises(WireError, values, b"(" * DEEPEST + b")" * DEEPEST)
        self.assertRaises(WireError, values, b"(" * 10_000 + b")" * 10_000)

    def test_long(self) -> None:
        """Many values cost no more than their number."""
        self.assertEqual(len(values(b'"a" ' * 10_000)), 10_000)


class LimitTests(SynchronousTestCase):
    def test_line(self) -> None:
        """A line may be so long, with its end or without."""
        text = b"x" * (64 - len(b"* OK "))
        self.assertEqual(len(responses(b"* OK " + text[1:] + b"\r\n")), 1)
        for stream in (b"* OK " + text + b"\r\n", b"x" * 65, b"* X {1}\r\n" + b"x" * 99):
            with self.subTest(stream):
                self.assertEqual(outcome(stream), "a line of more than 64 bytes")

    def test_literal(self) -> None:
        """A literal that is announced as larger is an error before a byte of it has come."""
        self.assertEqual(len(responses(b"* X {32}\r\n" + b"x" * 32 + b"\r\n")), 1)
        for size in (b"33", b"2147483648", b"9" * 20):
            said = outcome(b"* X {" + size + b"}\r\n")
            self.assertEqual(said, "a literal of more than 32 bytes")

    def test_response(self) -> None:
        """All the parts of a response together are so large at most."""
        many = b"* X" + b" {20}\r\n" + b"x" * 20 + b" {20}\r\n" + b"x" * 20
        self.assertEqual(len(responses(many + b"\r\n")), 1)
        said = outcome(many + b" {20}\r\n" + b"x" * 20 + b" {20}\r\n")
        self.assertEqual(said, "a response of more than 100 bytes")
        endless = b"* X" + b" {0}\r\n" * 100
        self.assertEqual(outcome(endless), "a response of more than 100 bytes")

    def test_nothing_is_kept(self) -> None:
        """Responses that have been read take no memory."""
        reading = Responses()
        for _ in range(1000):
            reading.feed(b"* 1 EXISTS\r\n* X {3}\r\nabc\r\n* OK")
            while reading.next() is not None:
                pass
            self.assertEqual(reading.held, len(b"* OK"))
            reading.feed(b"\r\n")
            reading.next()


class SplitTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=200)
    @given(
        stream=streams(
            b"* OK ready\r\n",
            b"+ go\r\n",
            b"* 3 FETCH (UID 1 X {4}\r\na\r\nb)\r\n",
            b'* X "{3}"\r\n',
            b"* OK {9}\r\n",
            b"n1 NO [X y] z\r\n",
            b"* X {40}\r\n",
            b"rubbish\r\n",
            b"\n",
            b"x" * 40,
        ),
        draw=st.data(),
    )
    def test_any_split(self, stream: bytes, draw: Any) -> None:
        """The same bytes come to the same, however they are split."""
        whole = outcome(stream)
        self.assertEqual(outcome(*split(stream, draw.draw)), whole)
        self.assertEqual(
            outcome(*(stream[a:b] for a, b in pairwise(range(len(stream) + 1)))), whole
        )

    @settings(deadline=None, max_examples=200)
    @given(st.binary(max_size=200))
    def test_rubbish(self, stream: bytes) -> None:
        """Whatever comes is responses or one complaint."""
        outcome(stream)
        outcome(b"* 1 FETCH " + stream + b"\r\n")
        with contextlib.suppress(WireError):
            values(stream.replace(b"\n", b"").replace(b"}", b""))
