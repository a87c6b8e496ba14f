"""What waits for one client that does not keep up, and since when.

Rule: pieces are kept, never copied or changed, as the same piece waits for others too. Pure: the
time comes in by argument.
"""

from attrs import Factory, define

_ENOUGH = 64 * 1024  # bytes; what Twisted's transports hold before they pause a producer


@define
class _Chunk:
    since: float
    size: int = 0
    pieces: list[bytes] = Factory(list)


@define
class Backlog:
    """Pieces in their order, in chunks to be sent with one write each; `size` is all their bytes."""

    size: int = 0
    _chunks: list[_Chunk] = Factory(list)  # few; and an empty deque would take 760 bytes a client

    def add(self, piece: bytes, now: float) -> None:
        """Put `piece`, which has come at `now` (seconds), behind the others."""
        if not self._chunks or self._chunks[-1].size >= _ENOUGH:
            self._chunks.append(_Chunk(now))
        chunk = self._chunks[-1]
        chunk.pieces.append(piece)
        chunk.size += len(piece)
        self.size += len(piece)

    def take(self) -> tuple[float, bytes]:
        """Remove the oldest chunk, of which there must be one; return when it began, and its bytes.

        It has 64 KiB and the rest of a piece at most, or is one larger piece.
        """
        chunk = self._chunks.pop(0)
        self.size -= chunk.size
        return chunk.since, b"".join(chunk.pieces)
