"""A network that is none: what the ports of a host do is written down, and time goes by in leaps."""

import heapq
from collections import Counter
from collections.abc import Callable, Mapping
from enum import Enum
from itertools import count

from attrs import define, field

from netkit.tools.scanning.schedule import Probe, Schedule
from netkit.tools.scanning.verdicts import REFUSED, Verdict


class Does(Enum):
    """What comes of one attempt."""

    ACCEPTS = "accepts"
    REFUSES = "refuses"
    NOTHING = "nothing"


Outcome = Does | Verdict | int
"""An integer is the number of an error of this host's."""


@define
class Network:
    """Answers to attempts by `does`, which gets the probe and how often its port was tried before.

    `most` is the highest number of attempts that were under way at once, `took` the seconds it took,
    `tried` says how often each port of each address was tried.
    """

    does: Callable[[Probe, int], Outcome]
    round_trip: float = 0.02
    most: int = 0
    took: float = 0.0
    tried: Counter[tuple[str, int]] = field(factory=Counter)

    def run(self, schedule: Schedule) -> None:
        """Do all that `schedule` says, until nothing is left."""
        now, order = 0.0, count()
        coming: list[tuple[float, int, Probe, Outcome, float]] = []
        while not schedule.is_done:
            while probe := schedule.next(now):
                place = (probe.host.address, probe.port)
                outcome = self.does(probe, self.tried[place])
                self.tried[place] += 1
                if isinstance(outcome, int):
                    schedule.fail(probe, outcome, now)
                    continue
                wait = probe.patience if outcome is Does.NOTHING else self.round_trip
                late = wait >= probe.patience
                outcome = Does.NOTHING if late else outcome
                at = now + min(wait, probe.patience)
                heapq.heappush(coming, (at, next(order), probe, outcome, now))
            self.most = max(self.most, len(coming))
            if not coming:
                now += 0.01  # something holds it up
                continue
            now, _, probe, outcome, begun = heapq.heappop(coming)
            _tell(schedule, probe, outcome, now - begun, now)
        self.took = now


def _tell(schedule: Schedule, probe: Probe, outcome: Outcome, took: float, now: float) -> None:
    if outcome is Does.NOTHING:
        schedule.silent(probe)
    elif outcome is Does.ACCEPTS:
        schedule.open(probe, took, now)
        schedule.close(probe)
    elif outcome is Does.REFUSES:
        schedule.settle(probe, REFUSED, took, now)
    elif isinstance(outcome, Verdict):
        schedule.settle(probe, outcome, took, now)


def by_port(
    table: Mapping[int, Outcome], other: Outcome = Does.REFUSES
) -> Callable[[Probe, int], Outcome]:
    """Return what does the same whenever a port is tried."""
    return lambda probe, _: table.get(probe.port, other)
