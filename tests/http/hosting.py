"""A resource on its handler, with a client that takes the answer as a test says."""

from collections.abc import AsyncIterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import LogEvent, formatEvent
from twisted.python.failure import Failure
from twisted.web.resource import IResource, Resource

from netkit.http.messages import Request, Response
from netkit.http.resources import resource_handler
from tests.http.fakes import asked, field, recorded


class Hosted:
    """A handler on `resource`, its clock, and its log."""

    def __init__(self, resource: IResource, **kw: Any) -> None:
        self.clock = Clock()
        self.events: list[LogEvent] = []
        self.handler = resource_handler(resource, clock=self.clock, log=recorded(self.events), **kw)

    def ask(self, *args: Any, **kw: Any) -> "Visit":
        """Send a request made as `fakes.asked` makes it."""
        return self.send(asked(*args, **kw))

    def send(self, request: Request) -> "Visit":
        """Send a request."""
        return Visit(self, request)

    @property
    def lines(self) -> list[str]:
        """Return the log as text."""
        return [formatEvent(event) for event in self.events]


class Visit:
    """One request, and what has come of it so far."""

    def __init__(self, hosted: Hosted, request: Request) -> None:
        self.clock = hosted.clock
        self.answered: list[Response] = []
        self.errors: list[BaseException] = []
        self.taken = bytearray()
        self.ended = False
        self._pieces: AsyncIterator[bytes] | None = None
        self.waiting = Deferred.fromCoroutine(self._ask(hosted, request))
        self.waiting.addErrback(self._failed)

    async def _ask(self, hosted: Hosted, request: Request) -> None:
        answer = hosted.handler(request)
        self.answered.append(answer if isinstance(answer, Response) else await answer)

    def _failed(self, failure: Failure) -> None:
        assert failure.value is not None
        self.errors.append(failure.value)

    def turn(self) -> "Visit":
        """Let the reactor turn once."""
        self.clock.advance(0)
        return self

    @property
    def response(self) -> Response:
        """Return the response; raise what was raised instead."""
        if self.errors:
            raise self.errors[0]
        (response,) = self.answered
        return response

    def settled(self) -> Response:
        """Return the response, as `response` does, where a test expects that it raises."""
        return self.response

    @property
    def body(self) -> bytes:
        """Return the body of a response that is no stream."""
        body = self.response.body
        assert isinstance(body, bytes), body
        return body

    @property
    def stream(self) -> Any:
        """Return the body of a response that is a stream."""
        body = self.response.body
        assert not isinstance(body, bytes), body
        return body

    def field(self, name: bytes) -> bytes | None:
        """Return a field of the response."""
        return field(self.response, name)

    def take(self) -> "Visit":
        """Take a piece, once there is one; `taken` has it."""
        self._pieces = self._pieces or aiter(self.stream)
        self.waiting = Deferred.fromCoroutine(self._next(self._pieces))
        self.waiting.addErrback(self._failed)
        return self

    async def _next(self, pieces: AsyncIterator[bytes]) -> None:
        try:
            self.taken += await anext(pieces)
        except StopAsyncIteration:
            self.ended = True

    def take_all(self) -> bytes:
        """Take the rest of a stream that needs no more than turns; return all that was taken."""
        while not self.ended and not self.errors:
            self.take().turn()
        return bytes(self.taken)

    def leave(self) -> "Visit":
        """Let the client leave, as a server does it."""
        self.waiting.cancel()
        for response in self.answered:
            response.close()
        return self


class Page(Resource):
    """A leaf that does what a test says, whatever the method."""

    isLeaf = True

    def __init__(self, render: Any) -> None:
        super().__init__()
        self.rendering = render
        self.requests: list[Any] = []
        self.finished: list[Any] = []

    def render(self, request: Any) -> Any:
        self.requests.append(request)
        request.notifyFinish().addBoth(self.finished.append)
        return self.rendering(request)
