"""A file of a form that is read from a pipe, as the standard input is.

Rule: its beginning is held, up to a limit, so that a short one has a length and can be sent again; a
longer one is sent as it comes, once.
"""

from collections.abc import AsyncIterator

from netkit.http.messages import Pieces, Stream
from netkit.tools.outcome import TroubleError
from netkit.tools.web.formdata import Content, Held

HELD_BYTES = 8 * 1024 * 1024


async def content(source: AsyncIterator[bytes], held_bytes: int = HELD_BYTES) -> Content:
    """Return what `source` yields: once it has ended, or once there is more than can be held."""
    held = bytearray()
    async for piece in source:
        held += piece
        if len(held) > held_bytes:
            return _Once(bytes(held), source)
    return Held(bytes(held))


class _Once:
    """A content of unknown length that can be had once: what is held, and the rest."""

    length = None

    def __init__(self, held: bytes, rest: AsyncIterator[bytes]) -> None:
        self._held = held
        self._rest: AsyncIterator[bytes] | None = rest

    def open(self) -> Stream:
        """See Content."""
        rest, self._rest = self._rest, None
        if rest is None:
            raise TroubleError("the standard input is too long to be sent once more; name a file")
        held, self._held = self._held, b""
        return Pieces(_both(held, rest))


async def _both(held: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield held
    async for piece in rest:
        yield piece
