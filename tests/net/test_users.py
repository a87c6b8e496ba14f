"""Users and hashed passwords, as operators write them down."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netkit.errors import ConfigError
from netkit.net.users import Users, passwords, read_passwords, user_complaint
from netkit.passwords import Cost, hashed

HASH = str(hashed("sesame", Cost(ln=9)))


class Files(SynchronousTestCase):
    """Writes files."""

    def write(self, text: str) -> Path:
        """Return a file of passwords."""
        file = Path(self.mktemp())
        file.write_text(text)
        return file


class FileTests(Files):
    def test_read(self) -> None:
        """A file has a user a line."""
        self.assertEqual(
            list(read_passwords(self.write(f'alice = "{HASH}"\n"b c" = "{HASH}"\n'))),
            ["alice", "b c"],
        )

    def test_mistakes(self) -> None:
        """Every mistake is told with its line, and no password."""
        file = self.write(f'alice = "sesame"\n"a:b" = "{HASH}"\nbob = 5\n')
        error = self.assertRaises(ConfigError, read_passwords, file)
        self.assertEqual([problem.line for problem in error.problems], [1, 2, 3])
        self.assertNotIn("sesame", str(error))

    def test_no_file(self) -> None:
        """What is no file, or no small one, is told."""
        for file in (Path("/no/such"), Path("/dev/zero"), Path("/"), self.write("#" * 2_000_000)):
            self.assertIn(
                "is no file of at most", str(self.assertRaises(ConfigError, read_passwords, file))
            )

    def test_names(self) -> None:
        """A name has no colon and no controls, and is not endless."""
        for user in ("", "a:b", "a\nb", "x" * 300):
            self.assertIsNotNone(user_complaint(user))
        self.assertIsNone(user_complaint("Jos\u00e9 A."))


class UsersTests(Files):
    def test_both(self) -> None:
        """Users of the table and of the file may log in, and none is in both."""
        file = self.write(f'alice = "{HASH}"\n')
        known = Users.of({"bob": HASH}, file)
        self.assertEqual((known.names, known.complaints), ({"alice", "bob"}, ()))
        self.assertTrue(passwords({"bob": HASH}, file).verify("bob", "sesame"))
        self.assertTrue(passwords({"bob": HASH}, file).verify("alice", "sesame"))
        [(path, text)] = Users.of({"alice": HASH}, file).complaints
        self.assertEqual(path, ("users", "alice"))
        self.assertIn("one of the two", text)

    def test_spoilt(self) -> None:
        """Of a file that cannot be read nobody says who is in it."""
        known = Users.of({}, Path(self.mktemp()))
        self.assertTrue(known.spoilt)
        [(path, _)] = known.complaints
        self.assertEqual(path, ("passwords",))
        known = Users.of({}, self.write("alice = 5\n"))
        self.assertTrue(known.spoilt)
        self.assertIsNotNone(known.mistakes)
