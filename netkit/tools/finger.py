"""`netkit finger user@host`: who somebody is, by any finger server."""

import sys
from collections.abc import Sequence
from typing import cast

import click
from attrs import evolve
from twisted.internet.interfaces import IReactorTime

from netkit.net.dial import TcpWay
from netkit.net.failures import NoConnectionError
from netkit.tools.inquiry.asking import Answer, Ending, Limits, ask
from netkit.tools.inquiry.reading import text
from netkit.tools.inquiry.targets import PORT, Inquiry, inquiry
from netkit.tools.options import as_json, examples, remark, show_json, timeout
from netkit.tools.outcome import Exit
from netkit.tools.running import TIMEOUT, Here, run


@click.command(
    epilog=examples("finger ada@host.example", "finger -l @host.example", "finger moshez")
    + "\n\n\b\nExit status: 0 all were answered; 2 one was not, or not to its end."
)
@click.argument("whom", nargs=-1, metavar="[USER][@HOST]...")
@click.option("-l", "--long", "verbose", is_flag=True, help="Ask for the long form (/W).")
@click.option(
    "-p",
    "--port",
    type=click.IntRange(1, 65535),
    default=PORT,
    show_default=True,
    help="Ask at this port.",
)
@timeout(TIMEOUT)
@as_json
def command(
    *, whom: tuple[str, ...], verbose: bool, port: int, timeout: float, as_json: bool
) -> Exit:
    """Ask who USER is, at HOST or here; without USER, who is there.

    HOST may be HOST:PORT. With USER@NEXT@HOST the server at HOST is asked to ask NEXT, which most
    refuse to. What a terminal could act on is shown as escapes.
    """
    try:
        asked = [inquiry(each, verbose=verbose, port=port) for each in whom or ("",)]
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return run(lambda here: _ask_all(here, asked, as_json=as_json), timeout)


async def _ask_all(here: Here, asked: Sequence[Inquiry], *, as_json: bool) -> Exit:
    outcome = Exit.DONE
    limits = evolve(Limits(), silence=here.timeout)
    for each in asked:
        way = TcpWay(each.host, each.port, here.connector)
        try:
            answer = await ask(way, each.line, cast("IReactorTime", here.reactor), limits)
        except NoConnectionError as error:
            remark(str(error))
            outcome = Exit.TROUBLE
            continue
        _show(each, answer, headed=len(asked) > 1, as_json=as_json)
        if answer.ending is not Ending.WHOLE:
            remark(f"{each}: {answer.ending.value}")
            outcome = Exit.TROUBLE
    return outcome


def _show(asked: Inquiry, answer: Answer, *, headed: bool, as_json: bool) -> None:
    said = text(answer.data)
    if as_json:
        whole = answer.ending is Ending.WHOLE
        show_json({"host": asked.host, "query": str(asked.query), "answer": said, "whole": whole})
        return
    sys.stdout.write(f"[{asked}]\n{said}" if headed else said)
    sys.stdout.flush()
