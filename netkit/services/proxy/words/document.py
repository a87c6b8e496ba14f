"""One document while its words are counted, from the bytes of its body on. Pure.

Rule: whoever brings the bytes is done at once; the work is done in steps, each of them small.
"""

from collections import deque
from collections.abc import Callable

from attrs import frozen

from netkit.http.charsets import Characters
from netkit.http.decoding import Decoder, MalformedError
from netkit.services.proxy.words.html import VisibleText
from netkit.services.proxy.words.splitting import Splitting
from netkit.services.proxy.words.tally import Reason, Tally

STEP_BYTES = 2 * 1024

PIECE_BYTES = 100
"""What it costs to keep a piece, beside its bytes."""


class Document:
    """A document that began at `began` (seconds); `at_most` bytes of it are counted.

    The bytes are in the coding that a `decoder` decodes, and in `charset`, where that is known.
    """

    def __init__(
        self, decoder: Callable[[], Decoder], charset: bytes, at_most: int, began: float
    ) -> None:
        self.began = began
        self.ended = False
        self.done = False
        self._begin = lambda: _Parts(decoder(), Characters(charset), VisibleText(), Splitting())
        self._parts: _Parts | None = None
        self._pieces: deque[bytes] = deque()
        self._offset = 0
        self._kept = 0
        self._room = self._content_room = at_most
        self._dropped = False
        self._reason: Reason | None = None

    @property
    def waiting(self) -> int:
        """Return the bytes that wait for steps, with what it costs to keep them."""
        return self._kept + len(self._pieces) * PIECE_BYTES

    @property
    def has_work(self) -> bool:
        """Return whether there is something for a step to do."""
        if self.done:
            return False
        decoding = self._parts is not None and not self._parts.decoder.hungry
        return self.ended or bool(self._pieces) or decoding

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

    def give_up(self, reason: Reason) -> None:
        """Do without what has not been counted by now."""
        self.ended = self._dropped = True
        self._reason = reason
        self._pieces.clear()
        self._kept = self._offset = 0

    def step(self, tally: Tally) -> None:
        """Do a step of the work."""
        parts = self._parts = self._parts or self._begin()
        try:
            content = self._content(parts)
            words = parts.words(parts.characters.text(content))
        except (MalformedError, UnicodeError):
            self.give_up(Reason.MALFORMED)
            content, words = b"", []
        if self.ended and not self._pieces and (self._dropped or parts.decoder.hungry):
            words += parts.last_words(whole=self._reason is None)
            self.done = True
            if self._reason is not None:
                tally.in_part[self._reason] += 1
        tally.add(words, len(content))

    def _content(self, parts: "_Parts") -> bytes:
        decoder = parts.decoder
        if decoder.hungry and self._pieces:
            decoder.take(self._next())
        if decoder.hungry:
            return b""
        content = decoder.content(STEP_BYTES)
        if len(content) > self._content_room:
            content = content[: self._content_room]
            self.give_up(Reason.LONG)
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


@frozen
class _Parts:
    """What turns the bytes of one document into words."""

    decoder: Decoder
    characters: Characters
    visible: VisibleText
    splitting: Splitting

    def words(self, text: str) -> list[str]:
        """Return the words that HTML brings to their ends."""
        return self.splitting.words(self.visible.text(text))

    def last_words(self, *, whole: bool) -> list[str]:
        """Return the words that were kept back; a word that was cut off is none."""
        words = self.words(self.characters.end())
        if whole:
            words += self.splitting.words(self.visible.end()) + self.splitting.end()
        return words
