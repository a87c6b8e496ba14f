"""The netrc file: whose password it says, if nobody else may read it."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.mailing.netrc import LARGEST, Entry, chosen, find

FILE = """
# remarks
machine a.example login zoe password "p \\" q"  # more
machine A.example
  login max
  account x
  password #1
macdef init
machine a.example login nobody

machine b.example password p
default login anonymous password guest
"""


class ChosenTests(SynchronousTestCase):
    def test_entries(self) -> None:
        """The first entry for a host counts, or the first for a host and a user."""
        self.assertEqual(chosen(FILE, "a.example"), Entry("a.example", "zoe", 'p " q'))
        self.assertEqual(chosen(FILE, "a.example", "max"), Entry("A.example", "max", "#1"))
        self.assertEqual(chosen(FILE, "B.example"), Entry("b.example", "", "p"))
        self.assertEqual(chosen(FILE, "c.example"), Entry("", "anonymous", "guest"))
        self.assertIsNone(chosen(FILE, "a.example", "nobody"))
        self.assertIsNone(chosen("", "a.example"))

    def test_mistakes(self) -> None:
        """What is wrong is told by its line, and not a word of it."""
        for written, said in (
            ("machine a login b password c d", "line 1 is not as in a netrc file"),
            ("\npassword x", "line 2 is not as in a netrc file"),
            ("machine a password", "line 1 is not whole"),
        ):
            error = self.assertRaises(ValueError, chosen, written, "other")
            self.assertEqual(str(error), said)

    def test_no_password_is_shown(self) -> None:
        """Whoever prints an entry prints no password."""
        self.assertNotIn("secret", repr(chosen("machine a login b password secret", "a")))


class FindTests(SynchronousTestCase):
    def file(self, written: bytes, mode: int = 0o600) -> Path:
        """Return a file."""
        path = Path(self.mktemp())
        path.write_bytes(written)
        path.chmod(mode)
        return path

    def test_found(self) -> None:
        """The file says who to be; bytes that are not UTF-8 stay what they are."""
        found = find(self.file(b"machine a login b password \xff"), "a")
        self.assertEqual(found, Entry("a", "b", "\udcff"))

    def test_others_may_read(self) -> None:
        """A password that others may read is not used; a name that they may read is."""
        for mode in (0o640, 0o604, 0o620):
            path = self.file(b"machine a login b password secret", mode)
            error = self.assertRaises(ValueError, find, path, "a")
            self.assertEqual(
                str(error),
                f"{path}: others may read the password in it; chmod 600 makes it yours alone",
            )
            self.assertIsNone(find(path, "other"))
        self.assertEqual(find(self.file(b"machine a login b", 0o644), "a"), Entry("a", "b"))

    def test_unfit_files(self) -> None:
        """A file that is not there, or not fit, is named."""
        self.assertRaises(FileNotFoundError, find, Path(self.mktemp()), "a")
        path = self.file(b"rubbish")
        error = self.assertRaises(ValueError, find, path, "a")
        self.assertEqual(str(error), f"{path}: line 1 is not as in a netrc file")
        self.assertRaises(ValueError, find, self.file(b"x" * (LARGEST + 1)), "a")
