"""Tables become typed, frozen values (cattrs), and mistakes become problems.

A `Document` is one file while it is read: whoever reads a table from it gets a value, or None and
one or more problems more. Nothing is converted silently: "5" is not 5, true is not 1.
"""

import os
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from ipaddress import ip_network
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, TypeVar, get_args, get_origin

import attrs
from cattrs import BaseValidationError, ClassValidationError, Converter
from cattrs.errors import ForbiddenExtraKeysError, IterableValidationError, IterableValidationNote
from cattrs.gen import make_dict_structure_fn

from netkit.document.lines import KeyPath, Places, places
from netkit.document.values import Check, Network, OneOrMore, did_you_mean, quoted
from netkit.errors import ConfigError, Problem

T = TypeVar("T")
Hook = Callable[[Any, Any], Any]
Hooks = Mapping[Any, Callable[[Any, "Reader"], Any]]

_WANTED = {
    str: 'a text in quotes, as in "text"',
    int: "a whole number",
    float: "a number",
    bool: "true or false",
}


class Reader:
    """Turns the values of one file into typed ones; relative paths are put below `base`."""

    def __init__(self, base: Path, hooks: Hooks) -> None:
        self.base = base
        self._converter = _converter(base)
        for kind, hook in hooks.items():
            self._converter.register_structure_hook(kind, self._bound(hook))

    def _bound(self, hook: Callable[[Any, "Reader"], Any]) -> Hook:
        return lambda value, _: hook(value, self)

    def read(self, value: object, kind: type[T]) -> T:
        """Return `value` as a `kind`; raise what `Document.read` turns into problems."""
        return self._converter.structure(value, kind)

    def read_apart(self, value: object, *kinds: type[Any]) -> tuple[Any, ...]:
        """Return one table as several values: each of the attrs classes `kinds` gets its own keys."""
        if not isinstance(value, dict):
            raise ValueError(f"{_shown(value)} is not a table")  # noqa: TRY004
        names = [_names(kind) for kind in kinds]
        errors: list[Exception] = []
        unknown = value.keys() - set().union(*names)
        if unknown:
            errors.append(_UnknownKeysError(unknown, set().union(*names)))
        parts: list[Any] = []
        for kind, own in zip(kinds, names, strict=True):
            try:
                parts.append(self.read({key: value[key] for key in value if key in own}, kind))
            except BaseValidationError as error:
                errors.append(error)
        if errors:
            raise ClassValidationError("in a table", errors, dict)
        return tuple(parts)


class BelowError(ValueError):
    """What a hook raises where the fault is in a key below the value it was given."""

    def __init__(self, path: KeyPath, text: str) -> None:
        super().__init__(text)
        self.path = path


class _UnknownKeysError(Exception):
    def __init__(self, unknown: Iterable[str], known: Iterable[str]) -> None:
        super().__init__()
        self.unknown, self.known = sorted(unknown), known


class Document:
    """One TOML file: its tables, and the problems found in it so far.

    `name` is the file as the operator wrote it and is what problems say; relative paths in the file
    are relative to its folder. `hooks` says how types of the caller's own are read: each takes the
    written value and a `Reader`, and returns the typed value or raises ValueError with what is
    wrong and what would be right.
    """

    def __init__(self, name: str, text: str, hooks: Hooks | None = None) -> None:
        self.name = name
        self.problems: list[Problem] = []
        self.tables, self._places = self._parse(text)
        base = Path(os.path.abspath(name)).parent  # noqa: PTH100 (keeps symlinks)
        self._reader = Reader(base, hooks or {})

    def _parse(self, text: str) -> tuple[dict[str, Any], Places]:
        try:
            return tomllib.loads(text), places(text)
        except RecursionError:
            raise ConfigError(
                [Problem(self.name, 0, "", "is nested too deeply to be read")]
            ) from None
        except tomllib.TOMLDecodeError as error:
            raise ConfigError([_syntax_problem(self.name, text, error)]) from None

    def complain(self, path: KeyPath, text: str) -> None:
        """Note that something is wrong with the value at `path`."""
        problem = Problem(self.name, self._places.line(path), self._places.where(path), text)
        self.problems.append(problem)

    def table(self, *path: str) -> dict[str, Any]:
        """Return the table at `path`; an empty one where there is none or it is no table."""
        found: Any = self.tables
        for depth, key in enumerate(path, 1):
            found = found.get(key, {})
            if not isinstance(found, dict):
                self.complain(path[:depth], f"{_shown(found)} is not a table")
                return {}
        return dict(found)

    def tables_below(self, key: str) -> set[str]:
        """Return the names of what stands below the top-level table `key`."""
        found = self.tables.get(key)
        return set(found) if isinstance(found, dict) else set()

    def read(self, kind: type[T], value: object, path: KeyPath) -> T | None:
        """Return `value`, which stands at `path`, as a `kind`; None where it has problems."""
        return self._noting(path, lambda: self._reader.read(value, kind))

    def read_apart(self, value: object, path: KeyPath, *kinds: type[Any]) -> tuple[Any, ...] | None:
        """Return the table `value` as several values, as `Reader.read_apart` does."""
        return self._noting(path, lambda: self._reader.read_apart(value, *kinds))

    def _noting(self, path: KeyPath, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except (BaseValidationError, ValueError) as error:
            for inner, text in _complaints(error):
                self.complain((*path, *inner), text)
            return None

    def raise_problems(self) -> None:
        """Raise ConfigError where there are problems."""
        if self.problems:
            raise ConfigError(self.problems)


def open_document(name: str, hooks: "Hooks | None" = None) -> Document:
    """Read the file `name`; raise ConfigError where it cannot be read or is not TOML."""
    try:
        text = Path(name).read_bytes().decode()
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError([Problem(name, line, "", "is not UTF-8; TOML is")]) from None
    except OSError as error:
        raise ConfigError([Problem(name, 0, "", cannot_read(error))]) from None
    except ValueError:  # a NUL in the name
        raise ConfigError([Problem(quoted(name), 0, "", "cannot be read: is no path")]) from None
    return Document(name, text, hooks)


def cannot_read(error: OSError) -> str:
    """Return why a file cannot be read, in an operator's words."""
    return f"cannot be read: {(error.strerror or str(error)).lower()}"


def _syntax_problem(name: str, text: str, error: tomllib.TOMLDecodeError) -> Problem:
    words = str(error)
    message, _, place = words.rpartition(" (at ")
    line = place.removeprefix("line ").split(",")[0]
    number = int(line) if line.isdecimal() else text.count("\n") + 1
    return Problem(
        name, number, "", f"is not TOML: {(message or words)[:1].lower()}{(message or words)[1:]}"
    )


def _converter(base: Path) -> Converter:
    converter = Converter(forbid_extra_keys=True)
    for kind in (str, int, float, bool):
        converter.register_structure_hook(kind, _exactly)
    converter.register_structure_hook(Path, lambda value, _: _path(base, value))
    converter.register_structure_hook(Network, _network)
    converter.register_structure_hook_func(_is_enum, _member)
    converter.register_structure_hook_factory(_is_tuple, lambda _: _sequence_hook(converter))
    converter.register_structure_hook_factory(_is_annotated, lambda _: _checked_hook(converter))
    converter.register_structure_hook_func(lambda kind: kind == int | str, _number_or_text)
    converter.register_structure_hook_func(_is_shorthand, _shorthand_hook(converter))
    converter.register_structure_hook_factory(attrs.has, lambda kind: _table_hook(converter, kind))
    return converter


def _names(kind: type[Any]) -> set[str]:
    return {attribute.alias or attribute.name for attribute in attrs.fields(kind)}


def _is_enum(kind: Any) -> bool:  # noqa: ANN401
    return isinstance(kind, type) and issubclass(kind, Enum)


def _is_tuple(kind: Any) -> bool:  # noqa: ANN401
    return get_origin(kind) is tuple


def _is_annotated(kind: Any) -> bool:  # noqa: ANN401
    return get_origin(kind) is Annotated


def _is_shorthand(kind: Any) -> bool:  # noqa: ANN401
    """Return whether `kind` is `bool | Table` (on, off, or on with settings) or `Value | Table`."""
    first, *others = get_args(kind) if isinstance(kind, UnionType) else (None,)
    return first is not None and len(others) == 1 and attrs.has(others[0])


def _exactly(value: Any, kind: type) -> Any:  # noqa: ANN401
    if type(value) is kind:
        return value
    if kind is float and type(value) is int:
        return float(value)
    raise ValueError(f"{_shown(value)} is not right; {_WANTED[kind]}")


def _number_or_text(value: object, _: object) -> object:
    if type(value) not in {int, str}:
        raise ValueError(f"{_shown(value)} is not right; a whole number, or a text in quotes")
    return value


def _path(base: Path, value: object) -> Path:
    written: str = _exactly(value, str)
    if "\0" in written:
        raise ValueError(f"{quoted(written)} is no path; a path has no NUL in it")
    return base / written


def _network(value: object, _: object) -> Network:
    try:
        return ip_network(_exactly(value, str))
    except ValueError as error:
        raise ValueError(f'{error}; a network is written as "127.0.0.0/8"') from None


def _member(value: object, kind: type[Enum]) -> Enum:
    names = {member.value: member for member in kind}
    if isinstance(value, str) and value in names:
        return names[value]
    raise ValueError(f"{_shown(value)} is not known; {did_you_mean(str(value), names)}")


def _sequence_hook(converter: Converter) -> Hook:
    def structure(value: object, kind: Any) -> tuple[Any, ...]:  # noqa: ANN401
        if not isinstance(value, list):
            raise ValueError(f'{_shown(value)} is not a list; a list is written as ["one", "two"]')  # noqa: TRY004
        element = get_args(kind)[0]
        items: list[Any] = []
        errors: list[Exception] = []
        for index, item in enumerate(value):
            try:
                items.append(converter.structure(item, element))
            except (BaseValidationError, ValueError) as error:
                error.add_note(IterableValidationNote(f"element {index}", index, element))
                errors.append(error)
        if errors:
            raise IterableValidationError("in a list", errors, kind)
        return tuple(items)

    return structure


def _checked_hook(converter: Converter) -> Hook:
    def structure(value: object, kind: Any) -> Any:  # noqa: ANN401
        inner, *checks = get_args(kind)
        if any(isinstance(check, OneOrMore) for check in checks) and not isinstance(value, list):
            return (converter.structure(value, get_args(inner)[0]),)
        typed = converter.structure(value, inner)
        for check in checks:
            complaint = None if isinstance(check, OneOrMore) else _complaint(check, typed)
            if complaint:
                raise ValueError(complaint)
        return typed

    return structure


def _shorthand_hook(converter: Converter) -> Hook:
    def structure(value: object, kind: Any) -> Any:  # noqa: ANN401
        short, table = get_args(kind)
        if isinstance(value, dict):
            return converter.structure(value, table)
        if short is bool and not isinstance(value, bool):
            raise ValueError(f"{_shown(value)} is not right; true, false or a table")
        return converter.structure(value, short)

    return structure


def _complaint(check: Check, value: object) -> str | None:
    return check.complaint(value)


def _table_hook(converter: Converter, kind: type[Any]) -> Hook:
    from_table = make_dict_structure_fn(kind, converter, _cattrs_forbid_extra_keys=True)

    def structure(value: Any, _: object) -> Any:  # noqa: ANN401
        if not isinstance(value, dict):
            raise ValueError(f"{_shown(value)} is not a table")  # noqa: TRY004
        return from_table(value, kind)

    return structure


def _complaints(error: Exception) -> Iterator[tuple[KeyPath, str]]:
    """Flatten cattrs' groups into places below the value and texts."""
    if isinstance(error, ClassValidationError | IterableValidationError):
        noted, bare = error.group_exceptions()
        for inner, note in noted:
            step = note.index if isinstance(note, IterableValidationNote) else note.name
            for path, text in _complaints(inner):
                yield (step, *path), text
        for inner in bare:
            yield from _complaints(inner)
    elif isinstance(error, ForbiddenExtraKeysError):
        yield from _complaints(_UnknownKeysError(error.extra_fields, _names(error.cl)))
    elif isinstance(error, _UnknownKeysError):
        for key in error.unknown:
            yield (key,), f"is not known here; {did_you_mean(key, error.known)}"
    elif isinstance(error, KeyError):
        yield (), "is missing"
    else:
        yield getattr(error, "path", ()), str(error)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    return quoted(value) if isinstance(value, str) else str(value)
