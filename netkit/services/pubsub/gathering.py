"""Pieces on their way to their receivers, a read at a time.

Pieces gather with their receivers until `settle`, which hands each of them all of its pieces as one;
those who get the same pieces share what these become together. What comes for the same crowd several
times in a row is joined before it is spread. Rule: no more than PIECES gather, whatever one read says,
and each receiver gets its pieces in the order in which they were added.
"""

from typing import Protocol

from netkit.services.pubsub.counters import Tally
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.policies import Policy
from netkit.services.pubsub.subscriptions import Subscription

PIECES = 65_536
"""So many pieces may gather for all receivers together: more are handed out before the read is over."""

CROWD = 16
"""For so many receivers at least it pays to look whether the next piece is for the same ones."""


class Receiver(Protocol):
    """Where pieces go. Its `pieces` are those of this read, and not its own affair."""

    @property
    def pieces(self) -> list[bytes]:
        """What waits for `settle`; the same list all the time."""

    @property
    def behind(self) -> bool:
        """Whether it does not keep up."""

    @property
    def tally(self) -> Tally:
        """What has gone to it, and come from it; the same all the time."""

    def deliver(self, piece: bytes) -> None:
        """Take `piece`, which others share; never block, never raise, never publish."""

    def deliver_spare(self, piece: bytes, run: Published, policy: Policy) -> None:
        """Take `piece`, which is `run`, or leave it or others like it out where there is no room."""

    def ended(self, subscription: "Subscription[Receiver]") -> None:
        """Forget a subscription that has had as many messages as it was for."""


class Gathered:
    """The pieces of this read."""

    def __init__(self) -> None:
        self._waiting: list[Receiver] = []
        self._count = 0
        self._crowd: tuple[Receiver, ...] = ()
        self._for_crowd: list[bytes] = []  # newer than all that those have in their `pieces`

    def add(self, piece: bytes, receivers: tuple[Receiver, ...]) -> None:
        """Put `piece` behind what there is for the receivers."""
        if len(receivers) < CROWD:
            if self._for_crowd:
                self._disperse()
            self._append(piece, receivers)
            return
        if receivers is not self._crowd and receivers != self._crowd:
            if self._for_crowd:
                self._disperse()
            self._crowd = receivers
        self._for_crowd.append(piece)
        self._count += 1

    def hand_out(self, to: Receiver) -> None:
        """Hand out what there is for `to` alone."""
        if self._for_crowd:
            self._disperse()
        if to.pieces:
            before = b"".join(to.pieces)
            to.pieces.clear()
            to.deliver(before)

    def relieve(self) -> None:
        """Hand out what has gathered, if that is much; not while a run is being routed."""
        if self._count > PIECES:
            self.settle()

    def settle(self) -> None:
        """Hand out all pieces, to each receiver at once."""
        self._count = 0
        if self._for_crowd:
            if not self._waiting:
                self._hand_to_crowd()
                return
            self._disperse()
        waiting, self._waiting = self._waiting, []
        joined: dict[tuple[int, ...], tuple[tuple[bytes, ...], bytes]] = {}
        for to in waiting:
            pieces = to.pieces
            if len(pieces) == 1:
                piece = pieces[0]
            elif not pieces:  # it is behind, and has them already
                continue
            else:
                # By identity: the pieces that are kept beside the key stay who they are.
                key = tuple(map(id, pieces))
                if key not in joined:
                    joined[key] = tuple(pieces), b"".join(pieces)
                piece = joined[key][1]
            pieces.clear()
            to.deliver(piece)

    def _hand_to_crowd(self) -> None:
        """Hand out what has come for the crowd, where nothing has for anybody else."""
        piece, crowd = self._taken_from_crowd()
        for to in crowd:
            to.deliver(piece)

    def _disperse(self) -> None:
        """Put what has come for the crowd behind what there is for each of it."""
        self._append(*self._taken_from_crowd())

    def _taken_from_crowd(self) -> tuple[bytes, tuple[Receiver, ...]]:
        """Return as one piece what has come for the crowd, and who that is."""
        pieces, self._for_crowd = self._for_crowd, []
        crowd, self._crowd = self._crowd, ()
        return pieces[0] if len(pieces) == 1 else b"".join(pieces), crowd

    def _append(self, piece: bytes, receivers: tuple[Receiver, ...]) -> None:
        self._count += len(receivers)
        waiting = self._waiting
        for to in receivers:
            pieces = to.pieces
            if not pieces:
                waiting.append(to)
            pieces.append(piece)
