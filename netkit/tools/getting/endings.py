"""Why a body ended, in words. Pure."""

from enum import Enum

from netkit.http.framing import Framing


class Ending(Enum):
    """How the end of a body came about."""

    NO_BODY = "no body belongs to this answer"
    LENGTH = "complete, by its length"
    CHUNKED = "complete, by its last chunk"
    CLOSE = "the connection was closed, which is all that tells of its end"
    CUT = "cut off, the rest never came"
    LIMIT = "not taken any further, the limit is reached"


def ending(framing: Framing) -> Ending:
    """Return how a body ended of which all came."""
    return Ending[framing.name]
