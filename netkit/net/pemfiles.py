"""The PEM files of a certificate store, as they lie on the disk.

A store names files and folders. Every file it names must be one of PEM; of a folder, those files
that are. Rule: reads, and judges nothing of what it read beyond whether it is PEM.
"""

import shlex
from collections.abc import Iterable, Iterator
from pathlib import Path

from attrs import frozen

from netkit.document.typed import cannot_read
from netkit.net.certificates import Fault, PemFile, has_pem

LARGEST_FILE = 1_048_576  # bytes; a chain with its key is a few thousand

SUFFIXES = (".pem", ".crt", ".cer", ".key")


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


def advice(folder: Path) -> str:
    """Return how to come by a certificate in `folder`."""
    command = f"python -m netkit.tools.certificate {shlex.quote(str(folder))}"
    return f"{command} makes one for localhost"


def _path(path: Path) -> Iterator[PemFile | Fault]:
    try:
        if path.is_dir():
            yield from _folder(path)
        else:
            yield _file(path)
    except OSError as error:
        yield Fault(str(path), _unreadable(path, error))


def _folder(folder: Path) -> Iterator[PemFile | Fault]:
    for path in sorted(folder.iterdir()):
        if path.name.startswith(".") or path.is_dir():
            continue
        try:
            item = _file(path)
        except OSError as error:
            yield Fault(str(path), _unreadable(path, error))
            continue
        if path.suffix in SUFFIXES or (isinstance(item, PemFile) and has_pem(item.data)):
            yield item


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


def _unreadable(path: Path, error: OSError) -> str:
    if not isinstance(error, FileNotFoundError):
        return f"{cannot_read(error)}; the user that starts netkit must be able to read it"
    right = advice(path) if not path.suffix else "a PEM file, or a folder of PEM files"
    return f"does not exist; {right}"
