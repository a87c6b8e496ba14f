"""Checks of servers: each is asked for a path now and then, and what it answers is noted.

Rule: a check reads no more of an answer than its status, and no server has two at a time.
"""

from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, TimeoutError  # noqa: A004 (Twisted's own)
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from netkit.http.asking import Answer, AskError, Asks, Question
from netkit.http.framing import request_opening
from netkit.net.dial import Way
from netkit.net.proxyprotocol import Header
from netkit.services.proxy.upstream.errands import announced
from netkit.services.proxy.upstream.servers import Server
from netkit.services.proxy.upstream.settings import Settings, statuses

_OUR_OWN = Header(local=True)

Note = Callable[[Server[Way], str], None]
"""Is told of a server what is wrong with it by a check, or nothing where it went well."""


class Checks:
    """The checks of servers, begun by `look`; `note` hears how they go.

    `hosts` has what each server is asked for where the settings do not say it.
    """

    def __init__(
        self,
        settings: Settings,
        asks: Asks,
        clock: IReactorTime,
        hosts: Mapping[Server[Way], bytes],
        note: Note,
    ) -> None:
        self._settings = settings.health
        self._proxy_header = settings.proxy_header
        self._expected = statuses(settings.health.expect)
        self._asks = asks
        self._clock = clock
        self._hosts = hosts
        self._note = note
        self._due: dict[Server[Way], float] = {}
        self._running: dict[Server[Way], Deferred[Any]] = {}

    def look(self, servers: tuple[Server[Way], ...], now: float) -> None:
        """Begin the checks whose time has come; at first that of every server."""
        if self._settings.path is None:
            return
        for server in servers:
            if server not in self._running and now >= self._due.get(server, now):
                self._due[server] = now + self._settings.interval
                self._begin(server)

    def stop(self) -> None:
        """End the checks that are going on."""
        for running in list(self._running.values()):
            running.cancel()

    def _begin(self, server: Server[Way]) -> None:
        way = announced(server.way, _OUR_OWN, self._proxy_header)
        asking: Deferred[Any] = self._asks.ask(way, self._question(server))
        self._running[server] = asking
        asking.addTimeout(self._settings.timeout, self._clock)
        asking.addCallbacks(self._answered, _failed)
        asking.addBoth(self._over, server)

    def _question(self, server: Server[Way]) -> Question:
        path = (self._settings.path or "/").encode()
        host = self._settings.host.encode() or self._hosts[server]
        headers = ((b"Host", host), (b"User-Agent", b"netkit (check)"), (b"Accept", b"*/*"))
        return Question(method=b"GET", opening=request_opening(b"GET", path, headers))

    def _answered(self, answer: Answer) -> str:
        """Return what is wrong with an answer, or nothing."""
        answer.close()
        status = answer.head.status
        return "" if status in self._expected else f"answered a check with {status}"

    def _over(self, wrong: str | Failure, server: Server[Way]) -> None:
        del self._running[server]
        if isinstance(wrong, Failure):
            wrong.trap(CancelledError)
        else:
            self._note(server, wrong)


def _failed(failure: Failure) -> str:
    """Return why there was no answer."""
    if failure.check(TimeoutError):
        return "did not answer a check in time"
    failure.trap(AskError)
    return f"failed a check: {failure.value}"
