"""How the reports of a scan reach the standard output, and what the exit status says of them."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from enum import Enum

from rich.console import Console
from rich.table import Table
from rich.text import Text

from netkit.tools.options import remark, show
from netkit.tools.outcome import Exit
from netkit.tools.scanning.report import Row, as_json, duration, one_line, rows, sentence, totals
from netkit.tools.scanning.scan import Report
from netkit.tools.scanning.verdicts import State, Verdict

_TITLES = ("PORT", "STATE", "SERVICE", "TIME", "")
_STYLES = {State.OPEN: "green", State.UNKNOWN: "red"}


class Form(Enum):
    """How reports are shown."""

    TABLE = "table"
    ONE_LINE = "one line"
    JSON = "json"


class Showing:
    """Shows reports in `form`: the open ports, or all.

    `draws`: a table is drawn as people like it, at the end; else it is lines with tabs. `held`:
    nothing is shown before the end, because something else is drawn meanwhile.
    """

    def __init__(self, form: Form, *, all_ports: bool, draws: bool, held: bool) -> None:
        self._form = form
        self._all_ports = all_ports
        self._held = held
        self._draws = draws and form is Form.TABLE
        self._counts: Counter[Verdict] = Counter()
        self._host = ""
        self._rows: list[Row] = []
        self._lines: list[str] = []

    def add(self, report: Report) -> None:
        """Show `report`, now or at the end."""
        self._counts.update({verdict: len(ports) for verdict, ports in report.results.items()})
        self._host = str(report.host)
        if self._draws:
            self._rows += rows(report, all_ports=self._all_ports)
        else:
            self._lines += self._written(report)
        if not self._held:
            self._write()

    def _written(self, report: Report) -> Iterator[str]:
        if self._form is Form.JSON:
            yield json.dumps(as_json(report, all_ports=self._all_ports))
        elif self._form is Form.ONE_LINE:
            if self._all_ports or report.opened:
                yield one_line(report, all_ports=self._all_ports)
        else:
            for row in rows(report, all_ports=self._all_ports):
                yield "\t".join((row.address, *row.cells)).rstrip("\t")

    def _write(self) -> None:
        for line in self._lines:
            show(line)
        self._lines.clear()

    def end(self, hosts: int, seconds: float) -> Exit:
        """Show what is left, and in a word what came of all `hosts`; return what that comes to."""
        self._write()
        if self._rows:
            _draw(self._rows, with_address=hosts > 1)
        unknown = self._count(State.UNKNOWN)
        if self._form is Form.TABLE or unknown:
            what = self._host if hosts == 1 else f"{hosts:,} hosts"
            remark(f"{what}: {totals(self._counts)} in {duration(seconds)}")
        if unknown:
            return Exit.TROUBLE
        return Exit.DONE if self._count(State.OPEN) else Exit.NO

    def _count(self, state: State) -> int:
        return sum(count for verdict, count in self._counts.items() if verdict.state is state)


def _draw(drawn: Sequence[Row], *, with_address: bool) -> None:
    """Show a table on a terminal, as wide as that is."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    titles = ("HOST", *_TITLES) if with_address else _TITLES
    for title in titles:
        table.add_column(title, no_wrap=True, overflow="ellipsis")
    for row in drawn:
        cells = (row.address, *row.cells) if with_address else row.cells
        style = _STYLES.get(row.verdict.state, "")
        table.add_row(*(Text(cell) for cell in cells), style=style)
    Console().print(table)


def show_one(report: Report, port: int, timeout: float) -> Exit:
    """Say what is known of the one `port` that was tried; return what that comes to."""
    verdict = report.verdict(port)
    said = sentence(report, port, timeout)
    if verdict.state is State.UNKNOWN:
        remark(said)
        return Exit.TROUBLE
    show(said)
    return Exit.DONE if verdict.state is State.OPEN else Exit.NO
