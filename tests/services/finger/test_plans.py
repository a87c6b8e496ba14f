"""Plan files: what is read, and what never is."""

import os
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.finger.plans import PLAN_BYTES, BeneathFolder, read_plan


def open_descriptors() -> int:
    """Return how many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


class ReadPlanTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Make a folder, and a secret beside it."""
        top = Path(self.mktemp())
        self.folder = top / "plans"
        (self.folder / "deep" / "er").mkdir(parents=True)
        self.secret = top / "secret"
        self.secret.write_text("secret")

    def refused(self, path: str, reason: str) -> None:
        """Check that `path` is not read, because of `reason`."""
        error = self.assertRaises(OSError, read_plan, self.folder, path)
        self.assertIn(reason, str(error))

    def test_text(self) -> None:
        """A file's text is read, in the folder and in folders beneath it."""
        (self.folder / "moshez").write_text("Happy and well\n")
        (self.folder / "deep" / "er" / "ada").write_text("deep\n")
        self.assertEqual("Happy and well\n", read_plan(self.folder, "moshez"))
        self.assertEqual("deep\n", read_plan(self.folder, "deep/er/ada"))

    def test_missing(self) -> None:
        """A file that is not there is an empty text, and so is one in a missing folder."""
        self.assertEqual("", read_plan(self.folder, "nobody"))
        self.assertEqual("", read_plan(self.folder, "no/body"))
        self.assertEqual("", read_plan(self.folder / "gone", "moshez"))

    def test_symlinks(self) -> None:
        """A symbolic link is not followed: to a file, to a folder, inside or outside."""
        (self.folder / "file").symlink_to(self.secret.absolute())
        (self.folder / "folder").symlink_to(self.secret.parent.absolute())
        (self.folder / "inside").symlink_to("deep")
        (self.folder / "dangling").symlink_to("nowhere")
        for path in ("file", "folder/secret", "inside/er", "dangling"):
            self.refused(path, "symbolic link")

    def test_the_folder_itself_may_be_one(self) -> None:
        """The operator's own folder may stand behind a link."""
        (self.folder / "moshez").write_text("Happy and well")
        link = self.folder.parent / "link"
        link.symlink_to(self.folder.absolute())
        self.assertEqual("Happy and well", read_plan(link, "moshez"))

    def test_fifo(self) -> None:
        """A FIFO that nobody writes to is refused at once."""
        os.mkfifo(self.folder / "fifo")
        self.refused("fifo", "regular file")

    def test_folder(self) -> None:
        """A folder is no plan, a file is no folder, and nothing costs a descriptor."""
        (self.folder / "moshez").write_text("Happy and well")
        before = open_descriptors()
        for _ in range(3):
            self.refused("deep", "directory")
            self.refused("moshez/x", "folder")
            self.assertEqual("", read_plan(self.folder, "deep/er/gone"))
        self.assertEqual(before, open_descriptors())

    def test_limit(self) -> None:
        """Of a file that is too long the first lines are taken, and a line says so."""
        (self.folder / "full").write_bytes(b"x" * (PLAN_BYTES - 1) + b"\n")
        (self.folder / "long").write_bytes(b"one\n" + b"x" * PLAN_BYTES)
        (self.folder / "line").write_bytes(b"x" * (PLAN_BYTES + 1))
        self.assertEqual(PLAN_BYTES, len(read_plan(self.folder, "full")))
        self.assertEqual("one\n[the file is cut here]\n", read_plan(self.folder, "long"))
        cut = "x" * PLAN_BYTES + "\n[the file is cut here]\n"
        self.assertEqual(cut, read_plan(self.folder, "line"))

    def test_endless_file(self) -> None:
        """A file of a terabyte costs no more than the limit."""
        with (self.folder / "sparse").open("wb") as file:
            file.truncate(2**40)
        self.assertLess(len(read_plan(self.folder, "sparse")), PLAN_BYTES + 100)

    def test_not_utf8(self) -> None:
        """Bytes that are not UTF-8 become escapes."""
        (self.folder / "latin").write_bytes(b"caf\xe9\x00")
        self.assertEqual("caf\\xe9\x00", read_plan(self.folder, "latin"))


class BeneathFolderTests(SynchronousTestCase):
    def test_right(self) -> None:
        """Relative paths without steps upwards are right."""
        for path in ("moshez", "moshez.txt", "deep/er/ada", "..plan", ".plan"):
            self.assertIsNone(BeneathFolder().complaint(path))

    def test_wrong(self) -> None:
        """Paths that lead elsewhere are wrong, and the complaint is printable."""
        for path in ("", "/etc/passwd", "..", "../x", "a/../b", "a//b", "./a", "a/", "a\0b"):
            complaint = BeneathFolder().complaint(path)
            self.assertIn("a path beneath the plans folder", complaint or "")
            self.assertNotIn("\0", complaint or "")
