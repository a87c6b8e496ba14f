"""Where each key of a TOML text stands."""

import tomllib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.document.lines import KeyPath, places

EXAMPLE = '''\
# a comment with [brackets] and = signs
title = "one"

[service.web]
listen = [
  "tcp:8080",   # ] is not the end
  { endpoint = "tcp:8443", tls = "main" },
]
text = """
[not.a.table]
x = 1"""
when = 1979-05-27 07:32:00

[[service.web.mount]]
path = "/"
"quoted.key" = 'it''s'
[service.web.mount.sub]
deep = true

[[service.web.mount]]
a.b.c = 3
'''.replace("'it''s'", "'its'")


class PlacesTests(SynchronousTestCase):
    def test_every_key(self) -> None:
        """Each key, element and table of a file with everything in it has its line."""
        lines = places(EXAMPLE).lines
        wanted: dict[KeyPath, int] = {
            ("title",): 2,
            ("service", "web"): 4,
            ("service", "web", "listen"): 5,
            ("service", "web", "listen", 0): 6,
            ("service", "web", "listen", 1, "tls"): 7,
            ("service", "web", "text"): 9,
            ("service", "web", "when"): 12,
            ("service", "web", "mount", 0): 14,
            ("service", "web", "mount", 0, "quoted.key"): 16,
            ("service", "web", "mount", 0, "sub", "deep"): 18,
            ("service", "web", "mount", 1, "a", "b", "c"): 21,
        }
        self.assertEqual({path: lines[path] for path in wanted}, wanted)

    def test_carriage_returns(self) -> None:
        """CRLF counts as one line end."""
        self.assertEqual(places("a = 1\r\nb = 2\r\n").line(("b",)), 2)

    def test_nearest(self) -> None:
        """What does not stand in the file has the line of the table around it."""
        self.assertEqual(places(EXAMPLE).line(("service", "web", "missing", "deeper")), 4)
        self.assertEqual(places("").line(("a",)), 0)

    def test_where(self) -> None:
        """A place is told as the table's header and the key below it."""
        found = places(EXAMPLE)
        self.assertEqual(
            found.where(("service", "web", "listen", 1, "tls")), "[service.web] listen[1].tls"
        )
        self.assertEqual(
            found.where(("service", "web", "mount", 0, "path")), "[[service.web.mount]] path"
        )
        self.assertEqual(found.where(("title",)), "title")
        self.assertEqual(found.where(()), "")


KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\x7f"), min_size=1, max_size=6)
SCALARS = st.one_of(st.integers(0, 9), st.booleans(), st.text("ab#[]{}=,'\n", max_size=6))
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


def _quoted(text: str) -> str:
    escaped = "".join(
        f"\\u{ord(c):04x}" if ord(c) < 0x20 else {'"': '\\"', "\\": "\\\\"}.get(c, c) for c in text
    )
    return f'"{escaped}"'


class _Writer:
    """Writes TOML with a line break wherever one may stand, and notes where each value began."""

    def __init__(self) -> None:
        self.text = ""
        self.lines: dict[KeyPath, int] = {}

    def pair(self, path: KeyPath, value: Any) -> None:
        self.lines[path] = self.text.count("\n") + 1
        self.text += f"{_quoted(str(path[-1]))} = "
        self.value(path, value)

    def value(self, path: KeyPath, value: Any) -> None:
        if isinstance(value, dict):
            self.text += "{"
            for count, (key, inner) in enumerate(value.items()):
                self.text += ", " if count else " "
                self.pair((*path, key), inner)
            self.text += "}"
        elif isinstance(value, list):
            self.text += "[ # ] a comment\n"
            for index, inner in enumerate(value):
                self.lines[(*path, index)] = self.text.count("\n") + 1
                self.value((*path, index), inner)
                self.text += ",\n"
            self.text += "]"
        elif isinstance(value, str):
            self.text += _quoted(value)
        else:
            self.text += str(value).lower()


class PlacesPropertyTests(SynchronousTestCase):
    @settings(deadline=None, max_examples=150)
    @given(st.dictionaries(KEYS, VALUES, max_size=4))
    def test_any_document(self, tables: dict[str, Any]) -> None:
        """Whatever a document holds, each key is found on the line it was written on."""
        writer = _Writer()
        for key, value in tables.items():
            writer.pair((key,), value)
            writer.text += "\n"
        tomllib.loads(writer.text)
        self.assertEqual(places(writer.text).lines, writer.lines)
