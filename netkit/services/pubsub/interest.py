"""Who wants which subjects: subscriptions by their patterns, found by the subject of a message.

Patterns without a wildcard, nearly all there ever are, stand in one dict as they are; the others in
a tree of tokens. Every operation takes the tokens of one pattern or subject, whatever the number of
subscriptions, and none recurses.

What matched is remembered until it changes. Subscribing to a subject makes exactly that one be
forgotten; subscribing to a pattern with wildcards the remembered subjects that begin with the same
token, or all where the first token is a wildcard. Each is forgotten once for having been matched
once, so that a storm of subscriptions costs no more than the messages between them. Rule: what is
remembered is bounded by its weight, since a subject that thousands want weighs more.
"""

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from itertools import chain
from typing import Generic, Protocol

from attrs import define

from netkit.services.pubsub.subjects import is_wild
from netkit.services.pubsub.subscriptions import (
    Form,
    Place,
    Subscription,
    To,
    everyone,
    members,
    queues,
    with_one,
    without_one,
)
from netkit.services.pubsub.tree import Tree

WEIGHT = 500_000
"""What may be remembered: ENTRY for each subject and 1 for each of its receivers; some 10 MB."""
ENTRY = 50
_LONG = 256  # bytes; a longer subject is not remembered


@define(eq=False)
class Group(Generic[To]):
    """The subscriptions of one queue that match a subject; messages go round among them."""

    members: tuple[Subscription[To], ...]
    turn: int

    def shares(
        self, messages: int, besides: To | None = None
    ) -> list[tuple[Subscription[To], slice]]:
        """Return who gets which of so many messages; the next ones go to the next members.

        Nothing goes to `besides`: a client need not hear what it said itself.
        """
        members = self.members
        if besides is not None:
            members = tuple(member for member in members if member.to is not besides)
        count, turn = len(members), self.turn
        self.turn = (turn + messages) % len(self.members)
        return [
            (members[(turn + first) % count], slice(first, None, count))
            for first in range(min(messages, count))
        ]


@define(eq=False)
class Matched(Generic[To]):
    """Who gets the messages to one subject, ready to go round.

    `by_form` has the receivers that want every message, under the form they want. `counted` are the
    subscriptions that end after so many messages: each needs a look. `groups` get each message once.

    Each of the receivers of `by_form` has got `messages` of `size` bytes, the last at `last`, that are
    not on its own tally yet: what goes to thousands is counted once.
    """

    by_form: tuple[tuple[Form, tuple[To, ...]], ...] = ()
    counted: tuple[Subscription[To], ...] = ()
    groups: tuple[Group[To], ...] = ()
    messages: int = 0
    size: int = 0
    last: float = 0.0

    def __bool__(self) -> bool:
        """Return whether there is anybody."""
        return bool(self.by_form or self.counted or self.groups)

    def only(self, forms: AbstractSet[Form]) -> "Matched[To]":
        """Return the receivers that want every message in one of these forms."""
        return Matched(tuple(each for each in self.by_form if each[0] in forms))

    def besides(self, forms: AbstractSet[Form]) -> "Matched[To]":
        """Return all others; here there are those in groups too."""
        if not forms or not any(form in forms for form, _ in self.by_form):
            return self
        rest = tuple(each for each in self.by_form if each[0] not in forms)
        return Matched(rest, self.counted, self.groups)


class Watcher(Protocol):
    """Is told what is wanted at all, by however many."""

    def first(self, pattern: bytes, queue: bytes) -> None:
        """Note that somebody subscribes to `pattern` in `queue`, where nobody did."""

    def last(self, pattern: bytes, queue: bytes) -> None:
        """Note that nobody subscribes to `pattern` in `queue` any more."""


class Interest(Generic[To]):
    """The subscriptions. `start(n)` says which of n members of a group is the first in turn.

    `forgotten` is called with what has matched once it is given to nobody any more. `inserted` is how
    many subscriptions there have been.
    """

    def __init__(self, start: Callable[[int], int] = lambda _: 0, weight: int = WEIGHT) -> None:
        self._start = start
        self._plain: dict[bytes, Place[To]] = {}
        self._tree: Tree[To] = Tree()
        self._count = 0
        self._most = weight
        self._weight = 0
        self._matched: dict[bytes, Matched[To]] = {}
        self._weights: dict[bytes, dict[bytes, int]] = {}  # of the subjects, by their first tokens
        self._exact: dict[bytes, dict[bytes, Matched[To]]] = {}  # by pattern and queue
        self._nobody: Matched[To] = Matched()
        self._passing: Matched[To] = self._nobody  # the last that is not remembered
        self.inserted = 0
        self.watcher: Watcher | None = None
        self.forgotten: Callable[[Matched[To]], None] = _nothing

    def __len__(self) -> int:
        """Return the number of subscriptions."""
        return self._count

    @property
    def weight(self) -> int:
        """What is remembered now."""
        return self._weight

    def insert(self, subscription: Subscription[To]) -> bool:
        """Add a subscription that is not there yet; return whether no other has its pattern and queue."""
        pattern = subscription.pattern
        if is_wild(pattern):
            first = self._tree.insert(subscription)
        else:
            self._plain[pattern], first = with_one(self._plain.get(pattern), subscription)
        self._count += 1
        self.inserted += 1
        self.changed(pattern)
        if first and self.watcher is not None:
            self.watcher.first(pattern, subscription.queue)
        return first

    def remove(self, subscription: Subscription[To]) -> bool:
        """Remove a subscription; return whether no other has its pattern and queue.

        KeyError: it is not there.
        """
        pattern = subscription.pattern
        if is_wild(pattern):
            last = self._tree.remove(subscription)
        else:
            rest, last = without_one(self._plain.get(pattern), subscription)
            if rest is None:
                del self._plain[pattern]
        self._count -= 1
        self.changed(pattern)
        if last and self.watcher is not None:
            self.watcher.last(pattern, subscription.queue)
        return last

    def match(self, subject: bytes) -> Matched[To]:
        """Return who gets what is published to `subject`."""
        matched = self._matched.get(subject)
        return self._match(subject) if matched is None else matched

    def exactly(self, pattern: bytes, queue: bytes, subject: bytes) -> Matched[To]:
        """Return who gets what is published to `subject` of those alone that subscribe to `pattern`.

        It matches, and has come for the members of `queue`, or for those without one. What is remembered
        has each subscription once at most.
        """
        matched = self._exact.get(pattern, {}).get(queue)
        if matched is not None:
            return matched
        place = self._tree.at(pattern) if is_wild(pattern) else self._plain.get(pattern)
        there = tuple(members(place, queue))
        if any(one.bars is not None for one in there):
            return self._pass(self._sorted(one for one in there if not _bars(one, subject)))
        matched = self._sorted(there)
        if there:
            self._exact.setdefault(pattern, {})[queue] = matched
        return matched

    def matched(self) -> Iterator[Matched[To]]:
        """Yield all that has matched and is not `forgotten`."""
        exact = (there.values() for there in self._exact.values())
        return chain(self._matched.values(), (self._passing,), *exact)

    @property
    def remembered(self) -> int:
        """Of how many subjects it is remembered who gets what is published to them."""
        return len(self._matched)

    def wanted(self) -> Iterator[tuple[bytes, bytes]]:
        """Yield each pattern and queue for which there is a subscription, once."""
        return chain.from_iterable(map(queues, chain(self._plain.values(), self._tree.places())))

    def changed(self, pattern: bytes) -> None:
        """Forget what matches `pattern`: a subscription to it has come, changed or gone."""
        for exact in self._exact.pop(pattern, {}).values():
            self.forgotten(exact)
        if self._passing is not self._nobody:
            self._pass(self._nobody)
        if not self._matched:
            return
        first = pattern.partition(b".")[0]
        if not is_wild(pattern):
            self._forget(first, pattern)
        elif first in (b"*", b">"):
            self._forget_all()
        else:
            for subject in tuple(self._weights.get(first, ())):
                self._forget(first, subject)

    def _match(self, subject: bytes) -> Matched[To]:
        tokens = subject.split(b".")
        places = self._tree.matching(tokens)
        if subject in self._plain:
            places.append(self._plain[subject])
        wanted = [
            one for one in chain.from_iterable(map(everyone, places)) if not _bars(one, subject)
        ]
        matched = self._sorted(wanted) if wanted else self._nobody
        if len(subject) <= _LONG:
            self._remember(tokens[0], subject, matched, ENTRY + len(wanted))
            return matched
        return self._pass(matched)

    def _pass(self, matched: Matched[To]) -> Matched[To]:
        self.forgotten(self._passing)
        self._passing = matched
        return matched

    def _sorted(self, wanted: Iterable[Subscription[To]]) -> Matched[To]:
        forms: dict[Form, list[To]] = {}
        counted = []
        groups: dict[bytes, list[Subscription[To]]] = {}
        for one in wanted:
            if one.queue:
                groups.setdefault(one.queue, []).append(one)
            elif one.left is not None:
                counted.append(one)
            else:
                forms.setdefault(one.form, []).append(one.to)
        return Matched(
            tuple((form, tuple(receivers)) for form, receivers in forms.items()),
            tuple(counted),
            tuple(Group(tuple(members), self._start(len(members))) for members in groups.values()),
        )

    def _remember(self, first: bytes, subject: bytes, matched: Matched[To], weight: int) -> None:
        if self._weight + weight > self._most:
            self._forget_all()
        self._weight += weight
        self._matched[subject] = matched
        self._weights.setdefault(first, {})[subject] = weight

    def _forget(self, first: bytes, subject: bytes) -> None:
        matched = self._matched.pop(subject, None)
        if matched is None:
            return
        self.forgotten(matched)
        weights = self._weights[first]
        self._weight -= weights.pop(subject)
        if not weights:
            del self._weights[first]

    def _forget_all(self) -> None:
        for matched in self._matched.values():
            self.forgotten(matched)
        self._matched.clear()
        self._weights.clear()
        self._weight = 0


def _nothing(_: object) -> None:
    """Do nothing."""


def _bars(subscription: Subscription[To], subject: bytes) -> bool:
    return subscription.bars is not None and subscription.bars(subject)
