"""Where users come from: the interface of a backend, and the TOML file of users behind it.

Each table of the file is a login:

    [moshez]                   # letters, digits and . _ + -
    name = "Moshe Z."          # the real name; the only key that must be there
    office = "12"
    phone = "555-1234"
    plan = "Happy and well"    # one line, or several in triple quotes …
    plan_file = "moshez.txt"   # … or a file beneath the service's folder `plans`
    project = "netkit"         # likewise, and likewise `project_file`
    hidden = true              # in no list, found only by the exact login

The file is read again when it has changed; a text that stands in a file of its own is read whenever
it is asked for. Rule: a file with a mistake never takes the place of one without.
"""

import os
import re
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Protocol

from attrs import frozen
from twisted.internet.defer import Deferred, execute
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from netkit.document.typed import Document, cannot_read, open_document
from netkit.document.values import Matching, printable
from netkit.errors import ConfigError, Problem
from netkit.services.finger.directory import Directory, Profile, Text, TextFile, User
from netkit.services.finger.plans import BeneathFolder, read_plan

USER_FILE_BYTES = 1024 * 1024
LOOK_EVERY = 1.0

_LOGIN = Matching(re.compile(r"[\w.+-]{1,64}"), "at most 64 letters, digits and any of . _ + -")
_Line = Annotated[
    str, Matching(re.compile(r"[^\x00-\x1f\x7f-\x9f]{0,200}"), "one line of at most 200 characters")
]
_Name = Annotated[_Line, Matching(re.compile(r".*\S.*", re.DOTALL), "a real name")]
_Beneath = Annotated[str, BeneathFolder()]


class Backend(Protocol):
    """Knows users; each method may take its time, and its Deferred may be cancelled.

    What fails is logged with its cause, and the asker learns only that something did.
    """

    def user(self, login: str) -> Deferred[User | None]:
        """Return the user with exactly this login, hidden or not."""

    def search(self, name: str) -> Deferred[tuple[User, ...]]:
        """Return the users, none of them hidden, of whose names `name` is a part."""

    def users(self) -> Deferred[tuple[User, ...]]:
        """Return the users who may be listed, none of them hidden."""

    def profile(self, user: User) -> Deferred[Profile]:
        """Return `user` with the texts of the plan and the project."""


@frozen(kw_only=True)
class _Table:
    """A user's table, as it is written."""

    name: _Name
    office: _Line = ""
    phone: _Line = ""
    plan: str = ""
    plan_file: _Beneath = ""
    project: str = ""
    project_file: _Beneath = ""
    hidden: bool = False

    def user(self, login: str) -> User:
        return User(
            login=login,
            name=self.name,
            office=self.office,
            phone=self.phone,
            plan=TextFile(self.plan_file) if self.plan_file else self.plan,
            project=TextFile(self.project_file) if self.project_file else self.project,
            hidden=self.hidden,
        )


def read_users(file: Path, *, plans: bool) -> Directory:
    """Return the users of `file`; `plans` says whether there is a folder for texts in files.

    Raises ConfigError with every problem of the file.
    """
    document = open_document(str(file))
    users = tuple(_users(document, plans=plans))
    if not document.tables:
        document.complain((), "holds no user; a user is a table, as in [moshez]")
    document.raise_problems()
    return Directory(users)


def _users(document: Document, *, plans: bool) -> Iterator[User]:
    for login, written in document.tables.items():
        complaint = _LOGIN.complaint(login)
        if complaint:
            document.complain((login,), f"the login {complaint}")
        for key, text in _misplaced(written, plans=plans):
            document.complain((login, key), text)
        table = document.read(_Table, written, (login,))
        if table is not None:
            yield table.user(login)


def _misplaced(written: object, *, plans: bool) -> Iterator[tuple[str, str]]:
    keys = set(written) if isinstance(written, dict) else set()
    for key in ("plan", "project"):
        beside = f"{key}_file"
        if {key, beside} <= keys:
            yield beside, f"stands beside {key}; one of the two"
        if beside in keys and not plans:
            yield beside, f"needs a folder; set plans of the service, or write {key} here"


@frozen
class _Version:
    """What tells one version of a file from another; `problem` says why it cannot be read."""

    modified: int = 0
    size: int = 0
    inode: int = 0
    problem: str = ""


def why_unreadable(file: Path) -> str:
    """Return why `file` cannot be a file of users, whatever it holds; empty where it can."""
    return _version(file).problem


def _version(file: Path) -> _Version:
    try:
        found = os.stat(file)  # noqa: PTH116 (Path.stat is the same with more steps)
    except OSError as error:
        return _Version(problem=cannot_read(error))
    except ValueError:
        return _Version(problem="cannot be read: a path holds no NUL")
    problem = ""
    if not stat.S_ISREG(found.st_mode):
        problem = "is not a regular file; a file of users in TOML"
    elif found.st_size > USER_FILE_BYTES:
        problem = f"has {found.st_size} bytes; at most {USER_FILE_BYTES}"
    elif not os.access(file, os.R_OK):
        problem = "cannot be read: permission denied"
    return _Version(found.st_mtime_ns, found.st_size, found.st_ino, problem)


class UserFile:
    """The backend that answers from a file of users, and from its newer versions as they come.

    The file is looked at when somebody asks, at most once every `LOOK_EVERY` seconds of `clock`. Of
    a newer version with problems each problem is logged once, and the users read before stay. A
    text that cannot be read from its file under `plans` is logged once and left out.

    Raises ConfigError where the file has problems from the start.
    """

    def __init__(self, file: Path, plans: Path | None, clock: IReactorTime, log: Logger) -> None:
        self._file = file
        self._plans = plans
        self._clock = clock
        self._log = log
        self._looked = clock.seconds()
        self._version = _version(file)
        self._told: frozenset[Problem] = frozenset()
        self._unread: dict[str, str] = {}
        self._directory = self._read()

    def user(self, login: str) -> Deferred[User | None]:
        """Return the user with exactly this login, hidden or not."""
        return execute(lambda: self._current().user(login))

    def search(self, name: str) -> Deferred[tuple[User, ...]]:
        """Return the users who are called `name`, as `Directory.search` has it."""
        return execute(lambda: self._current().search(name))

    def users(self) -> Deferred[tuple[User, ...]]:
        """Return the users who are not hidden, in the order of the file."""
        return execute(lambda: self._current().listed())

    def profile(self, user: User) -> Deferred[Profile]:
        """Return `user` with the texts, some of which may have to be read from their files."""
        return execute(lambda: Profile(user, self._text(user.plan), self._text(user.project)))

    def _current(self) -> Directory:
        now = self._clock.seconds()
        if not 0 <= now - self._looked < LOOK_EVERY:
            self._looked = now
            self._look()
        return self._directory

    def _look(self) -> None:
        version = _version(self._file)
        if version == self._version:
            return
        self._version = version
        try:
            self._directory = self._read()
        except ConfigError as error:
            self._tell(error.problems)
        else:
            self._told = frozenset()
            self._unread.clear()
            self._log.info("{file}: read again", file=str(self._file))

    def _read(self) -> Directory:
        if self._version.problem:
            raise ConfigError([Problem(str(self._file), 0, "", self._version.problem)])
        return read_users(self._file, plans=self._plans is not None)

    def _tell(self, problems: Iterable[Problem]) -> None:
        known, self._told = self._told, frozenset(problems)
        for problem in sorted(self._told - known):
            self._log.error(
                "{problem} (the users read before stay)", problem=printable(str(problem))
            )

    def _text(self, text: Text) -> str:
        if not isinstance(text, TextFile):
            return text
        assert self._plans is not None, "read_users accepts no file without a folder"  # noqa: S101
        try:
            found = read_plan(self._plans, text.path)
        except OSError as error:
            self._tell_unread(text.path, cannot_read(error))
            return ""
        self._unread.pop(text.path, None)
        return found

    def _tell_unread(self, path: str, problem: str) -> None:
        if self._unread.get(path) != problem:
            self._unread[path] = problem
            self._log.warn(
                "{file} {problem}", file=printable(f"{self._plans}/{path}"), problem=problem
            )
