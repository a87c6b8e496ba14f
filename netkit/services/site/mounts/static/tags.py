"""Strong entity tags of files (RFC 9110 8.8.3), which do not trust the time of modification.

A tag comes from a hash of the content. The hash is remembered by the file's `Identity`, but not of a
file that changed less than SETTLED ago: it could change once more within the same tick of the clock.
Larger files than are hashed get a tag from their identity, which changes with every write; while they
are not settled they have none.
"""

import os
from base64 import urlsafe_b64encode
from collections.abc import Callable
from hashlib import sha256
from typing import BinaryIO

from twisted.internet.defer import DeferredLock
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from netkit.http.conditions import EntityTag
from netkit.services.site.beneath import Identity
from netkit.services.site.mounts.static.memory import Memory

SETTLED = 2.0  # seconds since the last change
TURN_BYTES = 256 * 1024
REMEMBERED = 10_000

_NANO = 1_000_000_000


def tag_of(content: bytes, coding: bytes) -> EntityTag:
    """Return the tag of a content in this coding."""
    return _tag(sha256(content).digest(), coding)


def _tag(digest: bytes, coding: bytes) -> EntityTag:
    text = urlsafe_b64encode(digest[:15])
    return EntityTag(b'"' + text + (b"" if coding == b"identity" else b"-" + coding) + b'"')


class Tags:
    """The tags of files that are too large to be kept in memory.

    `wall` tells the seconds since 1970. Hashing is done TURN_BYTES a turn of `clock`, and one file
    after the other, so that nobody else waits long.
    """

    def __init__(self, hashed_bytes: int, clock: IReactorTime, wall: Callable[[], float]) -> None:
        self._hashed_bytes = hashed_bytes
        self._clock = clock
        self._wall = wall
        self._digests: Memory[Identity, bytes] = Memory(REMEMBERED)
        self._lock = DeferredLock()

    def settled(self, identity: Identity) -> bool:
        """Return whether a file has not changed for so long that its identity tells of a change."""
        return self._wall() - identity.changed / _NANO >= SETTLED

    def needs_hashing(self, identity: Identity) -> bool:
        """Return whether the tag can be had by hashing alone."""
        return identity.size <= self._hashed_bytes and self._digests.get(identity) is None

    def known(self, identity: Identity, coding: bytes) -> EntityTag | None:
        """Return the tag of a file that needs no hashing."""
        digest = self._digests.get(identity)
        if digest is None and self.settled(identity) and identity.size > self._hashed_bytes:
            digest = sha256(repr(tuple(identity)).encode()).digest()
        return None if digest is None else _tag(digest, coding)

    async def hashed(self, file: BinaryIO, identity: Identity, coding: bytes) -> EntityTag | None:
        """Return the tag of an open file, or None where it changes meanwhile."""
        async with self._lock:
            digest = self._digests.get(identity)
            if digest is None:
                settled = self.settled(identity)
                digest = await self._digest(file.fileno(), identity.size)
                if Identity.of(os.fstat(file.fileno())) != identity:
                    return None
                if settled:
                    self._digests.put(identity, digest)
        return _tag(digest, coding)

    async def _digest(self, descriptor: int, size: int) -> bytes:
        running = sha256()
        for offset in range(0, size, TURN_BYTES):
            running.update(os.pread(descriptor, min(TURN_BYTES, size - offset), offset))
            if offset + TURN_BYTES < size:
                await deferLater(self._clock, 0)
        return running.digest()
