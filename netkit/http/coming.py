"""A body that comes in pieces, and whoever waits for them.

What bodies of requests and of answers have in common. Rule: pieces are taken in the order in which they
came, and its end or its failure shows only behind the last of them.
"""

from collections import deque
from collections.abc import AsyncIterator
from typing import Protocol

from twisted.internet.defer import Deferred


class Source(Protocol):
    """What a body comes from."""

    def go_on(self) -> None:
        """Somebody waits for more of the body: let it come."""


class Coming:
    """One body. Iterating yields its pieces as they come, and raises what it fails with.

    `begun`: somebody has asked for it. `finished`: all of it has come. `unread` counts the bytes that
    have come and that nobody has taken.
    """

    __slots__ = ("_failure", "_more", "_pieces", "_source", "begun", "finished", "unread")

    def __init__(self, source: Source) -> None:
        self.begun = self.finished = False
        self.unread = 0
        self._source = source
        self._pieces: deque[bytes] = deque()
        self._failure: Exception | None = None
        self._more: Deferred[None] | None = None

    @property
    def wanted(self) -> bool:
        """Whether somebody waits for more of it."""
        return self._more is not None

    def _put(self, piece: bytes) -> None:
        """Keep `piece`, if there is any of it, until it is asked for."""
        if piece:
            self._pieces.append(piece)
            self.unread += len(piece)

    def _clear(self) -> None:
        """Throw away what nobody has taken."""
        self._pieces.clear()
        self.unread = 0

    def _wake(self) -> None:
        """Let whoever waits go on."""
        more, self._more = self._more, None
        if more is not None:
            more.callback(None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces as they come."""
        self.begun = True
        while True:
            while self._pieces:
                piece = self._pieces.popleft()
                self.unread -= len(piece)
                yield piece
            if self._failure is not None:
                raise self._failure
            if self.finished:
                return
            self._more = Deferred(self._forget)
            self._source.go_on()
            if self._more is not None:
                await self._more

    def _forget(self, _: Deferred[None]) -> None:
        """Nobody waits any longer: whoever did was cancelled."""
        self._more = None
