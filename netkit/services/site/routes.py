"""From a request's target to a mount, and to what is left of the path below it. Pure.

A path is decoded once, here, and is text from then on: whoever decodes again is wrong. Slashes that
were encoded are refused, so that a slash in the text is always one between segments.
"""

import re
from collections.abc import Iterable
from typing import Generic, TypeVar
from urllib.parse import unquote_to_bytes

from attrs import frozen

from netkit.http.dotsegments import without_dots

T = TypeVar("T")

# What most requests have: nothing encoded, no segment that begins with a dot, no `//` at the start.
_PLAIN = re.compile(
    rb"((?:/[A-Za-z0-9_~!$&'()*+,;=:@-][A-Za-z0-9_~!$&'()*+,;=:@.-]*)*/?)(?:\?[\x21\x22\x24-\x7e]*)?"
)
_ORIGIN = re.compile(rb"https?://[^/?#]+", re.IGNORECASE)
_PRINTABLE = re.compile(rb"[\x21-\x7e]+")
_BAD_ESCAPE = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_FORBIDDEN = re.compile(rb"%(?:00|2[Ff])")
_DOTS_AND_MORE = re.compile(r"/\.\.?[\\;]|\\\.\.?(?:[/\\;]|\Z)")
_SLASHES = re.compile("//+")
_WRITTEN = re.compile(r"/|(?:/[^/%?#\\\x00-\x20\x7f]+)+")


class BadTargetError(ValueError):
    """The target of a request names nothing that could be here; the answer is 400."""


@frozen
class Place(Generic[T]):
    """What stands at the mount `base` (empty for `/`), and the path below it."""

    mounted: T
    base: str
    path: str


@frozen
class Routes(Generic[T]):
    """What stands at each path of a site; the longest path that fits wins."""

    _longest_first: tuple[tuple[str, str, T], ...]

    @classmethod
    def of(cls, mounts: Iterable[tuple[str, T]]) -> "Routes[T]":
        """Return the routes to `mounts`: pairs of a path and what stands there."""
        bases = ((path.rstrip("/"), mounted) for path, mounted in mounts)
        each = ((base, base + "/", mounted) for base, mounted in bases)
        return cls(tuple(sorted(each, key=lambda route: len(route[0]), reverse=True)))

    def find(self, path: str) -> Place[T] | None:
        """Return where `path` leads: `/app` stands for `/app` and `/app/x`, not for `/apple`.

        A path with slashes behind each other leads where it would with one for each, since a server
        behind the mount may take the one for the other: a mount is not got round so.
        """
        place = self._place(path)
        if "//" in path:
            merged = self._place(_SLASHES.sub("/", path))
            if merged is not None and (place is None or merged.base != place.base):
                return merged
        return place

    def _place(self, path: str) -> Place[T] | None:
        for base, below, mounted in self._longest_first:
            if path.startswith(below) or path == base:
                return Place(mounted, base, path[len(base) :])
        return None


def decoded_path(target: bytes) -> str:
    """Return the path of a request-target in origin-form or absolute-form (RFC 9112 3.2).

    Its escapes are decoded once and as UTF-8, and its dot segments removed (RFC 3986 5.2.4), so that
    it never leads above its root. Raise BadTargetError for anything else, for encoded NULs and slashes,
    and for what only some servers take for a dot segment: one with parameters, or between backslashes.
    """
    plain = _PLAIN.fullmatch(target)
    if plain and plain[1]:
        return plain[1].decode()
    origin = _ORIGIN.match(target)
    written = (target[origin.end() :] if origin else target).partition(b"?")[0]
    if origin and not written:
        written = b"/"
    if not written.startswith(b"/") or not _PRINTABLE.fullmatch(target):
        raise BadTargetError("the target is no path")
    if _BAD_ESCAPE.search(written) or _FORBIDDEN.search(written) or b"#" in target:
        raise BadTargetError("the path has an escape that cannot be decoded")
    try:
        path = unquote_to_bytes(written).decode()
    except UnicodeDecodeError:
        raise BadTargetError("the path is not UTF-8") from None
    if _DOTS_AND_MORE.search(path):
        raise BadTargetError("the path has dots that are no dot segment")
    return without_dots(path)


def mount_path_complaint(path: str) -> str | None:
    """Return what is wrong with `path` as the path of a mount, or None."""
    if _WRITTEN.fullmatch(path) and without_dots(path) == path:
        return None
    return 'a path is written as "/" or "/colors", without a slash at its end and decoded'
