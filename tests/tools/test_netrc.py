"""The netrc file: whose password it says, if nobody else may read it."""

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netkit.http.basicauth import Credentials
from netkit.tools.netrc import LARGEST, chosen, find, place

FILE = b"""
# remarks
machine a.example login zoe password "p \\" q"  # more
machine A.example
  login max
  account x
  password #1
macdef init
machine a.example login eve password x

# behind an empty line
machine b.example password p
machine c.example login nobody
default login anonymous password guest
"""


class NetrcTests(SynchronousTestCase):
    def file(self, written: bytes = FILE, mode: int = 0o600) -> Path:
        """Return a file."""
        path = Path(self.mktemp())
        path.write_bytes(written)
        path.chmod(mode)
        return path

    def test_found(self) -> None:
        """The first login for a host counts, or the first for it and a user, or else the default."""
        path = self.file()
        for host, user, found in (
            ("a.example", "", Credentials("zoe", 'p " q')),
            ("a.example", "max", Credentials("max", "#1")),
            ("a.example", "eve", None),
            ("B.example", "", Credentials("", "p")),
            ("c.example", "", None),
            ("d.example", "", Credentials("anonymous", "guest")),
        ):
            self.assertEqual(find(path, host, user), found, (host, user))

    def test_missing(self) -> None:
        """No file is no problem."""
        self.assertIsNone(find(Path(self.mktemp()), "a.example"))

    def test_others_may_read(self) -> None:
        """A file that others may read is left alone, and said to be."""
        for mode in (0o640, 0o604, 0o620):
            path = self.file(mode=mode)
            error = self.assertRaises(ValueError, find, path, "a.example")
            self.assertEqual(str(error), f"{path}: others may read it; chmod 600 would be right")

    def test_unfit(self) -> None:
        """What is wrong with a file is told, and not a word of what is in it."""
        for written, said in (
            (b"machine a login b secret c d", "line 1 is not as in a netrc file"),
            (b"\npassword x", "line 2 is not as in a netrc file"),
            (b"machine a password", "line 1 is not whole"),
            (b"x" * (LARGEST + 1), f"has more than {LARGEST} bytes"),
        ):
            path = self.file(written)
            error = self.assertRaises(ValueError, find, path, "a")
            self.assertEqual(str(error), f"{path}: {said}")

    def test_no_password_is_shown(self) -> None:
        """Whoever prints an entry prints no password."""
        self.assertNotIn("secret", repr(chosen("machine a login b password secret", "a")))

    def test_place(self) -> None:
        """The variable NETRC says where it is; otherwise it is in the user's folder."""
        self.assertEqual(place({"NETRC": "/x"}), Path("/x"))
        self.assertEqual(place({}), Path.home() / ".netrc")
