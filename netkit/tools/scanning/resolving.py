"""Targets become hosts: names are looked up, each address is there once.

Rule: of a name one address is taken, as of nmap's; the others are not forgotten, but told.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from attrs import frozen
from twisted.internet.defer import Deferred, DeferredSemaphore, gatherResults
from twisted.internet.interfaces import IReactorTime

from netkit.net.addresses import Address
from netkit.net.failures import UnresolvedError
from netkit.net.names import Names
from netkit.tools.scanning.targets import Target

LOOKUPS = 20  # names that are looked up at a time
LOOKUP_TIMEOUT = 15.0  # seconds

_Answer: TypeAlias = tuple[Address, ...] | UnresolvedError


@frozen
class Host:
    """An address to scan; `name` is what it was found by, or empty."""

    address: Address
    name: str = ""

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.name else str(self.address)


@frozen
class Resolved:
    """The hosts of targets, each address once.

    `further` has the other addresses of the names that have several, `failed` why others have none.
    """

    hosts: Sequence[Host]
    further: Mapping[str, Sequence[Address]]
    failed: Mapping[str, UnresolvedError]


async def resolve(
    targets: Sequence[Target], names: Names, clock: IReactorTime, *, prefer_v6: bool = False
) -> Resolved:
    """Return the hosts of `targets`: of a name one address, IPv4 unless `prefer_v6` or there is none."""
    answers = await _looked_up({each.name for each in targets if each.name}, names, clock)
    failed = {name: each for name, each in answers.items() if isinstance(each, UnresolvedError)}
    found = {
        name: _in_order(each, prefer_v6=prefer_v6)
        for name, each in answers.items()
        if not isinstance(each, UnresolvedError)
    }
    hosts: dict[Address, Host] = {}
    for target in targets:
        for address in found.get(target.name, ())[:1] if target.name else target.addresses:
            hosts.setdefault(address, Host(address, target.name))
    further = {name: each[1:] for name, each in found.items() if each[1:]}
    return Resolved(tuple(hosts.values()), further, failed)


async def _looked_up(
    wanted: Iterable[str], names: Names, clock: IReactorTime
) -> dict[str, _Answer]:
    semaphore = DeferredSemaphore(LOOKUPS)

    def look_up(name: str) -> Deferred[_Answer]:
        late = UnresolvedError(f"{name}: no resolver has answered within {LOOKUP_TIMEOUT:g} s")
        looking: Deferred[Any] = names.look_up(name)
        looking.addTimeout(LOOKUP_TIMEOUT, clock, lambda _, __: late)
        return looking.addErrback(_unresolved)

    asked = tuple(wanted)
    answers = await gatherResults([semaphore.run(look_up, name) for name in asked])
    return dict(zip(asked, answers, strict=True))


def _unresolved(failure: Any) -> UnresolvedError:  # noqa: ANN401 (mypy knows no failure of one sort)
    failure.trap(UnresolvedError)
    error: UnresolvedError = failure.value
    return error


def _in_order(found: tuple[Address, ...], *, prefer_v6: bool) -> tuple[Address, ...]:
    """Return `found` with the family that is wanted first."""
    first = 6 if prefer_v6 else 4
    return tuple(sorted(found, key=lambda each: each.version != first))
