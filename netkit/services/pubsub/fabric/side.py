"""One of the connections of an edge: what is asked for on it, and the pings and their answers.

The server answers in order: whoever has the answer to a ping knows that all lines before it are read.
"""

from collections.abc import Callable

from netkit.services.pubsub.fabric.subscribed import Subscribed
from netkit.services.pubsub.nats import writing


class Side:
    """`asked` pings have been sent on the connection, and `answered` of them are answered."""

    def __init__(self) -> None:
        self.subscribed = Subscribed()
        self.asked = 0
        self.answered = 0
        self._seen = 0
        self._looks = 0
        self._leaving: dict[
            bytes, int
        ] = {}  # sids, and the ping behind which nothing comes for them
        self._write: Callable[[bytes], None] | None = None

    def open(self, write: Callable[[bytes], None]) -> None:
        """Have a connection, which takes bytes by `write`."""
        self._write = write

    def cut(self) -> None:
        """Have none any more."""
        self._write = None
        self.asked = self.answered = self._seen = self._looks = 0
        self._leaving.clear()
        self.subscribed.cut()

    def write(self, piece: bytes) -> None:
        """Send `piece`, if there is a connection."""
        if self._write is not None:
            self._write(piece)

    def look(self) -> int:
        """Return in how many looks in a row no answer has come, though one was due."""
        silent = self.asked > self.answered and self.answered == self._seen
        self._looks = self._looks + 1 if silent else 0
        self._seen = self.answered
        return self._looks

    def stands(self, sid: bytes) -> bool:
        """Return whether something may come for `sid`, though perhaps nobody wants it any more."""
        still = self._leaving.get(sid, 0) > self.answered
        return still or self.subscribed.asked(sid) is not None

    def flush(self, *, ping: bool = False, sure: bool = False) -> None:
        """Tell the server what has changed, and with `ping` have it answer.

        With `sure` it has to answer too where something is wanted no more: so long the sid `stands`.
        """
        if self._write is None:
            return
        lines = self.subscribed.lines()
        if sure and self.subscribed.left:
            ping = True
            self._leave()
        if ping:
            self.asked += 1
            lines += writing.PING
        if lines:
            self._write(lines)

    def _leave(self) -> None:
        """Let the sids that are just ended stand until the next ping is answered."""
        over = [sid for sid, ping in self._leaving.items() if ping <= self.answered]
        for sid in over:
            del self._leaving[sid]
        self._leaving.update(dict.fromkeys(self.subscribed.left, self.asked + 1))
