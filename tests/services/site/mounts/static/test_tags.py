"""Strong entity tags of files."""

import os
from pathlib import Path
from typing import Any, BinaryIO

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.site.beneath import Identity
from netkit.services.site.mounts.static.tags import SETTLED, TURN_BYTES, Tags, tag_of

PLAIN = b"identity"


class Turns(Clock):
    """A clock that counts what it was asked to call."""

    count = 0

    def callLater(self, *args: Any, **kw: Any) -> Any:
        """Count the call."""
        self.count += 1
        return super().callLater(*args, **kw)


class Hashing(SynchronousTestCase):
    def setUp(self) -> None:
        """Make a file of three turns, some time ago."""
        self.data = os.urandom(2 * TURN_BYTES + 1)
        self.path = Path(self.mktemp())
        self.path.write_bytes(self.data)
        self.identity = Identity.of(self.path.stat())
        self.clock = Turns()
        self.time = self.identity.changed / 10**9 + SETTLED + 1
        self.tags = Tags(10 * TURN_BYTES, self.clock, lambda: self.time)

    def opened(self) -> BinaryIO:
        """Return the open file."""
        file = self.path.open("rb", buffering=0)
        self.addCleanup(file.close)
        return file

    def hashing(self) -> Any:
        """Return the Deferred of the tag."""
        return Deferred.fromCoroutine(self.tags.hashed(self.opened(), self.identity, PLAIN))

    def turns(self, waiting: Any) -> int:
        """Return how many turns of the clock it takes to get the tag."""
        before = self.clock.count
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(waiting), tag_of(self.data, PLAIN))
        return self.clock.count - before

    def test_turns(self) -> None:
        """A file is hashed a piece a turn, to the tag that its content has; then it is known."""
        self.assertTrue(self.tags.needs_hashing(self.identity))
        waiting = self.hashing()
        self.assertNoResult(waiting)
        self.assertEqual(self.turns(waiting), 1)
        self.assertFalse(self.tags.needs_hashing(self.identity))
        self.assertEqual(self.tags.known(self.identity, PLAIN), tag_of(self.data, PLAIN))

    def test_once(self) -> None:
        """Many who wait for the same file have it hashed once."""
        waiting = [self.hashing() for _ in range(10)]
        self.assertEqual(self.turns(waiting[-1]), 1)
        self.assertTrue(all(each.called for each in waiting))

    def test_who_leaves(self) -> None:
        """Who leaves in the middle keeps nobody from the tag."""
        first, second = self.hashing(), self.hashing()
        first.cancel()
        self.failureResultOf(first)
        self.assertEqual(self.turns(second), 1)

    def test_just_changed(self) -> None:
        """The hash of a file that just changed is used and not remembered."""
        self.time -= 2
        self.turns(self.hashing())
        self.assertTrue(self.tags.needs_hashing(self.identity))
        self.time -= 100  # the clock was put back
        self.turns(self.hashing())
        self.assertTrue(self.tags.needs_hashing(self.identity))

    def test_changes_meanwhile(self) -> None:
        """A file that changes while it is hashed has no tag."""
        waiting = self.hashing()
        self.path.write_bytes(b"")
        self.clock.advance(0)
        self.assertIs(self.successResultOf(waiting), None)
        self.assertTrue(self.tags.needs_hashing(self.identity))

    def test_too_large(self) -> None:
        """A file too large to be hashed has a tag of its identity, once it has settled."""
        tags = Tags(10, self.clock, lambda: self.time)
        self.assertFalse(tags.needs_hashing(self.identity))
        tag = tags.known(self.identity, PLAIN)
        assert tag is not None
        self.assertFalse(tag.weak)
        self.assertNotIn(str(self.identity.inode).encode(), tag.opaque)
        for number in range(5):
            other = Identity(
                *(each + (place == number) for place, each in enumerate(self.identity))
            )
            self.time += 1
            self.assertNotEqual(tags.known(other, PLAIN), tag)
        self.time = self.identity.changed / 10**9 + 1
        self.assertIs(tags.known(self.identity, PLAIN), None)
