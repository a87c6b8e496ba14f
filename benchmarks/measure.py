"""How a work is measured: in rounds, everyone once a round, so that drift meets all alike.

Every run has servers of its own, started for it and stopped after it, with the server that is
measured on one core, and the load and what stands behind the server on the other.
"""

import os
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from attrs import frozen

from benchmarks.certificate import self_signed
from benchmarks.figures import Run
from benchmarks.load import Target
from benchmarks.machine import REPOSITORY, Machine, Place, free_ports
from benchmarks.processes import FailedError, Process, listening
from benchmarks.programs import MissingError
from benchmarks.work import Server, Side, Work


@frozen
class Outcome:
    """What the rounds of a work gave: the runs by a side's name, or why there are none."""

    work: Work
    runs: Mapping[str, tuple[Run, ...]]
    absent: Mapping[str, str]


def measure(work: Work, rounds: int, run: Callable[[Side], Run]) -> Outcome:
    """Return the outcome of `rounds` rounds; a side that fails once is left out of all of them."""
    runs: dict[str, list[Run]] = {side.name: [] for side in work.sides}
    absent: dict[str, str] = {}
    for _ in range(rounds):
        for side in work.sides:
            if side.name in absent:
                continue
            try:
                runs[side.name].append(run(side))
            except (MissingError, FailedError) as error:
                absent[side.name] = str(error)
    there = {name: tuple(found) for name, found in runs.items() if name not in absent}
    return Outcome(work, there, absent)


def run_once(side: Side, machine: Machine, seconds: float) -> Run:
    """Start the side's servers, load them for `seconds`, stop them, and return what came of it."""
    side.load.program.command(machine)  # compiled, or found missing, before anything runs
    port, behind = free_ports()
    with ExitStack() as stack:
        if side.origin is not None:
            origin = Place(_folder(stack, machine), behind, behind)
            stack.enter_context(_started(side.origin, origin, machine, machine.load_core))
        place = Place(_folder(stack, machine), port, behind)
        process = stack.enter_context(_started(side.server, place, machine, machine.server_core))
        started, used = time.monotonic(), process.processor_seconds()
        counted = side.load.run(Target(machine, place, process, seconds))
        elapsed = time.monotonic() - started
        return Run(counted, process.processor_seconds() - used, elapsed)


def _folder(stack: ExitStack, machine: Machine) -> Path:
    folder = Path(stack.enter_context(TemporaryDirectory(dir=machine.folder)))
    folder.chmod(0o755)  # a server that gives up root still reads its files
    return folder


def _started(
    server: Server, place: Place, machine: Machine, core: int
) -> AbstractContextManager[Process]:
    _furnish(server, place)
    command = (*server.program.command(machine), *map(place.fill, server.arguments))
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    return listening(command, place.port, core=core, folder=place.folder, environment=environment)


def _furnish(server: Server, place: Place) -> None:
    """Write the files that the server is to find in its folder."""
    for name, text in server.files.items():
        _file(place, name).write_text(place.fill(text))
    for name, size in server.zeros.items():
        _file(place, name).touch()
        os.truncate(place.folder / name, size)
    if server.pem:
        _file(place, server.pem).write_bytes(self_signed())


def _file(place: Place, name: str) -> Path:
    file = place.folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    return file
