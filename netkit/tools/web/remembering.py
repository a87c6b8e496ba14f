"""What `netkit check` remembers from one time to the next: a file, and who may change it when.

Rule: a file is replaced whole or not at all, by one process at a time, which has read it again just
before; so whatever two processes find out at the same time is kept. What cannot be understood is put
aside, where its owner can look at it.
"""

import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from errno import EINVAL
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from netkit.replacing import replace
from netkit.tools.outcome import TroubleError
from netkit.tools.web.validators import (
    MOST_BYTES,
    NewerError,
    NotOursError,
    Version,
    Versions,
    read,
    written,
)

PATIENCE = 10.0
"""How many seconds another process may keep the file, which it needs for an instant."""

MOST_ASIDE = 100
"""So many files that could not be understood are kept."""

_AGAIN = 0.02  # seconds


def default_file(environment: Mapping[str, str]) -> Path:
    """Return where the file is (XDG base directories); TroubleError where there is no such place."""
    state = environment.get("XDG_STATE_HOME", "")
    if Path(state).is_absolute():  # others are to be ignored
        return Path(state, "netkit", "check.json")
    try:
        return Path.home() / ".local" / "state" / "netkit" / "check.json"
    except RuntimeError:
        raise TroubleError(
            "there is no home for what is remembered; --state names a file"
        ) from None


@frozen
class Memory:
    """The file at `path`, which is `own` where the place is netkit's and not the user's choice.

    `tell` hears in one line what was put aside.
    """

    path: Path
    clock: IReactorTime = field(repr=False)
    tell: Callable[[str], None] = field(repr=False)
    patience: float = PATIENCE
    own: bool = False

    async def recall(self) -> dict[str, Version]:
        """Return what is remembered. OSError or TroubleError: nothing could be put down there."""
        async with self._alone() as path:
            return self._read(path)

    async def keep(self, seen: Versions, recalled: Versions) -> None:
        """Remember `seen` in place of what was `recalled` before.

        Of a page that somebody else has looked at meanwhile what was seen last is remembered.
        """
        async with self._alone() as path:
            pages = self._read(path)
            for url, page in seen.items():
                if not _is_outdone(page, pages.get(url), recalled.get(url)):
                    pages[url] = page
            replace(path, written(pages))

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[Path]:
        """Have the file for oneself."""
        path = self._real_path()
        if not self.own:
            self._read(path)  # before anything is made beside it
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # The lock is no part of the file, which is another one each time.
        lock = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            await self._wait_for(lock)
            yield path
        finally:
            os.close(lock)

    def _real_path(self) -> Path:
        """Return where the file is, so that a link to it stays one; OSError: it is no file."""
        path = Path(os.path.realpath(self.path))
        if path.exists() and not path.is_file():
            raise OSError(EINVAL, "is not a file", str(path))
        return path

    async def _wait_for(self, lock: int) -> None:
        until = self.clock.seconds() + self.patience
        while True:
            try:
                flock(lock, LOCK_EX | LOCK_NB)
            except BlockingIOError:
                if self.clock.seconds() >= until:
                    words = f"{self.path} is kept by another process for {self.patience:g} s"
                    raise TroubleError(words) from None
            else:
                return
            await deferLater(self.clock, _AGAIN)

    def _read(self, path: Path) -> dict[str, Version]:
        text = _content(path)
        if not text:
            return {}
        try:
            return read(text)
        except NewerError:
            raise TroubleError(f"{self.path} was written by a newer netkit") from None
        except NotOursError as error:
            what = f"{self.path} is nothing that netkit wrote: {error}"
            if not self.own:
                raise TroubleError(f"{what}; it is left alone, name another file") from None
            self.tell(f"{what}; it is now {_put_aside(path)}")
            return {}


def _is_outdone(seen: Version, there: Version | None, recalled: Version | None) -> bool:
    """Return whether another process has put down what is `there`, and has seen it later.

    Where none has, time does not matter: somebody may have set the clock back.
    """
    if there is None or (recalled is not None and there.looked == recalled.looked):
        return False
    return there.looked > seen.looked


def _content(path: Path) -> bytes | None:
    """Return what stands in the file, or a little more than there may be; None: there is none."""
    try:
        with path.open("rb") as file:
            return file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        return None


def _put_aside(path: Path) -> Path:
    """Give the file another name, which no other has."""
    for number in range(MOST_ASIDE):
        aside = path.with_name(f"{path.name}.broken{f'.{number}' if number else ''}")
        if not os.path.lexists(aside):
            path.rename(aside)
            return aside
    raise TroubleError(f"{path} is nothing that netkit wrote, as {MOST_ASIDE} others before")
