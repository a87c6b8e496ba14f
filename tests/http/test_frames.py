"""WebSocket frames: messages come whole however they are split, and rubbish has a code."""

import struct
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage
from wsproto.events import Ping as AskedByWsproto
from wsproto.frame_protocol import FrameProtocol, ParseFailed

from netkit.http.frames import (
    Close,
    Event,
    FramesError,
    Ping,
    Pong,
    Reader,
    close_frame,
    may_be_sent,
    message_frame,
    ping_frame,
    pong_frame,
)
from tests.http.sockets import MASK, frame
from tests.net.splits import split, streams

_PARTS = (
    frame(0x81, b"text"),
    frame(0x82, b"binary" * 30),
    frame(0x82),
    frame(0x01, "\u20ac".encode()[:2]) + frame(0x89, b"?") + frame(0x80, "\u20ac".encode()[2:]),
    frame(0x02) + frame(0x00, b"a") + frame(0x80),
    frame(0x89, b"ping"),
    frame(0x8A, b"pong"),
    frame(0x88, b"\x03\xe8bye"),
    frame(0x81, b"\xff"),
    frame(0x80, b"of nothing"),
    frame(0xC1, b"reserved"),
    frame(0x81, b"not masked", mask=None),
)


def _bytes(message: object) -> bytes:
    return message.encode() if isinstance(message, str) else bytes(message)  # type: ignore[call-overload] # bytes


def _read(
    pieces: Iterable[bytes], message_bytes: int | None = 1000, idle: int = 100
) -> list[object]:
    """Return what a reader finds in `pieces`; a FramesError as its code, at the end."""
    reader = Reader(message_bytes, idle)
    found: list[object] = []
    for piece in pieces:
        reader.feed(piece)
        try:
            found += _all(reader)
        except FramesError as error:
            return [*found, error.code]
        if found and isinstance(found[-1], Close):
            return found
    return found


def _all(reader: Reader) -> Iterable[Event]:
    while (event := reader.next()) is not None:
        yield event
        if isinstance(event, Close):
            return


class Reading(SynchronousTestCase):
    @settings(deadline=None, max_examples=200)
    @given(streams(*_PARTS), st.data())
    def test_any_split(self, stream: bytes, data: st.DataObject) -> None:
        """Any split of the same bytes gives the same messages, and the same end."""
        self.assertEqual(_read(split(stream, data.draw)), _read([stream]))

    @settings(deadline=None, max_examples=50)
    @given(streams(*_PARTS))
    def test_byte_by_byte(self, stream: bytes) -> None:
        """One byte at a time is a split as well."""
        self.assertEqual(_read(stream[i : i + 1] for i in range(len(stream))), _read([stream]))

    @settings(deadline=None, max_examples=300)
    @given(st.binary(max_size=300), st.sampled_from((b"", b"\x81\x85", b"\x01\xff", b"\x88\x82")))
    def test_rubbish(self, rubbish: bytes, first: bytes) -> None:
        """No bytes raise anything but a FramesError with a code that may be sent."""
        for each in _read([first + rubbish]):
            self.assertTrue(may_be_sent(each) if isinstance(each, int) else each is not None)

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.text(max_size=200) | st.binary(max_size=70_000), max_size=5), st.data())
    def test_messages_of_wsproto(self, messages: list[str | bytes], data: st.DataObject) -> None:
        """What wsproto's client sends is understood, in fragments too."""
        client = Connection(ConnectionType.CLIENT)
        sent = bytearray()
        for message in messages:
            of = TextMessage if isinstance(message, str) else BytesMessage
            cut = data.draw(st.integers(0, len(message)))
            sent += client.send(of(data=message[:cut], message_finished=False))  # type: ignore[arg-type]
            sent += client.send(AskedByWsproto(b"between"))
            sent += client.send(of(data=message[cut:]))  # type: ignore[arg-type]
        found = _read(split(bytes(sent), data.draw), message_bytes=70_000)
        self.assertEqual([each for each in found if each != Ping(b"between")], messages)

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.binary(max_size=300) | st.text(max_size=300), max_size=4), st.data())
    def test_pieces(self, messages: list[str | bytes], data: st.DataObject) -> None:
        """Without a limit the bytes of messages come in pieces, none of them empty, and in order."""
        sent = b"".join(
            frame(0x01 if isinstance(each, str) else 0x02, _bytes(each)[:100])
            + frame(0x80, _bytes(each)[100:])
            for each in messages
        )
        found = _read(split(sent, data.draw), None)
        self.assertNotIn(b"", found)
        self.assertEqual(b"".join(map(_bytes, found)), b"".join(map(_bytes, messages)))

    def test_pieces_that_are_wrong(self) -> None:
        """The rules hold for pieces as well."""
        for wrong, code in (
            (frame(0x81, b"\xff"), 1007),
            (frame(0x80, b"of nothing"), 1002),
            (frame(0xC2, b"compressed"), 1002),
            (frame(0x02) + frame(0x00) * 200, 1008),
            (frame(0x82) * 200, 1008),
        ):
            with self.subTest(wrong[:10]):
                self.assertEqual(_read([wrong], None)[-1], code)

    def test_control_frames(self) -> None:
        """Control frames come between the fragments of a message, and before it is whole."""
        stream = frame(0x01, b"a") + frame(0x89, b"1") + frame(0x8A, b"2") + frame(0x80, b"b")
        self.assertEqual(_read([stream]), [Ping(b"1"), Pong(b"2"), "ab"])

    def test_at_rest(self) -> None:
        """A reader is at rest when neither a frame nor a message is begun."""
        reader = Reader(1000, 10)
        self.assertTrue(reader.at_rest)
        parts = (frame(0x01, b"ab"), frame(0x89), frame(0x80, b"c"))
        stream = b"".join(parts)
        for place in range(len(stream)):
            reader.feed(stream[place : place + 1])
            self.assertEqual(len(list(_all(reader))), place + 1 in {14, len(stream)})
            self.assertEqual(reader.at_rest, place + 1 == len(stream))


class Refusing(SynchronousTestCase):
    def _ends(self, stream: bytes, code: int) -> None:
        self.assertEqual(_read([stream])[-1:], [code])

    def test_frames_that_are_wrong(self) -> None:
        """What RFC 6455 5 forbids is a protocol error."""
        wrong = {
            "not masked": frame(0x81, b"x", mask=None),
            "a fragmented ping": frame(0x09, b"x"),
            "a long ping": frame(0x89, b"x" * 126),
            "a long ping by its length alone": b"\x89\xfe",
            "reserved bit 1": frame(0xC1, b"x"),
            "reserved bit 2": frame(0xA1, b"x"),
            "reserved bit 3": frame(0x91, b"x"),
            "reserved bit of a ping": frame(0xC9),
            "an unknown opcode": frame(0x83, b"x"),
            "an unknown control opcode": frame(0x8B),
            "a continuation of nothing": frame(0x80, b"x"),
            "a message within a message": frame(0x01, b"x") + frame(0x81, b"x"),
            "a length of 2^63": struct.pack("!BBQ", 0x82, 0xFF, 1 << 63),
            "a length that is too long": struct.pack("!BBH", 0x82, 0xFE, 5),
            "a very long short length": struct.pack("!BBQ", 0x82, 0xFF, 5),
        }
        for name, stream in wrong.items():
            with self.subTest(name):
                self._ends(stream, 1002)

    def test_closes_that_are_wrong(self) -> None:
        """A Close has no payload, or a code that may be sent and a reason in UTF-8."""
        for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535):
            with self.subTest(code):
                self._ends(frame(0x88, struct.pack("!H", code)), 1002)
        self._ends(frame(0x88, b"\x03"), 1002)
        self._ends(frame(0x88, b"\x03\xe8\xff"), 1007)

    def test_texts_that_are_wrong(self) -> None:
        """A text is UTF-8, and refused as soon as it cannot become so."""
        for text in (b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"ab\xe2\x82"):
            with self.subTest(text):
                self._ends(frame(0x81, text), 1007)
        self._ends(frame(0x81, b"\xff" + b"x" * 100)[:7], 1007)

    def test_too_long(self) -> None:
        """A message of the limit comes; one byte more is refused, in one frame or in many."""
        self.assertEqual(_read([frame(0x82, b"x" * 1000)]), [b"x" * 1000])
        self.assertEqual(_read([frame(0x02, b"x" * 999) + frame(0x80, b"x")]), [b"x" * 1000])
        self._ends(frame(0x82, b"x" * 1001), 1009)
        self._ends(frame(0x02, b"x" * 1000) + frame(0x80, b"x"), 1009)
        self._ends(frame(0x02, b"x") + frame(0x00, b"x") * 1000, 1009)

    def test_too_long_by_its_header(self) -> None:
        """A frame that announces too much is refused before any of it has come."""
        self._ends(struct.pack("!BBQ", 0x82, 0xFF, (1 << 63) - 1) + MASK, 1009)
        self._ends(frame(0x02, b"x" * 1000) + frame(0x00, b"x")[:6], 1009)
        self.assertEqual(_read([frame(0x02, b"x" * 999) + frame(0x00, b"x")[:6]]), [])

    def test_too_many_that_say_nothing(self) -> None:
        """Pings, pongs and empty fragments are counted; messages are not, even empty ones."""
        for idle in (frame(0x89), frame(0x8A), frame(0x00)):
            with self.subTest(idle):
                begun = frame(0x02, b"x")
                self.assertNotIn(1008, _read([begun + idle * 100]))
                self._ends(begun + idle * 101, 1008)
        self.assertEqual(_read([frame(0x81) * 300]), [""] * 300)

    def test_relaxed(self) -> None:
        """After `relax` the count begins anew."""
        reader = Reader(1000, idle_frames=2)
        for _ in range(5):
            reader.feed(frame(0x89) * 2)
            self.assertEqual(len(list(_all(reader))), 2)
            reader.relax()

    @settings(deadline=None, max_examples=200)
    @given(st.integers(0, 65535), st.binary(max_size=123))
    def test_closes_against_wsproto(self, code: int, reason: bytes) -> None:
        """Closes are judged as by wsproto, which does not know 1014 yet."""
        stream = frame(0x88, struct.pack("!H", code) + reason)
        theirs = FrameProtocol(client=False, extensions=[])
        theirs.receive_bytes(stream)
        expected: object
        try:
            (got,) = theirs.received_frames()
            expected = Close(*got.payload)
        except ParseFailed as error:
            expected = int(error.code)
        if code != 1014:
            self.assertEqual(_read([stream]), [expected])


class Writing(SynchronousTestCase):
    @settings(deadline=None, max_examples=100)
    @given(st.text(max_size=300) | st.sampled_from((0, 1, 125, 126, 65535, 65536)).map(bytes))
    def test_messages_against_wsproto(self, message: str | bytes) -> None:
        """A message is the same bytes as from wsproto, and its client understands it."""
        made = message_frame(message)
        theirs = FrameProtocol(client=False, extensions=[])
        self.assertEqual(made, bytes(theirs.send_data(message)))

    def test_lone_surrogates(self) -> None:
        """A text that UTF-8 cannot write does not stop a message."""
        self.assertEqual(message_frame("a\ud800"), b"\x81\x02a?")

    def test_control_frames_against_wsproto(self) -> None:
        """Control frames are the same bytes as from wsproto."""
        theirs = FrameProtocol(client=False, extensions=[])
        self.assertEqual(ping_frame(), theirs.ping())
        self.assertEqual(pong_frame(b"x" * 125), theirs.pong(b"x" * 125))
        self.assertEqual(close_frame(1001, "\u20ac" * 99), theirs.close(1001, "\u20ac" * 99))
        self.assertEqual(close_frame(1005), theirs.close())

    def test_every_code(self) -> None:
        """A code that may be sent is one that a client takes, and no other is written."""
        for code in range(1000, 5002):
            if may_be_sent(code):
                client = Connection(ConnectionType.CLIENT)
                client.receive_data(close_frame(code))
                (event,) = client.events()
                assert isinstance(event, CloseConnection)
                self.assertEqual(event.code, 1002 if code == 1014 else code)  # wsproto's refusal
            elif code != 1005:
                self.assertRaises(ValueError, close_frame, code)
