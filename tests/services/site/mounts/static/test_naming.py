"""From a path to names."""

from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.site.mounts.static.naming import (
    Names,
    cache_control,
    compiled,
    falls_back,
    names_of,
)
from netkit.services.site.mounts.static.settings import CacheRule, Settings

SHOWN = (".well-known",)


class Naming(SynchronousTestCase):
    def test_names(self) -> None:
        """A path is folders and a last name, which is empty behind a slash."""
        self.assertEqual(names_of("/", SHOWN), Names((), ""))
        self.assertEqual(names_of("/a", SHOWN), Names((), "a"))
        self.assertEqual(names_of("/a/b/", SHOWN), Names(("a", "b"), ""))
        self.assertEqual(names_of("/.well-known/x", SHOWN), Names((".well-known",), "x"))

    def test_no_names(self) -> None:
        """What is hidden, empty or cannot be a name is none."""
        for path in ("", "a", "a/b", "//", "/a//b", "/.", "/..", "/.x", "/.x/a", "/a\0", "/\udcff"):
            self.assertIs(names_of(path, SHOWN), None, repr(path))

    @settings(deadline=None, max_examples=200)
    @given(st.one_of(st.text(), st.lists(st.sampled_from(["/", ".", "a", "\0"])).map("".join)))
    def test_one_step_down(self, path: str) -> None:
        """Whatever the path, each name is one step down, and together they are the path."""
        names = names_of(path, SHOWN)
        if names is not None:
            self.assertEqual("/" + "/".join((*names.folders, names.last)), path)
            for name in (*names.folders, names.last or "x"):
                self.assertFalse(name in {"", ".", ".."} or set(name) & set("/\0"))

    def test_candidates(self) -> None:
        """A folder has its indexes, a name stands for itself and then with the extension."""
        plain = Settings(Path(), index=("i", "j"))
        self.assertEqual(Names((), "").candidates(plain), ("i", "j"))
        self.assertEqual(Names((), "a").candidates(plain), ("a",))
        self.assertEqual(Names((), "a").candidates(Settings(Path(), extension=".h")), ("a", "a.h"))

    def test_fallback(self) -> None:
        """Pages have no dot in their last name, and are for who accepts them."""
        self.assertTrue(falls_back("/a.b/c", None))
        self.assertFalse(falls_back("/a/b.c", None))
        for accepted, expected in (
            (b"text/html", True),
            (b"TEXT/*;q=0.1", True),
            (b"*/*", True),
            (b"", False),
            (b"text/html;q=0", False),
            (b"application/json", False),
        ):
            self.assertIs(falls_back("/a", accepted), expected)

    def test_cache_control(self) -> None:
        """Patterns are of names, or of paths where they have a slash; the first that fits counts."""
        rules = compiled(
            (
                CacheRule("/a/*", "1"),
                CacheRule("*.[jc]s?", "2"),
                CacheRule("/b?/x", "3"),
                CacheRule("a.b", "4"),
            )
        )
        for folders, name, value in (
            (("a",), "x.css", b"1"),
            (("a", "deep"), "x", b"1"),
            (("c",), "x.css", b"2"),
            ((), "x.css.map", None),
            (("bb",), "x", b"3"),
            (("x", "bb"), "x", None),
            ((), "a.b", b"4"),
            ((), "axb", None),
            ((), "a.b\n", None),
        ):
            self.assertEqual(cache_control(rules, folders, name), value)

    def test_hard_patterns(self) -> None:
        """A pattern of many stars takes no longer for a name that nearly fits."""
        rules = compiled([CacheRule("*a" * 20 + "b", "1")])
        self.assertIs(cache_control(rules, (), "a" * 255), None)
