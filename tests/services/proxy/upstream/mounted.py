"""A mount `upstream` before servers that exist in a test's mind."""

from typing import Any

from attrs import define, evolve, field
from twisted.internet.defer import Deferred
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent, formatEvent

from netkit.http.asking import AskError, Problem
from netkit.http.messages import Request, Response
from netkit.net.destination import parse
from netkit.services.kind import World
from netkit.services.proxy.upstream.mount import Upstream
from netkit.services.proxy.upstream.servers import Server
from netkit.services.proxy.upstream.settings import ServerTable, Settings
from tests.http.fakes import asked, recorded
from tests.services.proxy.fakes import Asked, NoWay
from tests.services.proxy.fakes import Server as Asks


@define
class Pool(Asks):
    """Asks that can be stopped."""

    stopped: bool = field(default=False, kw_only=True)

    def stop(self) -> None:
        """Note it."""
        self.stopped = True


class Mounted:
    """A mount of servers `a`, `b`, ... as many as there are `letters`; capitals are backups."""

    def __init__(self, letters: str = "a", **settings: Any) -> None:
        self.reactor = MemoryReactorClock()
        self.events: list[LogEvent] = []
        self.pool = Pool()
        world = World(self.reactor, self.reactor, recorded(self.events))
        tables = tuple(
            ServerTable(to=parse(f"tcp:{each.lower()}:80"), backup=each.isupper())
            for each in letters
        )
        self.settings = Settings(servers=tables, **{"name": "us", **settings})
        servers: dict[Any, bytes] = {
            Server(
                letter.lower(),
                NoWay(letter.lower()),
                self.settings.health.terms,
                backup=letter.isupper(),
            ): letter.lower().encode()
            for letter in letters
        }
        self.mount = Upstream(self.settings, servers, self.pool, world)

    def ask(self, path: str = "/", method: bytes = b"GET", **kw: Any) -> Deferred[Response]:
        """Send a request made as `fakes.asked` makes it."""
        return self.send(asked(path, method, **{"base": "/app", **kw}))

    def send(self, request: Request) -> Deferred[Response]:
        """Send a request."""
        return self.mount(request)

    @property
    def asked(self) -> list[Asked]:
        """All questions so far."""
        return self.pool.asked

    @property
    def last(self) -> Asked:
        """The last question."""
        return self.pool.asked[-1]

    @property
    def ways(self) -> str:
        """Return which servers were asked, in that order."""
        return "".join(str(each.way) for each in self.pool.asked)

    @property
    def lines(self) -> list[str]:
        """Return the log as text."""
        return [formatEvent(event) for event in self.events]

    @property
    def opening(self) -> list[bytes]:
        """Return the lines of the last question."""
        return self.last.question.opening.split(b"\r\n")[:-1]

    def fail(
        self, problem: Problem = Problem.CONNECTION_REFUSED, *, untouched: bool = True
    ) -> None:
        """Let the last question fail."""
        self.last.coming.errback(AskError(problem, "it is so", untouched=untouched))


def http10(request: Request) -> Request:
    """Return `request` as a client of HTTP/1.0 sends it, without a Host."""
    return evolve(request, head=evolve(request.head, version=b"HTTP/1.0", authority=b""))
