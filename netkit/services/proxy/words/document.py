"""One document while its words are counted, from the bytes of its body on. Pure.

Rule: whoever brings the bytes is done at once; the work is done in steps, each of them small.
"""

from collections import deque

from netkit.services.proxy.words.charsets import Characters
from netkit.services.proxy.words.decoding import Decoder, MalformedError
from netkit.services.proxy.words.html import VisibleText
from netkit.services.proxy.words.splitting import Splitting
from netkit.services.proxy.words.tally import Reason, Tally

STEP_BYTES = 2 * 1024

PIECE_BYTES = 100
"""What it costs to keep a piece, beside its bytes."""


class Document:
    """A document that began at `began` (seconds); `at_most` bytes of it are counted.

    The bytes are in the coding that `decoder` decodes, and in `charset`, where that is known.
    """

    def __init__(self, decoder: Decoder, charset: bytes, at_most: int, began: float) -> None:
        self.began = began
        self.ended = False
        self.done = False
        self._decoder = decoder
        self._characters = Characters(charset)
        self._visible = VisibleText()
        self._splitting = Splitting()
        self._pieces: deque[bytes] = deque()
        self._offset = 0
        self._kept = 0
        self._room = self._content_room = at_most
        self._reason: Reason | None = None

    @property
    def waiting(self) -> int:
        """Return the bytes that wait for steps, with what it costs to keep them."""
        return self._kept + len(self._pieces) * PIECE_BYTES

    @property
    def has_work(self) -> bool:
        """Return whether there is something for a step to do."""
        return not self.done and (self.ended or bool(self._pieces) or not self._decoder.hungry)

    def put(self, piece: bytes) -> None:
        """Take the next bytes of the body, unless it has ended."""
        if self.ended or not piece:
            return
        kept = piece[: self._room]
        if kept:
            self._pieces.append(kept)
        self._kept += len(kept)
        self._room -= len(kept)
        if len(kept) < len(piece):
            self.end(Reason.LONG)

    def end(self, reason: Reason | None = None) -> None:
        """Take nothing more; `reason` says why, where that was not the end of the body."""
        if not self.ended:
            self.ended, self._reason = True, reason

    def step(self, tally: Tally) -> None:
        """Do a step of the work."""
        try:
            content = self._content()
            words = self._splitting.words(self._visible.text(self._characters.text(content)))
        except (MalformedError, UnicodeError):
            self._drop(Reason.MALFORMED)
            content, words = b"", []
        if self.ended and not self._pieces and self._decoder.hungry:
            words += self._last_words()
            self.done = True
            if self._reason is not None:
                tally.in_part[self._reason] += 1
        tally.add(words, len(content))

    def _content(self) -> bytes:
        if self._decoder.hungry and self._pieces:
            self._decoder.take(self._next())
        if self._decoder.hungry:
            return b""
        content = self._decoder.content(STEP_BYTES)
        if len(content) > self._content_room:
            content = content[: self._content_room]
            self._drop(Reason.LONG)
        self._content_room -= len(content)
        return content

    def _next(self) -> bytes:
        """Return the next of the bytes that wait."""
        first, offset = self._pieces[0], self._offset
        part = first[offset : offset + STEP_BYTES]
        self._kept -= len(part)
        self._offset += len(part)
        if self._offset == len(first):
            self._pieces.popleft()
            self._offset = 0
        return part

    def _drop(self, reason: Reason) -> None:
        """Do without the rest of the document."""
        self.ended, self._reason = True, reason
        self._pieces.clear()
        self._kept = self._offset = 0
        self._decoder = _Nothing()

    def _last_words(self) -> list[str]:
        """Return the words that were kept back; a word that was cut off is none."""
        words = self._splitting.words(self._visible.text(self._characters.end()))
        if self._reason is None:
            words += self._splitting.words(self._visible.end()) + self._splitting.end()
        return words


class _Nothing:
    """A decoder that has nothing more to give."""

    hungry = True

    def take(self, octets: bytes) -> None:
        """Let it be."""

    def content(self, at_most: int) -> bytes:  # noqa: ARG002 (Decoder's)
        """Return nothing."""
        return b""
