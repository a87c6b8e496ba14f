"""Files are sent to a server as a form sends them (RFC 7578).

Rule: whatever can be known to be in the way is known before anything is sent, and a server that may
want a password, or no such form, is asked before it gets a long one (RFC 9110 10.1.1).
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from http import HTTPStatus
from pathlib import Path

from attrs import evolve, frozen

from netkit.http.messages import Headers, Stream
from netkit.tools.outcome import TroubleError
from netkit.tools.progress import Meter
from netkit.tools.web.fetching import Agent, Got, Wanted
from netkit.tools.web.formdata import Attached, Content, Disk, FormData, Held, Part, boundary
from netkit.tools.web.urls import Url

FIELD = "file"
"""The name of the field that the files are in, unless told otherwise."""

ASKED_BYTES = 1024 * 1024
"""From this length on a form is sent once the server says that it wants it."""

STANDARD_INPUT = "-"


async def attached(
    names: Sequence[str], field: str, standard_input: Callable[[], Awaitable[Content]]
) -> tuple[Part, ...]:
    """Return the parts that the files of these names are; OSError where one cannot be read.

    The standard input is asked for last, and once.
    """
    if names.count(STANDARD_INPUT) > 1:
        raise TroubleError(f"the standard input, {STANDARD_INPUT}, can be sent once")
    files = {name: Disk.look(Path(name)) for name in names if name != STANDARD_INPUT}
    typed = await standard_input() if STANDARD_INPUT in names else Held(b"")
    return tuple(
        Attached(field, Path(name).name, files[name])
        if name in files
        else Attached(field, "stdin", typed)
        for name in names
    )


async def upload(
    agent: Agent, url: Url, parts: Sequence[Part], progress: Meter, headers: Headers = ()
) -> Got:
    """Send the form of `parts`; return the answer, which may have come before all was sent.

    `headers` are fields to be sent beside. `progress` hears of every beginning: a password or a redirect can ask for another. Raise
    FetchError; OSError or TroubleError where a file cannot be read, or changes meanwhile.
    """
    mark = boundary()
    form = FormData(parts, mark)

    def begin() -> Stream:
        progress.begin("sending", form.length)
        return _Counted(FormData(parts, mark), progress)

    wanted = Wanted(
        url=url,
        method=b"POST",
        headers=(*headers, (b"Content-Type", form.content_type)),
        body=begin,
        expects=form.length is None or form.length >= ASKED_BYTES,
    )
    got = await agent.fetch(wanted)
    if wanted.expects and got.head.status == HTTPStatus.EXPECTATION_FAILED:
        got.close()  # the server knows nothing of being asked before (RFC 9110 10.1.1)
        got = await agent.fetch(evolve(wanted, expects=False))
    return got


@frozen
class _Counted:
    """A stream of which `progress` is told."""

    stream: Stream
    progress: Meter

    @property
    def length(self) -> int | None:
        """See `messages.Stream`."""
        return self.stream.length

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces; what was yielded and more is asked for was sent."""
        async for piece in self.stream:
            yield piece
            self.progress.advance(len(piece))

    def close(self) -> None:
        """See `messages.Stream`."""
        self.stream.close()
