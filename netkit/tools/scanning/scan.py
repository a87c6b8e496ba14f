"""A scan from beginning to end: hosts become reports.

Rule: the reports come in the order of the hosts, each as soon as it and all before it are done, and
what waits for its turn is bounded.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from netkit.tools.scanning.descriptors import allowance
from netkit.tools.scanning.prober import Prober
from netkit.tools.scanning.resolving import Host
from netkit.tools.scanning.schedule import HostScan, Opened, Schedule
from netkit.tools.scanning.services import WELL_KNOWN
from netkit.tools.scanning.timing import MOST
from netkit.tools.scanning.verdicts import State, Verdict

TIMEOUT = 4.0
"""So many seconds a port may be silent, all attempts together, before it is filtered."""
BANNER_SECONDS = 2.0
"""So many a server has time to say something, for those who want to hear it."""


@frozen
class Report:
    """What is known of a host: its ports by verdict, in ascending order, and more of the open ones."""

    host: Host
    results: Mapping[Verdict, tuple[int, ...]]
    opened: Mapping[int, Opened]

    def verdict(self, port: int) -> Verdict:
        """Return what is known of `port`; KeyError where it was not scanned."""
        for verdict, ports in self.results.items():
            if port in ports:
                return verdict
        raise KeyError(port)

    def count(self, state: State) -> int:
        """Return how many ports are in `state`."""
        return sum(len(ports) for verdict, ports in self.results.items() if verdict.state is state)


@frozen
class Terms:
    """How to scan: `jobs` attempts at once at most; `listens` for what a server says, in seconds."""

    timeout: float = TIMEOUT
    jobs: int = MOST
    listens: float = 0.0


async def scan(  # noqa: PLR0913 (a scan has many properties, and most have a default)
    reactor: Any,  # noqa: ANN401 (as Twisted's: it is many interfaces)
    hosts: Sequence[Host],
    ports: Sequence[int],
    found: Callable[[Report], None],
    *,
    terms: Terms | None = None,
    advanced: Callable[[int], None] = lambda _: None,
) -> None:
    """Scan `ports`, one at least, of each of `hosts`; `found` gets a report of each, in their order.

    `advanced` hears how many more ports have been tried. Whoever cancels has all connections closed.
    """
    terms = terms or Terms()
    slots = allowance(min(terms.jobs, MOST))
    # What answers is likely to be among these, and says how long to wait for the rest.
    ports = sorted(ports, key=lambda port: port not in WELL_KNOWN)
    scans = (
        HostScan(index, str(host.address), ports, terms.timeout, slots)
        for index, host in enumerate(hosts)
    )
    schedule = Schedule(scans, slots)
    reports = _InOrder(hosts)
    settled = 0

    def progressed() -> None:
        nonlocal settled
        advanced(schedule.settled - settled)
        settled = schedule.settled
        finished, schedule.finished = schedule.finished, []
        for report in reports.ready(finished):
            found(report)

    await Prober(reactor, schedule, listens=terms.listens, progressed=progressed).run()


class _InOrder:
    """Puts hosts that are done into their order."""

    def __init__(self, hosts: Sequence[Host]) -> None:
        self._hosts = hosts
        self._done: dict[int, HostScan] = {}
        self._next = 0

    def ready(self, finished: Iterable[HostScan]) -> Iterator[Report]:
        """Yield the reports whose turn it is, now that those `finished` are done as well."""
        self._done.update((each.index, each) for each in finished)
        while self._next in self._done:
            done = self._done.pop(self._next)
            opened = dict(sorted(done.opened.items()))
            yield Report(self._hosts[self._next], done.results(), opened)
            self._next += 1
