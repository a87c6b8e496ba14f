"""A daemon looks for garbage less often than Python's defaults, and finds it all the same."""

import gc
from weakref import ref

from twisted.trial.unittest import SynchronousTestCase

from netkit.daemon.garbage import YOUNG_OBJECTS, look_seldom


class Ring:
    """What refers to itself."""

    def __init__(self) -> None:
        self.self = self


class LookSeldomTests(SynchronousTestCase):
    """What is found when."""

    def setUp(self) -> None:
        """Leave the process as it was."""
        self.addCleanup(gc.set_threshold, *gc.get_threshold())
        self.addCleanup(gc.unfreeze)

    def test_what_there_is(self) -> None:
        """What there is by then is not looked through again."""
        look_seldom()
        self.assertGreater(gc.get_freeze_count(), 0)

    def test_bounded(self) -> None:
        """Garbage that refers to itself is gone when so many objects more have been made."""
        look_seldom()
        lost = ref(Ring())
        kept: list[list[int]] = [[] for _ in range(2 * YOUNG_OBJECTS)]
        self.assertIsNone(lost())
        kept.clear()
