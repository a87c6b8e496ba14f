"""Users who may log in, and their hashed passwords, as operators write them down.

A service has the keys `users`, a table of names and hashes, and `passwords`, a file of more of them.
Rule: no complaint shows anything of a password or a hash.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, TypeAlias

from attrs import frozen

from netkit.document.lines import KeyPath
from netkit.document.typed import open_document
from netkit.document.values import ReadBy, quoted
from netkit.errors import ConfigError, Problem
from netkit.passwords import PasswordHash, Passwords, parse

_FILE_BYTES = 1024 * 1024
_LONGEST_USER = 256  # characters


HASH = ReadBy(parse)
"""Checks a password as it is written in a file; shows nothing of it."""

HashText: TypeAlias = Annotated[str, HASH]


def why_unreadable(file: Path) -> str:
    """Return why `file` cannot be a file of passwords, whatever it holds; empty where it can."""
    # Path.is_file raises where a folder above may not be entered.
    if os.path.isfile(file) and os.path.getsize(file) <= _FILE_BYTES:  # noqa: PTH113, PTH202
        return ""
    return f"is no file of at most {_FILE_BYTES} bytes"


def read_passwords(file: Path) -> Mapping[str, PasswordHash]:
    """Return the users of a file in TOML: alice = "$scrypt$..."; ConfigError has all its mistakes."""
    unreadable = why_unreadable(file)
    if unreadable:
        raise ConfigError([Problem(str(file), 0, "", unreadable)])
    document = open_document(str(file))
    for user, written in document.tables.items():
        wrong = user_complaint(user) or HASH.complaint(written)
        if wrong:
            document.complain((user,), wrong)
    document.raise_problems()
    return {user: parse(written) for user, written in document.tables.items()}


def passwords(written: Mapping[str, str], file: Path | None) -> Passwords:
    """Return the passwords of the users in `written`, and of those in `file`."""
    filed = read_passwords(file) if file else {}
    return Passwords({**filed, **{user: parse(text) for user, text in written.items()}})


def user_complaint(user: str) -> str | None:
    """Return what is wrong with a user's name: RFC 7617 2 has no colon and no controls in it."""
    controls = any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in user)  # noqa: PLR2004
    if not user or ":" in user or controls or len(user) > _LONGEST_USER:
        return f"the name {quoted(user)} is not right; without a colon and control characters"
    return None


@frozen
class Users:
    """Who may log in, by the keys `users` and `passwords`, and what is wrong with those.

    `complaints` are paths of keys and texts; `mistakes` are those in the file itself. `spoilt`: nobody
    can say who stands in the file.
    """

    names: frozenset[str] = frozenset()
    complaints: tuple[tuple[KeyPath, str], ...] = ()
    mistakes: ConfigError | None = None
    spoilt: bool = False

    @classmethod
    def of(cls, written: Mapping[str, str], file: Path | None) -> "Users":
        """Read the file, where there is one."""
        unreadable = why_unreadable(file) if file else ""
        mistakes, filed = None, frozenset[str]()
        if file and not unreadable:
            try:
                filed = frozenset(read_passwords(file))
            except ConfigError as error:
                mistakes = error
        found = [((("passwords",), f"{quoted(str(file))} {unreadable}"))] if unreadable else []
        return cls(
            filed.union(written),
            (*found, *_user_complaints(written, filed)),
            mistakes,
            bool(unreadable or mistakes),
        )


def _user_complaints(
    written: Mapping[str, str], filed: frozenset[str]
) -> Iterator[tuple[KeyPath, str]]:
    for user in written:
        wrong = user_complaint(user)
        if wrong:
            yield ("users", user), wrong
        if user in filed:
            yield ("users", user), "stands in the file of passwords too; one of the two"
