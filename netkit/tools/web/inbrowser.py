"""An answer in a file of its own, for a browser to open.

Rule: nobody else can read it, or put another in its place; how much there may be is limited.
"""

import mimetypes
import webbrowser
from pathlib import Path
from tempfile import mkdtemp

from netkit.http.charsets import Characters
from netkit.tools.outcome import TroubleError
from netkit.tools.web.fetching import Got
from netkit.tools.web.harmless import charset, media_type

MOST_BYTES = 64 * 1024 * 1024

_BOM = "\ufeff"


async def saved(got: Got, most_bytes: int = MOST_BYTES) -> Path:
    """Return the file, whose name says its type, in a folder of its own; raise CutError.

    A text is in UTF-8 there, and says so, since no Content-Type goes with a file. It stays until
    somebody deletes it: nobody knows when a browser is done with it.
    """
    content = await got.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise TroubleError(f"{got.url}: the answer has more than {most_bytes} bytes")
    kind = media_type(got)
    return _written(_text(content, charset(got)) if _is_text(kind) else content, _suffix(kind))


def _written(content: bytes, suffix: str) -> Path:
    file = Path(mkdtemp(prefix="netkit-"), f"answer{suffix}")
    file.write_bytes(content)
    return file


def browse(file: Path) -> None:
    """Open `file` in the user's browser (BROWSER names one); TroubleError: there is none."""
    if not webbrowser.open(file.as_uri()):
        raise TroubleError(f"no browser can be opened; the answer is in {file}")


def _is_text(kind: str) -> bool:
    return not kind or kind.startswith("text/")


def _text(content: bytes, declared: bytes) -> bytes:
    characters = Characters(declared)
    return (_BOM + characters.text(content) + characters.end()).encode()


def _suffix(kind: str) -> str:
    """Return how the name of a file of that type ends; unknown texts are shown as they are."""
    known = mimetypes.MimeTypes().guess_extension(kind)
    return known or (".txt" if _is_text(kind) else ".bin")
