"""What to try next, and what has come of it: the scan itself, without a socket or a clock.

Rule: a port is closed or open by one clear answer, filtered only after at least two attempts met
silence, more once a host has shown that answers get lost, and not known only after what is wrong on
this host has been waited for.
"""

from collections import deque
from collections.abc import Iterable, Sequence

from attrs import define, frozen

from netkit.tools.scanning.timing import MOST, Timer, Window
from netkit.tools.scanning.verdicts import (
    OPEN,
    REFUSED,
    SHORTAGES,
    SILENT,
    Verdict,
    is_of_use_again,
    local,
)

TRIES = 2
"""So many attempts meet silence before a port is filtered."""
MOST_TRIES = 5
"""As many on a way that loses answers."""
LOCAL_TRIES = 6
"""So many attempts fail on this host before a port is not known."""
HOSTS_AT_ONCE = 64
HOSTS_AHEAD = 1024
"""So many hosts after the first that is not done may be done or under way."""

_PAUSE = 0.05  # seconds after the first local error; twice as long after each that follows


@define(eq=False)
class Probe:
    """One port that is being tried, for the `number`th time."""

    host: "HostScan"
    port: int
    number: int = 1
    failures: int = 0

    @property
    def patience(self) -> float:
        """How many seconds silence is waited for."""
        return self.host.timer.patience(self.number)


@frozen
class Opened:
    """An open port: how many seconds the connection took, and what the server said first."""

    seconds: float
    banner: bytes = b""


class HostScan:
    """The scan of the ports of one host, whose place among the hosts is `index`."""

    def __init__(
        self, index: int, address: str, ports: Sequence[int], longest: float, most: int = MOST
    ) -> None:
        self.index = index
        self.address = address
        self.timer = Timer(longest)
        self.window = Window(most=most)
        self.under_way = 0
        self.opened: dict[int, Opened] = {}
        self.others: dict[Verdict, list[int]] = {}
        self._ports = ports
        self._begun = 0
        self._again: deque[Probe] = deque()
        self._silent: dict[int, Probe] = {}
        self._tries = TRIES

    @property
    def is_done(self) -> bool:
        """Whether all is known that will be."""
        return not self.under_way and not self._again and self._begun == len(self._ports)

    def results(self) -> dict[Verdict, tuple[int, ...]]:
        """Return the ports by what is known of them, each verdict's in ascending order."""
        found = {**self.others, OPEN: list(self.opened), SILENT: [*self.others.get(SILENT, ())]}
        found[SILENT] += self._silent
        return {verdict: tuple(sorted(ports)) for verdict, ports in found.items() if ports}

    def next(self) -> Probe | None:
        """Return what to try now, or None where nothing more may be under way."""
        if self.under_way >= self.window.size:
            return None
        if self._again:
            probe = self._again.popleft()
        elif self._begun < len(self._ports):
            probe = Probe(self, self._ports[self._begun])
            self._begun += 1
        else:
            return None
        self.under_way += 1
        return probe

    def answered(self, probe: Probe, seconds: float, now: float) -> None:
        """Learn from the host's own answer to `probe`, `seconds` after the attempt began."""
        self.timer.sample(seconds)
        if probe.number == 1:
            self.window.grow()
            return
        self.window.cut(now - seconds, now)
        self._expect_loss(probe.number)

    def silent(self, probe: Probe) -> None:
        """Hear that `probe` met silence: try again, or leave it at that."""
        if self._tries == TRIES:
            self.window.grow()  # nothing says that it was too much
        if probe.number < self._tries:
            self._again.append(Probe(self, probe.port, probe.number + 1))
        else:
            self._silent[probe.port] = probe

    def again(self, probe: Probe) -> None:
        """Hear that `probe` was not tried after all."""
        self._again.append(probe)

    def note(self, port: int, verdict: Verdict) -> None:
        """Keep what is known of `port`, which is not open."""
        ports = self.others.get(verdict)
        if ports is None:
            self.others[verdict] = [port]
        else:
            ports.append(port)

    def _expect_loss(self, number: int) -> None:
        """The answer to attempt `number` came, after others were lost: try the silent ones once more."""
        tries = min(MOST_TRIES, number + 1)
        if tries <= self._tries:
            return
        self._tries = tries
        silent, self._silent = self._silent, {}
        self._again.extend(Probe(self, port, old.number + 1) for port, old in silent.items())


class Schedule:
    """The scan of `hosts`, of which no more than `slots` attempts are under way at once."""

    def __init__(self, hosts: Iterable[HostScan], slots: int) -> None:
        self.finished: list[HostScan] = []
        """The hosts of which all is known; whoever takes them clears the list."""
        self.settled = 0
        """How many ports have been tried, with or without an answer."""
        self._waiting = iter(hosts)
        self._active: deque[HostScan] = deque()
        self._admitted = 0
        self._slots = Window(slots, slots)
        self._under_way = 0
        self._failures = 0  # local errors since anything was answered
        self._held_until = float("-inf")
        self._admit()

    @property
    def is_done(self) -> bool:
        """Whether nothing is left to do."""
        return not self._active

    def next(self, now: float) -> Probe | None:
        """Return what to try now; None where that has to wait for something."""
        if self._under_way >= self._slots.size or now < self._held_until:
            return None
        active = self._active
        for _ in range(len(active)):
            probe = active[0].next()
            active.rotate(-1)
            if probe is not None:
                self._under_way += 1
                return probe
        return None

    def settle(self, probe: Probe, verdict: Verdict, seconds: float, now: float) -> None:
        """Hear that `probe` was answered with `verdict`, but for OPEN, after `seconds`."""
        host = probe.host
        if verdict is REFUSED:
            self._hear(probe, seconds, now)
        else:  # a router's word: how far the host is, or whether it got this, is not in it
            self._failures = 0
            host.window.grow()
        host.note(probe.port, verdict)
        self.settled += probe.number == 1
        self._release(host)

    def open(self, probe: Probe, seconds: float, now: float) -> None:
        """Hear that `probe` is connected after `seconds`; it stays so until `close`."""
        self._hear(probe, seconds, now)
        probe.host.opened[probe.port] = Opened(seconds)

    def close(self, probe: Probe, banner: bytes = b"") -> None:
        """Hear that what was connected is closed, and what the server had said."""
        opened = probe.host.opened
        opened[probe.port] = Opened(opened[probe.port].seconds, banner)
        self.settled += probe.number == 1
        self._release(probe.host)

    def silent(self, probe: Probe) -> None:
        """Hear that `probe` has met silence for as long as its patience lasts."""
        self._failures = 0
        self.settled += probe.number == 1
        probe.host.silent(probe)
        self._release(probe.host)

    def again(self, probe: Probe) -> None:
        """Hear that `probe` led to nothing that means anything, and is to be tried once more."""
        probe.host.again(probe)
        self._release(probe.host)

    def fail(self, probe: Probe, code: int, now: float) -> None:
        """Hear that `probe` could not be tried, for the error `code` on this host.

        It is retried after a pause, which lasts longer each time; not so where nothing gets better
        for anybody.
        """
        if code in SHORTAGES:
            self._slots.shrink(self._under_way - 1)
        if is_of_use_again(code) and not self._lasts(probe):
            self._held_until = now + _PAUSE * 2.0 ** (self._failures - 1)
            probe.host.again(probe)
        else:
            probe.host.note(probe.port, local(code))
            self.settled += probe.number == 1
        self._release(probe.host)

    def _lasts(self, probe: Probe) -> bool:
        probe.failures += 1
        self._failures += 1
        return max(probe.failures, self._failures) >= LOCAL_TRIES

    def _hear(self, probe: Probe, seconds: float, now: float) -> None:
        self._failures = 0
        self._slots.grow()
        probe.host.answered(probe, seconds, now)

    def _release(self, host: HostScan) -> None:
        self._under_way -= 1
        host.under_way -= 1
        if host.is_done:
            self._active.remove(host)
            self.finished.append(host)
            self._admit()

    def _admit(self) -> None:
        while len(self._active) < HOSTS_AT_ONCE:
            first = min((host.index for host in self._active), default=self._admitted)
            if self._admitted - first >= HOSTS_AHEAD:
                return
            host = next(self._waiting, None)
            if host is None:
                return
            self._admitted += 1
            self._active.append(host)
