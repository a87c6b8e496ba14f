"""Who gets what.

What one read of one client says is routed run by run: each form in which a run is wanted is written
once, and that one piece of bytes is shared by everybody who wants it so. Rule: this file knows no
transport, no clock and no protocol, and what a receiver gets is in the order of publishing.
"""

from collections.abc import Callable
from typing import Protocol

from netkit.services.pubsub.counters import Counters
from netkit.services.pubsub.gathering import Gathered, Receiver
from netkit.services.pubsub.interest import Group, Interest, Matched
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.policies import Policies, Policy
from netkit.services.pubsub.subscriptions import Form, Subscription


class Publisher(Protocol):
    """Whose messages come as fast as they are read. Hashable by identity."""

    def hold(self) -> None:
        """Say nothing more until `release`."""

    def release(self) -> None:
        """Go on."""


class Elsewhere(Protocol):
    """Where else what is published here is wanted: the servers of a fabric."""

    @property
    def full(self) -> bool:
        """Whether it does not keep up, and more waits for it than is good."""

    def hold(self, publisher: Publisher) -> None:
        """Hold `publisher` until there is room."""

    def forget(self, publisher: Publisher) -> None:
        """Have nothing to do with `publisher` any more, held or not: it has left."""

    def publish(self, run: Published, matched: Matched[Receiver], besides: Receiver | None) -> bool:
        """Route `run` to those that `matched` here, and to elsewhere; return whether it is heard."""


class Broker:
    """Routes messages. `start(n)` says which of n members of a queue group is the first in turn.

    `policies` say what receivers that are behind may go without. Each of the `witnesses` is called
    with every run before it is routed; it is nobody who has heard it. Forms that depend on what the
    witnesses make of a run are `numbered`. `now` is told by whoever publishes: the time of this read,
    in seconds.
    """

    def __init__(
        self, start: Callable[[int], int] = lambda _: 0, policies: Policies | None = None
    ) -> None:
        self.interest: Interest[Receiver] = Interest(start)
        self.interest.forgotten = _add_up
        self.counters = Counters()
        self.now = 0.0
        self.witnesses: list[Callable[[Published], None]] = []
        self.numbered: set[Form] = set()
        self.elsewhere: Elsewhere | None = None
        self._policies = policies or None
        self._gathered = Gathered()

    def publish(self, run: Published, besides: Receiver | None = None) -> bool:
        """Route `run` to all who want it but `besides`; return whether there is anybody.

        The receivers get it at the next `settle`.
        """
        self._gathered.relieve()
        payloads = run.payloads
        messages = len(payloads)
        self.counters.came(messages, len(payloads[0]) if messages == 1 else sum(map(len, payloads)))
        for witness in self.witnesses:
            witness(run)
        matched = self.interest.match(run.subject)
        if self.elsewhere is not None:
            return self.elsewhere.publish(run, matched, besides)
        return bool(matched) and self.route(run, matched, besides)

    def tell(self, run: Published) -> None:
        """Call the witnesses with `run`, and route it to those alone whose forms are numbered."""
        for witness in self.witnesses:
            witness(run)
        if self.numbered:
            self.to_everyone(run, self.interest.match(run.subject).only(self.numbered))

    def route(
        self, run: Published, matched: Matched[Receiver], besides: Receiver | None = None
    ) -> bool:
        """Give `run` to all that `matched`, groups included; return whether anybody gets it."""
        heard = self.to_everyone(run, matched, besides)
        return self.to_groups(run, matched, besides) or heard

    def to_groups(
        self, run: Published, matched: Matched[Receiver], besides: Receiver | None = None
    ) -> bool:
        """Give each message to one member of each group; return whether any gets it."""
        heard = False
        for group in matched.groups:
            heard = self._share(group, run, besides) or heard
        return heard

    def to_everyone(
        self, run: Published, matched: Matched[Receiver], besides: Receiver | None = None
    ) -> bool:
        """Give `run` to all who are in no group; return whether anybody gets it."""
        receivers_in_all = without = messages = size = 0
        if matched.by_form:
            payloads = run.payloads
            messages = len(payloads)
            size = len(payloads[0]) if messages == 1 else sum(map(len, payloads))
            # Before anybody gets any: whoever is let go for that may have what matched forgotten.
            matched.messages += messages
            matched.size += size
            matched.last = self.now
        for form, receivers in matched.by_form:
            if besides is not None and besides in receivers:
                without += receivers.count(besides)
                receivers = tuple(each for each in receivers if each is not besides)  # noqa: PLW2901
            if receivers:
                self._spread(form(run), run, receivers)
                receivers_in_all += len(receivers)
        if receivers_in_all:
            self.counters.went(messages * receivers_in_all, size * receivers_in_all)
        if without and besides is not None:  # who is counted among the others, and gets nothing
            besides.tally.went(-messages * without, -size * without, 0.0)
        heard = receivers_in_all > 0
        for one in matched.counted:
            if one.to is not besides:
                heard = self._last_ones(one, run) or heard
        return heard

    def said(self, publisher: Publisher) -> None:
        """Hand out what `publisher` has said in one read, and let it wait where others must catch up."""
        self.settle()
        if self.elsewhere is not None and self.elsewhere.full:
            self.elsewhere.hold(publisher)

    def forget(self, publisher: Publisher) -> None:
        """Release `publisher` no more, if it was to be: it has left."""
        if self.elsewhere is not None:
            self.elsewhere.forget(publisher)

    def answer(self, run: Published, to: Receiver) -> bool:
        """Route `run` to one subscription of `to` alone; return whether it has one.

        For what the broker itself has to say to a client; it does not count.
        """
        matched = self.interest.match(run.subject)
        forms = [form for form, receivers in matched.by_form if to in receivers]
        forms += [one.form for one in matched.counted if one.to is to]
        if forms:
            self.give(forms[0](run), to)
        return bool(forms)

    def give(self, piece: bytes, to: Receiver) -> None:
        """Put `piece` behind what has come for `to` in this read."""
        self._gathered.add(piece, (to,))

    def relieve(self) -> None:
        """Hand out what has gathered, if that is much; not while a run is being routed."""
        self._gathered.relieve()

    def settle(self) -> None:
        """Hand out all pieces, to each receiver at once."""
        self._gathered.settle()

    def add_up(self) -> None:
        """Have on each receiver's tally all that has gone to it."""
        for matched in self.interest.matched():
            _add_up(matched)

    def _spread(self, piece: bytes, run: Published, receivers: tuple[Receiver, ...]) -> None:
        if self._policies is not None:
            policy = self._policies.of(run.subject)
            if policy is not Policy.DISCONNECT:
                receivers = self._spare(piece, run, receivers, policy)
        self._gathered.add(piece, receivers)

    def _spare(
        self, piece: bytes, run: Published, receivers: tuple[Receiver, ...], policy: Policy
    ) -> tuple[Receiver, ...]:
        """Deliver `piece` to those who are behind, who may go without; return the others."""
        behind = [to for to in receivers if to.behind]
        for to in behind:
            self._gathered.hand_out(to)
            to.deliver_spare(piece, run, policy)
        return tuple(to for to in receivers if not to.behind) if behind else receivers

    def _one(self, subscription: Subscription[Receiver], run: Published) -> None:
        self._spread(subscription.form(run), run, (subscription.to,))
        messages, size = len(run.payloads), sum(map(len, run.payloads))
        self.counters.went(messages, size)
        subscription.to.tally.went(messages, size, self.now)

    def _last_ones(self, one: Subscription[Receiver], run: Published) -> bool:
        """Give a subscription as many messages as it is for; return whether it was for any."""
        left = one.left or 0
        if left <= 0:
            return False
        if left < len(run.payloads):
            run = run.part(slice(left))
        one.left = left - len(run.payloads)
        self._one(one, run)
        if not one.left:
            self._end(one)
        return True

    def _share(self, group: Group[Receiver], run: Published, besides: Receiver | None) -> bool:
        """Give each message to one member of a group; return whether there was one for any."""
        if any(member.left is not None for member in group.members):
            parts = [run.part(slice(index, index + 1)) for index in range(len(run.payloads))]
            return any([self._next(group, part, besides) for part in parts])  # noqa: C419 (every part)
        shares = group.shares(len(run.payloads), besides)
        for member, which in shares:
            self._one(member, run if len(run.payloads) == 1 else run.part(which))
        return bool(shares)

    def _next(self, group: Group[Receiver], run: Published, besides: Receiver | None) -> bool:
        """Give one message to the next member of a group whose subscription has not ended."""
        for _ in group.members:
            for member, _which in group.shares(1, besides):
                if member.left is None:
                    self._one(member, run)
                    return True
                if self._last_ones(member, run):
                    return True
        return False

    def _end(self, subscription: Subscription[Receiver]) -> None:
        self.interest.remove(subscription)
        subscription.to.ended(subscription)


def _add_up(matched: Matched[Receiver]) -> None:
    messages, size, last = matched.messages, matched.size, matched.last
    if messages:
        matched.messages = matched.size = 0
        for _, receivers in matched.by_form:
            for to in receivers:
                to.tally.went(messages, size, last)
