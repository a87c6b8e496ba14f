"""What a pub/sub service has done so far, in figures."""

from attrs import define, frozen


@frozen(kw_only=True)
class Figures:
    """A pub/sub service at one moment; sizes in bytes are those of payloads, headers included.

    `connections` and `subscriptions` are there now; all else has been counted since the start.
    `missed` are messages that slow subscribers went without by a policy.
    """

    connections: int
    total_connections: int
    subscriptions: int
    in_messages: int
    in_bytes: int
    out_messages: int
    out_bytes: int
    slow_consumers: int
    missed: int


@define(slots=True, eq=False)
class Counters:
    """What is counted as it happens."""

    connections: int = 0
    in_messages: int = 0
    in_bytes: int = 0
    out_messages: int = 0
    out_bytes: int = 0
    slow_consumers: int = 0
    missed: int = 0

    def came(self, messages: int, size: int) -> None:
        """Count messages that were published, and the bytes of them all."""
        self.in_messages += messages
        self.in_bytes += size

    def went(self, messages: int, size: int) -> None:
        """Count messages that were routed to somebody, and the bytes of them all."""
        self.out_messages += messages
        self.out_bytes += size

    def figures(self, *, connections: int, subscriptions: int) -> Figures:
        """Return the figures at this moment."""
        return Figures(
            connections=connections,
            total_connections=self.connections,
            subscriptions=subscriptions,
            in_messages=self.in_messages,
            in_bytes=self.in_bytes,
            out_messages=self.out_messages,
            out_bytes=self.out_bytes,
            slow_consumers=self.slow_consumers,
            missed=self.missed,
        )
