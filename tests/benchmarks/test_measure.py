"""The order of runs, who is left out, and what a server finds."""

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.figures import PER_SECOND, Run
from benchmarks.machine import Machine
from benchmarks.measure import measure, run_once
from benchmarks.processes import FailedError
from benchmarks.programs import MissingError
from benchmarks.work import Row, Server, Side, Work
from tests.benchmarks.runs import PYTHON, NoLoad, run_of, side

WORK = Work(
    name="work",
    rows=(Row(PER_SECOND),),
    netkit=side("netkit"),
    peers=(side("one"), side("other")),
)

SERVE = """\
import os, socket, sys
sizes = [os.stat(name).st_size for name in ("folder/text", "zeros", "both.pem")]
if sizes[0] == len("port " + sys.argv[1]) and sizes[1] == 1 << 30 and sizes[2]:
    listening = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    while True:
        listening.accept()
"""


class MeasureTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Nobody has run yet."""
        self.ran: list[str] = []

    def _once(self, of: Side) -> Run:
        self.ran.append(of.name)
        if of.name == "one":
            raise MissingError("no one: apt-get install one")
        if of.name == "other" and len(self.ran) > 3:
            raise FailedError("it broke")
        return run_of(len(self.ran))

    def test_everyone_runs_once_a_round(self) -> None:
        """Rounds alternate between the sides, netkit first."""
        runs = iter(range(6))
        outcome = measure(WORK, 2, lambda _: run_of(next(runs)))
        self.assertEqual(
            outcome.runs,
            {
                "netkit": (run_of(0), run_of(3)),
                "one": (run_of(1), run_of(4)),
                "other": (run_of(2), run_of(5)),
            },
        )

    def test_missing_side_is_tried_once(self) -> None:
        """A peer that is not installed is left out, with what to install."""
        outcome = measure(WORK, 2, self._once)
        self.assertEqual(self.ran.count("one"), 1)
        self.assertEqual(outcome.absent["one"], "no one: apt-get install one")

    def test_a_side_that_fails_later_is_left_out_whole(self) -> None:
        """Runs of a side that did not finish every round would have no pairs."""
        outcome = measure(WORK, 3, self._once)
        self.assertEqual(outcome.absent["other"], "it broke")
        self.assertEqual(list(outcome.runs), ["netkit"])

    def test_without_netkit_the_peers_run(self) -> None:
        """A work that netkit cannot do yet is measured for its peers."""
        self.assertEqual([of.name for of in WORK.sides], ["netkit", "one", "other"])
        work = Work(name="work", rows=WORK.rows, peers=WORK.peers)
        self.assertEqual([of.name for of in work.sides], ["one", "other"])


class RunTests(SynchronousTestCase):
    def test_a_server_finds_its_files(self) -> None:
        """Texts are filled in, folders made, and large files take no room."""
        server = Server(
            name="server",
            program=PYTHON,
            arguments=("-c", SERVE, "$port"),
            files={"folder/text": "port $port"},
            zeros={"zeros": 1 << 30},
            pem="both.pem",
        )
        folder = Path(self.mktemp()).absolute()
        folder.mkdir()
        core = min(os.sched_getaffinity(0))
        machine = Machine(core, core, folder, environment=folder / "peers")
        self.assertEqual(run_once(Side(server, NoLoad()), machine, 1).counted.seconds, 1)
        self.assertEqual(list(folder.iterdir()), [])
