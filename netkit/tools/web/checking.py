"""Whether pages have changed since they were looked at last (RFC 9110 13, RFC 9111 4.3).

Rule: what a page was like is told by its server where that can, and by the content where it cannot; an
error tells nothing. One page that cannot be had is in no other's way.
"""

from collections import deque
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from enum import Enum
from hashlib import sha256
from http import HTTPStatus

from attrs import field, frozen
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from netkit.http.messages import Headers
from netkit.tools.getting.telling import status_words
from netkit.tools.outcome import TroubleError
from netkit.tools.web.fetching import Agent, Got, Wanted
from netkit.tools.web.remembering import Memory
from netkit.tools.web.urls import Url
from netkit.tools.web.validators import Version, Versions, version

JOBS = 8

LONGEST_SECONDS = 3600.0
MOST_CONTENT = 4 * 1024**3
"""How long one page may take and how many bytes it may have, which others have to wait for."""

_FRESH = (b"Cache-Control", b"max-age=0")
"""It is the server that is asked, and not a cache on the way (RFC 9111 5.2.1.1)."""

_SUCCESS = range(200, 300)


class Verdict(Enum):
    """What became of a page."""

    NEW = "new"
    """It was not looked at before."""
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    ERROR = "error"


@frozen
class Checked:
    """What was found at `url`: the `page` as it is now, or what is in the way (`error`).

    `status` is that of the answer, 0 where there was none.
    """

    url: Url
    verdict: Verdict
    status: int = 0
    page: Version | None = None
    error: str = ""


@frozen(kw_only=True)
class Checks:
    """Checks pages, `jobs` at a time, over `agent`. `now` tells the time of day, since 1970.

    `headers` are fields to be sent beside the conditions.
    """

    agent: Agent
    clock: IReactorTime = field(repr=False)
    now: Callable[[], float] = field(repr=False)
    jobs: int = JOBS
    headers: Headers = field(default=(), repr=False)
    longest_seconds: float = LONGEST_SECONDS
    most_content: int = MOST_CONTENT

    async def run(self, urls: Sequence[Url], known: Versions) -> AsyncGenerator[Checked]:
        """Yield what was found, in the order of `urls`, each as soon as those before it are there.

        A page that is named twice is asked for once. Whoever closes this ends what goes on.
        """
        results: dict[Url, Deferred[Checked]] = {url: Deferred() for url in urls}
        waiting = deque(results)
        workers = [
            Deferred.fromCoroutine(self._work(waiting, known, results))
            for _ in range(min(self.jobs, len(results)))
        ]
        found: dict[Url, Checked] = {}
        try:
            for url in urls:
                if url not in found:
                    found[url] = await results[url]
                yield found[url]
        finally:
            for result in results.values():
                result.addErrback(_nobody_waits)
            for worker in workers:
                worker.addErrback(_nobody_waits)
                worker.cancel()

    async def _work(
        self, waiting: deque[Url], known: Versions, results: Mapping[Url, Deferred[Checked]]
    ) -> None:
        """Look at one page after the other, as long as there are any."""
        while waiting:
            url = waiting.popleft()
            try:
                checked = await self._begin(url, known.get(str(url)))
            except CancelledError:
                raise
            except Exception:  # noqa: BLE001 (it is whoever waits for this one who is told)
                results[url].errback(Failure())
            else:
                results[url].callback(checked)

    def _begin(self, url: Url, known: Version | None) -> Deferred[Checked]:
        def late(_: object, seconds: float) -> Checked:
            return Checked(url, Verdict.ERROR, error=f"{url}: it took longer than {seconds:g} s")

        looking = Deferred.fromCoroutine(self.look(url, known))
        return looking.addTimeout(self.longest_seconds, self.clock, late)

    async def look(self, url: Url, known: Version | None) -> Checked:
        """Return what is found at `url`, which was like `known` before."""
        try:
            return await self._looked(url, known)
        except TroubleError as error:
            return Checked(url, Verdict.ERROR, error=str(error))
        except OSError as error:  # as where there are too many open files
            return Checked(url, Verdict.ERROR, error=f"{url}: {(error.strerror or '').lower()}")

    async def _looked(self, url: Url, known: Version | None) -> Checked:
        got = await self._fetch(url, known)
        if known is not None and _is_unmodified(got) and str(got.url) != known.place:
            # The conditions were for what the URL led to before.
            got.close()
            got = await self._fetch(url, None)
            return await self._judged(url, got, None, known)
        return await self._judged(url, got, known, known)

    async def _fetch(self, url: Url, known: Version | None) -> Got:
        headers = self.headers + (known.conditions if known else ())
        if not any(name.lower() == b"cache-control" for name, _ in headers):
            headers = (*headers, _FRESH)
        return await self.agent.fetch(Wanted(url=url, headers=headers))

    async def _judged(
        self, url: Url, got: Got, asked: Version | None, known: Version | None
    ) -> Checked:
        """Return what `got` says, `asked` having been the condition."""
        status = got.head.status
        try:
            if _is_unmodified(got) and asked is not None and asked.conditions:
                page = asked.freshened(got.head.fields, self.now())
                return Checked(url, Verdict.UNCHANGED, status, page)
            if status not in _SUCCESS:
                return Checked(url, Verdict.ERROR, status, error=f"{got.url} {_instead(got)}")
            digest = await self._digest(got)
        finally:
            got.close()
        page = version(got.head.fields, digest, str(got.url), self.now())
        if known is None:
            return Checked(url, Verdict.NEW, status, page)
        verdict = Verdict.UNCHANGED if known.is_like(page) else Verdict.CHANGED
        return Checked(url, verdict, status, known.followed_by(page))

    async def _digest(self, got: Got) -> str:
        """Return the SHA-256 of the content, of which a piece at a time is in memory."""
        content = sha256()
        length = 0
        async for piece in got.body:
            length += len(piece)
            if length > self.most_content:
                raise TroubleError(f"{got.url}: it has more than {self.most_content} bytes")
            content.update(piece)
        return content.hexdigest()


async def check(
    checks: Checks, memory: Memory, urls: Sequence[Url], found: Callable[[Checked], None]
) -> frozenset[Verdict]:
    """Tell `found` what became of each of `urls` since it was looked at last; return all verdicts.

    What was found is remembered once it was told, however this ends. Raise OSError or TroubleError
    where nothing can be remembered: before anything is asked where that can be known by then.
    """
    known = await memory.recall()
    seen: dict[str, Version] = {}
    verdicts = set()
    try:
        async with aclosing(checks.run(urls, known)) as running:
            async for checked in running:
                found(checked)
                verdicts.add(checked.verdict)
                if checked.page is not None:
                    seen[str(checked.url)] = checked.page
    finally:
        if seen:
            await memory.keep(seen, known)
    return frozenset(verdicts)


def _is_unmodified(got: Got) -> bool:
    return got.head.status == HTTPStatus.NOT_MODIFIED


def _instead(got: Got) -> str:
    """Return in words what was answered instead of the page."""
    unasked = " though it was asked for the page" if _is_unmodified(got) else ""
    return f"answered {status_words(got.head)}{unasked}"


def _nobody_waits(_: Failure) -> None:
    """Forget what nobody will be told."""
