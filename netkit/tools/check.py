"""`netkit check URL…`: whether pages have changed since the last time.

Asking twice is harmless: what is remembered of a page changes when the page does, and no answer that
says nothing new, be it a 304 or an error, makes anything forgotten.
"""

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from stat import S_ISREG
from time import time
from typing import Any, BinaryIO

import click
from attrs import frozen

from netkit.tools.agentoptions import AgentOptions, agent_options, as_urls
from netkit.tools.options import as_json, examples, remark, show, show_json, timeout
from netkit.tools.outcome import Exit, TroubleError
from netkit.tools.progress import Unit, is_shown, meter
from netkit.tools.running import TIMEOUT, Here, run
from netkit.tools.web.agent import UserAgent
from netkit.tools.web.checking import JOBS, Checked, Checks, Verdict, check
from netkit.tools.web.remembering import Memory, default_file
from netkit.tools.web.urls import LONGEST, Url, parse
from netkit.tools.web.validators import MOST_PAGES

_MOST_JOBS = 100
_MOST_LINES = 10 * MOST_PAGES

_EPILOG = f"""
{
    examples(
        "check https://example.org/news https://example.org/feed.xml",
        "check --file urls.txt && echo nothing new",
        "check --json --state watched.json https://example.org/",
    )
}

\b
Exit status: 0 all are unchanged; 1 some are new or changed; 2 some could not
be looked at, or nothing can be remembered.
"""


@frozen
class Order:
    """What the command line asked for."""

    urls: tuple[Url, ...]
    state: Path | None
    jobs: int
    agent: AgentOptions
    as_json: bool


@click.command(epilog=_EPILOG)
@click.argument("urls", nargs=-1, metavar="[URL]...", callback=as_urls)
@click.option(
    "--file",
    "source",
    metavar="FILE",
    type=click.File("rb"),
    help="Look at the URLs in FILE too, one a line; - is the standard input.",
)
@click.option(
    "--state",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Remember in FILE, which is netkit's alone; by default $XDG_STATE_HOME/netkit/check.json.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1, _MOST_JOBS),
    default=JOBS,
    show_default=True,
    help="Look at so many pages at once.",
)
@agent_options()
@timeout(TIMEOUT)
@as_json
def command(  # noqa: PLR0913 (one for each option)
    *,
    urls: tuple[Url, ...],
    source: BinaryIO | None,
    state: Path | None,
    jobs: int,
    timeout: float,
    agent: AgentOptions,
    as_json: bool,
) -> Exit:
    """Say of each URL whether it is new, changed or unchanged since the last time.

    A server is asked with the validators it gave (ETag, Last-Modified). Where it gave none the
    content is compared. An error leaves what is remembered of a page as it is.
    """
    wanted = (*urls, *(_listed(source) if source else ()))
    if not wanted:
        raise click.UsageError("no URL is given")
    if len(wanted) > MOST_PAGES:
        raise TroubleError(f"{len(wanted)} URLs are too many; {MOST_PAGES} at most")
    order = Order(wanted, state, jobs, agent, as_json)
    return run(lambda here: _check(here, order), timeout)


async def _check(here: Here, order: Order) -> Exit:
    """Do what the command line asked for."""
    clock: Any = here.reactor
    web = UserAgent(here, order.agent.terms())
    checks = Checks(agent=web, clock=clock, now=time, jobs=order.jobs, headers=order.agent.headers)
    file = order.state or default_file(os.environ)
    memory = Memory(file, clock, remark, own=order.state is None)
    with meter(Unit.PIECES, clock, shown=is_shown() and _is_kept()) as progress:

        def found(checked: Checked) -> None:
            (_show_json if order.as_json else _show)(checked)
            progress.advance(1)

        progress.begin("checked", len(order.urls))
        try:
            return _outcome(await check(checks, memory, order.urls, found))
        finally:
            web.close()


def _is_kept() -> bool:
    """Return whether the output is a file: elsewhere it says itself how far it is."""
    return S_ISREG(os.fstat(sys.stdout.fileno()).st_mode)


def _listed(source: BinaryIO) -> Iterator[Url]:
    """Yield the URLs of a file; a line that is empty or begins with # is none."""
    for number in range(1, _MOST_LINES + 1):
        line = source.readline(LONGEST + 2)
        if not line:
            return
        text = os.fsdecode(line).strip()
        if text and not text.startswith("#"):
            try:
                yield parse(text)
            except ValueError as error:
                raise TroubleError(f"{source.name}:{number}: {error}") from None
    raise TroubleError(f"{source.name} has more than {_MOST_LINES} lines")


def _show(checked: Checked) -> None:
    show(f"{checked.verdict.value:9} {checked.url}")
    if checked.error:
        remark(checked.error)


def _show_json(checked: Checked) -> None:
    page = checked.page
    known = page and {
        "place": page.place,
        "etag": bytes(page.tag).decode("latin-1") if page.tag else None,
        "last_modified": page.modified.decode("latin-1") or None,
        "sha256": page.digest,
        "changed": round(page.changed, 3),
        "looked": round(page.looked, 3),
    }
    said = {"url": str(checked.url), "result": checked.verdict.value}
    show_json(
        {**said, "status": checked.status or None, "error": checked.error or None, "page": known}
    )


def _outcome(verdicts: frozenset[Verdict]) -> Exit:
    if Verdict.ERROR in verdicts:
        return Exit.TROUBLE
    return Exit.DONE if verdicts <= {Verdict.UNCHANGED} else Exit.NO
