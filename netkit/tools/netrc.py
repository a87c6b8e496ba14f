"""Who to be at a host, as the netrc file of ftp(1) and curl says it.

Rule: a password that others may read is not used, and what is wrong with a file is told without a
word of what is in it. (The standard library's reader knows one login a host, and takes a remark behind
an empty line for a mistake.)
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from stat import S_IMODE

from attrs import define, field

from netkit.http.basicauth import Credentials

LARGEST = 1024 * 1024  # bytes

_TOKEN = re.compile(r'"(?P<quoted>(?:[^"\\]|\\.)*)"|\S+')
_OTHERS = 0o077


@define
class Entry:
    """One entry; `host` is empty for the one that stands for any."""

    host: str
    user: str = ""
    password: str | None = field(default=None, repr=False)


def place(environment: Mapping[str, str]) -> Path:
    """Return where the user's netrc file is, if there is one."""
    named = environment.get("NETRC")
    return Path(named) if named else Path.home() / ".netrc"


def find(path: Path, host: str, user: str = "") -> Credentials | None:
    """Return the first login in the file for `host` and, if one is named, `user`.

    None: there is none, or no file. Raises OSError, and ValueError with what is wrong; the latter
    where others may read the password.
    """
    try:
        with path.open("rb") as file:
            mode = S_IMODE(os.fstat(file.fileno()).st_mode)
            written = file.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    try:
        found = chosen(_text(written), host, user)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if found is None or found.password is None:
        return None
    if mode & _OTHERS:
        raise ValueError(f"{path}: others may read it; chmod 600 would be right")
    return Credentials(found.user, found.password)


def _text(written: bytes) -> str:
    if len(written) > LARGEST:
        raise ValueError(f"has more than {LARGEST} bytes")
    return written.decode(errors="surrogateescape")


def chosen(written: str, host: str, user: str = "") -> Entry | None:
    """Return the entry for `host` and `user` in what is `written` in a file; raises ValueError."""
    for entry in _entries(written):
        if entry.host.lower() in {"", host.lower()} and user in {"", entry.user}:
            return entry
    return None


def _entries(written: str) -> Iterator[Entry]:
    entry: Entry | None = None
    tokens = _tokens(written)
    for number, word in tokens:
        match word:
            case "machine" | "default":
                if entry:
                    yield entry
                entry = Entry(_next(tokens, number) if word == "machine" else "")
            case "login" | "user" if entry:
                entry.user = _next(tokens, number)
            case "password" | "passwd" if entry:
                entry.password = _next(tokens, number)
            case "account" if entry:
                _next(tokens, number)
            case _:
                raise ValueError(f"line {number} is not as in a netrc file")
    if entry:
        yield entry


def _next(tokens: Iterator[tuple[int, str]], number: int) -> str:
    found = next(tokens, None)
    if found is None:
        raise ValueError(f"line {number} is not whole")
    return found[1]


def _tokens(written: str) -> Iterator[tuple[int, str]]:
    """Yield the words of a file and their lines' numbers, without remarks and macros."""
    macro = False
    for number, line in enumerate(written.split("\n"), 1):
        words = list(_TOKEN.finditer(line))
        macro = macro and bool(words)  # a macro ends at an empty line
        if macro or line.lstrip().startswith("#"):
            continue
        for place, word in enumerate(words):
            if word[0] == "macdef":
                macro = True
                break
            if place % 2 == 0 and word[0].startswith("#"):
                break
            yield number, _unquoted(word)


def _unquoted(word: re.Match[str]) -> str:
    return word[0] if word["quoted"] is None else re.sub(r"\\(.)", r"\1", word["quoted"])
