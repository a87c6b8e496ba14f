"""Tables become typed values, and every mistake is told with its place."""

from enum import Enum
from pathlib import Path
from typing import Annotated, Any

from attrs import frozen
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.document.typed import Document, open_document
from netkit.document.values import Count, Network, OneOrMore, Seconds
from netkit.errors import ConfigError


class Mode(Enum):
    """A choice."""

    RAW = "raw"
    LINE = "line"


@frozen
class Inner:
    """A table in a list."""

    name: str
    count: Count = 1


@frozen
class Outer:
    """A table with one of everything."""

    wait: Seconds = 1.0
    mode: Mode = Mode.RAW
    files: Annotated[tuple[Path, ...], OneOrMore()] = ()
    inner: tuple[Inner, ...] = ()
    clients: tuple[Network, ...] = ()
    note: str | None = None
    on: bool = False
    switch: bool | Inner = True
    short: Mode | Inner = Mode.RAW
    port: int | str = 0


@frozen
class Other:
    """The owner of another part of the same table."""

    size: int = 0


def problems(text: str, kind: type[Any] = Outer) -> list[str]:
    document = Document("x.toml", text)
    document.read(kind, document.table("t"), ("t",))
    return [str(problem) for problem in document.problems]


class ReadTests(SynchronousTestCase):
    def test_values(self) -> None:
        """Each sort of value arrives with its type, and paths below the file's folder."""
        document = Document(
            "/srv/x.toml",
            '[t]\nwait = 2\nmode = "line"\nfiles = "a"\ninner = [{name = "n"}]\n'
            'clients = ["10.0.0.0/8", "::1"]\nnote = "x"\non = true',
        )
        value = document.read(Outer, document.table("t"), ("t",))
        assert value is not None
        self.assertEqual(document.problems, [])
        self.assertEqual((value.wait, value.mode, value.on), (2.0, Mode.LINE, True))
        self.assertEqual(value.files, (Path("/srv/a"),))
        self.assertEqual(value.inner, (Inner("n"),))
        self.assertEqual([str(each) for each in value.clients], ["10.0.0.0/8", "::1/128"])

    def test_all_at_once(self) -> None:
        """Every mistake of a table is told, each with its own line and key."""
        self.assertEqual(
            problems(
                '[t]\nwait = 0\nmode = "row"\ninner = [\n {name = 5},\n {count = 0} ]\n'
                'clients = ["10.0.0.1/8"]\nfiles = 3\non = 1\nnotes = "x"'
            ),
            [
                "x.toml:2: [t] wait: 0.0 is out of range; 0.001 to 31622400 seconds",
                'x.toml:3: [t] mode: "row" is not known; did you mean "raw"?',
                'x.toml:8: [t] files: 3 is not right; a text in quotes, as in "text"',
                'x.toml:5: [t] inner[0].name: 5 is not right; a text in quotes, as in "text"',
                "x.toml:6: [t] inner[1].name: is missing",
                "x.toml:6: [t] inner[1].count: 0 is out of range; 1 to 10000000",
                "x.toml:7: [t] clients[0]: 10.0.0.1/8 has host bits set;"
                ' a network is written as "127.0.0.0/8"',
                "x.toml:9: [t] on: 1 is not right; true or false",
                'x.toml:10: [t] notes: is not known here; did you mean "note"?',
            ],
        )

    def test_nothing_is_converted(self) -> None:
        """A text that looks like a number is none, and true is not 1."""
        for written in ('"5"', "true", "1.5"):
            with self.subTest(written):
                self.assertEqual(len(problems(f"[t]\nsize = {written}", Other)), 1)

    def test_no_table(self) -> None:
        """A value where a table should be is told as that."""
        self.assertEqual(problems("t = 5"), ["x.toml:1: t: 5 is not a table"])
        self.assertIn("is not a table", problems("[t]\ninner = [5]")[0])

    def test_no_list(self) -> None:
        """A text where a list should be is not taken for a list of letters."""
        self.assertIn("is not a list", problems('[t]\nclients = "::1"')[0])

    def test_shorthand(self) -> None:
        """What may be a value or a table is either, and a mistake is that of what was written."""
        document = Document("x.toml", '[t]\nshort = { name = "n" }\n[u]\nshort = "line"')
        values = [document.read(Outer, document.table(name), (name,)) for name in "tu"]
        self.assertEqual([value and value.short for value in values], [Inner("n"), Mode.LINE])
        self.assertEqual(
            problems('[t]\nshort = "lin"'),
            ['x.toml:2: [t] short: "lin" is not known; did you mean "line"?'],
        )
        self.assertEqual(problems("[t]\nshort = {}"), ["x.toml:2: [t] short.name: is missing"])

    def test_switch(self) -> None:
        """What is on or off may be a table, whose mistakes stand at their own keys."""
        document = Document("x.toml", '[t]\nswitch = { name = "n" }\n[u]\nswitch = false')
        values = [document.read(Outer, document.table(name), (name,)) for name in "tuv"]
        self.assertEqual([value and value.switch for value in values], [Inner("n"), False, True])
        self.assertEqual(
            problems('[t]\nswitch = "on"'),
            ['x.toml:2: [t] switch: "on" is not right; true, false or a table'],
        )
        self.assertEqual(
            problems("[t]\nswitch = { count = 0 }"),
            [
                "x.toml:2: [t] switch.name: is missing",
                "x.toml:2: [t] switch.count: 0 is out of range; 1 to 10000000",
            ],
        )

    def test_number_or_text(self) -> None:
        """What is a number or a text stays what it was, and nothing else is either."""
        document = Document("x.toml", '[t]\nport = 80\n[u]\nport = "80"')
        values = [document.read(Outer, document.table(name), (name,)) for name in "tu"]
        self.assertEqual([value and value.port for value in values], [80, "80"])
        for written in ("true", "1.5", "[]", "{}"):
            self.assertEqual(len(problems(f"[t]\nport = {written}")), 1)

    def test_no_path(self) -> None:
        """A text that can be no file's name is told as that."""
        self.assertIn("is no path", problems('[t]\nfiles = "a\\u0000b"')[0])

    def test_apart(self) -> None:
        """One table can have two owners; a key that neither has is told with the names of both."""
        document = Document("x.toml", "[t]\nwait = 3\nsize = 4\n[u]\nsizes = 1\nwait = 0")
        self.assertEqual(
            document.read_apart(document.table("t"), ("t",), Outer, Other),
            (Outer(wait=3.0), Other(4)),
        )
        self.assertIsNone(document.read_apart(document.table("u"), ("u",), Outer, Other))
        self.assertEqual(
            [problem.text for problem in document.problems],
            [
                'is not known here; did you mean "size"?',
                "0.0 is out of range; 0.001 to 31622400 seconds",
            ],
        )

    @settings(deadline=None, max_examples=80)
    @given(
        st.dictionaries(
            st.sampled_from(
                [
                    "wait",
                    "mode",
                    "files",
                    "inner",
                    "clients",
                    "note",
                    "on",
                    "switch",
                    "short",
                    "port",
                    "zz",
                ]
            ),
            st.recursive(
                st.none() | st.integers() | st.booleans() | st.floats() | st.text(max_size=4),
                lambda inner: (
                    st.lists(inner, max_size=2)
                    | st.dictionaries(st.text(max_size=4), inner, max_size=2)
                ),
                max_leaves=6,
            ),
        )
    )
    def test_any_table(self, table: dict[str, Any]) -> None:
        """Whatever a table holds, there is a value or a problem, and never another exception."""
        document = Document("x.toml", "")
        value = document.read(Outer, table, ())
        self.assertEqual(value is None, bool(document.problems))


class OpenTests(SynchronousTestCase):
    def _refused(self, content: bytes | None) -> str:
        name = self.mktemp()
        if content is not None:
            Path(name).write_bytes(content)
        error = self.assertRaises(ConfigError, open_document, name)
        return str(error).replace(name, "FILE")

    def test_missing(self) -> None:
        """A missing file is one line."""
        self.assertEqual(self._refused(None), "FILE: cannot be read: no such file or directory")

    def test_folder(self) -> None:
        """A folder is one line, too."""
        name = self.mktemp()
        Path(name).mkdir()
        error = self.assertRaises(ConfigError, open_document, name)
        self.assertEqual(str(error), f"{name}: cannot be read: is a directory")

    def test_not_toml(self) -> None:
        """What is not TOML is told with its line."""
        self.assertEqual(
            self._refused(b"a = 1\nb 2\n"),
            "FILE:2: is not TOML: expected '=' after a key in a key/value pair",
        )
        self.assertEqual(self._refused(b"a = ["), "FILE:1: is not TOML: invalid value")

    def test_nested(self) -> None:
        """What is nested without end is one line and no traceback."""
        text = b"a = " + b"[" * 100_000 + b"]" * 100_000
        self.assertEqual(self._refused(text), "FILE: is nested too deeply to be read")

    def test_number_or_text(self) -> None:
        """What is a number or a text stays what it was, and nothing else is either."""
        document = Document("x.toml", '[t]\nport = 80\n[u]\nport = "80"')
        values = [document.read(Outer, document.table(name), (name,)) for name in "tu"]
        self.assertEqual([value and value.port for value in values], [80, "80"])
        for written in ("true", "1.5", "[]", "{}"):
            self.assertEqual(len(problems(f"[t]\nport = {written}")), 1)

    def test_no_path(self) -> None:
        """A name that can be no file's is one line."""
        error = self.assertRaises(ConfigError, open_document, "a\0b")
        self.assertEqual(str(error), '"a\\x00b": cannot be read: is no path')

    def test_not_utf8(self) -> None:
        """Bytes that are not UTF-8 are told with their line."""
        self.assertEqual(self._refused(b"a = 1\n\xff"), "FILE:2: is not UTF-8; TOML is")
