"""`netkit upload URL FILE…`: files are sent as a browser sends those of a form.

The answer is shown as it is in a pipe, made harmless on a terminal, or opened in a browser.
"""

import sys
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import Any, TypeAlias

import click
from attrs import frozen

from netkit.document.values import quoted
from netkit.tools.agentoptions import AgentOptions, agent_options, as_url
from netkit.tools.getting.output import Output
from netkit.tools.getting.telling import status_words
from netkit.tools.input import pieces
from netkit.tools.options import examples, remark, timeout
from netkit.tools.outcome import Exit, TroubleError
from netkit.tools.progress import Unit, meter
from netkit.tools.running import TIMEOUT, Here, run
from netkit.tools.web.agent import UserAgent
from netkit.tools.web.fetching import Got
from netkit.tools.web.formdata import Content, Text
from netkit.tools.web.harmless import text
from netkit.tools.web.inbrowser import browse, saved
from netkit.tools.web.standardinput import content
from netkit.tools.web.uploading import FIELD, attached, upload
from netkit.tools.web.urls import Url

_EPILOG = f"""
{
    examples(
        "upload https://example.org/form report.pdf",
        "upload --field user=jo --name photo --open https://example.org/ *.jpg",
        "upload https://example.org/form - < notes.txt",
    )
}

\b
Exit status: 0 the server took it; 1 it answered with a status of 400 or more;
2 there is no answer, or a file cannot be read.
"""


Take: TypeAlias = Callable[[Got, Here], Awaitable[None]]
"""What becomes of an answer."""


@frozen
class Order:
    """What the command line asked for; `name` is that of the field that has the files."""

    url: Url
    fields: Sequence[Text]
    files: Sequence[str]
    name: str
    agent: AgentOptions


def _fields(_: click.Context, __: click.Parameter, written: Sequence[str]) -> tuple[Text, ...]:
    return tuple(map(_field, written))


def _field(written: str) -> Text:
    name, equals, value = written.partition("=")
    if not equals or not name:
        raise click.BadParameter(f'{quoted(written)} is no field; as in "name=value"')
    return Text(name, value)


@click.command(epilog=_EPILOG)
@click.argument("url", callback=as_url)
@click.argument("files", nargs=-1, metavar="[FILE]...")
@click.option(
    "--field",
    "fields",
    metavar="NAME=VALUE",
    callback=_fields,
    multiple=True,
    help="Send this field too, before the files; may be repeated.",
)
@click.option(
    "--name", default=FIELD, show_default=True, help="The name of the field that has the files."
)
@click.option("--open", "is_opened", is_flag=True, help="Open the answer in a browser (BROWSER).")
@agent_options()
@timeout(TIMEOUT)
def command(  # noqa: PLR0913 (one for each option)
    *,
    url: Url,
    files: Sequence[str],
    fields: Sequence[Text],
    name: str,
    timeout: float,
    agent: AgentOptions,
    is_opened: bool,
) -> Exit:
    """Send each FILE to URL as a form does (multipart/form-data), and show the answer.

    The file - is the standard input.
    """
    if not files and not fields:
        raise click.UsageError("there is nothing to send; a FILE or a --field")
    order = Order(url, fields, files, name, agent)
    if not is_opened:
        return run(lambda here: _exchange(here, order, _show), timeout)
    kept: list[Path] = []

    async def keep(got: Got, _: Here) -> None:
        kept.append(await saved(got))

    outcome = run(lambda here: _exchange(here, order, keep), timeout)
    for file in kept:
        browse(file)
    return outcome


async def _exchange(here: Here, order: Order, take: Take) -> Exit:
    """Send the form, and let `take` have the answer."""
    reactor: Any = here.reactor

    async def standard_input() -> Content:
        if sys.stdin is None:
            raise TroubleError("the standard input is closed")
        return await content(pieces(sys.stdin.fileno(), reactor))

    web = UserAgent(here, order.agent.terms())
    try:
        files = await attached(order.files, order.name, standard_input)
        with meter(Unit.BYTES, reactor) as progress:
            parts = (*order.fields, *files)
            got = await upload(web, order.url, parts, progress, order.agent.headers)
        try:
            await take(got, here)
        finally:
            got.close()
    finally:
        web.close()
    return _outcome(got)


async def _show(got: Got, here: Here) -> None:
    """Show the body: as it is, or so that a terminal does nothing but show it."""
    output = Output(here.reactor, sys.stdout.fileno())
    try:
        if output.is_terminal:
            async for shown in text(got):
                await output.write(shown.encode(sys.stdout.encoding, "backslashreplace"))
        else:
            async for piece in got.body:
                await output.write(piece)
    finally:
        output.close()


def _outcome(got: Got) -> Exit:
    if got.head.status < HTTPStatus.BAD_REQUEST:
        return Exit.DONE
    remark(f"{got.url} answered {status_words(got.head)}")
    return Exit.NO
