"""A subscription, and what stands at one pattern: nobody, one subscription, or several.

Rule: what nearly all patterns have, one subscription, costs nothing but itself.
"""

from collections.abc import Callable, Iterable
from typing import Generic, TypeAlias, TypeVar

from attrs import Factory, define

from netkit.services.pubsub.messages import Published

To = TypeVar("To")
Form: TypeAlias = Callable[[Published], bytes]
"""How a run is written for a subscription; equal forms share what was written once."""


@define(eq=False, weakref_slot=False)
class Subscription(Generic[To]):
    """`to` wants what is published to `pattern`, written in `form`.

    Of the subscriptions with the same `queue` (empty for none) one gets each message. `bars` says of
    a subject that matches whether `to` must not have it. `left` is the number of messages until the
    subscription ends, or None; whoever sets it tells `Interest.changed`.
    """

    pattern: bytes
    form: Form
    to: To
    queue: bytes = b""
    bars: Callable[[bytes], bool] | None = None
    left: int | None = None


@define(eq=False, weakref_slot=False)
class Several(Generic[To]):
    """The subscriptions to one pattern by their queues, in the order in which they came."""

    by_queue: dict[bytes, dict[Subscription[To], None]] = Factory(dict)

    def insert(self, subscription: Subscription[To]) -> bool:
        """Add one; return whether it is the first of its queue."""
        there = self.by_queue.setdefault(subscription.queue, {})
        there[subscription] = None
        return len(there) == 1

    def remove(self, subscription: Subscription[To]) -> bool:
        """Remove one; return whether it was the last of its queue."""
        there = self.by_queue[subscription.queue]
        del there[subscription]
        if not there:
            del self.by_queue[subscription.queue]
        return not there


Place: TypeAlias = Subscription[To] | Several[To]


def with_one(place: Place[To] | None, subscription: Subscription[To]) -> tuple[Place[To], bool]:
    """Return the place with `subscription` there too, and whether it is the first of its queue."""
    if place is None:
        return subscription, True
    if isinstance(place, Subscription):
        several: Several[To] = Several()
        several.insert(place)
        place = several
    return place, place.insert(subscription)


def without_one(
    place: Place[To] | None, subscription: Subscription[To]
) -> tuple[Place[To] | None, bool]:
    """Return the place without `subscription`, and whether it was the last of its queue.

    KeyError: it is not there.
    """
    if place is subscription:
        return None, True
    if not isinstance(place, Several):
        raise KeyError(subscription)
    last = place.remove(subscription)
    return (place if place.by_queue else None), last


def everyone(place: Place[To]) -> Iterable[Subscription[To]]:
    """Return the subscriptions at a place."""
    if isinstance(place, Subscription):
        return (place,)
    return [one for there in place.by_queue.values() for one in there]


def members(place: Place[To] | None, queue: bytes) -> Iterable[Subscription[To]]:
    """Return the subscriptions at a place that have this queue."""
    if isinstance(place, Several):
        return place.by_queue.get(queue, ())
    return (place,) if place is not None and place.queue == queue else ()


def queues(place: Place[To]) -> Iterable[tuple[bytes, bytes]]:
    """Return the pattern of a place with each queue there is."""
    if isinstance(place, Subscription):
        return ((place.pattern, place.queue),)
    return [(next(iter(there)).pattern, queue) for queue, there in place.by_queue.items()]
