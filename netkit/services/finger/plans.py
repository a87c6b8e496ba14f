"""Reads the files that users write about themselves, beneath one folder and never outside it.

Rule: a path is walked part by part from the folder's descriptor, and no part may be a symbolic
link, so that whoever may write there can show nothing but what is there.
"""

import errno
import os
import stat
from pathlib import Path

from attrs import frozen

from netkit.document.values import quoted

PLAN_BYTES = 64 * 1024

_FOLDER = os.O_RDONLY | os.O_DIRECTORY
# Without O_NONBLOCK, opening a FIFO waits for whoever writes to it.
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
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


def _read(folder: Path, parts: list[str], at_most: int) -> bytes:
    here = os.open(folder, _FOLDER)
    try:
        for part in parts[:-1]:
            above, here = here, _open(part, _FOLDER | os.O_NOFOLLOW, here)
            os.close(above)
        return _read_file(_open(parts[-1], _FILE, here), at_most)
    finally:
        os.close(here)


def _read_file(opened: int, at_most: int) -> bytes:
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise OSError(errno.EINVAL, "Is not a regular file")
        with open(opened, "rb", closefd=False) as file:
            return file.read(at_most)
    finally:
        os.close(opened)


def _open(part: str, flags: int, folder: int) -> int:
    try:
        return os.open(part, flags, dir_fd=folder)
    except OSError as error:
        if error.errno not in {errno.ELOOP, errno.ENOTDIR}:
            raise
        raise OSError(
            error.errno, "Is a symbolic link, or stands behind what is no folder"
        ) from None
