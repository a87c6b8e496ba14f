"""Which of several servers is asked. Pure.

Each policy is a function of the candidates, of which there is at least one, and of a key. Rule: the
candidates are fit to be asked; who is not, and why, is not known here.
"""

from collections.abc import Callable, Sequence
from enum import Enum
from hashlib import blake2b
from math import log
from typing import Protocol, TypeVar

_BITS = 64
_MASK = (1 << _BITS) - 1
_KEPT = 52  # of the bits, as many as a float between 0 and 1 tells apart


class Candidate(Protocol):
    """A server, as far as a choice depends on it.

    `weight` is the operator's, `share` what it comes to at the moment; both are above 0. `credit` is
    what the server has saved up by not being chosen, `active` how many requests it has, `seed` a
    number that is its own.
    """

    weight: int
    share: int
    credit: int
    active: int
    seed: int


One = TypeVar("One", bound=Candidate)


class Policy(Enum):
    """The key `policy`."""

    ROUND_ROBIN = "round-robin"
    LEAST_CONNECTIONS = "least-connections"
    HASH = "hash"


def in_turn(candidates: Sequence[One], key: bytes = b"") -> One:  # noqa: ARG001 (a choice's)
    """Return the next in turn, by shares: of any sum of shares in a row each has exactly its own.

    Those with large shares are spread among the others (nginx's smooth weighted round-robin).
    """
    chosen = candidates[0]
    total = 0
    for each in candidates:
        share = each.share
        total += share
        each.credit += share
        if each.credit > chosen.credit:
            chosen = each
    chosen.credit -= total
    return chosen


def least_busy(candidates: Sequence[One], key: bytes = b"") -> One:  # noqa: ARG001 (a choice's)
    """Return the one with the fewest requests for its share; of several, the next in turn."""
    least = min(each.active / each.share for each in candidates)
    idle = [each for each in candidates if each.active / each.share == least]
    return idle[0] if len(idle) == 1 else in_turn(idle)


def by_key(candidates: Sequence[One], key: bytes) -> One:
    """Return the one that is the key's, by weights (rendezvous hashing).

    A key moves only where its server has gone, or where one has come that is nearer to it.
    """
    point = int.from_bytes(blake2b(key, digest_size=_BITS // 8).digest())
    return max(candidates, key=lambda each: each.weight / -log(_fraction(point ^ each.seed)))


def _fraction(number: int) -> float:
    """Return a fraction between 0 and 1 in which every bit of `number` has its part."""
    mixed = number * 0x9E3779B97F4A7C15 & _MASK
    mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93 & _MASK
    mixed = (mixed ^ mixed >> 32) * 0xD6E8FEB86659FD93 & _MASK
    return ((mixed >> (_BITS - _KEPT)) + 0.5) / (1 << _KEPT)


def seed(name: str) -> int:
    """Return the number of a server, which is the same wherever the server has this name."""
    return int.from_bytes(blake2b(name.encode(), digest_size=_BITS // 8).digest())


Choice = Callable[[Sequence[One], bytes], One]

CHOICES: dict[Policy, Choice[Candidate]] = {
    Policy.ROUND_ROBIN: in_turn,
    Policy.LEAST_CONNECTIONS: least_busy,
    Policy.HASH: by_key,
}
