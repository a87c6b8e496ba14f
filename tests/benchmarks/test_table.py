"""The table: which lines it has, and how they are written."""

import json

import attrs
from twisted.trial.unittest import SynchronousTestCase

from benchmarks.figures import MEMORY, PER_SECOND, PROCESSOR, Run
from benchmarks.measure import Outcome
from benchmarks.table import WIDTH, as_json, lines, markdown, remarks, text
from benchmarks.work import Row, Work
from benchmarks.works import FAMILIES
from tests.benchmarks.runs import run_of, side

WORK = Work(
    name="echo, 100 x 64 B",
    rows=(Row(PER_SECOND, goal=">= 0.95"), Row(PROCESSOR, name="its processor time")),
    netkit=side("netkit"),
    peers=(side("C epoll"), side("socat")),
)
RUNS: dict[str, tuple[Run, ...]] = {
    "netkit": (run_of(100), run_of(90), run_of(95)),
    "C epoll": (run_of(100), run_of(100), run_of(100)),
    "socat": (run_of(10), run_of(10), run_of(10)),
}
OUTCOME = Outcome(WORK, RUNS, {})

ALL = [
    attrs.evolve(work, netkit=work.netkit or side("netkit"))
    for works in FAMILIES.values()
    for work in works
]
NAMES = {of.name for work in ALL for of in work.sides}
WIDEST = (run_of(123_456_789_012, processor=0),)


def outcome(runs: dict[str, tuple[Run, ...]], **absent: str) -> Outcome:
    """Return the outcome of the work's first row alone."""
    return Outcome(
        Work(name=WORK.name, rows=WORK.rows[:1], netkit=WORK.netkit, peers=WORK.peers),
        runs,
        absent,
    )


class LinesTests(SynchronousTestCase):
    def test_a_line_a_peer(self) -> None:
        """The first line has the work, netkit's figure and the goal; the next has its peer's."""
        first, second = lines([outcome(RUNS)])
        self.assertEqual(
            [cell.strip() for cell in first.cells],
            ["echo, 100 x 64 B", "95 /s", "C epoll", "100 /s", "0.95", "0.90-1.00", ">= 0.95"],
        )
        self.assertEqual(
            [cell.strip() for cell in second.cells],
            ["", "", "socat", "10 /s", "9.50", "9.00-10.00", ""],
        )

    def test_a_work_with_two_figures_has_two_rows(self) -> None:
        """The second figure has its own name, its own values and every peer again."""
        names = [line.cells[0] for line in lines([OUTCOME])]
        self.assertEqual(names, ["echo, 100 x 64 B", "", "  its processor time", ""])

    def test_a_goal_stands_beside_its_peer(self) -> None:
        """A row may be measured by several peers, with a goal for each."""
        row = Row(PER_SECOND, goal=">= 0.95", others={"socat": ">= 4"})
        work = Work(name=WORK.name, rows=(row,), netkit=WORK.netkit, peers=WORK.peers)
        table = lines([Outcome(work, RUNS, {})])
        self.assertEqual([line.cells[6] for line in table], [">= 0.95", ">= 4"])

    def test_missing_peer_says_what_to_install(self) -> None:
        """A peer that is not there has a line with its name and the package."""
        runs = {name: runs for name, runs in RUNS.items() if name != "socat"}
        table = lines([outcome(runs, socat="no socat: apt-get install socat")])
        self.assertEqual(table[1].note, "no socat: apt-get install socat")
        self.assertIn("  socat: no socat: apt-get install socat\n", text(table) + "\n")
        self.assertIn("| socat | no socat: apt-get install socat |", markdown(table))

    def test_netkit_stands_though_the_first_peer_is_missing(self) -> None:
        """Netkit's figure is shown whoever is there to be compared with."""
        runs = {name: runs for name, runs in RUNS.items() if name == "netkit"}
        table = lines([Outcome(WORK, runs, {"C epoll": "no", "socat": "no"})])
        self.assertEqual(table[0].cells[1].strip(), "95 /s")

    def test_netkit_that_does_not_start_says_so(self) -> None:
        """Without netkit the peers' figures stand, and no ratios."""
        runs = {name: runs for name, runs in RUNS.items() if name != "netkit"}
        table = lines([outcome(runs, netkit="did not start: why")])
        self.assertEqual((table[0].cells[2], table[0].note), ("netkit", "did not start: why"))
        self.assertEqual(table[1].cells[2:6], ("C epoll", "100 /s ", "", ""))

    def test_a_work_without_netkit_has_no_ratio(self) -> None:
        """What netkit cannot do yet shows its peers alone."""
        work = Work(name="work", rows=(Row(PER_SECOND),), peers=WORK.peers)
        table = lines([Outcome(work, RUNS, {})])
        self.assertEqual([line.cells[4] for line in table], ["", ""])


class RemarksTests(SynchronousTestCase):
    def test_nothing_to_say(self) -> None:
        """Clean runs on full cores need no remark."""
        self.assertEqual(remarks([OUTCOME]), [])

    def test_a_core_that_was_not_full_is_marked(self) -> None:
        """A server with processor time left has a mark, and below stands what it means."""
        found = outcome(RUNS | {"C epoll": (run_of(100, processor=0.5),) * 3})
        self.assertEqual(lines([found])[0].cells[3], "100 /s*")
        self.assertTrue(remarks([found])[0].startswith("* "))

    def test_memory_has_no_such_mark(self) -> None:
        """Nobody expects a full core of idle connections."""
        work = Work(name="idle", rows=(Row(MEMORY),), peers=(side("one"),))
        found = Outcome(work, {"one": (run_of(100, processor=0),)}, {})
        self.assertEqual(lines([found])[0].cells[3], "100 B ")
        self.assertEqual(remarks([found]), [])

    def test_errors_are_marked_and_counted(self) -> None:
        """Errors are never hidden behind a good figure."""
        found = outcome(RUNS | {"socat": (run_of(10, errors=2),) * 3})
        self.assertEqual(lines([found])[1].cells[3], "10 /s!")
        self.assertEqual(remarks([found]), ["! echo, 100 x 64 B: socat: 6 errors"])


class WritingTests(SynchronousTestCase):
    def test_text_stands_in_columns(self) -> None:
        """Every line of the table has its columns where the heading has them."""
        written = text(lines([outcome(RUNS)])).splitlines()
        at = written[0].index("peer ")
        self.assertEqual([line[at:].split()[0] for line in written[2:]], ["C", "socat"])
        self.assertEqual(written[0].index("goal"), written[2].index(">= 0.95"))

    def test_every_work_fits(self) -> None:
        """The whole table, with the widest figures there are, reads well in a terminal."""
        outcomes = [Outcome(work, dict.fromkeys(NAMES, WIDEST), {}) for work in ALL]
        self.assertLessEqual(max(map(len, text(lines(outcomes)).splitlines())), WIDTH)

    def test_what_to_install_is_never_cut(self) -> None:
        """The line about the peer with the longest name has room for the longest advice."""
        advice = "no C compiler: apt-get install gcc libc6-dev"
        absent = dict.fromkeys(NAMES, advice)
        outcomes = [Outcome(work, {"netkit": WIDEST}, absent) for work in ALL]
        self.assertEqual(text(lines(outcomes)).count(advice), len(lines(outcomes)))

    def test_a_long_reason_is_cut(self) -> None:
        """A server's last words do not break the table."""
        table = lines([outcome({}, netkit="why " * 100, socat="", **{"C epoll": ""})])
        self.assertEqual(max(map(len, text(table).splitlines())), WIDTH)

    def test_markdown_has_a_cell_for_each_heading(self) -> None:
        """Every line of the Markdown table has as many cells as the first."""
        runs = {name: runs for name, runs in RUNS.items() if name != "socat"}
        written = markdown(lines([outcome(runs, socat="no")])).splitlines()
        self.assertEqual({line.count("|") for line in written}, {8})

    def test_json_has_every_run(self) -> None:
        """The file has medians and ratios, and the runs they were made of."""
        written = json.loads(json.dumps(as_json([OUTCOME], {"machine": "this"})))
        self.assertEqual(written["machine"], "this")
        (work,) = written["works"]
        self.assertEqual(work["figures"][0]["medians"]["netkit"], 95)
        self.assertEqual(work["figures"][0]["ratios"]["C epoll"], [0.9, 0.95, 1])
        self.assertEqual(work["runs"]["socat"][0]["counted"]["count"], 10)
