"""Files beneath a folder, and nowhere else.

Rule: names are walked one by one, each from the descriptor of the folder before it, and no symbolic
link is followed on the way, be it out of the folder or within it. So nothing that happens to the
tree meanwhile leads outside. The folder itself is the operator's word and may be a link.
"""

import os
from collections.abc import Sequence
from errno import EINVAL, EISDIR, ELOOP
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG

_FOLDER = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY
# Without O_NONBLOCK, opening a FIFO waits for whoever writes to it.
_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY


def open_beneath(root: Path, names: Sequence[str]) -> int:
    """Return a descriptor of the regular file that stands beneath `root` under `names`.

    `names` are those of the folders and of the file, at least one, none of them empty, of dots alone
    or with a slash. Raise IsADirectoryError for a folder, and OSError otherwise: with EINVAL for a
    device, pipe or socket, with ELOOP or ENOTDIR for a symbolic link.
    """
    folder = open_folder(root, names[:-1])
    try:
        return open_file(names[-1], folder)
    finally:
        os.close(folder)


def open_folder(root: Path, names: Sequence[str]) -> int:
    """Return a descriptor of the folder beneath `root` under `names`, which may be empty.

    Raise OSError: with ENOTDIR for what is no folder or a symbolic link.
    """
    folder = os.open(root, _FOLDER)
    for name in names:
        above = folder
        try:
            folder = os.open(name.encode(), _FOLDER | os.O_NOFOLLOW, dir_fd=above)
        finally:
            os.close(above)
    return folder


def open_file(name: str, folder: int) -> int:
    """Return a descriptor of the regular file `name` in `folder`, a descriptor; raise as above."""
    file_status(name, folder)  # looked at before, as opening a device can set it going
    descriptor = os.open(name.encode(), _FILE, dir_fd=folder)
    try:
        _require_file(os.fstat(descriptor))
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def file_status(name: str, folder: int) -> os.stat_result:
    """Return the status of the regular file `name` in `folder`, a descriptor; raise as above."""
    status = os.stat(name.encode(), dir_fd=folder, follow_symlinks=False)
    _require_file(status)
    return status


def _require_file(status: os.stat_result) -> None:
    if S_ISDIR(status.st_mode):
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR))
    if S_ISLNK(status.st_mode):
        raise OSError(ELOOP, "Is a symbolic link")
    if not S_ISREG(status.st_mode):
        raise OSError(EINVAL, "Is not a regular file")
