"""Who gets what.

What one read of one client said is handed out at once: each form in which it is wanted is written
once, and that one piece of bytes is shared by every subscriber who wants it so. Rule: this file
knows no transport, no clock and no protocol; a protocol brings its form along.
"""

from collections.abc import Callable
from typing import Protocol, TypeAlias

from attrs import Factory, define, frozen


@frozen
class Said:
    """The lines, without their ends, that one read brought from `source`."""

    source: str
    lines: tuple[bytes, ...]


Form: TypeAlias = Callable[[Said], bytes]


class Subscriber(Protocol):
    """Where pieces go."""

    def deliver(self, piece: bytes) -> None:
        """Take `piece`, which others share; never block, never raise, never publish."""

    def close(self) -> None:
        """End, once what has been delivered is sent: nothing more will come."""


@define
class Hub:
    """The subscribers, in the order in which they joined, by the form they want."""

    _by_form: dict[Form, dict[Subscriber, None]] = Factory(dict)

    def __len__(self) -> int:
        """Return the number of subscribers."""
        return sum(map(len, self._by_form.values()))

    def join(self, subscriber: Subscriber, form: Form) -> None:
        """Deliver what is said from now on to `subscriber`, written by `form`."""
        self._by_form.setdefault(form, {})[subscriber] = None

    def leave(self, subscriber: Subscriber, form: Form) -> None:
        """Deliver nothing more to `subscriber` by `form`; it need not have joined."""
        subscribers = self._by_form.get(form, {})
        subscribers.pop(subscriber, None)
        if not subscribers:
            self._by_form.pop(form, None)

    def publish(self, said: Said) -> None:
        """Deliver `said` to everyone, whoever said it included."""
        for form, subscribers in tuple(self._by_form.items()):
            piece = form(said)
            for subscriber in tuple(subscribers):  # a slow one may leave meanwhile
                subscriber.deliver(piece)

    def close(self) -> None:
        """Let every subscriber go."""
        everyone = [one for subscribers in self._by_form.values() for one in subscribers]
        self._by_form.clear()
        for subscriber in everyone:
            subscriber.close()
