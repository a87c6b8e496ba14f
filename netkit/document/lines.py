"""Where each key of a TOML text stands.

`tomllib` gives values without places, and an operator needs the line. This scanner is run only on
text that `tomllib` has accepted, so it follows the structure (TOML 1.0) and checks nothing.
"""

import re
import tomllib
from collections.abc import Mapping

from attrs import Factory, define, frozen

KeyPath = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[\s,]|#[^\n]*)*")
_KEY = re.compile(r'"(?:[^"\\]|\\.)*"|\'[^\']*\'|[A-Za-z0-9_-]+')
_SCALAR = re.compile(
    r'"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\]|\\.)*"|\'[^\']*\'|[^\s,\]}#]+'
    r"(?: \d[^\s,\]}#]*)?",  # a date and its time may be apart by one blank
    re.DOTALL,
)


@frozen
class Places:
    """The line of every key, counted from 1, and which keys are tables with a header of their own."""

    lines: Mapping[KeyPath, int]
    headers: frozenset[KeyPath]

    def line(self, path: KeyPath) -> int:
        """Return the line of `path`, or of the nearest table around it; 0 where there is none."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 0)

    def where(self, path: KeyPath) -> str:
        """Return `path` as an operator reads it: `[service.web] listen[0].tls`."""
        depth = len(path)
        while depth and path[:depth] not in self.headers:
            depth -= 1
        table, key = path[:depth], path[depth:]
        names = ".".join(str(part) for part in table if isinstance(part, str))
        header = f"[[{names}]]" if table and isinstance(table[-1], int) else f"[{names}]"
        return " ".join(filter(None, (header if table else "", _dotted(key))))


def places(text: str) -> Places:
    """Return where each key stands in `text`, which must be valid TOML."""
    scan = _Scan(text.replace("\r\n", "\n"))
    scan.document()
    return Places(scan.lines, frozenset(scan.headers))


def _dotted(path: KeyPath) -> str:
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    return text.removeprefix(".")


@define
class _Scan:
    text: str
    at: int = 0
    counted: int = 0
    line: int = 1
    lines: dict[KeyPath, int] = Factory(dict)
    headers: set[KeyPath] = Factory(set)
    arrays: dict[KeyPath, int] = Factory(dict)

    def document(self) -> None:
        table: KeyPath = ()
        self._blank()
        while self.at < len(self.text):
            if self.text[self.at] == "[":
                table = self._header()
            else:
                self._pair(table)
            self._blank()

    def _header(self) -> KeyPath:
        many = self.text.startswith("[[", self.at)
        line = self._line()
        self.at += 2 if many else 1
        path = self._resolve(self._key(), last_too=not many)
        self.at += 2 if many else 1
        if many:
            self.lines.setdefault(path, line)
            index = self.arrays.get(path, -1) + 1
            self.arrays[path] = index
            path = (*path, index)
        self.lines[path] = line
        self.headers.add(path)
        return path

    def _resolve(self, key: tuple[str, ...], *, last_too: bool) -> KeyPath:
        """Put the index of the current element behind each array of tables on the way."""
        path: KeyPath = ()
        for depth, part in enumerate(key, 1):
            path = (*path, part)
            if path in self.arrays and (last_too or depth < len(key)):
                path = (*path, self.arrays[path])
        return path

    def _pair(self, table: KeyPath) -> None:
        line = self._line()
        key = self._key()
        for depth in range(1, len(key) + 1):
            self.lines.setdefault((*table, *key[:depth]), line)
        self.at += 1  # the equals sign
        self._value((*table, *key))

    def _key(self) -> tuple[str, ...]:
        parts = []
        while True:
            self._space()
            match = _KEY.match(self.text, self.at)
            assert match is not None, "tomllib accepts no other key"  # noqa: S101
            self.at = match.end()
            parts.append(_unquoted(match[0]))
            self._space()
            if not self.text.startswith(".", self.at):
                return tuple(parts)
            self.at += 1

    def _value(self, path: KeyPath) -> None:
        self._space()
        opening = self.text[self.at]
        if opening == "[":
            self._array(path)
        elif opening == "{":
            self._inline_table(path)
        else:
            match = _SCALAR.match(self.text, self.at)
            assert match is not None, "tomllib accepts no other value"  # noqa: S101
            self.at = match.end()

    def _array(self, path: KeyPath) -> None:
        self.at += 1
        self._blank()
        index = 0
        while self.text[self.at] != "]":
            self.lines[(*path, index)] = self._line()
            self._value((*path, index))
            self._blank()
            index += 1
        self.at += 1

    def _inline_table(self, path: KeyPath) -> None:
        self.at += 1
        self._blank()
        while self.text[self.at] != "}":
            self._pair(path)
            self._blank()
        self.at += 1

    def _blank(self) -> None:
        match = _BLANK.match(self.text, self.at)
        self.at = match.end() if match else self.at

    def _space(self) -> None:
        while self.text.startswith((" ", "\t"), self.at):
            self.at += 1

    def _line(self) -> int:
        self.line += self.text.count("\n", self.counted, self.at)
        self.counted = self.at
        return self.line


def _unquoted(key: str) -> str:
    if key.startswith("'"):
        return key[1:-1]
    if key.startswith('"'):
        return str(tomllib.loads(f"key = {key}")["key"])
    return key
