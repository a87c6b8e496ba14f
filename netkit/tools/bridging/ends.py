"""How a bridge ends: which of the input and the peer still speaks, and what follows from what ends.

Pure. Rule: whatever ends first, what the other still has to say is not lost for it; whoever only
might still say something keeps nobody waiting.
"""

from collections.abc import Mapping
from enum import Enum
from typing import TypeAlias


class Stage(Enum):
    """Who still speaks."""

    BOTH = "the input and the peer"
    PEER = "the peer"
    INPUT = "the input"


class Event(Enum):
    """What happens to one of them."""

    INPUT_ENDED = "the input is at its end"
    INPUT_RESTS = "the input has nothing to say, for all that can be told"
    PEER_ENDED = "the peer has said its last"
    PEER_GONE = "the peer has closed the connection in order, and hears nothing more"
    PEER_RESET = "the connection broke off"
    WAITED = "the peer has had the time it was given after the end of the input"
    IDLE = "nothing has moved for too long"


class Reason(Enum):
    """Why a bridge ended."""

    BOTH_ENDED = "both sides ended"
    PEER_ENDED = "the peer ended"
    WAITED = "the peer had its time after the end of the input"
    IDLE = "nothing moved"
    RESET = "the connection broke off"
    CUT = "the peer closed the connection before it had all of the input"

    @property
    def is_trouble(self) -> bool:
        """Whether something was lost, or may have been."""
        return self in {Reason.IDLE, Reason.RESET, Reason.CUT}


Next: TypeAlias = Stage | Reason

_ANYWHERE: Mapping[Event, Reason] = {Event.PEER_RESET: Reason.RESET, Event.IDLE: Reason.IDLE}

_TABLE: Mapping[tuple[Stage, Event], Next] = {
    (Stage.BOTH, Event.INPUT_ENDED): Stage.PEER,
    (Stage.BOTH, Event.PEER_ENDED): Stage.INPUT,
    (Stage.PEER, Event.PEER_ENDED): Reason.BOTH_ENDED,
    (Stage.PEER, Event.WAITED): Reason.WAITED,
    (Stage.INPUT, Event.INPUT_ENDED): Reason.BOTH_ENDED,
    (Stage.INPUT, Event.INPUT_RESTS): Reason.PEER_ENDED,
    (Stage.INPUT, Event.PEER_GONE): Reason.CUT,
}


def after(stage: Stage, event: Event) -> Next:
    """Return who speaks after `event`, or why the bridge ends; what changes nothing leaves `stage`."""
    return _ANYWHERE.get(event) or _TABLE.get((stage, event), stage)
