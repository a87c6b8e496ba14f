"""What is measured: one module a family of works, one declaration a work."""

from collections.abc import Collection, Mapping

from benchmarks.work import Work
from benchmarks.works import connections, echo, idle, proxy, pubsub, site, tls, tunnel

FAMILIES: Mapping[str, tuple[Work, ...]] = {
    "echo": echo.WORKS,
    "connections": connections.WORKS,
    "idle": idle.WORKS,
    "tls": tls.WORKS,
    "tunnel": tunnel.WORKS,
    "pubsub": pubsub.WORKS,
    "site": site.WORKS,
    "proxy": proxy.WORKS,
}


def chosen(families: Collection[str], *, everything: bool) -> list[Work]:
    """Return the works of `families`, or of all where it is empty, in the table's order.

    Those in which netkit has no part yet are among them only where `everything` is wanted.
    """
    return [
        work
        for family, works in FAMILIES.items()
        for work in works
        if (family in families or not families) and (everything or work.netkit)
    ]
