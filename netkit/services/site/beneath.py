"""What a site finds beneath a folder: an open file, a folder, or nothing."""

import os
from collections.abc import Sequence
from enum import Enum, auto
from errno import EACCES, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOTDIR, EPERM
from pathlib import Path

from netkit.files import open_beneath
from netkit.http.messages import FileRange

_NOTHING_THERE = frozenset((ENOENT, ENOTDIR, ELOOP, EINVAL, ENAMETOOLONG, EACCES, EPERM))


class Found(Enum):
    """What can be found that is no file."""

    FOLDER = auto()
    NOTHING = auto()


def find(root: Path, names: Sequence[str]) -> FileRange | Found:
    """Return what stands beneath `root` under `names`: the open file, or what there is instead.

    `names` are as for `open_beneath`. Links, devices, pipes, sockets and what may not be read are
    nothing. Raise OSError where looking fails for another reason, as for want of descriptors.
    """
    try:
        descriptor = open_beneath(root, names)
    except IsADirectoryError:
        return Found.FOLDER
    except OSError as error:
        if error.errno in _NOTHING_THERE:
            return Found.NOTHING
        raise
    length = os.fstat(descriptor).st_size
    return FileRange(os.fdopen(descriptor, "rb", buffering=0), 0, length)
