"""What waits for the cluster: runs in the order in which they were published.

Rule: `most` bytes wait, and no more; what finds no room is not taken, and what waits is not given up
for it.
"""

from collections import deque

from attrs import define, field

from netkit.services.pubsub.messages import Published

OVERHEAD = 50
"""What a message costs beside its payload, in bytes: else any number of empty ones would fit."""

RUN_OVERHEAD = 400
"""What a run costs beside its messages, in bytes."""


@define
class Pending:
    """At most `most` bytes; `size` is what there is, and `messages` their number."""

    most: int
    size: int = field(default=0, init=False)
    messages: int = field(default=0, init=False)
    _runs: deque[tuple[int, Published]] = field(factory=deque, init=False)

    def add(self, run: Published, after: int) -> bool:
        """Let `run` wait until so many pings are answered; return whether there was room."""
        cost = _cost(run)
        if self.size + cost > self.most:
            return False
        run.frames = None  # as it was written for those here, who have it by now
        self._runs.append((after, run))
        self.size += cost
        self.messages += len(run.payloads)
        return True

    def take(self, answered: int) -> Published | None:
        """Return the oldest run, if it waits for no more than so many answers."""
        if not self._runs or self._runs[0][0] > answered:
            return None
        _, run = self._runs.popleft()
        self.size -= _cost(run)
        self.messages -= len(run.payloads)
        return run

    def rebase(self) -> None:
        """Let nothing wait for an answer: whoever was asked is gone."""
        self._runs = deque((0, run) for _, run in self._runs)

    def clear(self) -> int:
        """Drop everything; return the number of messages."""
        messages, self.messages, self.size = self.messages, 0, 0
        self._runs.clear()
        return messages


def _cost(run: Published) -> int:
    payloads = sum(map(len, run.payloads)) + OVERHEAD * len(run.payloads)
    return RUN_OVERHEAD + len(run.subject) + len(run.reply) + payloads
