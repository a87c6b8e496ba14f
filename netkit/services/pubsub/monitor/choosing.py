"""Which connections are shown, and in which order. Pure.

Rule: of the thousands that are not shown nothing is asked but what they are sorted by.
"""

from collections.abc import Callable, Iterable, Mapping
from heapq import nsmallest
from typing import TypeAlias

from netkit.services.pubsub.connected import Connected
from netkit.services.pubsub.monitor.asked import Asked, Sort

_Key: TypeAlias = Callable[[Connected], float]

_KEYS: Mapping[Sort, _Key] = {
    Sort.CID: lambda one: one.number,
    Sort.START: lambda one: one.tally.since,
    Sort.SUBSCRIPTIONS: lambda one: -len(one.wanted),
    Sort.PENDING: lambda one: -one.pending,
    Sort.MESSAGES_TO: lambda one: -one.tally.out_messages,
    Sort.MESSAGES_FROM: lambda one: -one.tally.in_messages,
    Sort.BYTES_TO: lambda one: -one.tally.out_bytes,
    Sort.BYTES_FROM: lambda one: -one.tally.in_bytes,
    Sort.LAST: lambda one: -one.tally.last,
    Sort.IDLE: lambda one: one.tally.last,
    Sort.UPTIME: lambda one: one.tally.since,
    Sort.ROUND_TRIP: lambda one: -(one.round_trip or 0.0),
}


def chosen(connected: Iterable[Connected], asked: Asked) -> list[Connected]:
    """Return those that are asked for, in their order."""
    if asked.cid:
        return [one for one in connected if one.number == asked.cid][asked.offset :]
    key = _KEYS[asked.sort]
    # In all `offset + limit`: that many, and no more than there are, have to be in order.
    return nsmallest(asked.offset + asked.limit, connected, key)[asked.offset :]
