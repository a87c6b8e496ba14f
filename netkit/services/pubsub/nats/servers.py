"""Servers of NATS: how they are written, in which order they are tried, and when.

Rule: what stands in a URL for logging in is in no repr, no text and no complaint.
"""

from collections.abc import Callable, Iterable
from urllib.parse import SplitResult, unquote, urlsplit

from attrs import evolve, field, frozen

from netkit.net.addresses import host, literal

PORT = 4222
MOST_DISCOVERED = 64
"""The most servers that a cluster may tell of."""

JITTER = 0.1  # seconds; nodes that lose one server together do not come to the next one together

_SCHEMES = ("nats", "tls")
_LONGEST = 2048  # characters of a URL
_EXAMPLE = 'as in "nats://10.0.0.2:4222"'
_ROUNDS = 32  # enough to double a second past a year


@frozen
class Server:
    """One server. With `tls` it must speak TLS, and prove to be `name`; without, it may ask for it."""

    host: str
    port: int = PORT
    tls: bool = False
    name: str = ""
    user: str = field(default="", repr=False)
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse(text: str) -> Server:
    """Return the server that the URL `text` names.

    `nats://[user:password@|token@]host[:port]`; `tls` in the place of `nats` for TLS. Raise ValueError
    with what is wrong and what would be right.
    """
    parts = _split(text)
    found = str(host(parts.hostname or ""))
    login = (parts.username or "", parts.password)
    user, password = (unquote(each or "") for each in login)
    by_token = login[1] is None
    return Server(
        found,
        PORT if parts.port is None else parts.port,
        tls=parts.scheme == "tls",
        name=found,
        user="" if by_token else user,
        password=password,
        token=user if by_token else "",
    )


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text) if len(text) <= _LONGEST else urlsplit("")
        wrong = parts.scheme not in _SCHEMES or not parts.hostname or parts.port == 0
    except ValueError:
        wrong = True
    if wrong or parts.path.strip("/") or parts.query or parts.fragment or not text.isprintable():
        raise ValueError(f"a server is not written as it should be; {_EXAMPLE}")
    return parts


def discovered(by: Server, urls: Iterable[str]) -> tuple[Server, ...]:
    """Return the servers that `by` tells of (`connect_urls`), with its login and its terms.

    What is no address with a port is passed over. An address must prove to be whom `by` was.
    """
    found: dict[tuple[str, int], Server] = {}
    for url in urls:
        try:
            there = parse(f"nats://{url}")
        except ValueError:
            continue
        name = by.name if literal(there.host) is not None else there.host
        found[there.host, there.port] = evolve(by, host=there.host, port=there.port, name=name)
        if len(found) >= MOST_DISCOVERED:
            break
    return tuple(found.values())


class Roster:
    """The servers in turn: those of the operator, and those that the cluster tells of.

    `start(n)` says which of n is the first: not every client asks the same server.
    """

    def __init__(self, servers: tuple[Server, ...], start: Callable[[int], int]) -> None:
        self._own = servers
        self._told: tuple[Server, ...] = ()
        self._turn = start(len(servers))

    def __len__(self) -> int:
        """Return the number of servers."""
        return len(self._own) + len(self._told)

    def next(self) -> Server:
        """Return the server whose turn it is."""
        servers = self._own + self._told
        self._turn = (self._turn + 1) % len(servers)
        return servers[self._turn]

    def learn(self, by: Server, urls: Iterable[str]) -> None:
        """Take the servers that `by` tells of for all there are besides the operator's."""
        own = {(each.host, each.port) for each in self._own}
        told = discovered(by, urls)
        self._told = tuple(each for each in told if (each.host, each.port) not in own)


def wait(failures: int, servers: int, first: float, most: float, chance: float) -> float:
    """Return the seconds before the next attempt, after so many failures without a success.

    Each server is tried once without a wait; then it is `first`, doubled each round up to `most`.
    `chance`, from 0 to 1, makes it shorter by up to a half.
    """
    rounds = min(failures // max(servers, 1), _ROUNDS)
    if not rounds:
        return JITTER * chance
    return float(min(most, first * 2.0 ** (rounds - 1)) * (1 - chance / 2))
