"""What is said in mode line: `You said: <line>`, and `Goodbye.` to a `quit`.

Lines end in CRLF or LF, answers in CRLF. A line goes back byte for byte, NUL, escape sequences and
bytes that are no text included: they are the peer's own, reach nobody else, and an echo that
changed them would not show what arrived. A line without an end is no line and gets no answer.
"""

from attrs import define, field

from netkit.net.lines import LineSplitter

_QUIT = b"quit"
_GOODBYE = b"Goodbye.\r\n"
_YOU_SAID = b"You said: "


@define
class Conversation:
    """The talk with one peer; `ended` becomes true with the last answer."""

    line_bytes: int
    ended: bool = field(default=False, init=False)
    _splitter: LineSplitter = field(init=False)

    @_splitter.default
    def _new_splitter(self) -> LineSplitter:
        return LineSplitter(self.line_bytes)

    def answer(self, data: bytes) -> bytes:
        """Return the answers to the lines that `data`, the peer's next bytes, ends."""
        if self.ended:
            return b""
        lines = self._splitter.feed(data)
        if _QUIT in lines:
            self.ended = True
            return _repeated(lines[: lines.index(_QUIT)]) + _GOODBYE
        if self._splitter.too_long:
            self.ended = True
            return _repeated(lines) + _too_long(self.line_bytes)
        return _repeated(lines)


def _repeated(lines: tuple[bytes, ...]) -> bytes:
    return _YOU_SAID + (b"\r\n" + _YOU_SAID).join(lines) + b"\r\n" if lines else b""


def _too_long(limit: int) -> bytes:
    return b"That line is too long: %d bytes are the most.\r\n" % limit
