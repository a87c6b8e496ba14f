"""The settings of the mount `static`: how they are read, and operators' mistakes."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netkit.document.typed import Document
from netkit.services.kind import Complaint
from netkit.services.site.mounts.static import KIND
from netkit.services.site.mounts.static.settings import CacheRule, Settings

HERE = Path(__file__).parent


def mistakes(**kw: object) -> list[Complaint]:
    """Return the complaints about settings that are right but for `kw`."""
    return list(KIND.complaints(Settings(HERE, **kw)))  # type: ignore[arg-type]  # any setting


class Reading(SynchronousTestCase):
    def read(self, text: str) -> tuple[Settings | None, list[str]]:
        """Return the settings written in `text`, and the problems."""
        document = Document("f.toml", "[mount]\n" + text)
        settings = document.read(Settings, document.table("mount"), ("mount",))
        return settings, [str(problem) for problem in document.problems]

    def test_everything(self) -> None:
        """Tables and lists in the settings are read as such."""
        settings, problems = self.read(
            'root = "/x"\nindex = "a"\nerrors = { 404 = "404.html" }\n'
            'cache_control = [{ pattern = "*", value = "no-store" }]\n'
        )
        self.assertEqual(problems, [])
        assert settings is not None
        self.assertEqual(settings.index, ("a",))
        self.assertEqual(settings.errors, {"404": "404.html"})
        self.assertEqual(settings.cache_control, (CacheRule("*", "no-store"),))

    def test_mistakes_have_a_place(self) -> None:
        """A mistake inside a table is said with its line and key."""
        for text in (
            'root = "/x"\nerrors = { 404 = 5 }',
            'root = "/x"\ncache_control = [{ pattern = "*" }]',
            'root = "/x"\ncache_control = [{ patern = "*", pattern = "*", value = "no-store" }]',
            'root = "/x"\nlisting = "yes"',
            'root = "/x"\nlisting_entries = 0',
            'root = "/x"\ncached_bytes = -1',
        ):
            settings, [problem] = self.read(text)
            self.assertIs(settings, None)
            self.assertTrue(problem.startswith("f.toml:3: [mount] "), problem)


class Complaints(SynchronousTestCase):
    def test_right(self) -> None:
        """Settings as the reference shows them are right."""
        rules = (
            CacheRule("*.css", "max-age=3600"),
            CacheRule("/a/*", 'public, max-age=1, s-maxage=2, no-cache="Set-Cookie", immutable'),
        )
        self.assertEqual(mistakes(), [])
        self.assertEqual(
            mistakes(
                extension=".html",
                errors={"404": "errors/404.html"},
                fallback="app/index.html",
                cache_control=rules,
                dotfiles=(".well-known", ".x"),
                index=(".x",),
            ),
            [],
        )

    def test_root(self) -> None:
        """A root that is missing, or a file, is a complaint that names it."""
        [complaint] = KIND.complaints(Settings(Path("/no/such/folder")))
        self.assertEqual(complaint.path, ("root",))
        self.assertTrue(complaint.text.startswith('"/no/such/folder" is no folder; '))
        self.assertEqual(len(list(KIND.complaints(Settings(Path(__file__))))), 1)

    def test_names(self) -> None:
        """Indexes are names that are shown, an extension begins with its dot."""
        for name in ("", ".x", "a/b", "..", "a\0"):
            [complaint] = mistakes(index=(name,))
            self.assertEqual(complaint.path, ("index",))
            [complaint] = mistakes(index=("a", name))
            self.assertEqual(complaint.path, ("index", 1))
        for extension in ("html", "./x", "."):
            [complaint] = mistakes(extension=extension)
            self.assertEqual(complaint.path, ("extension",))
        for name in ("", "x", ".", "..", ".a/b"):
            [complaint] = mistakes(dotfiles=(".ok", name))
            self.assertEqual(complaint.path, ("dotfiles", 1))

    def test_pages(self) -> None:
        """Pages are files of the root, and belong to a status that there is."""
        for path in ("/a", "a/", "../a", "a/.x", ".x", "a//b"):
            [complaint] = mistakes(fallback=path)
            self.assertEqual(complaint.path, ("fallback",))
            [complaint] = mistakes(errors={"404": path})
            self.assertEqual(complaint.path, ("errors", "404"))
        for status in ("200", "500", "4xx", "", "0404"):
            [complaint] = mistakes(errors={status: "a.html"})
            self.assertEqual(complaint.path, ("errors", status))
        [complaint] = mistakes(errors={"404": ""})
        self.assertIn('as "404.html"', complaint.text)

    def test_patterns(self) -> None:
        """A pattern is of a name, or of a whole path."""
        for pattern in ("", "a/*", "*/b"):
            [complaint] = mistakes(cache_control=(CacheRule(pattern, "no-store"),))
            self.assertEqual(complaint.path, ("cache_control", 0, "pattern"))

    def test_cache_control(self) -> None:
        """A value is made of directives that there are, and in a form that caches understand."""
        for value, words in (
            ("", "is no cache control"),
            (",", "is no cache control"),
            ("no-store\r\nX: y", "is no cache control"),
            ("máx-age=1", "is no cache control"),
            ("max_age=1", 'did you mean "max-age"?'),
            ("no store", 'did you mean "no-store"?'),
            ("max-age", "without seconds"),
            ("max-age=1h", "without seconds"),
            ("public, max-age=-1", "without seconds"),
            ("private=a b", "is not right"),
        ):
            [complaint] = mistakes(cache_control=(CacheRule("*", value),))
            self.assertEqual(complaint.path, ("cache_control", 0, "value"))
            self.assertIn(words, complaint.text)

    def test_sizes(self) -> None:
        """One file cannot be larger than all together."""
        [complaint] = mistakes(cached_bytes=10, cached_file_bytes=11)
        self.assertEqual(complaint.path, ("cached_file_bytes",))
