"""Threads for applications that block.

They start as work comes and end by themselves when there has been none for a while, so that nobody
has to stop them; none of them keeps the process alive. Rule: their number is bounded, and what waits
for them can be counted.
"""

from collections import deque
from collections.abc import Callable
from threading import Condition, Thread, current_thread

from twisted.logger import Logger

IDLE_SECONDS = 30.0


class Workers:
    """At most `threads` threads, which end after `idle` seconds without work."""

    def __init__(self, threads: int, log: Logger, idle: float = IDLE_SECONDS) -> None:
        self._most = threads
        self._log = log
        self._idle_seconds = idle
        self._work: deque[Callable[[], object]] = deque()
        self._changed = Condition()
        self._idle = 0
        self._threads: set[Thread] = set()

    @property
    def waiting(self) -> int:
        """Return how much work no thread has begun with."""
        return len(self._work)

    @property
    def threads(self) -> frozenset[Thread]:
        """Return the threads that there are."""
        with self._changed:
            return frozenset(self._threads)

    def callInThread(self, work: Callable[[], object]) -> None:
        """Do `work` in one of the threads, as soon as one is free."""
        with self._changed:
            self._work.append(work)
            if self._idle >= len(self._work):
                self._changed.notify()
            elif len(self._threads) < self._most:
                thread = Thread(target=self._run, name="netkit worker", daemon=True)
                self._threads.add(thread)
                thread.start()

    def _run(self) -> None:
        while work := self._next():
            try:
                work()
            except Exception:  # noqa: BLE001 (a worker outlives its work)
                self._log.failure("what a worker did has failed")

    def _next(self) -> Callable[[], object] | None:
        """Wait for work; return None, once this thread is no longer one of them, where none came."""
        with self._changed:
            self._idle += 1
            self._changed.wait_for(lambda: self._work, self._idle_seconds)
            self._idle -= 1
            if self._work:
                return self._work.popleft()
            self._threads.remove(current_thread())
            return None
