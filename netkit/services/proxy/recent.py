"""What was worked out lately, by the very thing that it was worked out from. Pure.

Whoever parses messages gives equal ones the same head, for a while; so the head itself is looked for
and never compared. Rule: what is remembered is bounded, and all forgotten when it is full.
"""

from typing import Generic, TypeVar

REMEMBERED = 1024
"""So many things are remembered,"""

REMEMBERED_BYTES = 4 * 1024
"""and no longer ones."""

Source = TypeVar("Source")
Value = TypeVar("Value")


class Recent(Generic[Source, Value]):
    """Values by the sources that they were worked out from."""

    __slots__ = ("_known",)

    def __init__(self) -> None:
        # A source that is kept keeps its number, too.
        self._known: dict[int, tuple[Source, Value]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def get(self, source: Source) -> Value | None:
        """Return what is remembered of `source`, or None."""
        known = self._known.get(id(source))
        return known[1] if known is not None else None

    def keep(self, source: Source, value: Value, size: int) -> None:
        """Remember `value`; source and value have about `size` bytes."""
        if size > REMEMBERED_BYTES:
            return
        if len(self._known) >= REMEMBERED:
            self._known.clear()
        self._known[id(source)] = source, value

    def forget(self) -> None:
        """Forget everything."""
        self._known.clear()
