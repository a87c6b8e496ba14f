"""Of all connections those that are asked for, in the order that is asked for."""

from attrs import Factory, define
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import UNIXAddress
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.connected import Connection
from netkit.services.pubsub.counters import Tally
from netkit.services.pubsub.gathering import Receiver
from netkit.services.pubsub.monitor.asked import Asked, Sort
from netkit.services.pubsub.monitor.choosing import chosen
from netkit.services.pubsub.subscriptions import Subscription

_NOWHERE = Connection(kind="test", peer=UNIXAddress(None))


@define(eq=False)
class One:
    """Somebody who is connected."""

    number: int
    tally: Tally = Factory(Tally)
    pending: int = 0
    round_trip: float | None = None
    wanted: tuple[Subscription[Receiver], ...] = ()
    seen: Connection = _NOWHERE

    def shown(self) -> Connection:
        """Return what there is to be seen."""
        return self.seen


class ChosenTests(SynchronousTestCase):
    def _numbers(self, asked: Asked, *there: One) -> list[int]:
        return [one.number for one in chosen(there, asked)]

    def test_orders(self) -> None:
        """The oldest numbers and starts come first; of all else the most does."""
        first = One(1, Tally(1.0, 9.0, 1, 40, 3, 20), pending=5)
        second = One(2, Tally(2.0, 3.0, 2, 30, 2, 30), pending=7, round_trip=0.1)
        for sort, order in (
            (Sort.CID, [1, 2]),
            (Sort.START, [1, 2]),
            (Sort.UPTIME, [1, 2]),
            (Sort.PENDING, [2, 1]),
            (Sort.MESSAGES_TO, [1, 2]),
            (Sort.MESSAGES_FROM, [2, 1]),
            (Sort.BYTES_TO, [2, 1]),
            (Sort.BYTES_FROM, [1, 2]),
            (Sort.LAST, [1, 2]),
            (Sort.IDLE, [2, 1]),
            (Sort.ROUND_TRIP, [2, 1]),
            (Sort.SUBSCRIPTIONS, [2, 1]),
        ):
            with self.subTest(sort):
                self.assertEqual(self._numbers(Asked(sort=sort), second, first)[:2], order)

    def test_one(self) -> None:
        """A number is that of one connection, or of none."""
        there = [One(number) for number in range(1, 5)]
        self.assertEqual(self._numbers(Asked(cid=3, limit=1), *there), [3])
        self.assertEqual(self._numbers(Asked(cid=9, limit=1), *there), [])

    @settings(deadline=None, max_examples=50)
    @given(
        st.lists(st.integers(0, 20), unique=True),
        st.integers(0, 25),
        st.integers(1, 25),
    )
    def test_part(self, numbers: list[int], offset: int, limit: int) -> None:
        """It is the part of the whole that is asked for."""
        there = [One(number + 1) for number in numbers]
        found = self._numbers(Asked(offset=offset, limit=limit), *there)
        self.assertEqual(found, sorted(one.number for one in there)[offset : offset + limit])
