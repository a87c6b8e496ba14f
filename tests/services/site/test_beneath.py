"""Files beneath a folder."""

import os
import socket
from pathlib import Path
from resource import RLIMIT_NOFILE, getrlimit, setrlimit
from unittest import skipIf

from twisted.trial.unittest import SynchronousTestCase

from netkit.services.site.beneath import Found, Identity, entered, opened, seen


class Beneath(SynchronousTestCase):
    def setUp(self) -> None:
        """Make a root with a file, a folder, and a secret beside the root."""
        top = Path(self.mktemp())
        self.root = top / "root"
        (self.root / "folder").mkdir(parents=True)
        (self.root / "file").write_bytes(b"content")
        (self.root / "folder" / "inner").write_bytes(b"inside")
        (top / "secret").write_bytes(b"secret")

    def found(self, *names: str) -> bytes | Found:
        """Return the content of the file that is found, or what is found instead."""
        with entered(self.root, names[:-1]) as folder:
            if folder is None:
                return Found.NOTHING
            before, file = seen(folder, names[-1]), opened(folder, names[-1])
        if isinstance(file, Found):
            self.assertTrue(before is file or isinstance(before, Identity))
            return file
        with file:
            self.assertEqual(before, Identity.of(os.fstat(file.fileno())))
            return file.read()

    def test_files(self) -> None:
        """Regular files are found, in the root and below."""
        self.assertEqual(self.found("file"), b"content")
        self.assertEqual(self.found("folder", "inner"), b"inside")

    def test_folder_and_nothing(self) -> None:
        """A folder is one; names that lead nowhere, through a file or too long are nothing."""
        self.assertIs(self.found("folder"), Found.FOLDER)
        for names in (("nothing",), ("no", "thing"), ("file", "x"), ("a" * 5000,), ("folder", "x")):
            self.assertIs(self.found(*names), Found.NOTHING)

    def test_missing_root(self) -> None:
        """Beneath a root that has gone, or is a file, there is nothing."""
        root = self.root
        for self.root in (root / "gone", root / "file"):
            self.assertIs(self.found("file"), Found.NOTHING)

    def test_root_may_be_a_link(self) -> None:
        """The root itself may be a link, and is followed anew each time."""
        link = self.root.parent / "link"
        link.symlink_to(self.root.absolute())
        self.root = link
        self.assertEqual(self.found("file"), b"content")

    def test_links(self) -> None:
        """Links are nothing, whether they lead out, up, within, round or to a folder."""
        for name, to in (
            ("out", "../secret"),
            ("absolute", str((self.root.parent / "secret").absolute())),
            ("within", "file"),
            ("round", "round"),
            ("up", ".."),
            ("inward", "folder"),
            ("passwd", "/etc/passwd"),
        ):
            (self.root / name).symlink_to(to)
            self.assertIs(self.found(name), Found.NOTHING)
        self.assertIs(self.found("up", "secret"), Found.NOTHING)
        self.assertIs(self.found("inward", "inner"), Found.NOTHING)

    def test_no_files(self) -> None:
        """Pipes, which would block, and sockets are nothing."""
        os.mkfifo(self.root / "pipe")
        self.assertIs(self.found("pipe"), Found.NOTHING)
        here = os.getcwd()  # noqa: PTH109
        with socket.socket(socket.AF_UNIX) as listening:
            self.addCleanup(os.chdir, here)
            os.chdir(self.root)  # the name of a socket is short
            listening.bind("socket")
            os.chdir(here)
            self.assertIs(self.found("socket"), Found.NOTHING)

    def test_devices(self) -> None:
        """Devices are nothing."""
        self.root = Path("/dev")
        self.assertIs(self.found("null"), Found.NOTHING)

    @skipIf(os.geteuid() == 0, "root may read everything")
    def test_unreadable(self) -> None:
        """What may not be read or entered is nothing."""
        (self.root / "file").chmod(0)
        (self.root / "folder").chmod(0)
        self.addCleanup((self.root / "folder").chmod, 0o755)
        self.assertIs(self.found("file"), Found.NOTHING)
        self.assertIs(self.found("folder", "inner"), Found.NOTHING)

    def test_vanished(self) -> None:
        """A file that is unlinked after it was found is still sent whole."""
        with entered(self.root, ()) as folder:
            assert folder is not None
            file = opened(folder, "file")
            (self.root / "file").unlink()
            self.assertIs(seen(folder, "file"), Found.NOTHING)
        assert not isinstance(file, Found)
        with file:
            self.assertEqual(file.read(), b"content")

    def test_identity(self) -> None:
        """A file that is written over with its old time and size is another one."""
        path = self.root / "file"
        first = Identity.of(path.stat())
        new = path.with_name("new")
        new.write_bytes(b"CONTENT")
        os.utime(new, ns=(first.modified, first.modified))
        new.replace(path)
        second = Identity.of(path.stat())
        self.assertEqual((second.size, second.modified), (first.size, first.modified))
        self.assertNotEqual(second, first)

    def test_want_of_descriptors(self) -> None:
        """Where looking itself fails, that is an error and not nothing."""
        free = os.open("/dev/null", os.O_RDONLY)
        os.close(free)
        soft, hard = getrlimit(RLIMIT_NOFILE)
        setrlimit(RLIMIT_NOFILE, (free, hard))
        try:
            self.assertRaises(OSError, self.found, "file")
        finally:
            setrlimit(RLIMIT_NOFILE, (soft, hard))

    def test_descriptors(self) -> None:
        """Looking leaves no descriptor open but that of the file found."""
        before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
        for names in (("file",), ("folder", "inner"), ("folder",), ("x",), ("folder", "x", "y")):
            self.found(*names)
        self.assertEqual(len(os.listdir("/proc/self/fd")), before)  # noqa: PTH208
