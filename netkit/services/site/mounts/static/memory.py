"""What is remembered of files: the latest used, within limits."""

from collections.abc import Callable
from typing import Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


def _weightless(_: object) -> int:
    return 0


class Memory(Generic[K, V]):
    """Holds at most `count` values that together weigh at most `weight`; the longest unused go."""

    def __init__(
        self, count: int, weight: int = 0, weigh: Callable[[V], int] = _weightless
    ) -> None:
        self._count = count
        self._weight = weight
        self._weigh = weigh
        self._held: dict[K, V] = {}
        self.weight = 0

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: K) -> V | None:
        """Return what is held for `key`, which counts as a use of it, or None."""
        value = self._held.pop(key, None)
        if value is not None:
            self._held[key] = value
        return value

    def put(self, key: K, value: V) -> None:
        """Hold `value`, unless it is too heavy by itself."""
        self._drop(key)
        if self._weigh(value) > self._weight:
            return
        self._held[key] = value
        self.weight += self._weigh(value)
        while len(self._held) > self._count or self.weight > self._weight:
            self._drop(next(iter(self._held)))

    def _drop(self, key: K) -> None:
        if key in self._held:
            self.weight -= self._weigh(self._held.pop(key))
