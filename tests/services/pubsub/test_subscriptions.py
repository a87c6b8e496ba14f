"""What stands at one pattern, from nobody to several."""

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.messages import Published
from netkit.services.pubsub.subscriptions import (
    Several,
    Subscription,
    everyone,
    queues,
    with_one,
    without_one,
)


def _form(run: Published) -> bytes:
    return run.subject


def _one(name: str, queue: bytes = b"") -> Subscription[str]:
    return Subscription(b"a", _form, name, queue)


class PlaceTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.one, self.two, self.queued = _one("1"), _one("2"), _one("3", b"q")

    def test_one(self) -> None:
        """One subscription is the place itself."""
        place, first = with_one(None, self.one)
        self.assertIs(place, self.one)
        self.assertTrue(first)
        self.assertEqual(list(everyone(place)), [self.one])
        self.assertEqual(list(queues(place)), [(b"a", b"")])
        self.assertEqual(without_one(place, self.one), (None, True))

    def test_several(self) -> None:
        """With others it shares the place; each queue has its own first and last."""
        place, first = with_one(self.one, self.two)
        self.assertFalse(first)
        place, first = with_one(place, self.queued)
        self.assertTrue(first)
        self.assertEqual(list(everyone(place)), [self.one, self.two, self.queued])
        self.assertEqual(list(queues(place)), [(b"a", b""), (b"a", b"q")])
        self.assertEqual(without_one(place, self.one), (place, False))
        self.assertEqual(without_one(place, self.two), (place, True))
        self.assertEqual(without_one(place, self.queued), (None, True))

    def test_absent(self) -> None:
        """Who is not there cannot leave."""
        several: Several[str] = Several()
        several.insert(self.one)
        for place in (None, self.one, several):
            for absent in (self.two, self.queued):
                with self.subTest(place), self.assertRaises(KeyError):
                    without_one(place, absent)
