"""What a server answered, as text that a terminal can be given.

Rule: of what a server wrote nothing reaches a terminal that the terminal could act on, except the ends
of lines and tabs.
"""

import re
from collections.abc import AsyncIterator
from io import IncrementalNewlineDecoder

from netkit.document.values import printable
from netkit.http.charsets import Characters
from netkit.http.fields import item
from netkit.tools.web.fetching import Got

_TEXT = re.compile("[^\t\n]+")


async def text(got: Got) -> AsyncIterator[str]:
    """Yield the body of `got`, as far as it has come, and a newline at its end; raise CutError."""
    characters = Characters(charset(got))
    lines = IncrementalNewlineDecoder(None, translate=True)
    last = "\n"
    async for octets in got.body:
        shown = harmless(lines.decode(characters.text(octets)))
        last = shown or last
        yield shown
    rest = harmless(lines.decode(characters.end(), final=True))
    yield rest if (rest or last).endswith("\n") else f"{rest}\n"


def harmless(text: str) -> str:
    """Return `text` with everything but tabs and newlines made `printable`."""
    return _TEXT.sub(lambda found: printable(found[0]), text)


def media_type(got: Got) -> str:
    """Return the media type of the body in lower case, or an empty one."""
    return item(_content_type(got)).value.decode("latin-1")


def charset(got: Got) -> bytes:
    """Return the charset that the body is said to be in, or an empty one."""
    return item(_content_type(got)).parameters.get(b"charset", b"")


def _content_type(got: Got) -> bytes:
    return got.head.fields.get(b"content-type", b"")
