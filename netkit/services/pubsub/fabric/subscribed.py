"""What the cluster has been asked for on one connection, and under which sids.

Rule: what is asked for is what is wanted as the lines are written; who comes and goes in between costs
nothing, and the same is never asked for twice.
"""

from collections.abc import Iterator
from itertools import count
from typing import TypeAlias

from netkit.services.pubsub.nats import writing
from netkit.services.pubsub.nats.grammar import LINE_BYTES
from netkit.services.pubsub.nats.verbs import Subscribe, Unsubscribe

Wanted: TypeAlias = tuple[bytes, bytes]
"""A pattern, and a queue or nothing."""


class Subscribed:
    """Patterns that are wanted, and what the server knows of them.

    What does not fit in a control line of NATS's default length cannot be asked for; such are `refused`.
    `left` are the sids that the latest lines have ended.
    """

    def __init__(self) -> None:
        self._wanted: dict[Wanted, None] = {}
        self._sids: dict[Wanted, bytes] = {}
        self._asked: dict[bytes, Wanted] = {}
        self._changed: dict[Wanted, None] = {}
        self._numbers = count(1)
        self.refused = 0
        self.left: list[bytes] = []

    def __len__(self) -> int:
        """Return how many are wanted."""
        return len(self._wanted)

    def want(self, wanted: Wanted) -> None:
        """Ask for it, from the next lines on."""
        self._wanted[wanted] = None
        self._changed[wanted] = None

    def want_no_more(self, wanted: Wanted) -> None:
        """Ask for it no longer, from the next lines on."""
        self._wanted.pop(wanted, None)
        self._changed[wanted] = None

    def asked(self, sid: bytes) -> Wanted | None:
        """Return what was asked for as `sid`, if it still is."""
        return self._asked.get(sid)

    def lines(self) -> bytes:
        """Return what to tell the server."""
        changed, self._changed = self._changed, {}
        self.left = []
        return b"".join(line for wanted in changed for line in self._lines(wanted))

    def cut(self) -> None:
        """Have everything asked for anew: the server knows nothing any more."""
        self._sids.clear()
        self._asked.clear()
        self._changed = dict(self._wanted)
        self.refused = 0

    def _lines(self, wanted: Wanted) -> Iterator[bytes]:
        sid = self._sids.get(wanted)
        if sid is not None and wanted not in self._wanted:
            del self._sids[wanted], self._asked[sid]
            self.left.append(sid)
            yield writing.unsubscribe(Unsubscribe(sid))
        elif sid is None and wanted in self._wanted:
            sid = b"%d" % next(self._numbers)
            line = writing.subscribe(Subscribe(wanted[0], sid, wanted[1]))
            if len(line) > LINE_BYTES:
                self.refused += 1
                return
            self._sids[wanted], self._asked[sid] = sid, wanted
            yield line
