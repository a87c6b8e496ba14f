"""The PEM files of a certificate store, as they lie on the disk.

A store names files and folders. Every file it names must be one of PEM; of a folder, those files
that are. Rule: reads, and judges nothing of what it read beyond whether it is PEM.
"""

import os
import shlex
from collections.abc import Iterable, Iterator
from errno import EACCES
from pathlib import Path
from stat import S_ISDIR
from typing import TypeAlias

from attrs import frozen

from netkit.document.typed import cannot_read
from netkit.net.certificates import Fault, PemFile, has_pem

LARGEST_FILE = 1_048_576  # bytes; a chain with its key is a few thousand

SUFFIXES = (".pem", ".crt", ".cer", ".key")

Mark: TypeAlias = tuple[str, tuple[int, ...]]
"""A path, and what of its status changes with its content or with who may read it."""

Signature: TypeAlias = tuple[Mark, ...]
"""What stays equal while every file of a store does. It is worth nothing as a proof."""


@frozen
class Gathered:
    """The files that could be read, in order, and what is wrong with the rest."""

    files: tuple[PemFile, ...]
    faults: tuple[Fault, ...]


def gather(paths: Iterable[Path]) -> Gathered:
    """Return the PEM files that `paths` name: in that order, and those of one folder by name.

    Of a folder, files whose names begin with a dot are passed over, and so are folders in it and
    files without PEM, unless their names end as those of PEM files do (`SUFFIXES`).
    """
    found = [item for path in paths for item in _path(path)]
    return Gathered(
        tuple(item for item in found if isinstance(item, PemFile)),
        tuple(item for item in found if isinstance(item, Fault)),
    )


def listed(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files that `gather` would read, in its order, whether they can be read or not."""
    for path in paths:
        try:
            if path.is_dir():
                yield from _inside(path)
            else:
                yield path
        except OSError:
            yield path


def signature(paths: Iterable[Path]) -> Signature:
    """Return the signature of all that `gather` would read; nothing is opened but folders.

    Links are followed, so that one that is turned to another file changes it, as certbot does.
    """
    return tuple(mark for path in paths for mark in _marks(path))


def out_of_sight(seen: Signature) -> bool:
    """Say whether there is anything that whoever saw `seen` may not even look at."""
    return any(status == (-EACCES,) for _, status in seen)


def advice(folder: Path) -> str:
    """Return how to come by a certificate in `folder`."""
    command = f"netkit certificate {shlex.quote(str(folder))}"
    return f"{command} makes one for localhost"


def _path(path: Path) -> Iterator[PemFile | Fault]:
    try:
        if path.is_dir():
            yield from _folder(path)
        else:
            yield _file(path)
    except OSError as error:
        yield _unreadable(path, error)


def _folder(folder: Path) -> Iterator[PemFile | Fault]:
    for path in _inside(folder):
        try:
            item = _file(path)
        except OSError as error:
            yield _unreadable(path, error)
            continue
        if path.suffix in SUFFIXES or (isinstance(item, PemFile) and has_pem(item.data)):
            yield item


def _inside(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.iterdir()):
        if not path.name.startswith(".") and not path.is_dir():
            yield path


def _marks(path: Path) -> Iterator[Mark]:
    """Yield the mark of a file, or those of what is in a folder and not hidden."""
    try:
        if not S_ISDIR(path.stat().st_mode):
            yield _mark(path)
            return
        for name in sorted(os.listdir(path)):  # noqa: PTH208 (a Path each would cost as much again)
            if not name.startswith("."):
                yield _mark(path / name)
    except OSError as error:
        yield str(path), (-(error.errno or 0),)


def _mark(path: Path) -> Mark:
    """Return the mark of `path`; of a folder, which is passed over, that it is one."""
    try:
        status = path.stat()
    except OSError as error:
        return str(path), (-(error.errno or 0),)
    if S_ISDIR(status.st_mode):
        return str(path), ()
    times = status.st_mtime_ns, status.st_ctime_ns  # the latter tells of modes, too
    return str(path), (status.st_dev, status.st_ino, status.st_size, *times)


def _file(path: Path) -> PemFile | Fault:
    if path.exists() and not path.is_file():
        return Fault(str(path), "is neither a file nor a folder; a PEM file, or a folder of them")
    with path.open("rb") as file:
        data = file.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        return Fault(
            str(path), f"is larger than {LARGEST_FILE} bytes; a PEM file has a few thousand"
        )
    return PemFile(str(path), data)


def _unreadable(path: Path, error: OSError) -> Fault:
    if not isinstance(error, FileNotFoundError):
        text = f"{cannot_read(error)}; the user that starts netkit must be able to read it"
        return Fault(str(path), text, denied=isinstance(error, PermissionError))
    right = advice(path) if not path.suffix else "a PEM file, or a folder of PEM files"
    return Fault(str(path), f"does not exist; {right}")
