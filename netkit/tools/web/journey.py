"""One request on its way to the final answer: tried again, let in by a password, led elsewhere.

Rule: of what one exchange has brought about the next one gets what is meant for it, and nothing else.
"""

from collections import Counter
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Any

from attrs import evolve, field, frozen
from twisted.internet.task import deferLater

from netkit.http.asking import Answer, AskError, Handover, Question
from netkit.http.decoded import decoded, decoders
from netkit.http.framing import Framing
from netkit.http.messages import BodyCutError, Headers, ResponseHead, Stream
from netkit.http.sending import stream
from netkit.tools.web.cookies import Cookies
from netkit.tools.web.fetching import CutError, FetchError, Got, Login, Step, Terms, Wanted
from netkit.tools.web.logins import First, Given, Only
from netkit.tools.web.proxies import proxy_for
from netkit.tools.web.redirects import fit, led_on
from netkit.tools.web.requests import Request, merged, own_fields, request
from netkit.tools.web.retries import delay, may_follow, wait_for
from netkit.tools.web.sessions import Refused, Sessions
from netkit.tools.web.surroundings import Surroundings
from netkit.tools.web.urls import Url
from netkit.tools.web.ways import Route, Ways

MOST_LOGINS = 8
"""So often one request is sent again because of a 401."""


@frozen
class Traveller:
    """Whose journey it is; what it knows outlasts one. `name` is what it calls itself."""

    terms: Terms
    around: Surroundings
    clock: Any
    ways: Ways
    name: bytes
    cookies: Cookies = field(factory=Cookies)
    sessions: Sessions = field(init=False)

    @sessions.default
    def _sessions(self) -> Sessions:
        return Sessions(self.around.secret)


class Journey:
    """What is done about `first`."""

    def __init__(self, traveller: Traveller, first: Wanted) -> None:
        self._by = traveller
        self._first = first
        self._steps: list[Step] = []
        self._redirects = self._logins = 0
        self._refused: Refused = Counter()
        self._login = _login(first.url, traveller.terms)

    async def go(self) -> Got:
        """Return the final answer; raise FetchError."""
        wanted = self._first
        while True:
            answer = await self._answer(wanted)
            try:
                onward = self._onward(wanted, answer.head)
                if onward is None:
                    return self._got(wanted, answer)
            except BaseException:
                answer.close()
                raise
            answer.close()
            self._steps.append(Step(wanted.url, answer.head))
            wanted = onward

    def _onward(self, wanted: Wanted, head: ResponseHead) -> Wanted | None:
        """Return what to ask for next, or None where this is the answer."""
        by = self._by
        if by.terms.cookies:
            by.cookies.hear(wanted.url, head, by.around.now())
        if head.status == HTTPStatus.UNAUTHORIZED:
            return wanted if self._may_log_in(wanted, head) else None
        if not by.terms.redirects:
            return None
        onward = led_on(wanted, head)
        if onward is not None:
            self._redirects += 1
            if self._redirects > by.terms.redirects:
                raise FetchError(
                    f"{self._first.url} was not found behind {by.terms.redirects} redirects"
                )
        return onward

    def _may_log_in(self, wanted: Wanted, head: ResponseHead) -> bool:
        if self._logins >= MOST_LOGINS or _says(
            b"authorization", self._callers(wanted.url, wanted)
        ):
            return False
        self._logins += 1
        return self._by.sessions.renew(wanted.url, head, self._login, self._refused)

    def _callers(self, url: Url, wanted: Wanted) -> Headers:
        return fit(wanted.headers, url, self._first.url)

    # One exchange, and those after it that are about the same.

    async def _answer(self, wanted: Wanted) -> Answer:
        """Return the answer to `wanted`, asked for as often as that may help."""
        attempt = 0
        while True:
            attempt += 1
            try:
                answer = await self._asked(wanted)
            except AskError as error:
                seconds, why = self._delay(wanted, error, attempt), f"{wanted.url}: {error}"
            except BodyCutError as error:
                raise FetchError(f"what is to be sent to {wanted.url}: {error}") from error
            else:
                wait = self._wait(wanted, answer.head, attempt)
                if wait is None:
                    return answer
                answer.close()
                seconds, why = wait, f"{wanted.url} answered {answer.head.status}"
            self._by.terms.watch.waits(seconds, why)
            await deferLater(self._by.clock, seconds)

    def _delay(self, wanted: Wanted, error: AskError, attempt: int) -> float:
        """Return how long to wait behind `error`; raise FetchError where there is no other time."""
        if attempt > self._by.terms.retries or not may_follow(error, wanted.method):
            raise _not_fetched(wanted.url, error) from error
        return delay(attempt, self._by.around.chance())

    def _wait(self, wanted: Wanted, head: ResponseHead, attempt: int) -> float | None:
        """Return how long to wait behind an answer before asking again; None: it is the last."""
        if attempt > self._by.terms.retries:
            return None
        around = self._by.around
        return wait_for(head, wanted.method, attempt, around.now(), around.chance())

    async def _asked(self, wanted: Wanted) -> Answer:
        """Ask once."""
        by = self._by
        url = wanted.url
        proxy = proxy_for(url, by.terms.proxy, by.around.environment)
        route = by.ways.route(url, proxy)
        sent = self._request(wanted, route)
        by.terms.watch.asks(url, sent.shown)
        body = wanted.body if isinstance(wanted.body, bytes) else wanted.body()
        question = Question(
            method=wanted.method, opening=sent.opening, body=body, expects=wanted.expects
        )
        answer = await by.ways.asks.ask(route.way, question)
        by.terms.watch.answered(url, answer.head)
        return answer

    def _request(self, wanted: Wanted, route: Route) -> Request:
        by = self._by
        url = wanted.url
        codings = by.terms.codings and wanted.decode
        own = own_fields(url, by.name, codings=codings)
        cookie = by.cookies.header(url, by.around.now())
        login = by.sessions.authorization(url, wanted.method)
        fields = (*own, (b"Cookie", cookie), (b"Authorization", login))
        headers = merged(fields, self._callers(url, wanted)) + route.headers
        return request(wanted.method, route.target, headers)

    # The end.

    def _got(self, wanted: Wanted, answer: Answer) -> Got:
        head, body = answer.head, answer.body
        if not isinstance(body, bytes) and isinstance(body, Handover):
            raise FetchError(f"{wanted.url}: the server switches to another protocol")
        received: Stream = stream(body)
        coding = head.fields.get(b"content-encoding", b"")
        # Of a part of something nobody can take a coding away.
        by = None if not wanted.decode or _is_part(head) else decoders(coding)
        if by:
            received = decoded(received, by, self._by.clock)
        return Got(
            url=evolve(wanted.url, credentials=None),
            head=head,
            body=_Received(wanted.url, received),
            framing=framing(wanted.method, head),
            coding=coding if by else b"",
            history=tuple(self._steps),
        )


class _Received:
    """A body, whose failure is told with the URL."""

    def __init__(self, url: Url, body: Stream) -> None:
        self._url = url
        self._body = body

    @property
    def length(self) -> int | None:
        """See `messages.Stream`."""
        return self._body.length

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the pieces."""
        try:
            async for piece in self._body:
                yield piece
        except BodyCutError as error:
            raise CutError(f"{self._url}: {error}") from error

    def close(self) -> None:
        """See `messages.Stream`."""
        self._body.close()


def framing(method: bytes, head: ResponseHead) -> Framing:
    """Return how the end of the body is told, which goes with `head` in an answer to `method`."""
    if method == b"HEAD" or head.status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
        return Framing.NO_BODY
    if head.until_close:
        return Framing.CLOSE
    return Framing.CHUNKED if head.length is None else Framing.LENGTH


def _login(url: Url, terms: Terms) -> Login:
    """Return who knows a login on a journey that begins at `url`."""
    own = Only(url.origin, terms.own_login)
    if url.credentials is None:
        return First((own, terms.login))
    return First((Only(url.origin, Given(url.credentials)), own, terms.login))


def _says(name: bytes, headers: Headers) -> bool:
    return any(each[0].lower() == name for each in headers)


def _is_part(head: ResponseHead) -> bool:
    return head.status == HTTPStatus.PARTIAL_CONTENT


def _not_fetched(url: Url, error: AskError) -> FetchError:
    return FetchError(f"{url}: {error}", error.problem, untouched=error.untouched)
