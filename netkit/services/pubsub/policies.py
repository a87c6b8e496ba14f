"""What becomes of messages for which a slow subscriber has no room, by their subjects."""

from collections.abc import Iterable
from enum import Enum

from netkit.services.pubsub.subjects import covers

_REMEMBERED = 1024
_SHORT = 256


class Policy(Enum):
    """What is done for want of room."""

    DISCONNECT = "disconnect"
    DROP_OLDEST = "drop-oldest"
    DROP_NEWEST = "drop-newest"


class Policies:
    """Policies by patterns, of which the first that matches decides; else DISCONNECT."""

    def __init__(self, rules: Iterable[tuple[bytes, Policy]] = ()) -> None:
        self._rules = tuple(rules)
        self._known: dict[bytes, Policy] = {}

    def __bool__(self) -> bool:
        """Return whether there are any."""
        return bool(self._rules)

    def of(self, subject: bytes) -> Policy:
        """Return the policy for messages to `subject`."""
        known = self._known.get(subject)
        if known is None:
            known = self._decide(subject)
            if len(subject) <= _SHORT:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[subject] = known
        return known

    def _decide(self, subject: bytes) -> Policy:
        for pattern, policy in self._rules:
            if covers(pattern, subject):
                return policy
        return Policy.DISCONNECT
