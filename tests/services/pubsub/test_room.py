"""Room for subscriptions."""

from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver
from twisted.logger import Logger, LogPublisher, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.room import Room
from netkit.services.pubsub.seldom import QUIET


class RoomTests(SynchronousTestCase):
    def test_bounds(self) -> None:
        """There is room up to the limit, and again once something is gone."""
        taken = [1, 2]
        room = Room(taken, 3, Clock(), Logger(observer=LogPublisher()))
        self.assertEqual([room.has(), room.has(2)], [True, False])
        taken.append(3)
        self.assertFalse(room.has())
        taken.clear()
        self.assertTrue(room.has(3))

    def test_log(self) -> None:
        """The log says once a minute how many have been refused."""
        clock, events = Clock(), EventLoggingObserver()
        room = Room([], 1, clock, Logger(observer=LogPublisher(events)))
        for _ in range(1000):
            room.has(2)
        clock.advance(QUIET)
        room.has(2)
        words = "1 subscriptions are the most for all clients together; refused: %d"
        self.assertEqual([formatEvent(event) for event in events], [words % 2, words % 2000])
