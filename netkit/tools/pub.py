"""`netkit pub SUBJECT [DATA]`: publishes, to netkit or any other NATS server."""

import sys
from collections.abc import AsyncIterator
from typing import Any

import click

from netkit.document.values import quoted
from netkit.services.pubsub.lines import shown
from netkit.services.pubsub.nats.headers import Headers, HeadersError, written
from netkit.services.pubsub.subjects import is_subject
from netkit.tools import options
from netkit.tools.input import pieces
from netkit.tools.messaging.lines import lines as lines_of
from netkit.tools.messaging.publishing import Said, publish, request
from netkit.tools.natsoptions import Reached, servers
from netkit.tools.outcome import Exit
from netkit.tools.running import TIMEOUT, Here, run

_EXAMPLES = options.examples(
    "pub lines 'hello, everybody'",
    "pub pictures < picture.png",
    "tail -f log | netkit pub --lines logs.web",
    "pub --request time.now",
)
_LONGEST = 64 * 1024 * 1024  # bytes; servers take less


@click.command(epilog=_EXAMPLES)
@click.argument("subject")
@click.argument("data", required=False)
@click.option("--lines", is_flag=True, help="Each line of the standard input is a message.")
@click.option("--request", "asks", is_flag=True, help="Wait for an answer, and show it.")
@click.option("--reply", metavar="SUBJECT", default="", help="Where answers should go.")
@click.option(
    "-H", "--header", "fields", multiple=True, metavar="'NAME: VALUE'", help="May be repeated."
)
@servers
@options.timeout(TIMEOUT)
def command(  # noqa: PLR0913 (each is an option)
    subject: str,
    data: str | None,
    *,
    lines: bool,
    asks: bool,
    reply: str,
    fields: tuple[str, ...],
    to: Reached,
    timeout: float,
) -> Exit:
    """Publish DATA, or else what the standard input has, to SUBJECT.

    It is done once the server has heard it; whether anybody else has, nobody tells. With --request the
    exit status is 1 where nobody is there to answer.
    """
    if lines and (data is not None or asks):
        raise click.UsageError("--lines goes neither with DATA nor with --request")
    said = _said(subject, reply, fields)
    if lines:
        return run(lambda here: _publish(here, to, said, _lines(here)), timeout)
    payload = (
        sys.stdin.buffer.read(_LONGEST) if data is None else data.encode(errors="surrogateescape")
    )
    if asks:
        return run(lambda here: _request(here, to, said, payload), timeout)
    return run(lambda here: _publish(here, to, said, _one(payload)), timeout)


def _said(subject: str, reply: str, fields: tuple[str, ...]) -> Said:
    for each in (subject, reply):
        if each and not is_subject(each.encode()):
            raise click.BadParameter(
                f"{quoted(each)} is no subject; words with dots between, as in a.b"
            )
    pairs = tuple(each.partition(":") for each in fields)
    headers = Headers(tuple((name.encode(), value.strip().encode()) for name, _, value in pairs))
    try:
        written(headers)
    except HeadersError as error:
        raise click.BadParameter(f"a header is not as it should be: {error}") from None
    return Said(subject.encode(), reply.encode(), headers)


async def _publish(here: Here, to: Reached, said: Said, payloads: AsyncIterator[bytes]) -> Exit:
    await publish(here, to.servers, to.access, said, payloads)
    return Exit.DONE


async def _request(here: Here, to: Reached, said: Said, payload: bytes) -> Exit:
    answer = await request(here, to.servers, to.access, said, payload)
    if answer is None:
        options.remark(f"nobody is there to answer {said.subject.decode()}")
        return Exit.NO
    payload = answer.bare().payloads[0]
    sys.stdout.buffer.write(shown(payload) + b"\n" if sys.stdout.isatty() else payload)
    sys.stdout.buffer.flush()
    return Exit.DONE


async def _one(payload: bytes) -> AsyncIterator[bytes]:
    yield payload


def _lines(here: Here) -> AsyncIterator[bytes]:
    reactor: Any = here.reactor
    return lines_of(pieces(sys.stdin.fileno(), reactor), _LONGEST)
