"""Who could read a store's files, as their modes say."""

import os
import shutil
import tempfile
from pathlib import Path
from unittest import skipUnless

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from netkit.daemon.privileges import Target
from netkit.daemon.readable import Reader, obstacles

root_only = skipUnless(os.geteuid() == 0, "needs root")

ALICE, STAFF = 4321, 4322


class ReadableTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Make a folder with a file that all may read, where all may go."""
        self.top = Path(tempfile.mkdtemp()).resolve()
        self.addCleanup(shutil.rmtree, self.top)
        self.folder = self.top / "tls"
        self.folder.mkdir()
        self.file = self.folder / "a.pem"
        self.file.write_text("pem")
        for each in (self.top, self.folder):
            each.chmod(0o755)
        self.file.chmod(0o644)

    def found(self, *paths: Path, gids: frozenset[int] = frozenset({STAFF})) -> list[Path]:
        """Return what is in a stranger's way."""
        return list(obstacles(paths or (self.folder,), Reader(ALICE, gids)))

    def test_open(self) -> None:
        """What all may read is in nobody's way."""
        self.assertEqual(self.found(), [])

    def test_file(self) -> None:
        """A file that others may not read is named, once."""
        self.file.chmod(0o600)
        self.assertEqual(self.found(self.folder, self.file), [self.file])

    def test_folder(self) -> None:
        """A folder that cannot be entered or listed is named, and not each of its files."""
        (self.folder / "b.pem").write_text("pem")
        for mode in (0o700, 0o751, 0o754):
            self.folder.chmod(mode)
            self.assertEqual(self.found(), [self.folder], oct(mode))

    def test_listing_is_for_folders(self) -> None:
        """A folder on the way has to be entered only; it need not be listed."""
        self.top.chmod(0o711)
        self.assertEqual(self.found(), [])
        self.folder.chmod(0o711)
        self.assertEqual(self.found(self.file), [])

    def test_above(self) -> None:
        """A folder above is named."""
        self.top.chmod(0o750)
        self.assertEqual(self.found(), [self.top])

    def test_links(self) -> None:
        """Links are followed, one behind the other, and what they lead through counts."""
        archive = self.top / "archive"
        archive.mkdir()
        (archive / "real.pem").write_text("pem")
        (archive / "hop.pem").symlink_to("real.pem")
        (self.folder / "live.pem").symlink_to("../archive/hop.pem")
        archive.chmod(0o755)
        self.assertEqual(self.found(), [])
        archive.chmod(0o700)
        self.assertEqual([path.resolve() for path in self.found()], [archive])

    def test_folder_by_link(self) -> None:
        """A folder may be a link."""
        link = self.top / "link"
        link.symlink_to("tls")
        self.assertEqual(self.found(link), [])
        self.file.chmod(0o600)
        self.assertEqual([path.resolve() for path in self.found(link)], [self.file])

    @root_only
    def test_group(self) -> None:
        """A file of one's group is judged by the group's bits."""
        os.chown(self.file, 0, STAFF)
        self.file.chmod(0o640)
        self.assertEqual(self.found(), [])
        self.assertEqual(self.found(gids=frozenset({STAFF + 1})), [self.file])
        self.file.chmod(0o604)
        self.assertEqual(self.found(), [self.file])

    @root_only
    def test_owner(self) -> None:
        """One's own file is judged by the owner's bits, whatever others may."""
        os.chown(self.file, ALICE, 0)
        self.file.chmod(0o600)
        self.assertEqual(self.found(), [])
        self.file.chmod(0o044)
        self.assertEqual(self.found(), [self.file])

    def test_gone(self) -> None:
        """What is not there is in nobody's way."""
        self.assertEqual(self.found(self.top / "gone", self.top / "gone" / "a.pem"), [])

    def test_groups_of_a_target(self) -> None:
        """The daemon has the group that it is given and those of its user."""
        self.assertEqual(Reader.like(Target(ALICE, STAFF)), Reader(ALICE, frozenset({STAFF})))

    @root_only
    @given(st.integers(0, 0o777), st.booleans(), st.booleans())
    @settings(deadline=None, max_examples=60)
    def test_as_the_kernel_says(self, mode: int, own: bool, group: bool) -> None:
        """The answer for one file is the kernel's own."""
        os.chown(self.file, ALICE if own else 0, STAFF if group else 0)
        self.file.chmod(mode)
        descriptor = os.open(self.folder, os.O_PATH)
        try:
            os.setegid(STAFF)
            groups = os.getgroups()
            os.setgroups([STAFF])
            os.seteuid(ALICE)
            may = os.access("a.pem", os.R_OK, dir_fd=descriptor, effective_ids=True)
        except PermissionError:
            may = False
        finally:
            os.seteuid(0)
            os.setgroups(groups)
            os.setegid(0)
            os.close(descriptor)
        self.assertEqual(self.found(self.file) == [], may)
