"""A command runs: on netkit's reactor, until its work is done or Ctrl-C is pressed.

Rule: whatever happens, the exit status says what came of it, and what went wrong is one line of the
standard error. The work is cancelled before the process ends, so that it can clear away.
"""

import gc
import os
import select
import signal
import sys
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, NoReturn, TypeAlias, cast

from attrs import field, frozen
from twisted.internet.base import ReactorBase
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater
from twisted.logger import ILogObserver, LogEvent, globalLogBeginner, textFileLogObserver
from twisted.python.failure import Failure
from zope.interface import provider

from netkit.http.asking import AskError
from netkit.net.connect import Connector
from netkit.net.failures import NoConnectionError
from netkit.net.names import Names
from netkit.net.policy import ANYWHERE
from netkit.net.reactor import install
from netkit.tools.outcome import DEBUG, Exit, TroubleError, told

TIMEOUT = 30.0
"""So many seconds a command waits for a server that says nothing, unless told otherwise."""


@frozen
class Here:
    """What a command works with: the reactor, and how long a server may say nothing, in seconds."""

    reactor: ReactorBase = field(repr=False)
    timeout: float = TIMEOUT

    @property
    def connector(self) -> Connector:
        """What connects to wherever the user says."""
        reactor: Any = self.reactor
        return Connector(reactor, reactor, Names(reactor.nameResolver), ANYWHERE, self.timeout)


def _in_words(failure: Failure) -> NoReturn:
    """Raise what a server or the way to it has done as what the user is told."""
    if failure.check(NoConnectionError, AskError):
        raise TroubleError(failure.getErrorMessage()) from failure.value
    failure.raiseException()
    raise AssertionError


@provider(ILogObserver)
def _unheard(_: LogEvent) -> None:
    """Drop what Twisted logs: the user is told by one line, or by nothing."""


Work: TypeAlias = Callable[[Here], Coroutine[Any, Any, Exit]]


def run(work: Work, timeout: float = TIMEOUT) -> Exit:
    """Return what comes of `work`; the process has no other use for a reactor.

    Errors that are nobody's mistake are TroubleError, NoConnectionError, AskError and OSError: they are
    shown as one line, as is everything else, which is a mistake of ours.
    """
    log = textFileLogObserver(sys.stderr) if DEBUG in os.environ else _unheard
    globalLogBeginner.beginLoggingTo([log], redirectStandardIO=False)
    if hasattr(select, "epoll"):
        install()
    from twisted.internet import reactor  # noqa: PLC0415 (installed by now, never at import)

    gc.freeze()  # what has been imported stays: to look through it at the end takes a while
    running = _Run(cast("ReactorBase", reactor), work, timeout)
    running.wait()
    return running.outcome


class _Run:
    """The one run of a command."""

    def __init__(self, reactor: ReactorBase, work: Work, timeout: float) -> None:
        self.outcome = Exit.TROUBLE
        self._reactor = reactor
        self._clock = cast("IReactorTime", reactor)
        self._work = work
        self._here = Here(reactor, timeout)
        self._working: Deferred[None] | None = None
        self._interrupted = False
        self._ending = False

    def wait(self) -> None:
        """Do it all; return when that is over."""
        self._reactor.callWhenRunning(self._begin)
        self._reactor.addSystemEventTrigger("before", "shutdown", self._clear_away)
        self._reactor.run()

    def _begin(self) -> None:
        """Start the work; the reactor has put its own signal handlers in place by now."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._interrupt)
        working = Deferred.fromCoroutine(self._work(self._here))
        self._working = working.addErrback(_in_words).addCallbacks(self._done, self._failed)
        # Connections that were aborted are closed in the turn after that.
        self._working.addBoth(lambda _: deferLater(self._clock, 0))
        self._working.addBoth(lambda _: self._over())

    def _clear_away(self) -> Deferred[None] | None:
        """Take the work back, and wait until it has cleared away."""
        self._ending = True
        working = self._working
        if working is not None:
            working.cancel()
        return working

    def _over(self) -> None:
        self._working = None
        if not self._ending:
            self._reactor.stop()

    def _done(self, outcome: Exit) -> None:
        if not self._interrupted:
            self.outcome = outcome

    def _failed(self, failure: Failure) -> None:
        if not self._interrupted:
            self.outcome = told(failure.value)

    def _interrupt(self, number: int, _: FrameType | None) -> None:
        """End in order, or at once where somebody insists."""
        if self._interrupted:
            os._exit(self.outcome)
        self._interrupted = True
        self.outcome = Exit(128 + number)
        self._reactor.callFromThread(self._reactor.stop)
