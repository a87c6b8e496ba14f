"""A request to the mount `static`, and the answer to it.

Rule: only regular files beneath the root are shown, by one walk through its folders, and no symbolic
link is followed (see `beneath`). What a walk led to holds for MOMENT, in which it is not looked at
again. Every answer with its bytes at hand depends on the head of the request and on the files alone,
so that the server may repeat it for a moment too.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from time import time
from typing import TypeAlias

from attrs import evolve, frozen
from twisted.internet.interfaces import IReactorTime

from netkit.http.encodings import IDENTITY, choose_encoding
from netkit.http.mediatypes import media_type
from netkit.http.messages import Handler, Headers, Request, Response
from netkit.http.pages import NOSNIFF, READING, error_page, redirect
from netkit.http.representation import Representation, respond
from netkit.services.kind import World
from netkit.services.site.beneath import Found, Identity, entered, seen
from netkit.services.site.mounts.static.folder import read_page
from netkit.services.site.mounts.static.listing import as_asked, page_number
from netkit.services.site.mounts.static.memory import Memory
from netkit.services.site.mounts.static.naming import (
    PLAIN,
    SUFFIXES,
    Names,
    cache_control,
    compiled,
    falls_back,
    is_shown,
    names_of,
)
from netkit.services.site.mounts.static.settings import Settings
from netkit.services.site.mounts.static.shelf import Shelf, Taken

MOMENT = 1.0
"""For how many seconds a file in memory is shown without a look at the disk."""

_ALLOW = (b"Allow", b"GET, HEAD, OPTIONS")
_CONDITIONS = frozenset(
    (
        b"if-match",
        b"if-modified-since",
        b"if-none-match",
        b"if-range",
        b"if-unmodified-since",
        b"range",
    )
)


@frozen
class _File:
    """A file to be shown: where it is, and the codings of it that there are."""

    folders: tuple[str, ...]
    name: str
    there: Mapping[bytes, Identity]

    @property
    def vary(self) -> tuple[bytes, ...]:
        """Return the fields that the choice of a coding depends on."""
        return (b"Accept-Encoding",) if set(self.there) != {IDENTITY} else ()


@frozen
class _Seen:
    """What a walk led to, with the answer to who asks for it without conditions."""

    shown: Representation
    whole: Response


_Way: TypeAlias = tuple[str, bytes | None, bytes | None]


class Static:
    """The files of a folder; `wall` tells the seconds since 1970."""

    def __init__(
        self, settings: Settings, clock: IReactorTime, wall: Callable[[], float] = time
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._wall = wall
        self._seen: Memory[_Way, _Seen] = Memory(0)
        self._seen_at = -MOMENT
        self._shelf = Shelf(settings, clock, wall)
        self._rules = compiled(settings.cache_control)
        self._suffixes = SUFFIXES if settings.precompressed else PLAIN
        self._is_shown = partial(is_shown, dotfiles=settings.dotfiles)

    def answer(self, request: Request) -> Response | Awaitable[Response]:
        """Return the file that the path names, a redirect to it, or a page that says why not."""
        known = self._known(request)
        if known is not None:
            return known
        answer = self._answer(request)
        return _repeatable(answer) if isinstance(answer, Response) else answer

    def _known(self, request: Request) -> Response | None:
        """Return the answer with a file that was seen a moment ago."""
        now = self._clock.seconds()
        if now - self._seen_at >= MOMENT:
            most, weight = self._settings.cached_files, self._settings.cached_bytes
            self._seen = Memory(most, weight, lambda seen: seen.shown.length)
            self._seen_at = now
            return None
        seen = self._seen.get(_way(request))
        if seen is None or request.method not in READING:
            return None
        if _CONDITIONS.isdisjoint(request.head.fields):
            return seen.whole
        return _repeatable(respond(seen.shown, request.head, self._wall(), self._refuse))

    def _answer(self, request: Request) -> Response | Awaitable[Response]:
        if request.method == b"OPTIONS":
            return Response(HTTPStatus.NO_CONTENT, (_ALLOW,))
        if request.method not in READING:
            return self._refuse(HTTPStatus.METHOD_NOT_ALLOWED, (_ALLOW,))
        if not request.path:
            return redirect(request.base + "/", request.query)
        names = names_of(request.path, self._settings.dotfiles)
        if names is None:
            return self._refuse(HTTPStatus.NOT_FOUND, ())
        found = self._look(request, names)
        if found is Found.FOLDER:
            return redirect(request.base + request.path + "/", request.query)
        return self._instead(request) if found is Found.NOTHING else found

    def _instead(self, request: Request) -> Response | Awaitable[Response]:
        """Return the answer where there is nothing."""
        fallback, vary = self._settings.fallback, (b"Accept",)
        if not fallback:
            return self._refuse(HTTPStatus.NOT_FOUND, ())
        names = names_of("/" + fallback, self._settings.dotfiles)
        if names is not None and falls_back(request.path, request.header(b"accept")):
            found = self._look(request, names, vary)
            if not isinstance(found, Found):
                return found
        return self._refuse(HTTPStatus.NOT_FOUND, _vary(vary))

    def _look(
        self, request: Request, names: Names, vary: tuple[bytes, ...] = ()
    ) -> Response | Awaitable[Response] | Found:
        """Return the answer with what the names lead to; `vary` are fields that led to the names."""
        with entered(self._settings.root, names.folders) as folder:
            if folder is None:
                return Found.NOTHING
            if names.last and seen(folder, names.last) is Found.FOLDER:
                return Found.FOLDER
            for name in names.candidates(self._settings):
                there = self._there(folder, name)
                if there:
                    file = _File(names.folders, name, there)
                    return self._show(request, folder, file, vary)
            return Found.NOTHING if names.last else self._list(request, folder)

    def _there(self, folder: int, name: str) -> Mapping[bytes, Identity]:
        """Return the codings of `name` that there are, the best first."""
        found = ((coding, seen(folder, name + suffix)) for coding, suffix in self._suffixes)
        return {coding: there for coding, there in found if not isinstance(there, Found)}

    def _show(
        self, request: Request, folder: int, file: _File, vary: tuple[bytes, ...]
    ) -> Response | Awaitable[Response] | Found:
        lasting = _vary((*vary, *file.vary))
        coding = choose_encoding(request.header(b"accept-encoding"), file.there)
        if coding is None:
            return self._refuse(HTTPStatus.NOT_ACCEPTABLE, lasting)
        name = file.name + dict(self._suffixes)[coding]
        taken = self._shelf.take(folder, name, file.there[coding], coding)
        if taken is None:
            return Found.NOTHING
        value = cache_control(self._rules, file.folders, file.name)
        if value is not None:
            lasting = (*lasting, (b"Cache-Control", value))
        present = partial(self._present, request, file.name, coding, lasting)
        return present(taken) if isinstance(taken, Taken) else _later(taken, present)

    def _present(
        self, request: Request, name: str, coding: bytes, lasting: Headers, taken: Taken
    ) -> Response:
        """Return the answer with a file that was taken."""
        described: Headers = (NOSNIFF,)
        if coding != IDENTITY:
            described = (NOSNIFF, (b"Content-Encoding", coding))
        shown = Representation(
            content=taken.content,
            length=taken.length,
            media_type=media_type(name),
            validators=self._shelf.validators(taken),
            described=described,
            lasting=lasting,
        )
        answer = respond(shown, request.head, self._wall(), self._refuse)
        if answer.status == HTTPStatus.OK and answer.body is taken.content:
            self._seen.put(_way(request), _Seen(shown, evolve(answer, repeatable=True)))
        return answer

    def _list(self, request: Request, folder: int) -> Response | Found:
        settings = self._settings
        if not settings.listing:
            return Found.NOTHING
        shown = read_page(
            folder,
            page_number(request),
            length=settings.listing_page,
            most=settings.listing_entries,
            shown=self._is_shown,
        )
        return as_asked(shown, request)

    def _refuse(self, status: HTTPStatus, headers: Headers) -> Response:
        """Return the operator's own page for a status, or else netkit's."""
        name = self._settings.errors.get(str(status.value), "")
        names = names_of("/" + name, self._settings.dotfiles)
        if not name or names is None:
            return error_page(status, headers=headers)
        with entered(self._settings.root, names.folders) as folder:
            own = None if folder is None else self._shelf.small(folder, names.last)
        if own is None:
            return error_page(status, headers=headers)
        kind = (b"Content-Type", media_type(names.last))
        return Response(status, (kind, NOSNIFF, *headers), own)


def _way(request: Request) -> _Way:
    """Return all that a walk depends on."""
    return request.path, request.header(b"accept-encoding"), request.header(b"accept")


async def _later(taking: Awaitable[Taken], present: Callable[[Taken], Response]) -> Response:
    return _repeatable(present(await taking))


def _repeatable(response: Response) -> Response:
    return evolve(response, repeatable=True) if isinstance(response.body, bytes) else response


def _vary(names: tuple[bytes, ...]) -> Headers:
    return ((b"Vary", b", ".join(names)),) if names else ()


def build(settings: Settings, shown: None, world: World) -> Handler:  # noqa: ARG001
    """Return the mount; its root is opened anew for each request."""
    return Static(settings, world.clock).answer
