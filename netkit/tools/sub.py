"""`netkit sub SUBJECT`: shows what is published, by netkit or any other NATS server."""

import sys
from collections.abc import Callable

import click

from netkit.services.pubsub.lines import shown
from netkit.services.pubsub.live.writing import json_objects
from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.nats.servers import Server
from netkit.services.pubsub.subjects import is_pattern
from netkit.tools import options, progress
from netkit.tools.messaging.listening import Listening, Wanted
from netkit.tools.natsoptions import Reached, servers
from netkit.tools.outcome import Exit
from netkit.tools.running import TIMEOUT, Here, run

_EXAMPLES = options.examples(
    "sub lines",
    "sub 'prices.>' --json -n 10",
    "sub --raw -n 1 pictures > picture.png",
    "sub jobs --queue workers -s nats://10.0.0.2:4222",
)


@click.command(epilog=_EXAMPLES)
@click.argument("subject")
@click.option("--queue", metavar="NAME", help="Be one of a queue group: one of them gets each.")
@click.option("-n", "--count", type=click.IntRange(1), help="End after so many messages.")
@click.option("--raw", is_flag=True, help="Show payloads only, as they are, and nothing between.")
@options.as_json
@servers
@options.timeout(TIMEOUT)
def command(  # noqa: PLR0913 (each is an option)
    subject: str,
    queue: str | None,
    count: int | None,
    *,
    raw: bool,
    as_json: bool,
    to: Reached,
    timeout: float,
) -> Exit:
    """Show what is published to SUBJECT, a line each: the subject, and what was said.

    SUBJECT may have wildcards: * for a word, > for all words that follow. A connection that is lost is
    made again; what was said meanwhile is not heard.
    """
    if not is_pattern(subject.encode()) or (queue and len(queue.split()) != 1):
        raise click.BadParameter("subjects and queues are words with dots between, as in a.b")
    wanted = Wanted(subject.encode(), (queue or "").encode(), count)
    write = _raw if raw else _json if as_json else _lines
    return run(lambda here: _listen(here, wanted, write, to), timeout)


async def _listen(
    here: Here, wanted: Wanted, write: Callable[[Published], bytes], to: Reached
) -> Exit:
    def show(run: Published) -> None:
        sys.stdout.buffer.write(write(run))
        sys.stdout.buffer.flush()

    def begun(server: Server) -> None:
        if progress.is_shown():
            options.remark(f"listening to {wanted.pattern.decode()} at {server}")

    listening = Listening(wanted, show, begun, options.remark)
    await listening.listen(here, to.servers, to.access)
    return Exit.DONE


def _raw(run: Published) -> bytes:
    return b"".join(run.bare().payloads)


def _lines(run: Published) -> bytes:
    subject = shown(run.subject)
    return b"".join(b"%b: %b\n" % (subject, shown(one)) for one in run.bare().payloads)


def _json(run: Published) -> bytes:
    return "".join(f"{one}\n" for one in json_objects(run)).encode()
