"""The mount `words`: a page of the words that were most frequent in what a proxy passed on.

The figures are taken from the tally once a second at most, whoever asks.
"""

from http import HTTPStatus
from typing import Annotated, Protocol

from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from netkit.document.values import Between
from netkit.http.choosing import wants_json
from netkit.http.messages import Handler, Request, Response
from netkit.http.pages import READING, error_page, method_not_allowed
from netkit.services.kind import MountKind, World
from netkit.services.proxy.words.page import Report, as_html, as_json
from netkit.services.proxy.words.splitting import LONGEST, folded
from netkit.services.proxy.words.tally import Tally

FRESH_SECONDS = 1.0


class Shown(Protocol):
    """A running proxy."""

    @property
    def words(self) -> Tally | None:
        """Return what it counts, or None where it does not."""


@frozen(kw_only=True)
class Settings:
    """`top` words are shown, those of `least_length` characters or more that are no `stop_words`."""

    top: Annotated[int, Between(1, 1000, "")] = 50
    least_length: Annotated[int, Between(1, LONGEST, "characters")] = 1
    stop_words: tuple[str, ...] = ()


class Words:
    """Shows one tally."""

    def __init__(self, settings: Settings, tally: Tally | None, clock: IReactorTime) -> None:
        self._settings = settings
        self._tally = tally
        self._clock = clock
        self._stop_words = frozenset(map(folded, settings.stop_words))
        self._filters = settings.least_length > 1 or bool(self._stop_words)
        self._report: Report | None = None
        self._taken = 0.0

    def answer(self, request: Request) -> Response:
        """Return the page, or the same in JSON, as the query's `format` or else Accept says."""
        if request.path not in {"", "/"}:
            return error_page(HTTPStatus.NOT_FOUND)
        if request.method not in READING:
            return method_not_allowed(*READING)
        return (as_json if wants_json(request) else as_html)(self._current())

    def _current(self) -> Report | None:
        now, tally = self._clock.seconds(), self._tally
        if tally is not None and (self._report is None or now - self._taken >= FRESH_SECONDS):
            top = tally.most_common(self._settings.top, self._wanted if self._filters else None)
            self._report, self._taken = Report.of(tally, top), now
        return self._report

    def _wanted(self, word: str) -> bool:
        return len(word) >= self._settings.least_length and word not in self._stop_words


def build(settings: Settings, shown: Shown, world: World) -> Handler:
    """Return what shows the words that `shown` counts."""
    return Words(settings, shown.words, world.clock).answer


KIND = MountKind(name="words", settings=Settings, build=build, shows="proxy")
