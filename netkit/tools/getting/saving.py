"""A URL becomes a file: as often as it takes, each time from where the last one left off.

Rule: what is put in its place is whole, by everything that the server has said of it.
"""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from attrs import evolve, field, frozen
from twisted.internet.task import deferLater

from netkit.http.messages import ResponseHead
from netkit.tools.getting.continuing import (
    Part,
    Verdict,
    asking_for_rest,
    validator,
    verdict,
    whole_length,
)
from netkit.tools.getting.endings import Ending, ending
from netkit.tools.getting.partial import Device, Partial
from netkit.tools.progress import Meter
from netkit.tools.web.fetching import Agent, CutError, FetchError, Got, Wanted
from netkit.tools.web.retries import delay
from netkit.tools.web.surroundings import Surroundings
from netkit.tools.web.urls import Url

GO_ON = 3
"""So often a transfer that was cut is gone on with, unless told otherwise."""

_ERRORS = 400


class RefusedError(Exception):
    """The server answered with an error, `head`; nothing was saved."""

    def __init__(self, url: Url, head: ResponseHead) -> None:
        super().__init__()
        self.url = url
        self.head = head


@frozen(kw_only=True)
class Saving:
    """What is to be saved, and how.

    `at_most` limits the bytes, if it is not None. `resume` goes on with what an earlier time has left.
    `retries` says how often a transfer that broke off is gone on with; None: GO_ON times. `digest`
    is an object of hashlib's that shall see every byte. `remark` is told what the user should know.
    """

    wanted: Wanted
    at_most: int | None = None
    resume: bool = False
    retries: int | None = None
    digest: Callable[[], Any] | None = None
    remark: Callable[[str], None] = field(default=print, repr=False)
    meter: Meter
    around: Surroundings = field(factory=Surroundings, repr=False)


@frozen
class Saved:
    """What came of it: the last answer, how its body ended, and the digest of all, if one was asked."""

    got: Got
    ending: Ending
    digest: str | None = None


class _AnewError(Exception):
    """What there is does not fit; the whole has to be asked for."""


async def save(agent: Agent, file: Partial | Device, saving: Saving, clock: Any) -> Saved:  # noqa: ANN401 (IReactorTime)
    """Fetch and put into `file`, which is not finished then.

    Raise FetchError where it did not come, RefusedError for an answer that is an error, and OSError
    where it cannot be written.
    """
    return await _Transfer(agent, file, saving, clock).run()


class _Transfer:
    """One file, over however many connections. `_whole` is what the file is a part of, as far as known."""

    def __init__(self, agent: Agent, file: Partial | Device, saving: Saving, clock: Any) -> None:  # noqa: ANN401 (as above)
        self._agent = agent
        self._file = file
        self._saving = saving
        self._clock = clock
        self._whole: Part | None = None
        self._digest = saving.digest() if saving.digest else None
        self._tries = 0

    async def run(self) -> Saved:
        """Do it."""
        if self._saving.resume:
            self._recall()
        while True:
            try:
                return await self._attempt()
            except _AnewError:
                self._whole = None
            except FetchError as error:
                await self._wait_behind(error)

    def _recall(self) -> None:
        """Find what an earlier time has left."""
        saving = self._saving
        self._whole = self._file.known(saving.wanted.url)
        if self._whole is None:
            saving.remark("there is nothing to go on with; it is fetched from the start")
        elif self._digest is not None:
            for piece in self._file.pieces():
                self._digest.update(piece)

    async def _wait_behind(self, error: FetchError) -> None:
        """Wait before the next attempt, or raise `error` where there is to be none."""
        retries = self._saving.retries
        # The agent has tried again what did not begin, where it was told to.
        unbegun = retries is None and self._file.size > 0 and error.may_pass
        self._tries += 1
        most = GO_ON if retries is None else retries
        if not (isinstance(error, CutError) or unbegun) or self._tries > most:
            raise error
        seconds = delay(self._tries, self._saving.around.chance())
        self._saving.remark(f"{error}; going on in {seconds:.1f} s")
        await deferLater(self._clock, seconds)

    async def _attempt(self) -> Saved:
        whole, wanted = self._whole, self._saving.wanted
        part = evolve(whole, size=self._file.size) if whole and self._file.size else None
        if part is not None:
            wanted = evolve(wanted, headers=wanted.headers + asking_for_rest(part))
        got = await self._agent.fetch(wanted)
        try:
            return await self._take(got, part)
        finally:
            got.close()

    async def _take(self, got: Got, part: Part | None) -> Saved:
        """Take the answer for what it is to who has `part` already."""
        said = Verdict.OTHER if part is None else verdict(got.head, part)
        if said is Verdict.UNFIT:
            self._anew("the server's answer does not go with what there is")
            raise _AnewError
        if said is Verdict.NOTHING:
            return self._saved(got, Ending.NO_BODY)
        if said is not Verdict.REST:
            self._begin(got, part)
        self._saving.meter.begin(self._file.path.name, whole_length(got.head), self._file.size)
        return self._saved(got, await self._pump(got))

    def _begin(self, got: Got, part: Part | None) -> None:
        """Begin the file with an answer that is no part."""
        head, wanted = got.head, self._saving.wanted
        if head.status >= _ERRORS:
            raise RefusedError(got.url, head)
        asked_for_part = any(name.lower() == b"range" for name, _ in wanted.headers)
        if head.status == HTTPStatus.PARTIAL_CONTENT and not asked_for_part:
            raise FetchError(f"{got.url}: the server sent a part where all was asked for")
        if part is not None:
            self._anew("it has changed, or the server does not go on with a part")
        of_use = not (got.coding or asked_for_part) and wanted.method == b"GET"
        named = validator(head, self._saving.around.now()) if of_use else b""
        self._file.begin(wanted.url, named, head.length)
        self._whole = Part(0, named, head.length) if named else None
        self._digest = self._saving.digest() if self._saving.digest else None

    def _anew(self, why: str) -> None:
        self._saving.remark(f"{self._saving.wanted.url}: {why}; it is fetched from the start")

    async def _pump(self, got: Got) -> Ending:
        """Write the body; return how it ended."""
        file, digest = self._file, self._digest
        write, advance = file.write, self._saving.meter.advance
        at_most = self._saving.at_most
        async for piece in got.body:
            if at_most is not None and file.size + len(piece) > at_most:
                piece = piece[: at_most - file.size]  # noqa: PLW2901 (no more of it is wanted)
            write(piece)
            advance(len(piece))
            if digest is not None:
                digest.update(piece)
            if file.size == at_most:
                return Ending.LIMIT
        length = None if got.coding else whole_length(got.head)
        if self._whole is not None and length is not None and file.size != length:
            raise CutError(f"{got.url}: {file.size} bytes came of {length}")
        return ending(got.framing)

    def _saved(self, got: Got, how: Ending) -> Saved:
        return Saved(got, how, None if self._digest is None else self._digest.hexdigest())
