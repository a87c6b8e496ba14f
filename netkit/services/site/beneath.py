"""What a site finds beneath a folder: files that can be shown, folders, or nothing.

Links, devices, pipes, sockets and what may not be read or entered are nothing. OSError is raised
where looking fails for another reason, as for want of descriptors.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from errno import (
    EACCES,
    EINVAL,
    ELOOP,
    ENAMETOOLONG,
    ENODEV,
    ENOENT,
    ENOTDIR,
    ENXIO,
    EPERM,
    ESTALE,
)
from pathlib import Path
from typing import BinaryIO, NamedTuple

from netkit.files import file_status, open_file, open_folder

_NOTHING_THERE = frozenset(
    (EACCES, EINVAL, ELOOP, ENAMETOOLONG, ENODEV, ENOENT, ENOTDIR, ENXIO, EPERM, ESTALE)
)


class Found(Enum):
    """What can be found that is no file."""

    FOLDER = auto()
    NOTHING = auto()


class Identity(NamedTuple):
    """One file in one state of its content, as far as its status tells; times in nanoseconds.

    Nobody but the clock sets `changed`, so that two files of the same name, size and `modified` still
    differ (images and package managers give all files the same).
    """

    device: int
    inode: int
    size: int
    modified: int
    changed: int

    @classmethod
    def of(cls, status: os.stat_result) -> "Identity":
        """Return the identity of a file of that status."""
        return cls(
            status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
        )


@contextmanager
def entered(root: Path, names: Sequence[str]) -> Iterator[int | None]:
    """Give a descriptor of the folder beneath `root` under `names`, or None; close it at the end."""
    try:
        folder = open_folder(root, names)
    except OSError as error:
        _instead(error)
        yield None
        return
    try:
        yield folder
    finally:
        os.close(folder)


def seen(folder: int, name: str) -> Identity | Found:
    """Return what `name` is in `folder`, a descriptor."""
    try:
        return Identity.of(file_status(name, folder))
    except OSError as error:
        return _instead(error)


def opened(folder: int, name: str) -> BinaryIO | Found:
    """Return the open file `name` of `folder`, a descriptor."""
    try:
        return os.fdopen(open_file(name, folder), "rb", buffering=0)
    except OSError as error:
        return _instead(error)


def _instead(error: OSError) -> Found:
    """Return what there is instead of a file, or raise the error."""
    if isinstance(error, IsADirectoryError):
        return Found.FOLDER
    if error.errno in _NOTHING_THERE:
        return Found.NOTHING
    raise error
