"""What a user could read, worked out from modes alone, before the process is that user.

Rule: the modes of the file and of every folder on the way to it, links followed, are all that counts.
ACLs, capabilities, and file systems with rules of their own are not considered.
"""

import stat
from collections.abc import Iterable, Iterator
from os import stat_result
from pathlib import Path

from attrs import frozen

from netkit.daemon.privileges import Target
from netkit.net.pemfiles import listed


@frozen
class Reader:
    """Who would read: a user with all its groups."""

    uid: int
    gids: frozenset[int]

    @classmethod
    def like(cls, target: Target) -> "Reader":
        """Return whom the daemon will be."""
        return cls(target.uid, frozenset({target.gid, *target.groups}))

    def may(self, status: stat_result, wanted: int) -> bool:
        """Return whether `wanted`, which is 4 to read or 1 to search, is allowed by a mode."""
        if status.st_uid == self.uid:
            return bool(status.st_mode >> 6 & wanted)
        return bool(status.st_mode >> (3 if status.st_gid in self.gids else 0) & wanted)


def obstacles(paths: Iterable[Path], reader: Reader) -> Iterator[Path]:
    """Yield, once each, the files and folders by whose modes `reader` cannot read a store of `paths`.

    What does not exist, or is out of sight for this process, is no obstacle that it could tell of.
    """
    paths = tuple(paths)
    wanted = [(path, 4) for path in paths if path.is_dir()]
    wanted.extend((path, 4) for path in listed(paths))
    found: dict[Path, None] = {}
    for path, to_read in wanted:
        first = next(_in_the_way(path, to_read, reader), None)
        if first is not None:
            found[first] = None
    yield from found


def _in_the_way(path: Path, to_read: int, reader: Reader) -> Iterator[Path]:
    for each in _on_the_way(path):
        try:
            status = each.stat()
        except OSError:
            continue
        ends_here = each == path or not stat.S_ISDIR(status.st_mode)
        if not reader.may(status, to_read if ends_here else 1):
            yield each


def _on_the_way(path: Path) -> list[Path]:
    """Return every path that is passed on the way to `path`, itself included, the root first."""
    passed: dict[Path, None] = {}
    ahead = [path]
    while ahead:
        following = ahead.pop()
        for each in (*reversed(following.parents), following):
            if each not in passed:
                passed[each] = None
                if each.is_symlink():
                    ahead.append(each.parent / each.readlink())
    return list(passed)
