"""Tests of the files of a certificate store."""

import os
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from netkit.net.certificates import Fault
from netkit.net.pemfiles import LARGEST_FILE, gather, listed, out_of_sight, signature
from tests.net.authorities import issued

NOBODY = 65534


class GatherTests(SynchronousTestCase):
    """What is read, in which order, and what cannot be."""

    def setUp(self) -> None:
        """Make a folder, and the bytes of a PEM file."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.pem = issued("a.example").pem

    def write(self, name: str, data: bytes) -> Path:
        """Write a file into the folder."""
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(data)
        return path

    def read(self, *paths: Path) -> list[str]:
        """Return the names of the files read, all of which must be readable."""
        gathered = gather(paths)
        self.assertEqual(gathered.faults, ())
        return [Path(file.name).name for file in gathered.files]

    def test_one_file(self) -> None:
        """A file is read whole, and is called as the setting calls it."""
        path = self.write("any-name", self.pem)
        (file,) = gather([path]).files
        self.assertEqual((file.name, file.data), (str(path), self.pem))

    def test_order(self) -> None:
        """Files come in the order of the setting, those of a folder by name."""
        for name in ("c.pem", "a.pem", "b.pem", "more/d.pem"):
            self.write(name, self.pem)
        more = self.folder / "more"
        self.assertEqual(self.read(self.folder), ["a.pem", "b.pem", "c.pem"])
        self.assertEqual(
            self.read(more, self.folder / "c.pem", self.folder / "b.pem"),
            ["d.pem", "c.pem", "b.pem"],
        )

    def test_what_a_folder_may_hold_besides(self) -> None:
        """A folder's hidden files, folders, and files that are no PEM by name and content are not read."""
        self.write(".hidden.pem", self.pem)
        self.write("folder.pem/other.pem", self.pem)
        self.write("README", b"About these files.")
        self.write("backup.tar", b"x" * (LARGEST_FILE + 1))
        os.mkfifo(self.folder / "queue")
        self.write("any-name", self.pem)
        self.assertEqual(self.read(self.folder), ["any-name"])

    def test_what_is_called_pem(self) -> None:
        """A file that is PEM by its name is read from a folder whatever it holds."""
        names = ["a.cer", "b.crt", "c.key", "d.pem"]
        for name in names:
            self.write(name, b"nothing")
        self.assertEqual(self.read(self.folder), names)

    def test_links(self) -> None:
        """Links are followed, as certbot and Kubernetes lay them."""
        self.write("real/file", self.pem)
        (self.folder / "link.pem").symlink_to("real/file")
        (self.folder / "folder").symlink_to("real")
        self.assertEqual(self.read(self.folder), ["link.pem"])
        self.assertEqual(self.read(self.folder / "folder"), ["file"])

    def test_an_empty_folder(self) -> None:
        """An empty folder is no fault here: another may have what it lacks."""
        self.assertEqual(self.read(self.folder), [])

    def test_not_there(self) -> None:
        """What is not there is named, with how to make a folder, or what a file would be."""
        folder = self.folder / "not there"
        file = self.folder / "not.pem"
        self.assertEqual(
            gather([folder, file]).faults,
            (
                Fault(
                    str(folder),
                    f"does not exist; netkit certificate '{folder}' makes one for localhost",
                ),
                Fault(str(file), "does not exist; a PEM file, or a folder of PEM files"),
            ),
        )

    def test_a_link_to_nothing(self) -> None:
        """A link in a folder that leads nowhere is named."""
        link = self.folder / "link.pem"
        link.symlink_to("gone")
        self.assertEqual(
            gather([self.folder]).faults,
            (Fault(str(link), "does not exist; a PEM file, or a folder of PEM files"),),
        )

    def test_neither_file_nor_folder(self) -> None:
        """Nothing is read that may have no end, or wait for ever."""
        queue = self.folder / "queue.pem"
        os.mkfifo(queue)
        text = "is neither a file nor a folder; a PEM file, or a folder of them"
        for paths in ([queue], [self.folder]):
            self.assertEqual(gather(paths).faults, (Fault(str(queue), text),))
        self.assertEqual(gather([Path("/dev/zero")]).faults, (Fault("/dev/zero", text),))

    def test_too_large(self) -> None:
        """A file is read up to a limit."""
        path = self.write("large.pem", self.pem.ljust(LARGEST_FILE))
        self.assertEqual(self.read(path), ["large.pem"])
        path = self.write("large.pem", self.pem.ljust(LARGEST_FILE + 1))
        self.assertEqual(
            gather([path]).faults,
            (Fault(str(path), "is larger than 1048576 bytes; a PEM file has a few thousand"),),
        )

    def test_not_readable(self) -> None:
        """A file or folder that must not be read is named, and the others are read."""
        self.write("good.pem", self.pem)
        path = self.write("bad.key", self.pem)
        shut = self.folder / "shut"
        shut.mkdir()
        for each in (path, shut):
            each.chmod(0)
            self.addCleanup(each.chmod, 0o700)
        self.be_nobody()
        gathered = gather([self.folder, shut])
        text = (
            "cannot be read: permission denied; the user that starts netkit must be able to read it"
        )
        self.assertEqual(gathered.faults, (Fault(str(path), text), Fault(str(shut), text)))
        self.assertEqual([Path(file.name).name for file in gathered.files], ["good.pem"])

    def test_listed(self) -> None:
        """What would be read is listed, be it there or not."""
        self.write("a.pem", self.pem)
        self.write(".b.pem", self.pem)
        self.write("more/c.pem", self.pem)
        gone = self.folder / "gone.pem"
        self.assertEqual(list(listed([gone, self.folder])), [gone, self.folder / "a.pem"])

    def test_signature(self) -> None:
        """The signature changes with every file that is read, and with no other."""
        path = self.write("a.pem", self.pem)
        seen = signature([self.folder])
        self.write(".hidden", self.pem)
        self.write("more/c.pem", self.pem)
        with_a_folder = signature([self.folder])
        self.write("more/d.pem", self.pem)
        self.assertEqual(signature([self.folder]), with_a_folder)
        self.assertNotEqual(seen, with_a_folder)
        path.write_bytes(self.pem[:-1])
        self.assertNotEqual(signature([self.folder]), with_a_folder)
        path.unlink()
        self.assertFalse(out_of_sight(signature([self.folder, path])))

    def be_nobody(self) -> None:
        """Give up root for the rest of the test, for whom every file can be read."""
        if os.geteuid() == 0:
            self.folder.parent.chmod(0o755)
            self.addCleanup(os.seteuid, 0)
            os.seteuid(NOBODY)
            if not os.access(self.folder, os.R_OK, effective_ids=True):
                raise SkipTest("the tests run in a folder that only root may enter")
