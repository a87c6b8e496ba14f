"""A URL is shown: its body goes to the standard output as it comes.

Rule: bytes that are no text are not written to a terminal, which would act on them, unless the user says so.
"""

from collections.abc import Callable
from typing import Any

from attrs import frozen

from netkit.tools.getting.endings import Ending, ending
from netkit.tools.getting.output import Output
from netkit.tools.outcome import TroubleError
from netkit.tools.progress import Meter
from netkit.tools.web.fetching import Got

_NO_TEXT = "this is no text, and a terminal would act on it; -o FILE keeps it, and -o - shows it"


@frozen(kw_only=True)
class Showing:
    """How a body is shown.

    At most `at_most` bytes, if it is not None; `digest` is an object of hashlib's that shall see them.
    `guarded`: what is no text is not shown.
    """

    at_most: int | None = None
    digest: Callable[[], Any] | None = None
    guarded: bool = False
    meter: Meter


@frozen
class Shown:
    """What came of it: how the body ended, and the digest, if one was asked."""

    ending: Ending
    digest: str | None = None


async def show(got: Got, output: Output, showing: Showing) -> Shown:
    """Write the body of `got`; raise FetchError where it is cut, TroubleError where it is no text."""
    digest = showing.digest() if showing.digest else None
    showing.meter.begin(got.url.name or got.url.host, got.body.length)
    at_most = showing.at_most
    how = ending(got.framing)
    async for piece in got.body:
        if at_most is not None and output.size + len(piece) > at_most:
            piece = piece[: at_most - output.size]  # noqa: PLW2901 (no more of it is wanted)
        if showing.guarded and not output.size and b"\0" in piece:
            raise TroubleError(_NO_TEXT)
        await output.write(piece)
        showing.meter.advance(len(piece))
        if digest is not None:
            digest.update(piece)
        if output.size == at_most:
            how = Ending.LIMIT
            break
    return Shown(how, None if digest is None else digest.hexdigest())
