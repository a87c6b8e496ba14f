"""WebSocket frames (RFC 6455 5): what a client's bytes say, and the bytes that a server says.

wsproto takes frames apart and checks them; what it leaves open is decided here: how long a message
may be, how many frames may say nothing, what a close may hold. Rule: a reader keeps at most one
message and what it was fed since it was last asked, and nothing that a client sends raises anything
but FramesError. What a server sends has no mask, so one frame can go to any number of clients.
"""

import struct
from typing import TypeAlias

from attrs import frozen
from wsproto.frame_protocol import (
    CloseReason,
    Frame,
    FrameDecoder,
    MessageDecoder,
    Opcode,
    ParseFailed,
)

NO_STATUS = CloseReason.NO_STATUS_RCVD
ABNORMAL = CloseReason.ABNORMAL_CLOSURE

_LAST = 0x80
_SHORT = 125
_MEDIUM = 0xFFFF
_REASON_BYTES = _SHORT - 2
_BAD_GATEWAY = 1014  # registered after RFC 6455, and not known to wsproto
_DEFINED = frozenset(CloseReason) | {_BAD_GATEWAY}
_NEVER_SENT = frozenset({NO_STATUS, ABNORMAL, CloseReason.TLS_HANDSHAKE_FAILED})
_OWN = range(3000, 5000)


@frozen
class Ping:
    """A client asks whether somebody is there; the answer has the same payload."""

    payload: bytes


@frozen
class Pong:
    """The answer to a ping, or one that nobody asked for."""

    payload: bytes


@frozen
class Close:
    """A client's last frame; `code` is NO_STATUS where it has none."""

    code: int
    reason: str


Event: TypeAlias = str | bytes | Ping | Pong | Close
"""A text message is a str, a binary one bytes."""


class FramesError(Exception):
    """The client broke the rules; `code` (RFC 6455 7.4.1) and `reason` are for its Close frame."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class Reader:
    """The messages and control frames in what a client sends, each message whole.

    A message has at most `message_bytes`; one that announces more is refused by its header. Where that
    is None, messages have any length, and their bytes come in pieces, whatever the messages are. Of the
    frames without a byte of a message (control frames, empty fragments) there may be `idle_frames`
    before `relax` is called. After a FramesError or a Close there is nothing more to read.
    """

    __slots__ = ("_frames", "_idle", "_idle_frames", "_message", "_message_bytes", "_messages")

    def __init__(self, message_bytes: int | None, idle_frames: int) -> None:
        self._message_bytes = message_bytes
        self._idle_frames = idle_frames
        self._idle = 0
        self._frames = FrameDecoder(client=False)
        self._messages = MessageDecoder()
        self._message = bytearray()

    @property
    def at_rest(self) -> bool:
        """Whether nothing is begun: a new reader would understand what comes next as well."""
        frames = self._frames
        return not len(frames.buffer) and frames.header is None and self._messages.opcode is None

    def relax(self) -> None:
        """Let the client send `idle_frames` again."""
        self._idle = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes; they are looked at by `next`."""
        self._frames.receive_bytes(data)

    def next(self) -> Event | None:
        """Return the next thing that has come whole, or None; FramesError: the rules are broken."""
        try:
            return self._next()
        except ParseFailed as error:
            raise FramesError(error.code, _plain(error)) from None

    def _next(self) -> Event | None:
        while (frame := self._frames.process_buffer()) is not None:
            event = self._control(frame) if frame.opcode.iscontrol() else self._data(frame)
            if event is not None:
                return event
        header = self._frames.header
        if header is not None and not header.opcode.iscontrol():
            self._check_size(header.payload_len - self._frames.payload_consumed)
        return None

    def _control(self, frame: Frame) -> Event:
        self._count_idle()
        payload = _raw(frame)
        match frame.opcode:
            case Opcode.PING:
                return Ping(payload)
            case Opcode.PONG:
                return Pong(payload)
            case _:
                return _close(payload)

    def _data(self, frame: Frame) -> str | bytes | None:
        """Return what `frame`, a part of a message, completes; wsproto checks the UTF-8."""
        payload = _raw(frame)
        self._check_size(len(payload))
        part = self._messages.process_frame(frame)
        if self._message_bytes is None:
            if not payload:
                self._count_idle()
            return bytes(payload) or None
        if not part.message_finished:
            if not payload:
                self._count_idle()
            self._message += payload
            return None
        if not self._message:
            return part.payload  # type: ignore[return-value]  # only a Close has anything else
        whole = bytes(self._message) + payload
        self._message = bytearray()
        return whole.decode() if part.opcode is Opcode.TEXT else whole

    def _check_size(self, more: int) -> None:
        if self._message_bytes is not None and len(self._message) + more > self._message_bytes:
            raise FramesError(
                CloseReason.MESSAGE_TOO_BIG, f"a message may have {self._message_bytes} bytes"
            )

    def _count_idle(self) -> None:
        self._idle += 1
        if self._idle > self._idle_frames:
            raise FramesError(CloseReason.POLICY_VIOLATION, "too many frames that say nothing")


def message_frame(message: str | bytes) -> bytes:
    """Return `message` as one frame; what UTF-8 cannot write becomes a question mark."""
    if isinstance(message, str):
        return _frame(Opcode.TEXT, message.encode(errors="replace"))
    return _frame(Opcode.BINARY, message)


def ping_frame() -> bytes:
    """Return a ping without a payload."""
    return _frame(Opcode.PING, b"")


def pong_frame(payload: bytes) -> bytes:
    """Return the answer to a ping with `payload`."""
    return _frame(Opcode.PONG, payload)


def close_frame(code: int, reason: str = "") -> bytes:
    """Return a Close frame, without a code for NO_STATUS; of the reason 123 bytes are sent.

    ValueError: `code` never stands in a frame.
    """
    if code == NO_STATUS:
        return _frame(Opcode.CLOSE, b"")
    if not may_be_sent(code):
        raise ValueError(f"{code} is no code for a Close frame; 1000 is the usual one")
    text = reason.encode(errors="replace")[:_REASON_BYTES].decode(errors="ignore")
    return _frame(Opcode.CLOSE, struct.pack("!H", code) + text.encode())


def may_be_sent(code: int) -> bool:
    """Return whether `code` may stand in a Close frame (RFC 6455 7.4, and IANA's registry)."""
    return code in _OWN or (code in _DEFINED and code not in _NEVER_SENT)


def _frame(opcode: Opcode, payload: bytes) -> bytes:
    first, length = _LAST | opcode, len(payload)
    if length <= _SHORT:
        return bytes((first, length)) + payload
    if length <= _MEDIUM:
        return struct.pack("!BBH", first, 126, length) + payload
    return struct.pack("!BBQ", first, 127, length) + payload


def _close(payload: bytes) -> Close:
    if not payload:
        return Close(NO_STATUS, "")
    code = int.from_bytes(payload[:2], "big")
    if len(payload) == 1 or not may_be_sent(code):
        raise FramesError(CloseReason.PROTOCOL_ERROR, "a close without a code that may be sent")
    try:
        return Close(code, payload[2:].decode())
    except UnicodeDecodeError:
        raise FramesError(
            CloseReason.INVALID_FRAME_PAYLOAD_DATA, "the reason of a close is not UTF-8"
        ) from None


def _raw(frame: Frame) -> bytes:
    """Return the payload of a frame that no MessageDecoder has seen, so that it is bytes."""
    return frame.payload  # type: ignore[return-value]  # the type is for what is decoded as well


def _plain(error: ParseFailed) -> str:
    """Return what is wrong, in words that hold nothing the client sent."""
    if error.code == CloseReason.INVALID_FRAME_PAYLOAD_DATA:
        return "a text is not UTF-8"
    return "a frame is not as RFC 6455 has it"
