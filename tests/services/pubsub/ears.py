"""Receivers that keep what they get."""

from attrs import Factory, define

from netkit.services.pubsub.counters import Tally
from netkit.services.pubsub.gathering import Receiver
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.policies import Policy
from netkit.services.pubsub.subscriptions import Subscription


@define(eq=False)
class Ear:
    """A receiver that keeps what it gets."""

    pieces: list[bytes] = Factory(list)
    heard: list[bytes] = Factory(list)
    over: list[Subscription[Receiver]] = Factory(list)

    behind: bool = False
    spared: list[tuple[bytes, Policy]] = Factory(list)
    tally: Tally = Factory(Tally)

    def deliver_spare(self, piece: bytes, run: Published, policy: Policy) -> None:
        """Keep."""
        self.spared.append((piece, policy))

    def deliver(self, piece: bytes) -> None:
        """Keep."""
        self.heard.append(piece)

    def ended(self, subscription: Subscription[Receiver]) -> None:
        """Keep."""
        self.over.append(subscription)
