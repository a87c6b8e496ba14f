"""What is in a folder, as far as it would be shown: files that can be read, and folders.

Rule: at most so many names are read as were asked for, and the status is asked of those alone that
stand on the page; a folder of a hundred thousand files costs no more than one of that many.
"""

import os
from collections.abc import Callable
from itertools import islice
from stat import S_ISDIR, S_ISREG

from attrs import frozen

_NANO = 1_000_000_000


@frozen
class Entry:
    """A file or a folder; `modified` is in seconds since 1970."""

    name: str
    is_folder: bool
    size: int
    modified: int


@frozen
class Page:
    """A page of a listing, counted from 1; `complete` says whether the listing has all there is."""

    entries: tuple[Entry, ...]
    number: int
    count: int
    complete: bool


def read_page(
    folder: int, number: int, *, length: int, most: int, shown: Callable[[str], bool]
) -> Page:
    """Return a page of `length` entries, or the last there is, of the first `most` of `folder`.

    Folders come first, then files, by their names. `folder` is a descriptor; `shown` says of a name
    whether it may be shown.
    """
    names, complete = _read_names(folder, most, shown)
    count = max(-(-len(names) // length), 1)
    number = min(max(number, 1), count)
    wanted = names[(number - 1) * length : number * length]
    entries = (_entry(folder, name) for _, _, name in wanted)
    return Page(tuple(filter(None, entries)), number, count, complete)


def _read_names(
    folder: int, most: int, shown: Callable[[str], bool]
) -> tuple[list[tuple[bool, str, str]], bool]:
    """Return the names, as they are sorted, and whether these are all."""
    with os.scandir(folder) as scanned:
        first = list(islice(scanned, most + 1))
    names = [
        (not each.is_dir(follow_symlinks=False), each.name.casefold(), each.name)
        for each in first[:most]
        if shown(each.name) and not each.is_symlink()
    ]
    return sorted(names), len(first) <= most


def _entry(folder: int, name: str) -> Entry | None:
    """Return an entry, or None for what would not be shown."""
    try:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except OSError:
        return None
    is_folder = S_ISDIR(status.st_mode)
    needed = os.R_OK | os.X_OK if is_folder else os.R_OK
    if not (is_folder or S_ISREG(status.st_mode)) or not os.access(name, needed, dir_fd=folder):
        return None
    return Entry(name, is_folder, 0 if is_folder else status.st_size, status.st_mtime_ns // _NANO)
