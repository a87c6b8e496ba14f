"""`netkit scan HOST... [PORTS]`: which ports of a host are open, and why others are not.

Rule: it connects to the hosts and ports that are given, and to nothing else.
"""

import sys
from collections.abc import Sequence
from typing import Any

import click
from attrs import frozen

from netkit.net.names import Names
from netkit.tools.options import as_json as json_option
from netkit.tools.options import examples, remark
from netkit.tools.outcome import Exit, TroubleError
from netkit.tools.progress import Unit, is_shown, meter
from netkit.tools.running import Here, run
from netkit.tools.scanning.ports import looks_like_ports, parse
from netkit.tools.scanning.resolving import Host, Resolved, resolve
from netkit.tools.scanning.scan import BANNER_SECONDS, TIMEOUT, Report, Terms, scan
from netkit.tools.scanning.services import WELL_KNOWN, port_of
from netkit.tools.scanning.showing import Form, Showing, show_one
from netkit.tools.scanning.targets import Target, parse_all
from netkit.tools.scanning.timing import MOST

_LONGEST = 600.0  # seconds


@frozen
class Asked:
    """What the command line asks for."""

    targets: Sequence[Target]
    ports: Sequence[int]
    terms: Terms
    form: Form = Form.TABLE
    all_ports: bool = False
    prefer_v6: bool = False


@frozen
class Line:
    """The arguments of a command line, taken apart."""

    hosts: Sequence[str]
    ports: str = ""


def taken_apart(arguments: Sequence[str], ports: str = "") -> Line:
    """Return the hosts among `arguments`, and the PORTS that are the last of them, or were given apart.

    Raise ValueError where no host is left.
    """
    if not ports and looks_like_ports(arguments[-1]):
        arguments, ports = arguments[:-1], arguments[-1]
    if not arguments:
        raise ValueError(f'"{ports}" are ports; which host?')
    return Line(arguments, ports)


@click.command(
    epilog=examples(
        "scan www.example.org 443",
        "scan 192.0.2.7 1-200",
        "scan --banner 192.0.2.0/24 ssh,smtp",
        "scan --json -p - localhost ::1",
    )
    + "\n\n\b\nExit status: 0 a port is open; 1 none is; 2 something could not be tried."
)
@click.argument("arguments", nargs=-1, required=True, metavar="HOST... [PORTS]")
@click.option(
    "-p", "--ports", default="", metavar="PORTS", help="The ports; all arguments are hosts then."
)
@json_option
@click.option("--oneline", is_flag=True, help="Show each host on one line, for grep.")
@click.option("--banner", is_flag=True, help="Show what the server of an open port says first.")
@click.option("--all", "all_ports", is_flag=True, help="Show the ports that are not open, too.")
@click.option("-6", "prefer_v6", is_flag=True, help="Of a name, take an IPv6 address before IPv4.")
@click.option(
    "--timeout",
    type=click.FloatRange(0.03, _LONGEST),
    default=TIMEOUT,
    show_default=True,
    metavar="SECS",
    help="How long a port may be silent, its second chance included; less where a host is quick.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, MOST),
    default=MOST,
    show_default=True,
    metavar="N",
    help="How many connections at once at most; fewer where hosts are slow.",
)
def command(  # noqa: PLR0913 (one for each option)
    *,
    arguments: Sequence[str],
    ports: str,
    as_json: bool,
    oneline: bool,
    banner: bool,
    all_ports: bool,
    prefer_v6: bool,
    timeout: float,
    jobs: int,
) -> Exit:
    """Say which TCP ports of hosts are open, by connecting to them.

    HOST is a name, an address or a network as in 192.0.2.0/24. Of a name with several addresses one
    is scanned, and the others are told.

    PORTS is the last argument if it has a comma, or only digits and hyphens: 22, 1-200,
    80,443,8000-8100 or ssh,smtp; a single service is written "http," or -p http. "-p -" is all of
    them. Without PORTS, some 50 that are often in use are tried.

    open: it connects. closed: the host refuses. filtered: no answer, or a router says no. unknown:
    something on this host is in the way.
    """
    try:
        line = taken_apart(arguments, ports)
        targets = parse_all(line.hosts)
        wanted = parse(line.ports, port_of) if line.ports else tuple(WELL_KNOWN)
    except ValueError as error:
        raise TroubleError(str(error)) from None
    form = Form.JSON if as_json else Form.ONE_LINE if oneline else Form.TABLE
    asked = Asked(
        targets, wanted, Terms(timeout, jobs, BANNER_SECONDS * banner), form, all_ports, prefer_v6
    )
    return run(lambda here: work(here, asked), timeout)


async def work(here: Here, asked: Asked) -> Exit:
    """Scan what is asked for, and show it."""
    reactor: Any = here.reactor
    names = Names(reactor.nameResolver)
    resolved = await resolve(asked.targets, names, reactor, prefer_v6=asked.prefer_v6)
    _tell(resolved, asked.targets)
    if not resolved.hosts:
        return Exit.TROUBLE
    single = len(resolved.hosts) == len(asked.ports) == 1 and asked.form is Form.TABLE
    outcome = await (_test if single else _scan)(here, resolved.hosts, asked)
    return Exit.TROUBLE if resolved.failed else outcome


async def _test(here: Here, hosts: Sequence[Host], asked: Asked) -> Exit:
    """Try one port of one host."""
    found: list[Report] = []
    await scan(here.reactor, hosts, asked.ports, found.append, terms=asked.terms)
    return show_one(found[0], asked.ports[0], asked.terms.timeout)


async def _scan(here: Here, hosts: Sequence[Host], asked: Asked) -> Exit:
    draws = sys.stdout.isatty()
    showing = Showing(asked.form, all_ports=asked.all_ports, draws=draws, held=is_shown())
    begun = here.reactor.seconds()
    with meter(Unit.PIECES, here.reactor) as progress:
        progress.begin("scanning", len(hosts) * len(asked.ports))
        await scan(
            here.reactor,
            hosts,
            asked.ports,
            showing.add,
            terms=asked.terms,
            advanced=progress.advance,
        )
    return showing.end(len(hosts), here.reactor.seconds() - begun)


def _tell(resolved: Resolved, targets: Sequence[Target]) -> None:
    """Tell of names that have no address, and of those that have more than one."""
    for error in resolved.failed.values():
        remark(str(error))
    last = targets[-1].name
    if last in resolved.failed and len(targets) > 1 and port_of(last):
        remark(f'a service is meant? write "-p {last}"')
    for name, addresses in resolved.further.items():
        remark(
            f"{name} has other addresses, which are not scanned: {', '.join(map(str, addresses))}"
        )
