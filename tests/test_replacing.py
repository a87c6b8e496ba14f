"""A file is replaced whole, for its owner's eyes, or not at all."""

from pathlib import Path
from stat import S_IMODE

from twisted.trial.unittest import SynchronousTestCase

from netkit.replacing import replace


class ReplaceTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Have a folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.file = self.folder / "file"

    def test_replaced(self) -> None:
        """The file has what is new and nothing else, and is its owner's only."""
        self.file.write_bytes(b"what was there")
        replace(self.file, b"new")
        self.assertEqual(self.file.read_bytes(), b"new")
        self.assertEqual(S_IMODE(self.file.stat().st_mode), 0o600)
        self.assertEqual(list(self.folder.iterdir()), [self.file])

    def test_not_replaced(self) -> None:
        """Where the new file cannot take its place nothing of it stays."""
        self.file.mkdir()
        self.assertRaises(IsADirectoryError, replace, self.file, b"data")
        self.assertEqual(list(self.folder.iterdir()), [self.file])
