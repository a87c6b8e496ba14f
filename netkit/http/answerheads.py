"""The header sections of answers, as they come: interim ones, then the final one. Pure.

Rule: a section is judged whole, so that how it was split on the way changes nothing; what cannot
become one is refused as soon as that shows. Heads of the same bytes are parsed once a second.
"""

from collections.abc import Iterator

from netkit.http.answers import BadAnswerError, response_head
from netkit.http.clientlimits import ClientLimits
from netkit.http.limits import Limits
from netkit.http.messages import ResponseHead
from netkit.http.sections import END

HEADS = 1024
HEAD_BYTES = 2 * 1024

_START = b"HTTP/1."
_SWITCHING = 101


class TooMuchHeaderError(BadAnswerError):
    """A header section is longer than it may be, or has too many fields."""


class KnownHeads:
    """The heads of this second.

    Only those are kept that are final and leave the connection to HTTP.
    """

    def __init__(self, limits: ClientLimits) -> None:
        self.limits = limits
        self._limits = Limits(header_bytes=limits.header_bytes, header_fields=limits.header_fields)
        self._common: dict[bytes, ResponseHead] = {}
        self._of_head: dict[bytes, ResponseHead] = {}
        self._nothing: dict[bytes, ResponseHead] = {}

    def forget(self) -> None:
        """Begin a second."""
        self._common.clear()
        self._of_head.clear()

    def known(self, method: bytes) -> dict[bytes, ResponseHead]:
        """Return the heads of answers to `method`, by their bytes."""
        if method == b"HEAD":
            return self._of_head
        return self._common if method != b"CONNECT" else self._nothing

    def final(self, section: bytes, method: bytes) -> ResponseHead | None:
        """Return what `section` says where it is whole, final and leaves the connection to HTTP.

        What it is otherwise `AnswerHeads` says.
        """
        if not section.endswith(END) or len(section) > self.limits.header_bytes:
            return None
        try:
            head = self.head(section, method)
        except BadAnswerError:
            return None
        return head if head.status > 199 and method != b"CONNECT" else None  # noqa: PLR2004

    def head(self, section: bytes, method: bytes) -> ResponseHead:
        """Return what `section` says in an answer to `method`; raise BadAnswerError."""
        known = self.known(method)
        head = known.get(section)
        if head is None:
            if section.count(b"\n") - 2 > self.limits.header_fields:
                raise TooMuchHeaderError("there are too many fields")
            head = response_head(section, method, self._limits)
            final = head.status > 199 and known is not self._nothing  # noqa: PLR2004
            if final and len(known) < HEADS and len(section) <= HEAD_BYTES:
                known[section] = head
        return head


class AnswerHeads:
    """The heads of one answer to `method`. `rest` has what came behind the final one."""

    __slots__ = ("_buffer", "_heads", "_interim", "_method", "_searched", "rest")

    def __init__(self, heads: KnownHeads, method: bytes) -> None:
        self.rest = b""
        self._heads = heads
        self._method = method
        self._buffer = b""
        self._searched = 0  # of the buffer, in vain for the end of a section
        self._interim = 0

    def feed(self, data: bytes) -> Iterator[ResponseHead]:
        """Yield the heads that are whole with `data`, to the final one; raise BadAnswerError."""
        self._buffer += data
        while self._buffer:
            section = self._section()
            if not section:
                return
            head = self._heads.head(section, self._method)
            if head.status > 199 or head.status == _SWITCHING:  # noqa: PLR2004
                self.rest, self._buffer = self._buffer, b""
                yield head
                return
            self._interim += 1
            if self._interim > self._heads.limits.interim_answers:
                raise BadAnswerError("there are too many interim answers")
            yield head

    def _section(self) -> bytes:
        """Take a section off the buffer, or return nothing where it is not whole."""
        if not self._buffer.startswith(_START[: len(self._buffer)]):
            raise BadAnswerError("this is no status line of HTTP/1.1")
        end = self._buffer.find(END, self._searched)
        size = len(self._buffer) if end < 0 else end + len(END)
        if size > self._heads.limits.header_bytes:
            raise TooMuchHeaderError("the header section is too long")
        if end < 0:
            if b"\n\n" in self._buffer:
                raise BadAnswerError("a line does not end in CR LF")
            self._searched = max(size - len(END) + 1, 0)
            return b""
        section, self._buffer = self._buffer[:size], self._buffer[size:]
        self._searched = 0
        return section
