"""The table of a bridge's ends, by plain calls."""

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.bridging.ends import Event, Next, Reason, Stage, after

EVENTS = st.lists(st.sampled_from(Event), max_size=8)


def ran(*events: Event) -> Next:
    """Return what `events`, from the beginning, come to."""
    stage: Next = Stage.BOTH
    for event in events:
        if isinstance(stage, Reason):
            break
        stage = after(stage, event)
    return stage


class TableTests(SynchronousTestCase):
    def test_both_orders(self) -> None:
        """Whoever ends first, the bridge is over when the other has ended too."""
        for order in (
            (Event.INPUT_ENDED, Event.PEER_ENDED),
            (Event.PEER_ENDED, Event.INPUT_ENDED),
        ):
            self.assertIs(ran(*order), Reason.BOTH_ENDED)
            self.assertIsInstance(ran(order[0]), Stage)

    def test_peer_first(self) -> None:
        """Once the peer has ended, an input that has nothing to say ends it; before, it does not."""
        self.assertIs(ran(Event.INPUT_RESTS), Stage.BOTH)
        self.assertIs(ran(Event.PEER_ENDED, Event.INPUT_RESTS), Reason.PEER_ENDED)

    def test_cut(self) -> None:
        """An input that still speaks when the peer hears nothing more is cut off, which is trouble."""
        self.assertIs(ran(Event.PEER_ENDED, Event.PEER_GONE), Reason.CUT)
        self.assertTrue(Reason.CUT.is_trouble)

    def test_waited(self) -> None:
        """The wait counts from the end of the input."""
        self.assertIs(ran(Event.WAITED), Stage.BOTH)
        self.assertIs(ran(Event.INPUT_ENDED, Event.WAITED), Reason.WAITED)

    def test_anywhere(self) -> None:
        """What breaks off or moves no more is over whoever speaks."""
        for stage, (event, reason) in product(
            Stage, ((Event.PEER_RESET, Reason.RESET), (Event.IDLE, Reason.IDLE))
        ):
            self.assertIs(after(stage, event), reason)

    @settings(deadline=None, max_examples=200, database=None)
    @given(EVENTS)
    def test_never_back(self, events: list[Event]) -> None:
        """Who has ended never speaks again, and whoever ends twice has ended once."""
        told: list[Event] = []
        for event in events:
            stage = ran(*told, event)
            if Event.INPUT_ENDED in told:
                self.assertNotIn(stage, {Stage.BOTH, Stage.INPUT})
            if Event.PEER_ENDED in told:
                self.assertNotIn(stage, {Stage.BOTH, Stage.PEER})
            self.assertIs(ran(*told, event), ran(*told, event, event))
            told.append(event)
