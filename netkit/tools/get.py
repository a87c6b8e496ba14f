"""`netkit get`: a page or a file, to the standard output or into its place.

Rule: the standard output has what the server sent and nothing else; a file is there whole or not at
all.
"""

import hashlib
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from attrs import field, frozen

from netkit.http.messages import Headers
from netkit.tools import options, progress
from netkit.tools.agentoptions import AgentOptions, agent_options, as_url
from netkit.tools.getting.endings import Ending
from netkit.tools.getting.output import Output
from netkit.tools.getting.partial import Device, Partial, opened
from netkit.tools.getting.saving import RefusedError, Saving, save
from netkit.tools.getting.showing import Showing, show
from netkit.tools.getting.telling import Telling, head_lines, status_words
from netkit.tools.options import remark
from netkit.tools.outcome import Exit
from netkit.tools.running import TIMEOUT, Here, run
from netkit.tools.web.agent import UserAgent
from netkit.tools.web.fetching import CutError, Got, Wanted
from netkit.tools.web.urls import Url

_SIZE = re.compile(r"([0-9]{1,12})([kKmMgG]?)(?:i?[bB])?")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3}
_STANDARD = "-"
_ERRORS = 400
_PACKED = re.compile(r"\.(?:gz|tgz|svgz|br|z)", re.IGNORECASE)

_EXAMPLES = options.examples(
    "get https://example.org/",
    "get -O https://example.org/disk.img",
    "get -o disk.img --resume --retries 10 https://example.org/disk.img",
    "get -v --max-bytes 10k https://example.org/ >/dev/null",
    "get --user moshez https://example.org/private/",
)


@frozen
class Order:
    """What the command line asked for. Without a `path` it is the standard output."""

    url: Url
    agent: AgentOptions
    path: Path | None
    headers: Headers = field(repr=False)
    method: bytes
    decode: bool
    at_most: int | None
    resume: bool
    sha256: str | None
    verbose: bool
    guarded: bool

    @property
    def wanted(self) -> Wanted:
        """What the agent is to fetch: into a file that which can be gone on with."""
        headers = self.headers
        whole = self.path is not None and not any(
            n.lower() == b"accept-encoding" for n, _ in headers
        )
        if whole:
            headers = (*headers, (b"Accept-Encoding", b"identity"))
        packed = self.path is not None and _PACKED.fullmatch(Path(self.url.name).suffix)
        decode = self.decode and not packed
        return Wanted(url=self.url, method=self.method, headers=headers, decode=decode)

    @property
    def digest(self) -> Callable[[], Any] | None:
        """What makes the digest that is compared."""
        return None if self.sha256 is None else hashlib.sha256


def _size(_: click.Context, __: click.Parameter, text: str | None) -> int | None:
    """Return the bytes that `text` stands for."""
    if text is None:
        return None
    found = _SIZE.fullmatch(text)
    if found is None or not int(found[1]):
        raise click.BadParameter(f'"{text}" is no number of bytes; as in 10k or 1500000')
    size: int = int(found[1]) * 1024 ** _POWERS[found[2].lower()]
    return size


def _hexadecimal(_: click.Context, __: click.Parameter, text: str | None) -> str | None:
    """Return a SHA-256 in lower case."""
    if text is not None and not re.fullmatch("[0-9a-fA-F]{64}", text):
        raise click.BadParameter("a SHA-256 has 64 hexadecimal digits")
    return text and text.lower()


@click.command(epilog=_EXAMPLES)
@click.argument("url", metavar="URL", callback=as_url)
@click.option("-o", "--output", metavar="FILE", help="Put it there, once all of it is here.")
@click.option("-O", "--named", is_flag=True, help="Put it into a file of the name in the URL.")
@click.option("--resume", is_flag=True, help="Go on with what an earlier time has left of it.")
@click.option("--max-bytes", metavar="N", callback=_size, help="Take no more than that, as in 10k.")
@click.option("--sha256", metavar="HEX", callback=_hexadecimal, help="Have it only if it is that.")
@click.option("--head", "only_head", is_flag=True, help="Show the header section, and no more.")
@click.option("--no-decode", is_flag=True, help="Leave it in the coding that it comes in.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Tell what is sent and what comes, and how it ends."
)
@options.timeout(TIMEOUT)
@agent_options(retries=None)
def command(  # noqa: PLR0913 (an option each)
    *,
    url: Url,
    output: str | None,
    named: bool,
    resume: bool,
    max_bytes: int | None,
    sha256: str | None,
    only_head: bool,
    no_decode: bool,
    verbose: bool,
    timeout: float,
    agent: AgentOptions,
) -> Exit:
    """Fetch a page or a file.

    It goes to the standard output, or with -o and -O to a file, which appears once it is whole.
    Redirects are followed; a password goes to nobody but the server that it is for. It is asked for on
    a terminal, or stands in NETKIT_PASSWORD or a netrc file that nobody else may read.

    A transfer into a file that breaks off is gone on with where it was, if the server can say that the
    file is still the same. What stays behind in FILE.part --resume goes on with another time.

    Exit status: 0 it is here; 1 the server answered with an error (which is shown on the standard
    output), or it has not that SHA-256; 2 trouble.
    """
    if named and output is not None:
        raise click.UsageError("-o and -O are two places; one of them")
    path = _named(url) if named else None if output in {None, _STANDARD} else Path(output or "")
    if only_head and path is not None:
        raise click.UsageError("--head shows what a file would not have; leave out -o and -O")
    if resume and path is None:
        raise click.UsageError("--resume goes on with a file; -o FILE says with which")
    if max_bytes is not None and (resume or sha256 is not None):
        raise click.UsageError(
            "--max-bytes takes a part; --resume and --sha256 are about the whole"
        )
    order = Order(
        url,
        agent,
        path,
        agent.headers,
        b"HEAD" if only_head else b"GET",
        not no_decode,
        max_bytes,
        resume,
        sha256,
        verbose,
        output is None,
    )
    return run(lambda here: get(here, order), timeout)


def _named(url: Url) -> Path:
    """Return the file that the name in `url` is for, in the folder one is in."""
    name = url.name
    if not name or name.startswith(".") or "/" in name or not name.isprintable():
        raise click.UsageError("-O finds no name for a file in the URL; -o FILE gives one")
    return Path(name)


async def get(here: Here, order: Order) -> Exit:
    """Do what the command line asked for."""
    agent = UserAgent(here, order.agent.terms(Telling(_tell) if order.verbose else None))
    try:
        if order.method == b"HEAD":
            return await _show_head(agent, order)
        if order.path is not None:
            return await _save(here, agent, order, order.path)
        return await _show(here, agent, order)
    finally:
        agent.close()


def _tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def _tell_end(order: Order, ending: Ending, size: int) -> None:
    if order.verbose:
        _tell(f"* the body: {ending.value}; {size} bytes")


async def _show_head(agent: UserAgent, order: Order) -> Exit:
    got = await agent.fetch(order.wanted)
    got.close()
    for line in head_lines(got.head):
        options.show(line)
    return Exit.NO if got.head.status >= _ERRORS else Exit.DONE


async def _show(here: Here, agent: UserAgent, order: Order) -> Exit:
    got = await agent.fetch(order.wanted)
    output = Output(here.reactor, sys.stdout.fileno())
    try:
        with progress.meter(progress.Unit.BYTES, here.reactor, shown=_is_shown(output)) as meter:
            showing = Showing(
                at_most=order.at_most,
                digest=order.digest,
                guarded=order.guarded and output.is_terminal,
                meter=meter,
            )
            shown = await show(got, output, showing)
    except CutError:
        _tell_end(order, Ending.CUT, output.size)
        raise
    finally:
        got.close()
        output.close()
    _tell_end(order, shown.ending, output.size)
    return _judged(order, got, shown.digest)


def _is_shown(output: Output) -> bool:
    return output.is_file and progress.is_shown()


def _judged(order: Order, got: Got, digest: str | None) -> Exit:
    if got.head.status >= _ERRORS:
        remark(f"{got.url} answered {status_words(got.head)}")
        return Exit.NO
    return _matches(order, digest)


def _matches(order: Order, digest: str | None) -> Exit:
    if digest != order.sha256:
        remark(f"{order.url} is something else: its SHA-256 is {digest}")
        return Exit.NO
    return Exit.DONE


async def _save(here: Here, agent: UserAgent, order: Order, path: Path) -> Exit:
    file = opened(path)
    try:
        with progress.meter(progress.Unit.BYTES, here.reactor) as meter:
            saved = await save(agent, file, _saving(order, meter), here.reactor)
        _tell_end(order, saved.ending, file.size)
        outcome = _matches(order, saved.digest)
        if outcome is Exit.DONE:
            file.finish()
        else:
            file.discard()
    except RefusedError as error:
        remark(f"{error.url} answered {status_words(error.head)}")
        return Exit.NO
    except CutError:
        _tell_end(order, Ending.CUT, file.size)
        raise
    finally:
        _leave(file)
    return outcome


def _saving(order: Order, meter: progress.Meter) -> Saving:
    return Saving(
        wanted=order.wanted,
        at_most=order.at_most,
        resume=order.resume,
        retries=order.agent.retries,
        digest=order.digest,
        remark=remark,
        meter=meter,
    )


def _leave(file: Partial | Device) -> None:
    if file.leave():
        remark(f"{file.path}.part has its first {file.size} bytes; --resume goes on with them")
