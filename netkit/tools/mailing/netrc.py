"""Who to be at a host, as the netrc file of ftp(1) and curl says it.

Rule: a password that others may read is not used, and what is wrong with a file is told without a
word of what is in it.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from stat import S_IMODE

from attrs import define, field

LARGEST = 1024 * 1024  # bytes

_TOKEN = re.compile(r'"(?P<quoted>(?:[^"\\]|\\.)*)"|\S+')
_OTHERS = 0o077


@define
class Entry:
    """One entry; `host` is empty for the one that stands for any."""

    host: str
    user: str = ""
    password: str | None = field(default=None, repr=False)


def find(path: Path, host: str, user: str = "") -> Entry | None:
    """Return the first entry of the file for `host` and, if one is named, `user`; None: there is none.

    Raises OSError, and ValueError with what is wrong; the latter where others may read the password.
    """
    with path.open("rb") as file:
        mode = S_IMODE(path.stat().st_mode)
        written = file.read(LARGEST + 1)
    if len(written) > LARGEST:
        raise ValueError(f"{path}: has more than {LARGEST} bytes")
    try:
        found = chosen(written.decode(errors="surrogateescape"), host, user)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if found is not None and found.password is not None and mode & _OTHERS:
        raise ValueError(
            f"{path}: others may read the password in it; chmod 600 makes it yours alone"
        )
    return found


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
