"""The machine the benchmarks run on: its cores, and the folders they may write to."""

import os
import platform
import resource
import socket
import time
from pathlib import Path
from string import Template

from attrs import frozen

HERE = Path(__file__).parent
REPOSITORY = HERE.parent
LOAD = HERE / "load"
SERVERS = HERE / "servers"
LOOK = 0.5  # seconds

_IDLE = slice(3, 5)  # idle, and idle with a disk to wait for


@frozen
class Machine:
    """The core for the server, the core for the load, a scratch folder, and the peers' environment."""

    server_core: int
    load_core: int
    folder: Path
    environment: Path = REPOSITORY / ".venv-bench"


@frozen
class Place:
    """Where one server runs: its own folder, its port, and the port of what stands behind it."""

    folder: Path
    port: int
    origin: int

    def fill(self, text: str) -> str:
        """Return `text` with $port, $origin, $folder and $servers filled in; other $names stay."""
        return Template(text).safe_substitute(
            port=self.port, origin=self.origin, folder=self.folder, servers=SERVERS
        )


def this_machine(folder: Path) -> Machine:
    """Return this machine with `folder` for scratch: its first two cores, or twice its only one."""
    cores = sorted(os.sched_getaffinity(0))
    return Machine(cores[0], cores[min(1, len(cores) - 1)], folder)


def described(machine: Machine) -> str:
    """Return what the figures depend on, in a line."""
    cores = f"server on core {machine.server_core}, load on core {machine.load_core}"
    if machine.server_core == machine.load_core:
        cores = "one core for server and load: figures say little"
    return (
        f"Linux {platform.release()}, {_processor()}, "
        f"{platform.python_implementation()} {platform.python_version()}; {cores}"
    )


def allow_many_descriptors() -> None:
    """Raise this process's limit of open files, and so its children's, as far as it may."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def free_ports() -> tuple[int, int]:
    """Return two ports of loopback that nobody listens on."""
    with socket.socket() as one, socket.socket() as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        return one.getsockname()[1], other.getsockname()[1]


def used_by_others(machine: Machine) -> float:
    """Look for a moment, in which nothing of ours runs, how much of the busier core is in use."""
    before = Path("/proc/stat").read_text()
    time.sleep(LOOK)
    after = Path("/proc/stat").read_text()
    return max(used(before, after, core) for core in (machine.server_core, machine.load_core))


def used(before: str, after: str, core: int) -> float:
    """Return how much of `core` was in use between two texts of /proc/stat, 1 being all of it."""
    then, now = _times(before, core), _times(after, core)
    passed = [late - early for early, late in zip(then, now, strict=True)]
    return 1 - sum(passed[_IDLE]) / (sum(passed) or 1)


def _times(stat: str, core: int) -> list[int]:
    """Return the ticks of `core`, guests' left out: they are in its users' already (proc(5))."""
    line = next(line for line in stat.splitlines() if line.startswith(f"cpu{core} "))
    return [int(ticks) for ticks in line.split()[1:9]]


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
