"""Files are sent to a server as a form sends them (RFC 7578).

Rule: whatever can be known to be in the way is known before anything is sent, and a server that may
want a password, or no such form, is asked before it gets a long one (RFC 9110 10.1.1).
"""

from collections.abc import AsyncIterator, Iterable, Sequence
from pathlib import Path

from attrs import frozen

from netkit.http.messages import BodyCutError, Stream
from netkit.tools.outcome import TroubleError
from netkit.tools.progress import Meter
from netkit.tools.web.fetching import Agent, Got, Wanted
from netkit.tools.web.formdata import Attached, Content, Disk, FormData, Part, Text, boundary
from netkit.tools.web.urls import Url

FIELD = "file"
"""The name of the field that the files are in, unless told otherwise."""

ASKED_BYTES = 1024 * 1024
"""From this length on a form is sent once the server says that it wants it."""

STANDARD_INPUT = "-"


def files(names: Iterable[str], field: str, standard_input: Content | None) -> tuple[Part, ...]:
    """Return the parts that the files of these `names` are, looked at by now; OSError."""
    return tuple(
        Attached(field, "stdin", standard_input)
        if name == STANDARD_INPUT and standard_input is not None
        else Attached(field, Path(name).name, Disk.look(Path(name)))
        for name in names
    )


async def upload(agent: Agent, url: Url, parts: Sequence[Part], progress: Meter) -> Got:
    """Send the form of `parts`; return the answer, which may have come before all was sent.

    `progress` hears of every beginning: a password or a redirect can ask for another. Raise
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
        headers=((b"Content-Type", form.content_type),),
        body=begin,
        expects=form.length is None or form.length >= ASKED_BYTES,
    )
    try:
        return await agent.fetch(wanted)
    except BodyCutError as error:
        raise TroubleError(str(error)) from error


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


def texts(fields: Iterable[tuple[str, str]]) -> tuple[Part, ...]:
    """Return the parts that these fields, names and values, are."""
    return tuple(Text(name, value) for name, value in fields)
