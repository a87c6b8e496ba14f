"""Files as they are taken from the disk: small ones into memory, large ones open, all with a tag.

Rule: content, length, time and tag of a file are of the same descriptor. What is in memory is found by
the file's `Identity`, so that a change is seen at once, and only what had not changed for a while is
put there (see `tags`).
"""

import os
from collections.abc import Awaitable, Callable
from typing import BinaryIO

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from netkit.http.conditions import EntityTag, Validators
from netkit.http.encodings import IDENTITY
from netkit.services.site.beneath import Found, Identity, opened, seen
from netkit.services.site.mounts.static.memory import Memory
from netkit.services.site.mounts.static.settings import Settings
from netkit.services.site.mounts.static.tags import Tags, tag_of

_NANO = 1_000_000_000
_SECOND = 1


@frozen
class Taken:
    """A file: all its bytes, or open. `tag` is None where none can be had yet."""

    content: bytes | BinaryIO = field(repr=False)
    identity: Identity
    tag: EntityTag | None

    @property
    def length(self) -> int:
        """Return the number of bytes of the content."""
        return len(self.content) if isinstance(self.content, bytes) else self.identity.size


class Shelf:
    """Takes files from folders; `wall` tells the seconds since 1970."""

    def __init__(self, settings: Settings, clock: IReactorTime, wall: Callable[[], float]) -> None:
        self._most = settings.cached_file_bytes
        self._tags = Tags(settings.hashed_bytes, clock, wall)
        self._wall = wall
        self._kept: Memory[tuple[Identity, bytes], Taken] = Memory(
            settings.cached_files, settings.cached_bytes, lambda taken: taken.length
        )

    def take(
        self, folder: int, name: str, there: Identity, coding: bytes
    ) -> Taken | Awaitable[Taken] | None:
        """Return the file `name` of `folder`, a descriptor, which was just seen to be `there`.

        None stands for a file that has vanished since, or may not be read. An Awaitable is for a
        file that has to be hashed first; when it ends without a result, the file is closed.
        """
        kept = self._kept.get((there, coding))
        if kept is not None:
            return kept
        file = opened(folder, name)
        if isinstance(file, Found):
            return None
        identity = Identity.of(os.fstat(file.fileno()))
        if identity.size <= self._most:
            with file:
                return self._read(file, identity, coding)
        if self._tags.needs_hashing(identity):
            return self._hashed(file, identity, coding)
        return Taken(file, identity, self._tags.known(identity, coding))

    def small(self, folder: int, name: str) -> bytes | None:
        """Return the content of the file `name` of `folder`, where there is one that is small."""
        there = seen(folder, name)
        if isinstance(there, Found) or there.size > self._most:
            return None
        taken = self.take(folder, name, there, IDENTITY)
        if not isinstance(taken, Taken):
            return None
        return taken.content if isinstance(taken.content, bytes) else None

    def validators(self, taken: Taken) -> Validators:
        """Return what tells the file's version.

        Its date does so strongly where the file's change time says that the date was given by the
        clock, some time ago, and not by whoever unpacked the file (RFC 9110 8.8.2.2).
        """
        modified, changed = taken.identity.modified // _NANO, taken.identity.changed // _NANO
        by_clock = abs(changed - modified) <= _SECOND and self._tags.settled(taken.identity)
        return Validators(taken.tag, min(modified, int(self._wall())), by_clock)

    def _read(self, file: BinaryIO, identity: Identity, coding: bytes) -> Taken:
        content = os.pread(file.fileno(), identity.size, 0)
        taken = Taken(content, identity, tag_of(content, coding))
        unchanged = Identity.of(os.fstat(file.fileno())) == identity
        if unchanged and self._tags.settled(identity):
            self._kept.put((identity, coding), taken)
        return taken

    async def _hashed(self, file: BinaryIO, identity: Identity, coding: bytes) -> Taken:
        try:
            tag = await self._tags.hashed(file, identity, coding)
        except BaseException:
            file.close()
            raise
        if tag is None:
            identity = Identity.of(os.fstat(file.fileno()))
        return Taken(file, identity, tag)
