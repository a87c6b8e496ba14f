"""The certificate that servers of TLS are given: made anew each time, of no use anywhere else."""

from datetime import UTC, datetime, timedelta

from netkit.tools.certificate import issue

VALID = timedelta(days=1)


def self_signed() -> bytes:
    """Return a certificate for localhost and its key (EC, P-256) as one PEM file."""
    now = datetime.now(UTC)
    return issue(["localhost"], now - VALID, now + VALID).pem
