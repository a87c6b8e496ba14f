"""Files beneath a folder, and nowhere else.

Rule: names are walked one by one, each from the descriptor of the folder before it, and no symbolic
link is followed on the way, be it out of the folder or within it. So nothing that happens to the
tree meanwhile leads outside. The folder itself is the operator's word and may be a link.
"""

import os
from collections.abc import Sequence
from enum import Enum, auto
from errno import EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM
from pathlib import Path
from stat import S_ISDIR, S_ISREG

from netkit.http.messages import FileRange

_FOLDER = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY
_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
_NOTHING_THERE = frozenset((ENOENT, ENOTDIR, ELOOP, ENAMETOOLONG, EACCES, EPERM))


class Found(Enum):
    """What can be found that is no file."""

    FOLDER = auto()
    NOTHING = auto()


def find(root: Path, names: Sequence[str]) -> FileRange | Found:
    """Return what stands beneath `root` under `names`: the open file, or what there is instead.

    `names` are those of the folders and of the file, at least one, none of them empty or of dots
    alone. Links, devices, pipes, sockets and what may not be read are nothing. Raise OSError where
    looking fails for another reason, as for want of descriptors.
    """
    try:
        return _walk(root, names)
    except OSError as error:
        if error.errno in _NOTHING_THERE:
            return Found.NOTHING
        raise


def _walk(root: Path, names: Sequence[str]) -> FileRange | Found:
    folder = os.open(root, _FOLDER)
    try:
        for name in names[:-1]:
            above, folder = folder, os.open(name.encode(), _FOLDER | os.O_NOFOLLOW, dir_fd=folder)
            os.close(above)
        return _look(names[-1].encode(), folder)
    finally:
        os.close(folder)


def _look(name: bytes, folder: int) -> FileRange | Found:
    """Open the file `name`; look before, as opening a device can set it going."""
    mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    if S_ISDIR(mode):
        return Found.FOLDER
    if not S_ISREG(mode):
        return Found.NOTHING
    descriptor = os.open(name, _FILE, dir_fd=folder)
    status = os.fstat(descriptor)
    if not S_ISREG(status.st_mode):
        os.close(descriptor)
        return Found.NOTHING
    return FileRange(os.fdopen(descriptor, "rb", buffering=0), 0, status.st_size)
