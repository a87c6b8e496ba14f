"""What an HTTP server remembers for a second.

Within one second the same bytes have the same answer where a handler says so, the same bytes are the
same head, and the same fields the same lines; so what was worked out is kept until the second is over,
when the field Date changes too. Rule: what is kept depends on nothing but its key, is bounded, and is
gone a second later.
"""

from email.utils import formatdate

from attrs import frozen

from netkit.http.framing import opening
from netkit.http.heads import request_head
from netkit.http.limits import Limits
from netkit.http.messages import Headers, RequestHead, Response, Takeover

HEADS = 1024
HEAD_BYTES = 2 * 1024
ANSWER_BYTES = 16 * 1024 * 1024
NAMES = 64


@frozen
class Ready:
    """An answer that may be given again: its bytes, and what the access log says of it."""

    octets: bytes
    head: RequestHead
    status: int
    sent: int


class Remembered:
    """The heads, first lines and answers of this second.

    `heads` has requests without a body by their bytes, `nothing` no answer, ever.
    """

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self.heads: dict[bytes, RequestHead] = {}
        self.nothing: dict[bytes, Ready] = {}
        self._openings: dict[tuple[int, Headers, bool], bytes] = {}
        self._answers: dict[str | None, dict[bytes, Ready]] = {}
        self._answer_bytes = 0
        self._common: Headers = ()

    def begin(self, wall: float) -> None:
        """Forget everything: a second has begun, at `wall` seconds since 1970."""
        self.heads.clear()
        self._openings.clear()
        self._answer_bytes = 0
        for answers in self._answers.values():
            answers.clear()
        self._common = ((b"Server", b"netkit"), (b"Date", formatdate(wall, usegmt=True).encode()))

    def head(self, section: bytes) -> RequestHead:
        """Return the head that a header section is; raise RefusedError."""
        head = self.heads.get(section)
        if head is None:
            head = request_head(section, self._limits)
            known = len(self.heads)
            if head.length == 0 and known < HEADS and len(section) <= HEAD_BYTES:
                self.heads[section] = head
        return head

    def opening(self, response: Response) -> bytes:
        """Return the response's first lines; raise InvalidResponseError."""
        upgrades = isinstance(response.body, Takeover)
        key = (response.status, response.headers, upgrades)
        lines = self._openings.get(key)
        if lines is None:
            lines = opening(response.status, response.headers, self._common, upgrades=upgrades)
            if len(self._openings) < HEADS and len(lines) <= HEAD_BYTES:
                self._openings[key] = lines
        return lines

    def answers(self, server_name: str | None) -> dict[bytes, Ready]:
        """Return the answers for connections with this name, by the bytes of the requests.

        Of more names than NAMES nothing is remembered.
        """
        if server_name not in self._answers and len(self._answers) >= NAMES:
            return self.nothing
        return self._answers.setdefault(server_name, {})

    def keep(self, answers: dict[bytes, Ready], section: bytes, ready: Ready) -> None:
        """Have `ready` among `answers` for the rest of the second, where there is room."""
        if answers is self.nothing:
            return
        size = len(section) + len(ready.octets)
        if len(section) <= HEAD_BYTES and self._answer_bytes + size <= ANSWER_BYTES:
            self._answer_bytes += size
            answers[section] = ready
