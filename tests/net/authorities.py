"""Certificates and PEM files for tests: all issued by what the test made, none older than the test."""

from datetime import UTC, datetime, timedelta
from typing import Any

from netkit.net.certificates import Found, PemFile, find
from netkit.net.identities import Identities
from netkit.tools.certificate import Issued, issue

NOW = datetime(2027, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def issued(*names: str, days: int = 30, since: int = 1, **more: Any) -> Issued:
    """Return a certificate for `names`, valid since so many days and for so many days more."""
    return issue(names, NOW - since * DAY, NOW + days * DAY, **more)


def authority(subject: str = "Root", **more: Any) -> Issued:
    """Return what can issue others; self-signed, if no `issuer` is given."""
    return issued(subject=subject, authority=True, **more)


def pem(name: str, *parts: bytes) -> PemFile:
    """Return the file `name` that holds `parts`."""
    return PemFile(name, b"".join(parts))


def found(*files: PemFile) -> Found:
    """Return what is in `files` at the time of the tests."""
    return find(files, NOW)


def identities(*pairs: Issued) -> Identities:
    """Return the identities of `pairs`, each in a file of its own."""
    files = [pem(f"{number:03}.pem", pair.pem) for number, pair in enumerate(pairs)]
    return found(*files).identities
