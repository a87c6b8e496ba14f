"""What waits for one client that does not keep up, and since when.

Some of it may be left out where there is no room, by the policy for its subject. Rule: pieces are
kept, never copied or changed, as the same piece waits for others too. Pure: the time comes in by
argument.
"""

from collections import OrderedDict
from collections.abc import Mapping

from attrs import Factory, define

_ENOUGH = 64 * 1024  # bytes; what Twisted's transports hold before they pause a producer
_GRAIN = (
    4096  # bytes; what may be left out is left out in such chunks, as many small ones cost more
)
_SUBJECTS = 100
MANY = b""
"""The subject under which those are counted for which there is no room among the missed ones."""


@define(eq=False)
class _Chunk:
    since: float
    size: int = 0
    pieces: list[bytes] = Factory(list)
    subject: bytes = b""
    messages: int = 0  # that may be left out; 0 where none may


@define(eq=False)
class Backlog:
    """Pieces in their order, in chunks to be sent with one write each; `size` is all their bytes."""

    size: int = 0
    _chunks: OrderedDict[_Chunk, None] = Factory(OrderedDict)
    _spare: OrderedDict[_Chunk, None] = Factory(OrderedDict)  # of those, what may be left out
    _last: _Chunk | None = None
    _missed: dict[bytes, int] = Factory(dict)

    def add(self, piece: bytes, now: float) -> None:
        """Put `piece`, which has come at `now` (seconds), behind the others."""
        last = self._last
        if last is None or last.messages or last.size >= _ENOUGH:
            last = self._begin(_Chunk(now))
        self._extend(last, piece)

    def add_spare(self, piece: bytes, now: float, subject: bytes, messages: int) -> None:
        """Put `piece` behind the others; its `messages` to `subject` may be left out later on."""
        last = self._last
        if last is None or last not in self._spare or last.subject != subject or last.size > _GRAIN:
            last = self._begin(_Chunk(now, subject=subject))
            self._spare[last] = None
        self._extend(last, piece)
        last.messages += messages

    def make_room(self, most: int) -> None:
        """Leave out what may be, the oldest first, until what waits has at most `most` bytes."""
        while self.size > most and self._spare:
            chunk, _ = self._spare.popitem(last=False)
            del self._chunks[chunk]
            if chunk is self._last:
                self._last = None
            self.size -= chunk.size
            self.miss(chunk.subject, chunk.messages)

    def miss(self, subject: bytes, messages: int) -> None:
        """Note that so many messages to `subject` are left out."""
        if subject not in self._missed and len(self._missed) >= _SUBJECTS:
            subject = MANY
        self._missed[subject] = self._missed.get(subject, 0) + messages

    def missed(self) -> Mapping[bytes, int]:
        """Return how many messages to which subjects have been left out since the last time."""
        missed, self._missed = self._missed, {}
        return missed

    def take(self) -> tuple[float, bytes]:
        """Remove the oldest chunks, of which there must be one; return their time, and their bytes.

        They have 64 KiB and the rest of a piece at most, or are one larger piece.
        """
        since = next(iter(self._chunks)).since
        pieces: list[bytes] = []
        size = 0
        for chunk in self._chunks:
            if size and size + chunk.size > _ENOUGH:
                break
            pieces += chunk.pieces
            size += chunk.size
            self._spare.pop(chunk, None)
        self._forget(size)
        return since, b"".join(pieces)

    def _begin(self, chunk: _Chunk) -> _Chunk:
        self._chunks[chunk] = None
        self._last = chunk
        return chunk

    def _extend(self, chunk: _Chunk, piece: bytes) -> None:
        chunk.pieces.append(piece)
        chunk.size += len(piece)
        self.size += len(piece)

    def _forget(self, size: int) -> None:
        """Forget the oldest chunks, which have so many bytes."""
        self.size -= size
        while size > 0:
            chunk, _ = self._chunks.popitem(last=False)
            size -= chunk.size
            if chunk is self._last:
                self._last = None
