"""How many sockets this process may have open at once."""

import resource

SPARE = 40
"""So many descriptors are left for everything else: the reactor, files, what a resolver opens."""


def allowance(wanted: int) -> int:
    """Return `wanted`, or as many sockets as the limit on descriptors leaves, one at least.

    The soft limit is raised where it is in the way and the hard one allows it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + SPARE
    if soft != resource.RLIM_INFINITY and soft < needed:
        soft = _raised(soft, hard, needed)
    return wanted if soft == resource.RLIM_INFINITY else max(1, min(wanted, soft - SPARE))


def _raised(soft: int, hard: int, needed: int) -> int:
    aim = needed if hard == resource.RLIM_INFINITY else min(needed, hard)
    if aim <= soft:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (aim, hard))
    except (OSError, ValueError):
        return soft
    return aim
