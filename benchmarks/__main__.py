"""`python -m benchmarks`: measures the works that were asked for, and prints the table."""

import json
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import fill

from benchmarks.environment import make_environment
from benchmarks.figures import middle, shown
from benchmarks.machine import (
    Machine,
    allow_many_descriptors,
    described,
    this_machine,
    used_by_others,
)
from benchmarks.measure import Outcome, measure, run_once
from benchmarks.options import Options, parsed
from benchmarks.programs import FromEnvironment, Program, version_of
from benchmarks.table import WIDTH, as_json, lines, markdown, remarks, text
from benchmarks.work import Work
from benchmarks.works import FAMILIES, chosen


def main(words: Sequence[str] | None = None) -> int:
    """Measure, print, and return the exit code: 0, or 2 where there is nothing to measure."""
    options = parsed(words, FAMILIES, only=os.environ.get("ONLY", ""))
    works = chosen(options.only, everything=options.everything)
    if not sys.platform.startswith("linux"):
        return _refused("needs Linux: cores are chosen, and /proc is read")
    if not works:
        return _refused(f"netkit has no part in {', '.join(options.only)} yet; --all has its peers")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    allow_many_descriptors()
    with TemporaryDirectory(prefix="netkit-bench-") as folder:
        Path(folder).chmod(0o755)  # a server that gives up root still reads its files
        _report(works, options, this_machine(Path(folder)))
    return 0


def _report(works: Sequence[Work], options: Options, machine: Machine) -> None:
    programs = _programs(works)
    _prepare(programs, machine)
    others, outcomes = 0.0, []
    for work in works:
        others = max(others, used_by_others(machine))
        outcomes.append(_measured(work, options, machine))
    setting = {
        "machine": described(machine),
        "versions": _versions(programs, machine),
        "runs": f"medians of {options.rounds} rounds of {options.seconds} s",
        "others": f"others used up to {others:.0%} of a core between works",
    }
    table = markdown(lines(outcomes)) if options.markdown else text(lines(outcomes))
    head = fill("; ".join(setting.values()), WIDTH)
    print("\n".join([head, "", table, "", *remarks(outcomes)]).rstrip())  # noqa: T201
    if options.json:
        options.json.write_text(json.dumps(as_json(outcomes, setting), indent=1) + "\n")


def _versions(programs: Sequence[Program], machine: Machine) -> str:
    versions = {program.name: version_of(program, machine) for program in programs}
    return ", ".join(f"{name} {version}" for name, version in versions.items() if version)


def _programs(works: Sequence[Work]) -> list[Program]:
    found = [
        program
        for work in works
        for side in work.sides
        for program in (side.server.program, side.load.program)
    ]
    return list(dict.fromkeys(found))


def _prepare(programs: Sequence[Program], machine: Machine) -> None:
    if any(isinstance(program, FromEnvironment) for program in programs):
        problem = make_environment(machine.environment)
        if problem:
            _tell(f"{machine.environment.name} could not be made: {problem}")


def _measured(work: Work, options: Options, machine: Machine) -> Outcome:
    _tell(work.name)
    outcome = measure(work, options.rounds, lambda side: run_once(side, machine, options.seconds))
    for name, runs in outcome.runs.items():
        figure = work.rows[0].figure
        _tell(f"    {name}: {shown(middle(figure, runs), figure.unit)}")
    for name, reason in outcome.absent.items():
        _tell(f"    {name}: {reason}")
    return outcome


def _refused(reason: str) -> int:
    _tell(reason)
    return 2


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
