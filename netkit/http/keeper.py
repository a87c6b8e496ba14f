"""What a connection to a server expects of whoever keeps it."""

from typing import Any, Protocol

from twisted.internet.interfaces import IReactorTime

from netkit.http.answerheads import KnownHeads
from netkit.http.asked import Asked
from netkit.http.clientlimits import ClientLimits


class Keeper(Protocol):
    """Whose connections they are; `connection` is always the one that calls."""

    limits: ClientLimits
    clock: IReactorTime
    heads: KnownHeads

    def rest(self, connection: Any) -> None:  # noqa: ANN401 (a keeper knows the class, and this no client)
        """Note that `connection` has nothing to do, and can be asked."""

    def leave(self, connection: Any) -> None:  # noqa: ANN401 (as above)
        """Note that `connection` can be asked no more; this comes once."""

    def lose(self, connection: Any) -> None:  # noqa: ANN401 (as above)
        """Note that `connection` is over."""

    def fail(self, connection: Any, asked: Asked, error: BaseException, *, unheard: bool) -> None:  # noqa: ANN401 (as above)
        """Say that there is no answer; `unheard`: `connection`, used before, was lost silently."""
