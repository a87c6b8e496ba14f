"""From a path to the names of files that could answer it, and what else a name says. Pure.

Rule: no name leads anywhere but one step down. Empty names, names of dots, slashes and NULs are none;
hidden names are as if they were not there, however they are asked for.
"""

import re
from collections.abc import Container, Iterable
from fnmatch import translate
from typing import TypeAlias

from attrs import frozen

from netkit.http.fields import items
from netkit.services.site.mounts.static.settings import CacheRule, Settings

Rules: TypeAlias = tuple[tuple[re.Pattern[str], bool, bytes], ...]

SUFFIXES = ((b"br", ".br"), (b"zstd", ".zst"), (b"gzip", ".gz"), (b"identity", ""))
"""The codings of a file and the ends of their names, the best first."""

PLAIN = SUFFIXES[-1:]


@frozen
class Names:
    """A path taken apart; `last` is empty where it ends with a slash."""

    folders: tuple[str, ...]
    last: str

    def candidates(self, settings: Settings) -> tuple[str, ...]:
        """Return the names of the files in the last folder that could be meant, the best first."""
        if not self.last:
            return settings.index
        return (self.last, self.last + settings.extension) if settings.extension else (self.last,)


def names_of(path: str, dotfiles: Container[str]) -> Names | None:
    """Return the names in a decoded path, or None where it names what cannot be, or is hidden."""
    start, *folders, last = path.split("/") if "/" in path else ("x", "")
    if start or not all(is_shown(name, dotfiles) for name in folders):
        return None
    return Names(tuple(folders), last) if not last or is_shown(last, dotfiles) else None


def is_shown(name: str, dotfiles: Container[str]) -> bool:
    """Return whether a file of this name may be shown."""
    if not name or "\0" in name or "/" in name or (name[0] == "." and name not in dotfiles):
        return False
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def falls_back(path: str, accepted: bytes | None) -> bool:
    """Return whether who asks for `path` and accepts `accepted` looks for a page, not for a file."""
    if "." in path.rpartition("/")[2]:
        return False
    if accepted is None:
        return True
    pages = {b"text/html", b"text/*", b"*/*"}
    return any(item.value in pages and item.weight for item in items(accepted))


def compiled(rules: Iterable[CacheRule]) -> Rules:
    """Return the rules of Cache-Control, ready to be compared."""
    return tuple(
        (re.compile(translate(rule.pattern)), "/" in rule.pattern, rule.value.encode())
        for rule in rules
    )


def cache_control(rules: Rules, folders: Iterable[str], name: str) -> bytes | None:
    """Return the Cache-Control of the file `name` beneath `folders`, or None."""
    path = "/" + "/".join((*folders, name))
    for pattern, whole, value in rules:
        if pattern.match(path if whole else name):
            return value
    return None
