"""How often each of many peers may do what costs us something.

Pure: the time is an argument. Rule: however many peers there are, no more than `most` are remembered,
and those that were heard of longest ago are forgotten first.
"""

from attrs import Factory, define


@define
class Allowance:
    """Each peer may do something `burst` times at once, and then `per_second` times a second."""

    burst: float
    per_second: float
    most: int = 10_000
    _spent: dict[str, tuple[float, float]] = Factory(dict)

    def take(self, who: str, now: float) -> bool:
        """Count one time more for `who`, at `now` in seconds; False where that is one too many."""
        spent = self._level(who, now)
        if spent + 1 > self.burst:
            return False
        self._note(who, spent + 1, now)
        return True

    def give_back(self, who: str, now: float) -> None:
        """Count one time less for `who`."""
        self._note(who, self._level(who, now) - 1, now)

    def _level(self, who: str, now: float) -> float:
        spent, at = self._spent.get(who, (0.0, now))
        return max(0.0, spent - (now - at) * self.per_second)

    def _note(self, who: str, spent: float, now: float) -> None:
        self._spent.pop(who, None)
        if spent > 0:
            self._spent[who] = (spent, now)
        if len(self._spent) > self.most:
            del self._spent[next(iter(self._spent))]
