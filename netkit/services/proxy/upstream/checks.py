"""Checks of servers: each is asked for a path now and then, and what it answers is noted.

Rule: a check reads no more of an answer than its status, and no server has two at a time.
"""

from collections.abc import Callable

from twisted.internet.defer import CancelledError, Deferred, TimeoutError  # noqa: A004 (Twisted's own)
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from netkit.http.asking import Answer, AskError, Asks, Question
from netkit.http.framing import request_opening
from netkit.net.dial import Way
from netkit.services.proxy.upstream.servers import Server
from netkit.services.proxy.upstream.settings import HealthTable, statuses

Note = Callable[[Server[Way], bool, str], None]
"""Is told of a server whether a check went well, and why not."""


class Checks:
    """The checks of servers, begun by `look`; `note` hears how they go.

    `host_of` says what a server is asked for where the settings do not.
    """

    def __init__(
        self,
        settings: HealthTable,
        asks: Asks,
        clock: IReactorTime,
        host_of: Callable[[Server[Way]], bytes],
        note: Note,
    ) -> None:
        self._settings = settings
        self._expected = statuses(settings.expect)
        self._asks = asks
        self._clock = clock
        self._host_of = host_of
        self._note = note
        self._due: dict[Server[Way], float] = {}
        self._running: dict[Server[Way], Deferred[None]] = {}

    def look(self, servers: tuple[Server[Way], ...], now: float) -> None:
        """Begin the checks whose time has come; at first that of every server."""
        for server in servers:
            if server not in self._running and now >= self._due.get(server, now):
                self._due[server] = now + self._settings.interval
                self._begin(server)

    def stop(self) -> None:
        """End the checks that are going on."""
        for running in list(self._running.values()):
            running.cancel()

    def _begin(self, server: Server[Way]) -> None:
        asking = self._asks.ask(server.way, self._question(server))
        asking.addTimeout(self._settings.timeout, self._clock)
        running = self._running[server] = asking.addCallbacks(self._answered, _failed)
        running.addCallback(self._over, server)
        running.addErrback(lambda failure: failure.trap(CancelledError) and None)
        if running.called:
            self._running.pop(server, None)

    def _question(self, server: Server[Way]) -> Question:
        path = (self._settings.path or "/").encode()
        host = self._settings.host.encode() or self._host_of(server)
        headers = ((b"Host", host), (b"User-Agent", b"netkit (check)"), (b"Accept", b"*/*"))
        return Question(method=b"GET", opening=request_opening(b"GET", path, headers))

    def _answered(self, answer: Answer) -> str:
        """Return what is wrong with an answer, or nothing."""
        answer.close()
        status = answer.head.status
        return "" if status in self._expected else f"answered a check with {status}"

    def _over(self, wrong: str, server: Server[Way]) -> None:
        self._running.pop(server, None)
        self._note(server, not wrong, wrong)


def _failed(failure: Failure) -> str:
    """Return why there was no answer."""
    if failure.check(TimeoutError):
        return "did not answer a check in time"
    failure.trap(AskError)
    return f"failed a check: {failure.value}"
