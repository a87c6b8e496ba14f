"""What an attempt to connect says of a port, by the error number of connect(2).

Pure. Rule: only a peer's own refusal makes a port closed. What went wrong on this host says nothing
of the port, and is never taken for an answer.
"""

import errno
import os
from collections.abc import Mapping
from enum import Enum

from attrs import frozen


class State(Enum):
    """What is known of a port."""

    OPEN = "open"
    CLOSED = "closed"
    """The host refused the connection (RST, RFC 9293 3.10.7.1)."""
    FILTERED = "filtered"
    """No answer, or a router or firewall on the way said no (ICMP)."""
    UNKNOWN = "unknown"
    """It could not be tried: something is wrong on this host."""


@frozen(cache_hash=True)
class Verdict:
    """The state of a port, and why that is thought."""

    state: State
    reason: str


OPEN = Verdict(State.OPEN, "connected")
REFUSED = Verdict(State.CLOSED, "refused")
SILENT = Verdict(State.FILTERED, "no answer")

SHORTAGES = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
"""Too much is open at once, here or on this host."""

_SAID_ON_THE_WAY = {  # as Linux maps the codes of ICMP, see icmp_err_convert
    errno.EHOSTUNREACH: "host unreachable",
    errno.ENETUNREACH: "network unreachable",
    errno.EHOSTDOWN: "host unknown",
    errno.ENONET: "host isolated",
    errno.ENOPROTOOPT: "protocol unreachable",
    errno.EOPNOTSUPP: "source route failed",
    errno.EMSGSIZE: "fragmentation needed",
    errno.EPROTO: "parameter problem",
}

MEANINGS: Mapping[int, Verdict] = {
    0: OPEN,
    errno.EISCONN: OPEN,
    errno.ECONNRESET: OPEN,  # after it had connected
    errno.EPIPE: OPEN,  # the same, and the server had closed it before
    errno.ECONNREFUSED: REFUSED,
    errno.ETIMEDOUT: SILENT,
    **{code: Verdict(State.FILTERED, said) for code, said in _SAID_ON_THE_WAY.items()},
}
"""What the error number of an attempt that had begun says of a port; others say nothing of it."""

MEANINGS_AT_ONCE: Mapping[int, Verdict] = {
    code: MEANINGS[code] for code in (0, errno.EISCONN, errno.ECONNREFUSED, errno.EHOSTUNREACH)
}
"""The same where the attempt did not even begin: then no route to a network is this host's own."""

_NO_USE = {
    errno.ENETUNREACH,
    errno.EACCES,
    errno.EPERM,
    errno.EAFNOSUPPORT,
    errno.EINVAL,
    errno.ENODEV,
}


def is_of_use_again(code: int) -> bool:
    """Return whether the local error `code` may be gone in a moment."""
    return code not in _NO_USE


def local(code: int) -> Verdict:
    """Return what is said of a port that could not be tried because of `code`."""
    words = "no route to it" if code == errno.ENETUNREACH else os.strerror(code).lower()
    return Verdict(State.UNKNOWN, words)
