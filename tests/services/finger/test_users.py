"""The file of users: what it may hold, and what happens when it changes."""

import os
from pathlib import Path

from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase

from netkit.errors import ConfigError
from netkit.services.finger.directory import Profile, TextFile, User
from netkit.services.finger.users import (
    LOOK_EVERY,
    USER_FILE_BYTES,
    Backend,
    UserFile,
    read_users,
    why_unreadable,
)
from tests.services.finger.fakes import Surroundings

WHOLE = """
[moshez]
name = "Moshe Z."
office = "12"
phone = "555-1234"
plan = "Happy and well"
project = "netkit"

["jose.p"]
name = "Jos\u00e9 P\u00e9rez"
plan_file = "jose.txt"
project_file = "work/jose"
hidden = true
"""


class ReadUsersTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Name a file."""
        self.file = Path(self.mktemp())

    def problems(self, text: str, *, plans: bool = True) -> list[str]:
        """Return the problems of a file that holds `text`, without the file's name."""
        self.file.write_text(text)
        error = self.assertRaises(ConfigError, read_users, self.file, plans=plans)
        return [str(problem).removeprefix(str(self.file)) for problem in error.problems]

    def test_every_key(self) -> None:
        """Each key says what it is called, and the order of the file stays."""
        self.file.write_text(WHOLE)
        moshez, jose = read_users(self.file, plans=True).users
        self.assertEqual(
            User(
                login="moshez",
                name="Moshe Z.",
                office="12",
                phone="555-1234",
                plan="Happy and well",
                project="netkit",
            ),
            moshez,
        )
        self.assertEqual((TextFile("jose.txt"), TextFile("work/jose")), (jose.plan, jose.project))
        self.assertTrue(jose.hidden)

    def test_all_problems_at_once(self) -> None:
        """Every mistake is found in one run, each with its line and key."""
        found = self.problems(
            "[moshez]\nname = 5\nplan = []\n[ada]\nplann = 'x'\n[b]\nname = 'B'\nhidden = 'no'\n"
        )
        self.assertEqual(
            [
                ':2: [moshez] name: 5 is not right; a text in quotes, as in "text"',
                ':3: [moshez] plan: a list is not right; a text in quotes, as in "text"',
                ":4: [ada] name: is missing",
                ':5: [ada] plann: is not known here; did you mean "plan"?',
                ':8: [b] hidden: "no" is not right; true or false',
            ],
            found,
        )

    def test_login(self) -> None:
        """A login that no query could spell is a problem."""
        for login in ("mo she", "moshez@host", "/W", "x" * 65, ""):
            (problem,) = self.problems(f'["{login}"]\nname = "X"\n')
            self.assertIn("the login ", problem)
            self.assertIn("at most 64 letters, digits and any of . _ + -", problem)

    def test_one_line(self) -> None:
        """Name, office and phone are one line each; a name is not blank."""
        found = self.problems('[a]\nname = " "\noffice = "a\\nb"\nphone = "\\u001b"\n')
        self.assertIn(":2: [a] name: ", found[0])
        self.assertIn("a real name", found[0])
        self.assertEqual(
            ':3: [a] office: "a\\nb" is not right; one line of at most 200 characters', found[1]
        )
        self.assertIn(":4: [a] phone: ", found[2])

    def test_path(self) -> None:
        """A path that leads out of the folder is a problem, and so is NUL."""
        for path in ("../x", "/etc/passwd", "a/../../b", "a\\u0000b", ""):
            (problem,) = self.problems(f'[a]\nname = "A"\nplan_file = "{path}"\n')
            self.assertIn(":3: [a] plan_file: ", problem)
            self.assertIn("a path beneath the plans folder", problem)

    def test_text_and_file(self) -> None:
        """A plan is either a text or a file, and so is a project."""
        found = self.problems(
            "[a]\nname = 'A'\nplan = ''\nplan_file = 'x'\nproject = ''\nproject_file = 'y'\n"
        )
        self.assertEqual(
            [
                ":4: [a] plan_file: stands beside plan; one of the two",
                ":6: [a] project_file: stands beside project; one of the two",
            ],
            found,
        )

    def test_file_without_folder(self) -> None:
        """A text in a file needs the service's folder."""
        found = self.problems("[a]\nname = 'A'\nplan_file = 'x'\n", plans=False)
        self.assertEqual(
            [
                ":3: [a] plan_file: needs a folder; set plans of the service, or write plan here",
            ],
            found,
        )

    def test_no_table(self) -> None:
        """A value where a user should be, and a file without any, are problems."""
        self.assertEqual([':1: a: "Happy" is not a table'], self.problems("a = 'Happy'\n"))
        self.assertEqual([": holds no user; a user is a table, as in [moshez]"], self.problems(""))

    def test_not_toml(self) -> None:
        """A file that is not TOML is one problem with its line."""
        (problem,) = self.problems("[a]\nname = \n")
        self.assertIn(":2: is not TOML", problem)


class WhyUnreadableTests(SynchronousTestCase):
    def test_readable(self) -> None:
        """A regular file is readable, whatever it holds."""
        file = Path(self.mktemp())
        file.write_bytes(b"\xff")
        self.assertEqual("", why_unreadable(file))

    def test_not_a_file(self) -> None:
        """What is missing, a folder, a FIFO or no path at all is not."""
        top = Path(self.mktemp())
        top.mkdir()
        os.mkfifo(top / "fifo")
        self.assertEqual(
            "cannot be read: no such file or directory", why_unreadable(top / "missing")
        )
        self.assertIn("is not a regular file", why_unreadable(top))
        self.assertIn("is not a regular file", why_unreadable(top / "fifo"))
        self.assertIn("a path holds no NUL", why_unreadable(Path("a\0b")))

    def test_too_large(self) -> None:
        """A file that is larger than the limit is not read."""
        file = Path(self.mktemp())
        with file.open("wb") as opened:
            opened.truncate(USER_FILE_BYTES + 1)
        self.assertEqual(
            f"has {USER_FILE_BYTES + 1} bytes; at most {USER_FILE_BYTES}", why_unreadable(file)
        )

    def test_not_for_us(self) -> None:
        """A file that may not be read is not readable."""
        file = Path(self.mktemp())
        file.touch(mode=0)
        if os.access(file, os.R_OK):
            self.skipTest("this user may read everything")
        self.assertEqual("cannot be read: permission denied", why_unreadable(file))


class UserFileTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Write a file of users and open it."""
        self.surroundings = Surroundings()
        self.folder = Path(self.mktemp())
        (self.folder / "work").mkdir(parents=True)
        self.file = self.folder / "users.toml"
        self.file.write_text(WHOLE)
        self.backend = self.opened()

    def opened(self) -> UserFile:
        """Return the backend."""
        world = self.surroundings.world()
        return UserFile(self.file, self.folder, world.clock, world.log)

    def name(self, login: str) -> str | None:
        """Return the real name that the backend has for `login` now."""
        user = self.successResultOf(self.backend.user(login))
        return user.name if user else None

    def profile(self, login: str) -> Profile:
        """Return what the backend tells of `login` now."""
        user = self.successResultOf(self.backend.user(login))
        assert user is not None
        return self.successResultOf(self.backend.profile(user))

    def rewrite(self, text: str) -> None:
        """Give the file another text, and let the time pass after which it is looked at."""
        self.file.write_text(text)
        self.surroundings.clock.advance(LOOK_EVERY)

    def errors(self) -> list[str]:
        """Return the log's errors so far, without the file's name."""
        lines = self.surroundings.log.lines(LogLevel.error)
        return [line.removeprefix(str(self.file)) for line in lines]

    def test_look_ups(self) -> None:
        """The file answers as its directory does."""
        backend: Backend = self.backend
        self.assertEqual("Jos\u00e9 P\u00e9rez", self.name("jose.p"))
        self.assertIsNone(self.name("nobody"))
        (found,) = self.successResultOf(backend.search("MOSHE"))
        self.assertEqual((found,), self.successResultOf(backend.users()))

    def test_broken_from_the_start(self) -> None:
        """A file with problems, or none at all, never becomes a backend."""
        self.file.write_text("[a]\n")
        self.assertRaises(ConfigError, self.opened)
        self.file.unlink()
        error = self.assertRaises(ConfigError, self.opened)
        self.assertIn("users.toml: cannot be read: no such file", str(error))

    def test_changed(self) -> None:
        """A changed file is read again, and the log says so."""
        self.rewrite("[ada]\nname = 'Ada'\n")
        self.assertEqual((None, "Ada"), (self.name("moshez"), self.name("ada")))
        self.assertEqual([f"{self.file}: read again"], self.surroundings.log.lines())

    def test_looked_at_once_a_second(self) -> None:
        """Within a second of the last look the file is not looked at."""
        self.surroundings.clock.advance(LOOK_EVERY)
        self.name("moshez")
        self.file.write_text("[ada]\nname = 'Ada'\n")
        self.surroundings.clock.advance(LOOK_EVERY - 0.01)
        self.assertEqual("Moshe Z.", self.name("moshez"))
        self.surroundings.clock.advance(0.01)
        self.assertIsNone(self.name("moshez"))

    def test_clock_turned_back(self) -> None:
        """A clock that is turned back does not keep the file from being looked at."""
        self.file.write_text("[ada]\nname = 'Ada'\n")
        self.surroundings.clock.advance(-3600)
        self.assertIsNone(self.name("moshez"))

    def test_replaced_by_one_of_the_same_size_and_time(self) -> None:
        """Another file in the same place is another version, even with the same size and time."""
        other = self.folder / "other.toml"
        other.write_text(WHOLE.replace("Moshe Z.", "Moshe Y."))
        there = self.file.stat()
        os.utime(other, ns=(there.st_atime_ns, there.st_mtime_ns))
        other.replace(self.file)
        self.surroundings.clock.advance(LOOK_EVERY)
        self.assertEqual("Moshe Y.", self.name("moshez"))

    def test_broken_version(self) -> None:
        """A broken version leaves the old users, and each of its problems is logged once."""
        for _ in range(3):
            self.rewrite("[moshez]\nname = 1\nplan = 2\n")
            self.assertEqual("Moshe Z.", self.name("moshez"))
        self.assertEqual(
            [
                ':2: [moshez] name: 1 is not right; a text in quotes, as in "text"'
                " (the users read before stay)",
                ':3: [moshez] plan: 2 is not right; a text in quotes, as in "text"'
                " (the users read before stay)",
            ],
            self.errors(),
        )

    def test_mended_and_broken_again(self) -> None:
        """A mended file is taken, and the same mistake made once more is told once more."""
        for name in ("1", "'Moshe'", "1"):
            self.rewrite(f"[moshez]\nname = {name}\n")
            self.name("moshez")
        self.assertEqual("Moshe", self.name("moshez"))
        self.assertEqual(2, len(self.errors()))

    def test_gone_and_back(self) -> None:
        """A file that is gone for a while is told once, and read when it is back."""
        kept = self.folder / "kept"
        self.file.rename(kept)
        for _ in range(3):
            self.surroundings.clock.advance(LOOK_EVERY)
            self.assertEqual("Moshe Z.", self.name("moshez"))
        self.assertEqual(
            [": cannot be read: no such file or directory (the users read before stay)"],
            self.errors(),
        )
        kept.rename(self.file)
        self.surroundings.clock.advance(LOOK_EVERY)
        self.assertEqual("Moshe Z.", self.name("moshez"))
        self.assertEqual([f"{self.file}: read again"], self.surroundings.log.lines())

    def test_problems_are_printable(self) -> None:
        """What stands in a broken file cannot act on the terminal that shows the log."""
        self.rewrite('["\\u001b[31m"]\nname = "X"\n')
        self.name("moshez")
        self.assertNotIn("\x1b", "".join(self.errors()))
        self.assertEqual(1, len(self.errors()))

    def test_texts(self) -> None:
        """A profile has the texts, whether they stand in the file or in files of their own."""
        (self.folder / "jose.txt").write_text("to rest\n")
        (self.folder / "work" / "jose").write_text("to work\n")
        jose, moshez = self.profile("jose.p"), self.profile("moshez")
        self.assertEqual(("to rest\n", "to work\n"), (jose.plan, jose.project))
        self.assertEqual(("Happy and well", "netkit"), (moshez.plan, moshez.project))

    def test_text_files_are_read_when_asked_for(self) -> None:
        """A text in a file of its own is as new as the question."""
        for text in ("one", "two"):
            (self.folder / "jose.txt").write_text(text)
            self.assertEqual(text, self.profile("jose.p").plan)

    def test_text_file_that_is_not_read(self) -> None:
        """A text that may not be read is left out; the log has it once, until it is mended."""
        plan = self.folder / "jose.txt"
        for _ in range(2):
            plan.symlink_to("/etc/passwd")
            self.assertEqual("", self.profile("jose.p").plan)
            self.assertEqual("", self.profile("jose.p").plan)
            plan.unlink()
            self.assertEqual("", self.profile("jose.p").plan)
        told = f"{plan} cannot be read: is a symbolic link, or stands behind what is no folder"
        self.assertEqual([told, told], self.surroundings.log.lines(LogLevel.warn))

    def test_text_file_under_a_newer_version(self) -> None:
        """With a newer file of users, what cannot be read is told once more."""
        (self.folder / "jose.txt").mkdir()
        for text in (WHOLE, WHOLE + "# newer"):
            self.rewrite(text)
            self.assertEqual("", self.profile("jose.p").plan)
        self.assertEqual(2, len(self.surroundings.log.lines(LogLevel.warn)))
