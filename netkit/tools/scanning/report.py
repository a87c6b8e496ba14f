"""What a scan has found, in words and in figures.

Rule: what a server said is harmless in all of them; a port that is not open is told of where all are
asked for, and else counted.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from attrs import frozen

from netkit.document.values import printable
from netkit.tools.scanning.ports import spans
from netkit.tools.scanning.scan import Report
from netkit.tools.scanning.services import name_of
from netkit.tools.scanning.verdicts import State, Verdict


@frozen
class Row:
    """A port of a host, as it is shown; `note` is why it is not open, or what the server said."""

    address: str
    port: int
    verdict: Verdict
    service: str
    seconds: float | None
    note: str

    @property
    def cells(self) -> tuple[str, str, str, str, str]:
        """Port, state, service, time and note."""
        took = "" if self.seconds is None else duration(self.seconds)
        return str(self.port), self.verdict.state.value, self.service or "-", took, self.note


def rows(report: Report, *, all_ports: bool) -> Iterator[Row]:
    """Yield the open ports, or all, in ascending order."""
    shown = [
        (port, verdict)
        for verdict, ports in report.results.items()
        if all_ports or verdict.state is State.OPEN
        for port in ports
    ]
    for port, verdict in sorted(shown, key=lambda each: each[0]):
        yield _row(report, port, verdict)


def _row(report: Report, port: int, verdict: Verdict) -> Row:
    address, service = str(report.host.address), name_of(port)
    opened = report.opened.get(port)
    if opened is None:
        return Row(address, port, verdict, service, None, verdict.reason)
    return Row(address, port, verdict, service, opened.seconds, text(opened.banner))


def text(banner: bytes) -> str:
    """Return what a server said as text that does nothing to a terminal."""
    return printable(banner.decode("utf-8", "backslashreplace").rstrip("\r\n"))


def duration(seconds: float) -> str:
    """Return `seconds` as people read them."""
    if seconds < 1:
        return f"{seconds * 1000:.2g} ms" if seconds < 0.1 else f"{seconds * 1000:.0f} ms"  # noqa: PLR2004
    return f"{seconds:.1f} s"


def one_line(report: Report, *, all_ports: bool) -> str:
    """Return `ADDRESS (NAME): 22/open/ssh 80/open/http`; a banner follows as a string of JSON."""
    words = [_word(row) for row in rows(report, all_ports=all_ports)]
    name = f" ({report.host.name})" if report.host.name else ""
    return " ".join((f"{report.host.address}{name}:", *words))


def _word(row: Row) -> str:
    banner = f"/{json.dumps(row.note)}" if row.seconds is not None and row.note else ""
    return f"{row.port}/{row.verdict.state.value}/{row.service}{banner}"


def as_json(report: Report, *, all_ports: bool) -> dict[str, Any]:
    """Return the report as values of JSON: the open ports, or all, one by one, and the rest as ranges."""
    return {
        "address": str(report.host.address),
        "name": report.host.name or None,
        "ports": [_json_port(row) for row in rows(report, all_ports=all_ports)],
        "others": []
        if all_ports
        else [
            {**_json_verdict(verdict), "count": len(ports), "ports": spans(ports)}
            for verdict, ports in report.results.items()
            if verdict.state is not State.OPEN
        ],
    }


def _json_port(row: Row) -> dict[str, Any]:
    found: dict[str, Any] = {"port": row.port, **_json_verdict(row.verdict)}
    found["service"] = row.service or None
    if row.seconds is not None:
        found["seconds"] = round(row.seconds, 6)
        found["banner"] = row.note or None
    return found


def _json_verdict(verdict: Verdict) -> dict[str, str]:
    return {"state": verdict.state.value, "reason": verdict.reason}


def sentence(report: Report, port: int, timeout: float) -> str:
    """Return what is known of the one port that was tried; `timeout` is how long, in seconds."""
    service = name_of(port)
    place = f"{report.host} port {port}{f' ({service})' if service else ''}"
    verdict = report.verdict(port)
    opened = report.opened.get(port)
    if opened is not None:
        said = f"; it says: {text(opened.banner)}" if opened.banner else ""
        return f"{place}: open, connected in {duration(opened.seconds)}{said}"
    if verdict.state is State.CLOSED:
        return f"{place}: closed, connection refused"
    if verdict.state is State.UNKNOWN:
        return f"{place}: not known, {verdict.reason}"
    within = f" within {timeout:g} s" if verdict.reason == "no answer" else ""
    return f"{place}: filtered, {verdict.reason}{within}"


def totals(counts: Mapping[Verdict, int]) -> str:
    """Return how many ports have come to what: "2 open, 198 closed (refused)"."""
    return ", ".join(_total(verdict, counts[verdict]) for verdict in _ordered(counts))


def _ordered(verdicts: Iterable[Verdict]) -> Sequence[Verdict]:
    states = list(State)
    return sorted(verdicts, key=lambda each: (states.index(each.state), each.reason))


def _total(verdict: Verdict, count: int) -> str:
    if verdict.state is State.OPEN:
        return f"{count:,} open"
    if verdict.state is State.UNKNOWN:
        return f"{count:,} not known ({verdict.reason})"
    return f"{count:,} {verdict.state.value} ({verdict.reason})"
