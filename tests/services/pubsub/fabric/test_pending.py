"""What waits for the cluster stays in order and within its room."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.pubsub.fabric.pending import OVERHEAD, RUN_OVERHEAD, Pending
from netkit.services.pubsub.messages import Published


class PendingTests(SynchronousTestCase):
    def test_after(self) -> None:
        """A run waits until as many pings are answered as it needs, and those behind it wait too."""
        pending = Pending(10_000)
        one, two = Published(b"a", [b"1"]), Published(b"a", [b"2"])
        self.assertTrue(pending.add(one, 2))
        self.assertTrue(pending.add(two, 0))
        self.assertIsNone(pending.take(1))
        self.assertEqual([pending.take(2), pending.take(2), pending.take(2)], [one, two, None])

    def test_rebase(self) -> None:
        """Where nobody will answer any more nothing waits for that."""
        pending = Pending(10_000)
        pending.add(Published(b"a", [b"1"]), 2)
        pending.rebase()
        self.assertIsNotNone(pending.take(0))

    @settings(deadline=None, max_examples=100)
    @given(st.lists(st.lists(st.binary(max_size=300), min_size=1, max_size=4), max_size=20))
    def test_room(self, runs: list[list[bytes]]) -> None:
        """No more waits than there is room for, messages without a byte included."""
        pending = Pending(2000)
        taken = []
        for payloads in runs:
            if pending.add(Published(b"a", payloads), 0):
                taken.append(payloads)
            self.assertLessEqual(pending.size, 2000)
            self.assertLessEqual(pending.messages * OVERHEAD, 2000)
        self.assertEqual(pending.messages, sum(map(len, taken)))
        self.assertLessEqual(RUN_OVERHEAD * len(taken), 2000)
        found = [run.payloads for run in iter(lambda: pending.take(0), None)]
        self.assertEqual(found, taken)
        self.assertEqual((pending.size, pending.messages), (0, 0))

    def test_clear(self) -> None:
        """Whoever gives up what waits is told how much that is."""
        pending = Pending(2000)
        pending.add(Published(b"a", [b"1", b"2"]), 0)
        self.assertEqual((pending.clear(), pending.size, pending.take(0)), (2, 0, None))
