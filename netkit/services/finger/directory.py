"""Who there is to be asked for: users as values, and a directory that finds them.

Rule: no files, no clock; a directory never changes, a newer one takes its place.
"""

import re
import unicodedata
from collections import defaultdict
from typing import TypeAlias

from attrs import field, frozen

_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")


@frozen
class TextFile:
    """A text that stands in a file: `path` is relative to the folder of plans, parts by slashes."""

    path: str


Text: TypeAlias = str | TextFile


@frozen(kw_only=True)
class User:
    """One user; empty texts say nothing.

    A `hidden` one is in no list and is not found by the real name, only by the exact login.
    """

    login: str
    name: str
    office: str = ""
    phone: str = ""
    plan: Text = ""
    project: Text = ""
    hidden: bool = False


@frozen
class Profile:
    """A user with the texts of the plan and the project, wherever those stand."""

    user: User
    plan: str
    project: str


@frozen
class Directory:
    """All users, in the order in which they are listed; no two have the same login."""

    users: tuple[User, ...] = ()
    _by_login: dict[str, User] = field(init=False, eq=False, repr=False)
    _by_word: dict[str, frozenset[int]] = field(init=False, eq=False, repr=False)

    @_by_login.default
    def _index_logins(self) -> dict[str, User]:
        return {user.login: user for user in self.users}

    @_by_word.default
    def _index_words(self) -> dict[str, frozenset[int]]:
        index = defaultdict(set)
        for position, user in enumerate(self.users):
            for word in _names(user):
                index[word].add(position)
        return {word: frozenset(positions) for word, positions in index.items()}

    def user(self, login: str) -> User | None:
        """Return the user with exactly this login, hidden or not."""
        return self._by_login.get(login)

    def search(self, name: str) -> tuple[User, ...]:
        """Return the users whose login is `name`, or whose real name has all its words.

        Upper and lower case are the same, as in the classic fingerd; the hidden are left out.
        """
        found = set(self._called(_folded(name)))
        words = _words(name)
        if words:
            found |= frozenset.intersection(*map(self._called, words))
        return tuple(self.users[position] for position in sorted(found))

    def _called(self, word: str) -> frozenset[int]:
        return self._by_word.get(word, frozenset())

    def listed(self) -> tuple[User, ...]:
        """Return the users who are not hidden."""
        return tuple(user for user in self.users if not user.hidden)


def _names(user: User) -> set[str]:
    return set() if user.hidden else {_folded(user.login), *_words(user.name)}


def _words(text: str) -> set[str]:
    return set(_WORD.findall(_folded(text)))


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
