"""Reads the files that users write about themselves, beneath one folder and never outside it.

Rule: no symbolic link is followed, so that whoever may write there can show nothing but what is there.
"""

import errno
import os
from pathlib import Path

from attrs import frozen

from netkit.document.values import quoted
from netkit.files import open_beneath

PLAN_BYTES = 64 * 1024

_CUT = "[the file is cut here]"


@frozen
class BeneathFolder:
    """Checks that a text names a file beneath a folder."""

    def complaint(self, value: object) -> str | None:
        """Return what is right where `value` could lead anywhere else."""
        text = str(value)
        if "\0" not in text and not {"", ".", ".."}.intersection(text.split("/")):
            return None
        return f'{quoted(text)} is not right; a path beneath the plans folder, as in "moshez.txt"'


def read_plan(folder: Path, path: str, at_most: int = PLAN_BYTES) -> str:
    """Return the text of the file `path` beneath `folder`; an empty one where there is no file.

    Of a file that has more than `at_most` bytes the first are taken, up to the end of a line, and a
    line that says so; bytes that are not UTF-8 become escapes. Raises OSError where the file, or a
    folder on the way, is not what it should be or may not be read.
    """
    try:
        data = _read(folder, path.split("/"), at_most + 1)
    except FileNotFoundError:
        return ""
    if len(data) > at_most:
        data = data[: data.rfind(b"\n", 0, at_most) + 1 or at_most]
        return _decoded(data.removesuffix(b"\n")) + f"\n{_CUT}\n"
    return _decoded(data)


def _decoded(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _read(folder: Path, names: list[str], at_most: int) -> bytes:
    try:
        descriptor = open_beneath(folder, names)
    except OSError as error:
        if error.errno not in {errno.ELOOP, errno.ENOTDIR}:
            raise
        text = "Is a symbolic link, or stands behind what is no folder"
        raise OSError(error.errno, text) from None
    with os.fdopen(descriptor, "rb") as file:
        return file.read(at_most)
