"""What a pub/sub service has done so far, and each of its connections, in figures."""

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
    stale_connections: int
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
    stale_connections: int = 0
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
            stale_connections=self.stale_connections,
            missed=self.missed,
        )


@define(slots=True, eq=False)
class Tally:
    """What one connection has said and got; `since` and `last` are when it came and did so, in seconds.

    Sizes are those of payloads. What went to it is added by the broker, and later (see
    `Broker.add_up`).
    """

    since: float = 0.0
    last: float = 0.0
    in_messages: int = 0
    in_bytes: int = 0
    out_messages: int = 0
    out_bytes: int = 0

    def came(self, messages: int, size: int, now: float) -> None:
        """Count messages that the connection has published, and the bytes of them all."""
        self.in_messages += messages
        self.in_bytes += size
        self.last = now

    def went(self, messages: int, size: int, at: float) -> None:
        """Count messages that were for the connection, and the bytes of them all."""
        self.out_messages += messages
        self.out_bytes += size
        self.last = max(self.last, at)
