"""How reports reach the standard output."""

import json
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO

from attrs import evolve
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.outcome import Exit
from netkit.tools.scanning.scan import Report
from netkit.tools.scanning.showing import Form, Showing, show_one
from netkit.tools.scanning.verdicts import REFUSED
from tests.tools.scanning.test_report import REPORT, UNKNOWN

CLOSED = evolve(REPORT, results={REFUSED: (22, 80)}, opened={})
OPEN = evolve(
    REPORT, results={each: REPORT.results[each] for each in REPORT.results if each != UNKNOWN}
)


class ShowingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.out, self.errors = StringIO(), StringIO()

    def shown(
        self,
        form: Form,
        *reports: Report,
        all_ports: bool = False,
        draws: bool = False,
        held: bool = False,
    ) -> Exit:
        """Return what `reports` come to, as they are shown."""
        with redirect_stdout(self.out), redirect_stderr(self.errors):
            showing = Showing(form, all_ports=all_ports, draws=draws, held=held)
            for report in reports:
                before = self.out.tell()
                showing.add(report)
                if held or draws:
                    self.assertEqual(self.out.tell(), before)
            return showing.end(len(reports), 0.5)

    def test_lines(self) -> None:
        """In a pipe a port is a line, its fields apart by tabs; what it comes to is a remark."""
        self.assertEqual(self.shown(Form.TABLE, OPEN), Exit.DONE)
        first, second = self.out.getvalue().splitlines()
        self.assertEqual(first, "192.0.2.1\t22\topen\tssh\t12 ms\tSSH-2.0-x y")
        self.assertEqual(second, "192.0.2.1\t80\topen\thttp\t1.2 s")
        self.assertEqual(
            self.errors.getvalue(),
            "netkit: a.example (192.0.2.1): 2 open, 3 closed (refused), 1 filtered (host unreachable), "
            "1 filtered (no answer) in 500 ms\n",
        )

    def test_drawn(self) -> None:
        """On a terminal there is a table with titles; hosts are named where there are several."""
        self.shown(Form.TABLE, OPEN, draws=True)
        self.assertTrue(self.out.getvalue().startswith("PORT  STATE  SERVICE  TIME"))
        self.shown(Form.TABLE, OPEN, CLOSED, draws=True)
        self.assertIn("HOST", self.out.getvalue())
        self.assertIn("2 hosts: 2 open, 5 closed", self.errors.getvalue())

    def test_json(self) -> None:
        """As JSON each host is a value on a line of its own, and nothing is remarked."""
        self.shown(Form.JSON, OPEN, CLOSED, held=True)
        values = [json.loads(line) for line in self.out.getvalue().splitlines()]
        self.assertEqual([len(each["ports"]) for each in values], [2, 0])
        self.assertEqual(self.errors.getvalue(), "")

    def test_one_line(self) -> None:
        """Hosts without an open port have no line, unless all ports are asked for."""
        self.assertEqual(self.shown(Form.ONE_LINE, CLOSED), Exit.NO)
        self.assertEqual((self.out.getvalue(), self.errors.getvalue()), ("", ""))
        self.shown(Form.ONE_LINE, CLOSED, all_ports=True)
        self.assertEqual(
            self.out.getvalue(), "192.0.2.1 (a.example): 22/closed/ssh 80/closed/http\n"
        )

    def test_unknown(self) -> None:
        """What could not be tried is trouble, and is said whatever the form."""
        for form in Form:
            self.errors = StringIO()
            self.assertEqual(self.shown(form, REPORT), Exit.TROUBLE)
            self.assertIn("1 not known (too many open files)", self.errors.getvalue())

    def test_one(self) -> None:
        """Of a single port one line says it all; where it could not be tried it is no data."""
        with redirect_stdout(self.out), redirect_stderr(self.errors):
            outcomes = [show_one(REPORT, port, 4.0) for port in (22, 21, 25, 27)]
        self.assertEqual(outcomes, [Exit.DONE, Exit.NO, Exit.NO, Exit.TROUBLE])
        self.assertEqual(len(self.out.getvalue().splitlines()), 3)
        said = "netkit: a.example (192.0.2.1) port 27: not known, too many open files\n"
        self.assertEqual(self.errors.getvalue(), said)
