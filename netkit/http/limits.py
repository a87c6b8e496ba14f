"""What one client may cost an HTTP server. Pure."""

from attrs import frozen

from netkit.document.values import Bytes, Count, Seconds, SecondsOrNever


@frozen
class Limits:
    """The table `http` of a service; times are in seconds, 0 stands for never where that is allowed.

    A header section has a longest target, a size, a number of fields, and a time from its first byte.
    `body_bytes` is the most that a request may bring with it. Whoever sends a body or takes an answer
    has `rate_window` seconds for every `rate_window * least_rate` bytes.
    """

    target_bytes: Bytes = 8 * 1024
    header_bytes: Bytes = 32 * 1024
    header_fields: Count = 100
    body_bytes: Bytes = 1024 * 1024
    header_timeout: Seconds = 30.0
    keep_alive_timeout: SecondsOrNever = 60.0
    least_rate: Count = 500
    rate_window: Seconds = 30.0


DEFAULTS = Limits()
