"""What is in a folder."""

import os
import socket
from pathlib import Path
from unittest import skipIf

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.site.mounts.static.folder import Entry, Page, read_page


def shown(name: str) -> bool:
    """Return whether a name is not hidden."""
    return not name.startswith(".") and "\udcff" not in name


class Reading(SynchronousTestCase):
    def setUp(self) -> None:
        """Make an empty folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()

    def read(self, number: int = 1, length: int = 10, most: int = 100) -> Page:
        """Return a page of the folder."""
        descriptor = os.open(self.folder, os.O_RDONLY)
        try:
            return read_page(descriptor, number, length=length, most=most, shown=shown)
        finally:
            os.close(descriptor)

    def names(self, number: int = 1, length: int = 10, most: int = 100) -> list[str]:
        """Return the names on a page."""
        return [entry.name for entry in self.read(number, length, most).entries]

    def test_order(self) -> None:
        """Folders come first, then files, each by name without case."""
        for name in ("b", "A", "c", "B"):
            (self.folder / name).write_text(name * 3)
        for name in ("z", "Y"):
            (self.folder / name).mkdir()
        self.assertEqual(self.names(), ["Y", "z", "A", "B", "b", "c"])

    def test_entries(self) -> None:
        """An entry has size and time; a folder has no size."""
        (self.folder / "file").write_text("12345")
        (self.folder / "sub").mkdir()
        for name in ("file", "sub"):
            os.utime(self.folder / name, (1, 1_000_000_000))
        self.assertEqual(
            self.read(),
            Page(
                (Entry("sub", True, 0, 1_000_000_000), Entry("file", False, 5, 1_000_000_000)),
                1,
                1,
                complete=True,
            ),
        )

    def test_not_shown(self) -> None:
        """Hidden names, links, pipes, sockets and names that are no text are not listed."""
        (self.folder / "file").write_text("x")
        (self.folder / ".hidden").write_text("x")
        (self.folder / "link").symlink_to("file")
        (self.folder / "dead").symlink_to("nothing")
        (self.folder / "up").symlink_to("..")
        os.mkfifo(self.folder / "pipe")
        os.close(os.open(os.fsencode(self.folder) + b"/\xff", os.O_CREAT))
        here = os.getcwd()  # noqa: PTH109
        self.addCleanup(os.chdir, here)
        os.chdir(self.folder)
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind("socket")
        os.chdir(here)
        self.assertEqual(self.names(), ["file"])

    @skipIf(os.geteuid() == 0, "root may read everything")
    def test_unreadable(self) -> None:
        """What may not be read is not listed."""
        (self.folder / "file").write_text("x")
        (self.folder / "file").chmod(0)
        (self.folder / "sub").mkdir(0)
        self.assertEqual(self.names(), [])

    def test_pages(self) -> None:
        """A page that is not there is the nearest that is."""
        for number in range(25):
            (self.folder / f"{number:02}").write_text("")
        self.assertEqual(self.names(3), ["20", "21", "22", "23", "24"])
        for asked, got in ((0, 1), (-1, 1), (3, 3), (4, 3), (10**9, 3)):
            page = self.read(asked)
            self.assertEqual((page.number, page.count, page.complete), (got, 3, True))

    def test_empty(self) -> None:
        """An empty folder has one page without entries."""
        self.assertEqual(self.read(), Page((), 1, 1, complete=True))

    def test_bounded(self) -> None:
        """Of a folder with more than are asked for so many are read, and the page says so."""
        for number in range(25):
            (self.folder / str(number)).write_text("")
        page = self.read(length=100, most=20)
        self.assertEqual((len(page.entries), page.complete), (20, False))
        self.assertTrue(self.read(length=100, most=25).complete)
