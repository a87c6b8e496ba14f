"""Works, sides and runs that were never measured."""

from attrs import frozen

from benchmarks.figures import Counted, Run
from benchmarks.load import Target
from benchmarks.programs import Program, ThisPython
from benchmarks.work import Server, Side

PYTHON = ThisPython("Python", version=())


@frozen
class NoLoad:
    """A load that does nothing."""

    program: Program = PYTHON

    def run(self, target: Target) -> Counted:
        """Count nothing."""
        del target
        return Counted(seconds=1)


def side(name: str) -> Side:
    """Return a side of that name that does nothing."""
    return Side(Server(name=name, program=PYTHON, arguments=()), NoLoad())


def run_of(count: int, *, errors: int = 0, processor: float = 1) -> Run:
    """Return a run of one second with that count, as many bytes, and a server on all its core."""
    counted = Counted(seconds=1, count=count, bytes=count, errors=errors, memory=count)
    return Run(counted, processor=processor, elapsed=1)
