"""Which of the copies of a message is the first: a server sends one for each pattern that matches.

The copies do not say that they are some. But all messages to a subject come under the same sids, so
that it is enough to agree on one of these for each subject. Rule: pure, and bounded by `MOST`.
"""

from collections.abc import Callable

MOST = 10_000
"""Of how many subjects it is remembered under which sid they come; of more the oldest are forgotten."""


class Firsts:
    """Takes for each subject the messages of one sid, of which `stands` says whether they still come."""

    def __init__(self, stands: Callable[[bytes], bool]) -> None:
        self._stands = stands
        self._chosen: dict[int, bytes] = {}  # by the hashes of subjects: these may be long

    def __len__(self) -> int:
        """Return of how many subjects something is remembered."""
        return len(self._chosen)

    def is_first(self, subject: bytes, sid: bytes) -> bool:
        """Return whether what comes for `subject` under `sid` is no copy of what has been taken."""
        key = hash(subject)
        chosen = self._chosen.pop(key, sid)
        if chosen != sid and not self._stands(chosen):
            chosen = sid
        self._chosen[key] = chosen
        if len(self._chosen) > MOST:
            del self._chosen[next(iter(self._chosen))]
        return chosen == sid

    def clear(self) -> None:
        """Forget all: the next server knows other sids."""
        self._chosen.clear()
