"""A site with hosts and rules, built by hand and asked without a server."""

from collections.abc import Callable
from typing import Any

from attrs import evolve, frozen
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IReactorThreads
from twisted.internet.testing import MemoryReactorClock
from twisted.logger import LogEvent
from zope.interface import directlyProvides

from netkit.http.messages import Handler, Request, Response
from netkit.http.pages import text
from netkit.services.kind import Mount, MountKind, World
from netkit.services.site.service import Settings, Site
from tests.http.fakes import PEER, Visitor, asked, recorded


@frozen
class Said:
    """The settings of a mount that says `word`, and is repeatable."""

    word: str


def _saying(settings: Said, shown: object, world: World) -> Handler:
    def answer(request: Request) -> Response:
        body = f"{settings.word} {request.base} {request.path}".encode()
        return evolve(text(body), repeatable=True)

    return answer


SAYS = MountKind(name="says", settings=Said, build=_saying)


def says(word: str, path: str = "/") -> Mount:
    """Return a mount that says `word`, its base and the path below."""
    return Mount(path, SAYS, Said(word))


class ThreadedReactor(MemoryReactorClock):
    """A reactor in memory whose threads work when a test says so."""

    def __init__(self) -> None:
        super().__init__()
        directlyProvides(self, IReactorThreads)  # as much of it as deferToThreadPool uses
        self.works: list[Callable[[], Any]] = []

    def getThreadPool(self) -> "ThreadedReactor":
        """Return itself: it is its own pool."""
        return self

    def callInThreadWithCallback(
        self, done: Callable[[bool, Any], None], work: Callable[..., Any], *args: Any, **kw: Any
    ) -> None:
        """Keep the work."""
        self.works.append(lambda: done(True, work(*args, **kw)))

    def callFromThread(self, call: Callable[..., Any], *args: Any, **kw: Any) -> None:
        """Call at once: there is one thread."""
        call(*args, **kw)

    def work(self) -> int:
        """Do all that waits; return how much that was."""
        done = 0
        while self.works:
            self.works.pop(0)()
            done += 1
        return done


class Built:
    """A site of `settings`, its reactor and its log."""

    def __init__(self, settings: Settings) -> None:
        self.reactor = ThreadedReactor()
        self.events: list[LogEvent] = []
        world = World(self.reactor, self.reactor, recorded(self.events))
        self.site = Site(settings, {}, world)

    def ask(  # noqa: PLR0913 (a request has many parts)
        self,
        target: bytes | str = "/",
        method: bytes = b"GET",
        *,
        authority: bytes = b"example.org",
        secure: bool = False,
        server_name: str | None = None,
        authorization: bytes | None = None,
        peer: IAddress = PEER,
    ) -> Deferred[Response]:
        """Ask the site; the answer is there at once where nothing is waited for."""
        written = target.encode() if isinstance(target, str) else target
        fields = () if authorization is None else ((b"Authorization", authorization),)
        request = asked(
            "", method, target=written, headers=fields, client=Visitor(peer, secure, server_name)
        )
        head = evolve(request.head, authority=authority)
        answer = self.site.answer(evolve(request, head=head))

        async def wait() -> Response:
            return answer if isinstance(answer, Response) else await answer

        return Deferred.fromCoroutine(wait())
