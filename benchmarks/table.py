"""The table: outcomes as lines, and lines as text for a terminal, as Markdown, and as JSON.

Pure. A side that could not be measured has a line that says why and what to install.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from statistics import median

import attrs
from attrs import frozen

from benchmarks.figures import FULL, middle, ratios, shown
from benchmarks.measure import Outcome
from benchmarks.work import Row

WIDTH = 100  # columns in which the table reads well

_HEADINGS = ("work", "netkit", "peer", "peer's", "ratio", "from-to", "goal")
_RIGHT = (False, True, False, True, True, True, False)
_PEER = 2  # the column of the peer's name; a note stands right of it
_UNFULL, _FAULTY, _CLEAN = "*", "!", " "
_LEGEND = f"{_UNFULL} the server's core was not full: waiting, or the load, set the limit"


@frozen
class Line:
    """A line of the table: a cell for each heading; `note` stands instead of those after the peer."""

    cells: tuple[str, ...]
    note: str = ""


def lines(outcomes: Iterable[Outcome]) -> list[Line]:
    """Return the lines of the table: for each work its rows, for each row its peers."""
    found = []
    for outcome in outcomes:
        for row in outcome.work.rows:
            of_row = list(_lines_of(outcome, row))
            found += [*of_row[:1], *map(_continued, of_row[1:])]
    return found


def text(table: Sequence[Line]) -> str:
    """Return the table for a terminal."""
    columns = zip(_HEADINGS, *(line.cells for line in table), strict=True)
    widths = [max(map(len, column)) for column in columns]
    head = [Line(_HEADINGS), Line(tuple("-" * width for width in widths))]
    return "\n".join(_aligned(line, widths) for line in [*head, *table])


def markdown(table: Sequence[Line]) -> str:
    """Return the table in Markdown."""
    rule = Line(tuple("--:" if right else "---" for right in _RIGHT))
    return "\n".join(_piped(line) for line in [Line(_HEADINGS), rule, *table])


def remarks(outcomes: Sequence[Outcome]) -> list[str]:
    """Return what stands below the table: what its marks mean, and the errors that were counted."""
    marks = {
        _mark(outcome, row, name)
        for outcome in outcomes
        for row in outcome.work.rows
        for name in outcome.runs
    }
    return [_LEGEND] * (_UNFULL in marks) + [
        f"{_FAULTY} {outcome.work.name}: {name}: {errors} errors"
        for outcome in outcomes
        for name in outcome.runs
        if (errors := _errors(outcome, name))
    ]


def as_json(outcomes: Iterable[Outcome], setting: Mapping[str, object]) -> dict[str, object]:
    """Return all that was measured, run by run, as JSON knows it, with `setting` before it."""
    return {**setting, "works": list(map(_work_as_json, outcomes))}


def _lines_of(outcome: Outcome, row: Row) -> Iterator[Line]:
    work = outcome.work
    name = f"  {row.name}" if row.name else work.name
    netkit = work.netkit.name if work.netkit else ""
    if netkit in outcome.absent:
        yield Line((name, "", netkit, "", "", "", ""), outcome.absent[netkit])
    for peer in work.peers:
        ours = _value(outcome, row, netkit)
        theirs = _value(outcome, row, peer.name)
        goal = row.goal if peer is work.peers[0] else row.others.get(peer.name, "")
        cells = (name, ours, peer.name, theirs, *_ratio(outcome, row, peer.name), goal)
        yield Line(cells, outcome.absent.get(peer.name, ""))


def _continued(line: Line) -> Line:
    """Leave out what the row's first line says of netkit."""
    return attrs.evolve(line, cells=("", "", *line.cells[_PEER:]))


def _value(outcome: Outcome, row: Row, name: str) -> str:
    if name not in outcome.runs:
        return ""
    value = shown(middle(row.figure, outcome.runs[name]), row.figure.unit)
    return value + _mark(outcome, row, name)


def _ratio(outcome: Outcome, row: Row, peer: str) -> tuple[str, str]:
    found = _ratios(outcome, row, peer)
    if not found:
        return ("", "")
    return (f"{median(found):.2f}", f"{found[0]:.2f}-{found[-1]:.2f}")


def _ratios(outcome: Outcome, row: Row, peer: str) -> list[float]:
    netkit = outcome.work.netkit
    if netkit is None or not {netkit.name, peer} <= outcome.runs.keys():
        return []
    return ratios(row.figure, outcome.runs[netkit.name], outcome.runs[peer])


def _mark(outcome: Outcome, row: Row, name: str) -> str:
    if _errors(outcome, name):
        return _FAULTY
    full = median(run.share for run in outcome.runs[name]) >= FULL
    return _CLEAN if full or not row.figure.limited else _UNFULL


def _errors(outcome: Outcome, name: str) -> int:
    return sum(run.counted.errors for run in outcome.runs[name])


def _aligned(line: Line, widths: Sequence[int]) -> str:
    cells = [
        cell.rjust(width) if right else cell.ljust(width)
        for cell, width, right in zip(line.cells, widths, _RIGHT, strict=True)
    ]
    if line.note:
        cells[_PEER:] = [f"{line.cells[_PEER]}: {line.note}"]
    written = "  ".join(cells).rstrip()
    return written if len(written) <= WIDTH else f"{written[: WIDTH - 3]}..."


def _piped(line: Line) -> str:
    cells = [cell.strip() for cell in line.cells]
    if line.note:
        cells[_PEER + 1] = line.note
    return f"| {' | '.join(cells)} |"


def _work_as_json(outcome: Outcome) -> dict[str, object]:
    return {
        "work": outcome.work.name,
        "absent": dict(outcome.absent),
        "figures": [_figure_as_json(outcome, row) for row in outcome.work.rows],
        "runs": {name: [attrs.asdict(run) for run in runs] for name, runs in outcome.runs.items()},
    }


def _figure_as_json(outcome: Outcome, row: Row) -> dict[str, object]:
    return {
        "unit": row.figure.unit,
        "goal": row.goal,
        "goals of others": dict(row.others),
        "medians": {name: middle(row.figure, runs) for name, runs in outcome.runs.items()},
        "ratios": {
            peer.name: found
            for peer in outcome.work.peers
            if (found := _ratios(outcome, row, peer.name))
        },
    }
