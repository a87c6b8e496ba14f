"""Servers that are asked over no connection at all: what stands under an agent in a test."""

from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, TypeAlias

from twisted.internet.defer import Deferred, fail
from twisted.internet.task import Clock

from netkit.http.asking import Answer, AskError, Question
from netkit.http.messages import BodyCutError, Headers, Pieces, ResponseHead, Stream
from netkit.net.connect import Connector
from netkit.net.dial import Way
from netkit.net.names import Names
from netkit.net.tlsclient import DEFAULT_TERMS
from netkit.tools.web.fetching import Body, Got, Terms, Wanted
from netkit.tools.web.journey import Journey, Traveller
from netkit.tools.web.surroundings import Surroundings
from netkit.tools.web.urls import Url, parse
from netkit.tools.web.ways import Ways

Reply: TypeAlias = Answer | AskError
NOW = 784111777.0


def answer(status: int = 200, *headers: tuple[bytes, bytes], body: bytes | Stream = b"") -> Answer:
    """Return an answer."""
    length = len(body) if isinstance(body, bytes) else body.length
    head = ResponseHead(status=status, reason=b"Reason", headers=headers, length=length)
    return Answer(head=head, body=body)


def leading(location: str, status: int = 302, *headers: tuple[bytes, bytes]) -> Answer:
    """Return an answer that leads to `location`."""
    return answer(status, (b"Location", location.encode()), *headers)


class Sent:
    """A request that was sent."""

    def __init__(self, way: Way, question: Question) -> None:
        self.way = way
        self.question = question
        lines = question.opening.decode().rstrip("\r\n").split("\r\n")
        self.line = lines[0]
        self.fields = dict(line.split(": ", 1) for line in lines[1:])
        self.body = b""


class Servers:
    """Answers each question in turn by `replies`. It is Asks; `sent` has what was asked."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.sent: list[Sent] = []

    def ask(self, way: Way, question: Question) -> Deferred[Answer]:
        """See `asking.Asks`."""
        sent = Sent(way, question)
        self.sent.append(sent)
        reply = self.replies.pop(0)
        if isinstance(reply, AskError):
            return fail(reply)
        return Deferred.fromCoroutine(_taken(sent, question.body)).addCallback(lambda _: reply)


async def _taken(sent: Sent, body: bytes | Stream) -> None:
    if isinstance(body, bytes):
        sent.body = body
        return
    async for piece in body:
        sent.body += piece
    body.close()


class Heard:
    """Hears what an agent does. It is a Watch."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.answers: list[int] = []
        self.waited: list[tuple[float, str]] = []

    def asks(self, url: Url, opening: bytes) -> None:
        """See Watch."""
        self.asked.append(opening)

    def answered(self, url: Url, head: ResponseHead) -> None:
        """See Watch."""
        self.answers.append(head.status)

    def waits(self, seconds: float, why: str) -> None:
        """See Watch."""
        self.waited.append((seconds, why))


class Visitor:
    """An agent over `Servers`; its clock is the test's."""

    def __init__(
        self, *replies: Reply, environment: Mapping[str, str] | None = None, **terms: Any
    ) -> None:
        self.servers = Servers(*replies)
        self.clock = Clock()
        self.heard = Heard()
        network: Any = None
        connector = Connector(self.clock, network, Names(network))
        around = Surroundings(environment or {}, lambda: NOW, lambda: 1.0, lambda: "chance")
        self.traveller = Traveller(
            Terms(watch=self.heard, **terms),
            around,
            self.clock,
            Ways(connector, self.servers, DEFAULT_TERMS),
            b"netkit",
        )

    @property
    def sent(self) -> list[Sent]:
        """What was sent."""
        return self.servers.sent

    def fetch(
        self,
        url: str,
        method: bytes = b"GET",
        *,
        headers: Headers = (),
        body: Body = b"",
        decode: bool = True,
    ) -> Deferred[Got]:
        """Fetch."""
        wanted = Wanted(url=parse(url), method=method, headers=headers, body=body, decode=decode)
        return Deferred.fromCoroutine(Journey(self.traveller, wanted).go())


def body_of(got: Got) -> Deferred[bytes]:
    """Return all of a body."""
    return Deferred.fromCoroutine(got.read(2**30))


def pieces(*parts: bytes, cut: str = "", ending: Callable[[], None] | None = None) -> Stream:
    """Return a stream of `parts`, which is cut off for a reason, if there is one."""

    async def source() -> AsyncIterator[bytes]:
        for part in parts:
            yield part
        if cut:
            raise BodyCutError(cut)

    return Pieces(source(), None, ending)
