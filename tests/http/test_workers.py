"""Threads that come with work and go without."""

from functools import partial
from threading import Event, Thread

from twisted.logger import LogEvent
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.workers import Workers
from tests.http.fakes import recorded

_LONG = 10.0


class WorkersTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.events: list[LogEvent] = []

    def workers(self, threads: int, idle: float = 0.01) -> Workers:
        workers = Workers(threads, recorded(self.events), idle)
        self.addCleanup(self.gone, workers)
        return workers

    def gone(self, workers: Workers) -> None:
        """Wait until all threads have ended."""
        for thread in workers.threads:
            thread.join(_LONG)
        self.assertEqual(workers.threads, frozenset())

    def test_bounded(self) -> None:
        """There are never more threads than there may be; the rest of the work waits."""
        workers = self.workers(2)
        begun, go = [Event() for _ in range(4)], Event()

        def work(event: Event) -> None:
            event.set()
            go.wait(_LONG)

        for event in begun:
            workers.callInThread(partial(work, event))
        self.assertTrue(begun[0].wait(_LONG) and begun[1].wait(_LONG))
        self.assertEqual((len(workers.threads), workers.waiting), (2, 2))
        go.set()
        self.assertTrue(begun[2].wait(_LONG) and begun[3].wait(_LONG))

    def test_ends(self) -> None:
        """Threads end without work, and come again with it."""
        workers = self.workers(2)
        for _ in range(3):
            done = Event()
            workers.callInThread(done.set)
            self.assertTrue(done.wait(_LONG))
            self.gone(workers)

    def test_idle(self) -> None:
        """An idle thread is used again rather than another begun."""
        workers = self.workers(5, idle=0.3)
        found: list[frozenset[Thread]] = []

        def work(done: Event) -> None:
            found.append(workers.threads)
            done.set()

        for _ in range(3):
            done = Event()
            workers.callInThread(partial(work, done))
            self.assertTrue(done.wait(_LONG))
        self.assertLessEqual(len(frozenset().union(*found)), 2)

    def test_daemonic(self) -> None:
        """No thread keeps the process alive."""
        workers = self.workers(1)
        workers.callInThread(lambda: None)
        self.assertTrue(all(thread.daemon for thread in workers.threads))

    def test_failure(self) -> None:
        """Work that fails is logged, and the thread goes on."""
        workers = self.workers(1)
        done = Event()
        workers.callInThread(lambda: 1 / 0)
        workers.callInThread(done.set)
        self.assertTrue(done.wait(_LONG))
        self.assertEqual(len(self.events), 1)
