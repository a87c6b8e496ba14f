"""What is published, in the shape in which it goes round: a run of messages, not one at a time.

A run has consecutive messages of one source with the same subject. It never reaches over a message
with another subject, so that whoever subscribes to both gets them in the order of publishing.
"""

from attrs import define, field

NO_HEADERS = -1


@define
class Published:
    """A run of messages in their order; it is a value: whoever has it changes nothing.

    `reply` is the subject for answers, or empty. With `header_bytes` of 0 or more each payload
    begins with a header block of so many bytes. `sid` is the subscription they are for where another
    server sent them, or else empty. `source` says who published them, where that is shown. (Not
    frozen, as one is made for each message at worst, and that would take three times as long.)
    """

    subject: bytes
    payloads: list[bytes] = field(repr=False)
    reply: bytes = b""
    header_bytes: int = NO_HEADERS
    sid: bytes = b""
    source: str = ""
    frames: tuple[bytes, list[bytes]] | None = field(default=None, init=False, eq=False, repr=False)
    """What all NATS subscribers get behind their own words; kept by whoever needs it first."""

    def part(self, which: slice) -> "Published":
        """Return the run of some of the messages."""
        return self._with(self.payloads[which], self.header_bytes)

    def bare(self) -> "Published":
        """Return the run without header blocks, for whoever takes none."""
        if self.header_bytes < 0:
            return self
        return self._with([payload[self.header_bytes :] for payload in self.payloads], NO_HEADERS)

    def _with(self, payloads: list[bytes], header_bytes: int) -> "Published":
        return Published(self.subject, payloads, self.reply, header_bytes, self.sid, self.source)
