"""Times as a NATS server writes them."""

from datetime import UTC, datetime

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86_400, 365 * 86_400


def uptime(seconds: float) -> str:
    """Return a time in whole units from years to seconds, as in `1h0m5s`; less than 0 is 0."""
    whole = max(0, int(seconds))
    parts = (
        (whole // _YEAR, "y"),
        (whole % _YEAR // _DAY, "d"),
        (whole % _DAY // _HOUR, "h"),
        (whole % _HOUR // _MINUTE, "m"),
        (whole % _MINUTE, "s"),
    )
    first = next((at for at, (count, _) in enumerate(parts) if count), len(parts) - 1)
    return "".join(f"{count}{unit}" for count, unit in parts[first:])


def duration(seconds: float) -> str:
    """Return a short time as Go writes it, to the microsecond: `368µs`, `1.5ms`, `2s`."""
    microseconds = round(seconds * 1e6)
    if microseconds < 1000:  # noqa: PLR2004 (a millisecond)
        return f"{microseconds}µs" if microseconds else "0s"
    if microseconds < 1_000_000:  # noqa: PLR2004 (a second)
        return f"{microseconds / 1000:.3f}".rstrip("0").rstrip(".") + "ms"
    return f"{microseconds / 1e6:.6f}".rstrip("0").rstrip(".") + "s"


def instant(seconds: float) -> str:
    """Return a time since 1970 as RFC 3339 has it, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def nanoseconds(seconds: float) -> int:
    """Return a time as a number of Go's."""
    return round(seconds * 1_000_000_000)
