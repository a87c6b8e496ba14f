"""What a user may publish and subscribe to: patterns that are allowed, and others that are denied.

Deny is stronger than allow. Rule: a pattern that is subscribed to must be covered by one that is
allowed as a whole; what is denied below it is held back message by message (`bar`).
"""

from collections.abc import Callable

from attrs import evolve, field, frozen

from netkit.services.pubsub.subjects import covers, overlap

REMEMBERED = 1024
_SHORT = 256


@frozen
class Rules:
    """Patterns; `allow` is None where everything is allowed that is not denied.

    What `also` does not permit, other rules of the same kind, is not permitted either.
    """

    allow: tuple[bytes, ...] | None = None
    deny: tuple[bytes, ...] = ()
    also: "Rules | None" = None
    _known: dict[bytes, bool] = field(factory=dict, init=False, eq=False, repr=False)

    def permit(self, wanted: bytes) -> bool:
        """Return whether `wanted`, a subject or a pattern, is allowed."""
        if self.allow is None and not self.deny and self.also is None:
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

    def within(self, others: "Permissions") -> "Permissions":
        """Return what both these and `others` permit."""
        return Permissions(
            evolve(others.publish, also=self.publish), evolve(others.subscribe, also=self.subscribe)
        )
