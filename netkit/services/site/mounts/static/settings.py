"""The settings of the mount `static`, and what can be wrong with them."""

import os
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Annotated

from attrs import field, frozen

from netkit.document.values import Between, Bytes, Count, OneOrMore, did_you_mean, quoted
from netkit.http.fields import is_token, members, unquoted
from netkit.services.kind import Complaint

REFUSALS = (
    HTTPStatus.NOT_FOUND,
    HTTPStatus.METHOD_NOT_ALLOWED,
    HTTPStatus.NOT_ACCEPTABLE,
    HTTPStatus.PRECONDITION_FAILED,
    HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE,
)

_TIMED = ("max-age", "s-maxage", "stale-while-revalidate", "stale-if-error")
_DIRECTIVES = (
    *_TIMED, "immutable", "must-revalidate", "must-understand", "no-cache", "no-store",
    "no-transform", "private", "proxy-revalidate", "public",
)  # fmt: skip


@frozen
class CacheRule:
    """Files that match `pattern` are sent with `value` as their Cache-Control (RFC 9111 5.2).

    In a pattern `*` stands for any characters and `?` for one. One with a slash is compared with the
    path below the root, as in "/assets/*"; any other with the name alone.
    """

    pattern: str
    value: str


@frozen
class Settings:
    """`root` is the folder; names that begin with a dot are hidden, but for those in `dotfiles`.

    `index` are the files that are shown for a folder: the first there is. With `extension`, a path
    that leads to nothing is tried with it: `/test` shows `test.html` where `extension` is ".html".
    With `precompressed`, `test.html.br`, `.zst` and `.gz` are sent instead of `test.html` to who
    takes them, even without it beside them.

    With `listing`, a folder without an index shows what is in it: the first `listing_entries`, so
    many a page as `listing_page` says. `errors` are pages of the root by their status. `fallback` is
    what a visitor's browser gets where there is nothing and the path names no file (its last segment
    has no dot); not where something is hidden. The first rule of `cache_control` that fits counts.

    Files up to `cached_file_bytes` are kept in memory: `cached_files` of them and `cached_bytes`
    together. The entity tag of a file up to `hashed_bytes` comes from its content.
    """

    root: Path
    index: Annotated[tuple[str, ...], OneOrMore()] = ("index.html",)
    extension: str = ""
    precompressed: bool = True
    dotfiles: tuple[str, ...] = (".well-known",)
    listing: bool = False
    listing_entries: Annotated[int, Between(1, 100_000, "")] = 10_000
    listing_page: Annotated[int, Between(1, 10_000, "")] = 500
    errors: Mapping[str, str] = field(factory=dict)
    fallback: str = ""
    cache_control: tuple[CacheRule, ...] = ()
    cached_files: Count = 1000
    cached_bytes: Bytes = 32 * 1024 * 1024
    cached_file_bytes: Bytes = 1024 * 1024
    hashed_bytes: Bytes = 16 * 1024 * 1024


def complaints(settings: Settings) -> Iterator[Complaint]:
    """Yield what is wrong with the folder, the names, the rules and the sizes."""
    for check in _CHECKS:
        yield from check(settings)


def _root(settings: Settings) -> Iterator[Complaint]:
    if not os.path.isdir(settings.root):  # noqa: PTH112 (Path.is_dir raises where a folder is shut)
        text = f"{quoted(str(settings.root))} is no folder; the folder whose files are shown"
        yield Complaint(("root",), text)


def _names(settings: Settings) -> Iterator[Complaint]:
    for number, name in enumerate(settings.index):
        if not _visible(name, settings) or "/" in name:
            path = ("index",) if len(settings.index) == 1 else ("index", number)
            text = f'{quoted(name)} is no name of a file that is shown; one such as "index.html"'
            yield Complaint(path, text)
    extension = settings.extension
    if extension and (len(extension) == 1 or extension[0] != "." or set("/\0") & set(extension)):
        text = f'{quoted(extension)} is no extension; one such as ".html"'
        yield Complaint(("extension",), text)
    for number, name in enumerate(settings.dotfiles):
        if not name.startswith(".") or not name.strip(".") or set("/\0") & set(name):
            text = f'{quoted(name)} is no hidden name; one such as ".well-known"'
            yield Complaint(("dotfiles", number), text)


def _pages(settings: Settings) -> Iterator[Complaint]:
    if settings.fallback and not _is_path(settings.fallback, settings):
        text = f'{quoted(settings.fallback)} is no file of the root; one such as "index.html"'
        yield Complaint(("fallback",), text)
    known = [str(status.value) for status in REFUSALS]
    for status, name in settings.errors.items():
        if status not in known:
            text = f"is no status that this mount answers with; one of {', '.join(known)}"
            yield Complaint(("errors", status), text)
        if not _is_path(name, settings):
            text = f'{quoted(name)} is no file of the root; one such as "404.html"'
            yield Complaint(("errors", status), text)


def _cache_rules(settings: Settings) -> Iterator[Complaint]:
    for number, rule in enumerate(settings.cache_control):
        if not rule.pattern or ("/" in rule.pattern and not rule.pattern.startswith("/")):
            text = f'{quoted(rule.pattern)} is no pattern; one such as "*.css" or "/assets/*"'
            yield Complaint(("cache_control", number, "pattern"), text)
        wrong = _value_complaint(rule.value)
        if wrong:
            yield Complaint(("cache_control", number, "value"), wrong)


def _value_complaint(value: str) -> str | None:
    """Return what is wrong with a value of Cache-Control."""
    found = members(value.encode()) if value.isascii() and value.isprintable() else ()
    if not found:
        return f'{quoted(value)} is no cache control; it is written as "max-age=3600"'
    return next(filter(None, map(_directive_complaint, found)), None)


def _directive_complaint(directive: bytes) -> str | None:
    name, equals, written = directive.decode().partition("=")
    if not is_token(name.encode()) or name.lower() not in _DIRECTIVES:
        return f"{quoted(name)} is no directive; {did_you_mean(name.lower(), _DIRECTIVES)}"
    if name.lower() in _TIMED and not (written.isascii() and written.isdecimal()):
        return f'{quoted(name)} is without seconds; it is written as "{name}=3600"'
    if equals and unquoted(written.encode()) is None:
        return f"{quoted(written)} is not right; a word, or a text in quotes"
    return None


def _sizes(settings: Settings) -> Iterator[Complaint]:
    if settings.cached_file_bytes > settings.cached_bytes:
        text = f"is more than all files have together; at most {settings.cached_bytes}"
        yield Complaint(("cached_file_bytes",), text)


def _visible(name: str, settings: Settings) -> bool:
    return bool(name) and "\0" not in name and (name[0] != "." or name in settings.dotfiles)


def _is_path(path: str, settings: Settings) -> bool:
    return all(_visible(name, settings) for name in path.split("/"))


_CHECKS: tuple[Callable[[Settings], Iterator[Complaint]], ...] = (
    _root,
    _names,
    _pages,
    _cache_rules,
    _sizes,
)
