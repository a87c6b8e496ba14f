"""What the fakes promise to the other tests."""

from twisted.internet.defer import CancelledError
from twisted.trial.unittest import SynchronousTestCase

from tests.services.finger.fakes import (
    ADA,
    MOSHEZ,
    BrokenUsers,
    KnownUsers,
    SlowUsers,
    Surroundings,
)


class FakesTests(SynchronousTestCase):
    def test_log_keeps_text(self) -> None:
        """What a service logs is found as text, by level."""
        surroundings = Surroundings()
        surroundings.world().log.info("{what} happened", what="it")
        surroundings.world().log.warn("{what} broke", what="it")
        self.assertEqual(["it happened"], surroundings.log.lines())

    def test_known_users(self) -> None:
        """The backend at hand answers at once, like a directory."""
        backend = KnownUsers()
        self.assertEqual(MOSHEZ, self.successResultOf(backend.user("moshez")))
        self.assertEqual((ADA,), self.successResultOf(backend.search("lovelace")))
        self.assertEqual((MOSHEZ, ADA), self.successResultOf(backend.users()))
        self.assertEqual("Notes", self.successResultOf(backend.profile(ADA)).project)

    def test_slow_users(self) -> None:
        """The slow backend has no answer, and counts how often it was cancelled."""
        backend = SlowUsers()
        self.assertNoResult(backend.user("moshez"))
        backend.asked.cancel()
        self.failureResultOf(backend.asked, CancelledError)
        self.assertEqual(1, backend.cancelled)

    def test_broken_users(self) -> None:
        """The broken backend raises."""
        self.assertRaises(RuntimeError, BrokenUsers().user, "moshez")
