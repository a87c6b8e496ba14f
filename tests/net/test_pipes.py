"""Pipes on loan: never too many, and none left behind."""

import os

from twisted.trial.unittest import SynchronousTestCase

from netkit.net.pipes import Pipes
from tests.net.tunnelled import descriptors


class PipesTests(SynchronousTestCase):
    skip = None if hasattr(os, "pipe2") else "this system has no pipe2"

    def setUp(self) -> None:
        self.before = descriptors()

    def test_limit(self) -> None:
        """No more pipes are open than the limit says; one that comes back is lent again."""
        pipes = Pipes(2)
        first, second = pipes.take(), pipes.take()
        assert first and second
        self.assertIsNone(pipes.take())
        pipes.give_back(first)
        self.assertEqual(pipes.take(), first)
        pipes.discard(first)
        pipes.discard(second)
        self.assertEqual((pipes.open, descriptors()), (0, self.before))

    def test_spare(self) -> None:
        """A few of those that come back are kept, until they are cleared away."""
        pipes = Pipes(100)
        taken = [pipes.take() for _ in range(100)]
        for pipe in filter(None, taken):
            pipes.give_back(pipe)
        self.assertEqual(pipes.open, 16)
        pipes.clear()
        self.assertEqual((pipes.open, descriptors()), (0, self.before))

    def test_give_up(self) -> None:
        """Where the system does not splice no pipe is lent, and none is kept."""
        pipes = Pipes(2)
        pipe = pipes.take()
        assert pipe
        pipes.give_back(pipe)
        pipes.give_up()
        self.assertIsNone(pipes.take())
        self.assertEqual(descriptors(), self.before)
