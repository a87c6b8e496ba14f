"""What a fabric has done so far, in figures."""

from attrs import define, frozen


@frozen(kw_only=True)
class FabricFigures:
    """A fabric at one moment; `in` is from the cluster, `out` to it, sizes are those of payloads.

    `server` is whom the node is connected to, or empty while it is cut off; `links` is how often it
    has come to a connection. Messages that did not go to the cluster are `dropped` for want of room or
    by `when_cut_off`, `kept` because a queue group here took them while the node was cut off, or
    `too_long` for the server. `strays` came for what is not wanted any more.
    """

    server: str
    links: int
    subscriptions: int
    in_messages: int
    in_bytes: int
    out_messages: int
    out_bytes: int
    pending_messages: int
    pending_bytes: int
    dropped: int
    kept: int
    too_long: int
    strays: int


@define(slots=True, eq=False)
class FabricCounters:
    """What is counted as it happens."""

    links: int = 0
    in_messages: int = 0
    in_bytes: int = 0
    out_messages: int = 0
    out_bytes: int = 0
    dropped: int = 0
    kept: int = 0
    too_long: int = 0
    strays: int = 0
