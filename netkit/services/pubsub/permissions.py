"""What a user may publish and subscribe to: patterns that are allowed, and others that are denied.

Deny is stronger than allow. Rule: a pattern that is subscribed to must be covered by one that is
allowed as a whole; what is denied below it is held back message by message (`bar`).
"""

import re
from collections.abc import Callable

from attrs import evolve, field, frozen

from netkit.services.pubsub.subjects import covers, overlap

OWN = (b"_MISSED", b"_MISSED.>")
"""What the service alone publishes: how many messages a slow client went without."""

REMEMBERED = 1024
_SHORT = 256
_WILD = re.compile(rb"(?<![^.])[*>](?=\.|\Z)|\Z")


def is_own(subject: bytes) -> bool:
    """Return whether `subject` is one that the service alone publishes to."""
    return subject.startswith(OWN[0]) and any(covers(pattern, subject) for pattern in OWN)


@frozen
class Rules:
    """Patterns; `allow` is None where everything is allowed that is not denied.

    What `also` does not permit, other rules of the same kind, is not permitted either.
    """

    allow: tuple[bytes, ...] | None = None
    deny: tuple[bytes, ...] = ()
    also: "Rules | None" = None
    _known: dict[bytes, bool] = field(factory=dict, init=False, eq=False, repr=False)
    _suspects: tuple[bytes, ...] = field(init=False, eq=False, repr=False)

    @_suspects.default
    def _beginnings(self) -> tuple[bytes, ...]:
        """Return what stands before the wildcards of what is denied: all else needs no look."""
        return tuple(_WILD.split(pattern, maxsplit=1)[0] for pattern in self.deny)

    def permit(self, wanted: bytes) -> bool:
        """Return whether `wanted`, a subject or a pattern, is allowed."""
        if self.allow is None and self.also is None and not wanted.startswith(self._suspects):
            return True
        known = self._known.get(wanted)
        if known is None:
            known = self._permit(wanted)
            self._remember(wanted, known=known)
        return known

    def bar(self, pattern: bytes) -> Callable[[bytes], bool] | None:
        """Return what says of each subject whether it is denied, or None where none can be."""
        own = any(overlap(denied, pattern) for denied in self.deny)
        further = self.also.bar(pattern) if self.also is not None else None
        return self._denied if own or further is not None else None

    def _permit(self, wanted: bytes) -> bool:
        allowed = self.allow is None or any(covers(pattern, wanted) for pattern in self.allow)
        if not allowed or any(covers(pattern, wanted) for pattern in self.deny):
            return False
        return self.also is None or self.also.permit(wanted)

    def _denied(self, subject: bytes) -> bool:
        if any(covers(pattern, subject) for pattern in self.deny):
            return True
        return self.also is not None and self.also._denied(subject)  # noqa: SLF001 (of its kind)

    def _remember(self, wanted: bytes, *, known: bool) -> None:
        if len(wanted) > _SHORT:
            return
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[wanted] = known


@frozen
class Permissions:
    """What one user may do; without arguments everything."""

    publish: Rules = Rules()
    subscribe: Rules = Rules()

    def besides(self, own: tuple[bytes, ...]) -> "Permissions":
        """Return what these permit, but for publishing to `own`."""
        return evolve(self, publish=evolve(self.publish, deny=(*self.publish.deny, *own)))

    def within(self, others: "Permissions") -> "Permissions":
        """Return what both these and `others` permit."""
        return Permissions(
            evolve(others.publish, also=self.publish), evolve(others.subscribe, also=self.subscribe)
        )
