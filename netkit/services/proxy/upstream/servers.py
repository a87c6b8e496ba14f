"""The servers behind one mount: who of them is asked next, and what becomes of them. Pure.

Rule: to choose among servers that are all well takes no look at a clock and at no more than them; who
may be chosen is worked out when a server's state changes.
"""

from collections.abc import Collection, Sequence
from typing import Generic, TypeVar

from attrs import frozen

from netkit.services.proxy.upstream.balancing import CHOICES, Policy, seed
from netkit.services.proxy.upstream.health import Health, State, Terms
from netkit.services.proxy.upstream.sticky import digest

FULL_SHARE = 1000
"""The share of a server with the weight 1."""

W = TypeVar("W")


class Server(Generic[W]):
    """One server; `way` leads to it, and `cookie` stands for it in a visitor's cookie."""

    __slots__ = (
        "active",
        "backup",
        "cookie",
        "credit",
        "health",
        "name",
        "on_trial",
        "seed",
        "share",
        "way",
        "weight",
    )

    def __init__(  # noqa: PLR0913 (all but three by keyword)
        self,
        name: str,
        way: W,
        terms: Terms,
        *,
        weight: int = 1,
        backup: bool = False,
        secret: str = "",
    ) -> None:
        self.name = name
        self.way = way
        self.health = Health(terms)
        self.weight = weight
        self.backup = backup
        self.cookie = digest(name, secret)
        self.seed = seed(name)
        self.share = weight * FULL_SHARE
        self.credit = 0
        self.active = 0
        self.on_trial = False

    @property
    def fit(self) -> bool:
        """Whether it may be asked."""
        state = self.health.state
        return state is State.UP or (state is State.TRYING and not self.on_trial)


@frozen
class Shown:
    """A server at one moment, for a page or a figure."""

    name: str
    state: State
    weight: int
    backup: bool
    active: int
    fails: int


class Servers(Generic[W]):
    """Servers and the policy by which one is chosen; a backup only where no other is fit."""

    def __init__(self, servers: Sequence[Server[W]], policy: Policy = Policy.ROUND_ROBIN) -> None:
        self.all = tuple(servers)
        self._choice = CHOICES[policy]
        self._by_cookie = {server.cookie: server for server in servers}
        self._renew()

    def choose(self, key: bytes = b"", but: Collection[Server[W]] = ()) -> Server[W] | None:
        """Return the server to ask, one more of whose requests is active by this; None: there is none.

        `key` is for the policy that wants one. None of `but` is chosen.
        """
        fit = self._fit
        if but:
            fit = _without(fit, but) or _without(self._backups, but)
        if len(fit) > 1:
            server: Server[W] = self._choice(fit, key)  # type: ignore[assignment] # one of `fit`
        elif fit:
            server = fit[0]
        else:
            return None
        return self._chosen(server)

    def others(self, but: Collection[Server[W]]) -> bool:
        """Return whether there is a server to ask that is none of `but`."""
        return bool(_without(self._fit, but) or _without(self._backups, but))

    def named(self, cookie: bytes) -> Server[W] | None:
        """Return the server that a visitor's cookie names, as `choose` does, where it may be asked."""
        server = self._by_cookie.get(cookie)
        return self._chosen(server) if server is not None and server in self._fit else None

    def _chosen(self, server: Server[W]) -> Server[W]:
        server.active += 1
        if server.health.state is State.TRYING:
            server.on_trial = True
            self._renew()
        return server

    def over(self, server: Server[W]) -> None:
        """Note that one of a server's requests is over, however it went."""
        server.active -= 1
        if server.on_trial:
            server.on_trial = False
            self._renew()

    def answered(self, server: Server[W], now: float) -> bool:
        """Note that a server has answered; return whether it is back by that."""
        server.on_trial = False
        return server.health.answered(now) and self._changed(now)

    def failed(self, server: Server[W], now: float) -> bool:
        """Note that a server has failed a request; return whether it is down by that.

        The last that is fit stays up: to ask it is better than to ask nobody.
        """
        last = not any(each.fit for each in self.all if each is not server)
        return server.health.failed(now, last=last) and self._changed(now)

    def checked(self, server: Server[W], now: float, *, well: bool) -> bool:
        """Note how a check of a server went; return whether it is down or back by that."""
        return server.health.checked(now, well=well) and self._changed(now)

    def look(self, now: float) -> None:
        """Go on with what time alone changes: servers to try, and growing shares."""
        changed = [server.health.look(now) for server in self.all]
        self._weigh(now)
        if any(changed):
            self._renew()

    def shown(self) -> tuple[Shown, ...]:
        """Return how the servers are at this moment."""
        return tuple(
            Shown(
                each.name,
                each.health.state,
                each.weight,
                each.backup,
                each.active,
                each.health.fails,
            )
            for each in self.all
        )

    def _changed(self, now: float) -> bool:
        self._weigh(now)
        self._renew()
        return True

    def _weigh(self, now: float) -> None:
        for server in self.all:
            server.share = max(int(server.weight * FULL_SHARE * server.health.share(now)), 1)

    def _renew(self) -> None:
        """Work out who is fit; those begin anew with their turns."""
        fit = [server for server in self.all if server.fit]
        for server in fit:
            server.credit = 0
        self._backups = tuple(server for server in fit if server.backup)
        self._fit = tuple(server for server in fit if not server.backup) or self._backups


def _without(servers: Sequence[Server[W]], but: Collection[Server[W]]) -> tuple[Server[W], ...]:
    return tuple(server for server in servers if server not in but)
