"""A finger service's table, as an operator writes it."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netkit.document.typed import Document
from netkit.errors import ConfigError
from netkit.services.finger.settings import Settings, complaints

USERS = "[moshez]\nname = 'Moshe Z.'\n"


class SettingsTests(SynchronousTestCase):
    def read(self, text: str) -> Settings | list[str]:
        """Return the settings that `text` spells, or its problems."""
        document = Document("/etc/netkit/netkit.toml", text)
        settings = document.read(
            Settings, document.table("service", "finger"), ("service", "finger")
        )
        return settings or [str(problem) for problem in document.problems]

    def test_defaults(self) -> None:
        """Only the file of users must be named; it is relative to the configuration."""
        self.assertEqual(
            Settings(users=Path("/etc/netkit/users.toml")),
            self.read("[service.finger]\nusers = 'users.toml'\n"),
        )

    def test_every_key(self) -> None:
        """Each key says what it is called."""
        self.assertEqual(
            Settings(
                users=Path("/u.toml"),
                plans=Path("/etc/netkit/plans"),
                list=False,
                search=False,
                banner="Hello",
                timeout=5.0,
                query_bytes=100,
                answer_bytes=5000,
                long_forms=1,
            ),
            self.read(
                "[service.finger]\nusers = '/u.toml'\nplans = 'plans'\nlist = false\n"
                "search = false\nbanner = 'Hello'\ntimeout = 5\nquery_bytes = 100\n"
                "answer_bytes = 5000\nlong_forms = 1\n"
            ),
        )

    def test_problems(self) -> None:
        """Values out of range, of the wrong type, and unknown keys are problems, all at once."""
        found = self.read(
            "[service.finger]\nplans = 1\nlist = 'no'\nbanner = 2\ntimeout = 0\nquery_bytes = 1\n"
            "answer_bytes = 1\nlong_forms = 0\nuser = 'x'\n"
        )
        assert isinstance(found, list)
        self.assertEqual(9, len(found))
        self.assertIn(
            "/etc/netkit/netkit.toml:6: [service.finger] query_bytes: "
            "1 is out of range; 16 to 65536 bytes",
            found,
        )


class ComplaintsTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Name a file of users."""
        self.users = Path(self.mktemp())

    def test_none(self) -> None:
        """Nothing is wrong with a good file and a folder that is there."""
        self.users.write_text(USERS)
        settings = Settings(users=self.users, plans=self.users.parent)
        self.assertEqual([], list(complaints(settings)))

    def test_missing(self) -> None:
        """A file and a folder that are not there are each a complaint of their key."""
        plans, users = complaints(Settings(users=self.users, plans=self.users))
        self.assertEqual((("plans",), ("users",)), (plans.path, users.path))
        self.assertIn("is not a folder that is there", plans.text)
        self.assertIn("cannot be read: no such file or directory", users.text)

    def test_paths_that_are_none(self) -> None:
        """A NUL in a path is a complaint like any other."""
        settings = Settings(users=Path("a\0b"), plans=Path("a\0b"))
        self.assertEqual(2, len(list(complaints(settings))))

    def test_problems_of_the_file(self) -> None:
        """Problems in the file of users come with its own name and line, behind complaints."""
        self.users.write_text("[moshez]\nplan = 1\n")
        found = complaints(Settings(users=self.users, plans=self.users))
        self.assertEqual(("plans",), next(found).path)
        error = self.assertRaises(ConfigError, next, found)
        self.assertEqual([1, 2], [problem.line for problem in error.problems])

    def test_example(self) -> None:
        """The example in etc/ has no problem."""
        example = Path(__file__).parents[3] / "etc" / "users.toml"
        self.assertEqual([], list(complaints(Settings(users=example))))
