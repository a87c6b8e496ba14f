"""Files that come into being."""

import os
from pathlib import Path
from stat import S_IMODE

from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.getting.continuing import Part
from netkit.tools.getting.partial import Device, Partial, opened
from netkit.tools.web.urls import parse

URL = parse("http://a/file?key=secret")


class PartialTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Have a folder."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.path = self.folder / "file"

    def partial(self) -> Partial:
        """Open the part, until the test is over."""
        found = Partial(self.path)
        self.addCleanup(found.leave)
        return found

    def names(self) -> list[str]:
        """Return what is in the folder."""
        return sorted(each.name for each in self.folder.iterdir())

    def test_finished(self) -> None:
        """A file that is finished is there, and nothing else."""
        self.path.write_text("old")
        partial = self.partial()
        partial.begin(URL, b'"v"', 6)
        partial.write(b"abc")
        partial.write(b"def")
        self.assertEqual(self.path.read_text(), "old")
        partial.finish()
        self.assertEqual(self.path.read_text(), "abcdef")
        self.assertFalse(partial.leave())
        self.assertEqual(self.names(), ["file"])

    def test_mode(self) -> None:
        """The file has the permissions that the umask leaves; what is remembered is one's own."""
        before = os.umask(0o027)
        self.addCleanup(os.umask, before)
        partial = self.partial()
        partial.begin(URL, b'"v"', None)
        self.assertEqual(S_IMODE((self.folder / "file.part.json").stat().st_mode), 0o600)
        partial.finish()
        self.assertEqual(S_IMODE(self.path.stat().st_mode), 0o640)

    def test_of_use(self) -> None:
        """A part that can be gone on with stays, and is known again for the same URL."""
        partial = self.partial()
        partial.begin(URL, b'"\xfc"', 9)
        partial.write(b"abc")
        self.assertTrue(partial.leave())
        self.assertEqual(self.names(), ["file.part", "file.part.json"])
        again = self.partial()
        self.assertEqual(again.known(URL), Part(3, b'"\xfc"', 9))
        self.assertEqual(b"".join(again.pieces()), b"abc")
        again.write(b"def")
        again.finish()
        self.assertEqual(self.path.read_bytes(), b"abcdef")

    def test_of_no_use(self) -> None:
        """A part without a validator, without a byte, or given up, goes."""
        for validator, content, given_up in (
            (b"", b"x", False),
            (b'"v"', b"", False),
            (b'"v"', b"x", True),
        ):
            partial = self.partial()
            partial.begin(URL, validator, None)
            partial.write(content)
            if given_up:
                partial.discard()
            self.assertFalse(partial.leave())
            self.assertEqual(self.names(), [])

    def test_nothing_begun(self) -> None:
        """Where nothing began nothing stays, not even an earlier part, unless it was asked after."""
        partial = self.partial()
        partial.begin(URL, b'"v"', None)
        partial.write(b"abc")
        partial.leave()
        again = self.partial()
        again.known(URL)
        self.assertTrue(again.leave())
        self.partial().leave()
        self.assertEqual(self.names(), [])

    def test_unknown(self) -> None:
        """A part of another URL, one that is too long, and one without a validator are of no use."""
        memory = self.folder / "file.part.json"
        good = '{"url": "http://a/file?key=secret", "validator": "v", "length": 3}'
        for text in (
            good.replace("a/file", "b/file"),
            good.replace("3", "2"),
            good.replace('"v"', '""'),
        ):
            (self.folder / "file.part").write_text("abc")
            memory.write_text(text)
            partial = self.partial()
            self.assertIsNone(partial.known(URL), text)
            partial.leave()
        memory.write_text(good)
        (self.folder / "file.part").write_text("abc")
        self.assertEqual(self.partial().known(URL), Part(3, b"v", 3))

    def test_somebody_elses(self) -> None:
        """What stands beside the file's place and is not netkit's is left alone, and told of."""
        good = '{"url": "http://a/file?key=secret", "validator": "v", "length": 3}'
        for name, text in (
            ("file.part", "precious"),
            ("file.part.json", "[]"),
            ("file.part.json", "garbage"),
            ("file.part.json", good.replace("3", '"3"')),
            ("file.part.json", good.replace('"v"', "5")),
            ("file.part.json", good.replace('"v"', '"\\u20ac"')),
        ):
            place = self.folder / name
            place.write_text(text)
            error = self.assertRaises(OSError, Partial, self.path)
            self.assertEqual(error.strerror, "is nothing of netkit's; move it away")
            self.assertEqual(error.filename, str(place))
            self.assertEqual((self.names(), place.read_text()), ([name], text))
            place.unlink()

    def test_killed(self) -> None:
        """What was left by an end without warning is netkit's own, also where nothing names it."""
        partial = self.partial()
        partial.begin(URL, b"", None)
        partial.write(b"abc")
        left = {each: each.read_bytes() for each in self.folder.iterdir()}
        partial.leave()
        for each, content in left.items():
            each.write_bytes(content)
        again = self.partial()
        self.assertIsNone(again.known(URL))
        again.leave()
        self.assertEqual(self.names(), [])

    def test_anew(self) -> None:
        """What begins anew has nothing of before."""
        partial = self.partial()
        partial.begin(URL, b'"v"', None)
        partial.write(b"abcdef")
        partial.begin(URL, b"", None)
        partial.write(b"x")
        self.assertEqual(partial.size, 1)
        partial.finish()
        self.assertEqual((self.path.read_bytes(), self.names()), (b"x", ["file"]))

    def test_one_at_a_time(self) -> None:
        """Two cannot fetch the same file."""
        self.partial()
        error = self.assertRaises(OSError, Partial, self.path)
        self.assertEqual(error.strerror, "is being fetched by another netkit")

    def test_link(self) -> None:
        """A link in the place of the part is not followed."""
        (self.folder / "file.part").symlink_to(self.folder / "other")
        self.assertRaises(OSError, Partial, self.path)
        self.assertEqual(self.names(), ["file.part"])

    def test_link_to_the_file(self) -> None:
        """A link in the place of the file stays one, and leads to the new file."""
        folder = self.folder / "elsewhere"
        folder.mkdir()
        self.path.symlink_to("elsewhere/file")
        partial = opened(self.path)
        partial.begin(URL, b"", None)
        partial.write(b"abc")
        partial.finish()
        self.assertTrue(self.path.is_symlink())
        self.assertEqual((folder / "file").read_bytes(), b"abc")

    def test_pipe(self) -> None:
        """A pipe that nobody reads is told of at once; one that somebody reads is written to."""
        os.mkfifo(self.path)
        error = self.assertRaises(OSError, opened, self.path)
        self.assertEqual((error.strerror, error.filename), ("nobody reads it", str(self.path)))
        reader = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.addCleanup(os.close, reader)
        pipe = opened(self.path)
        pipe.write(b"abc")
        pipe.finish()
        self.assertEqual(os.read(reader, 9), b"abc")

    def test_cannot_be(self) -> None:
        """A folder, and a folder that is not there, are told before anything is asked for."""
        self.assertRaises(IsADirectoryError, opened, self.folder)
        self.assertRaises(FileNotFoundError, opened, self.folder / "x" / "y")

    def test_device(self) -> None:
        """A device is written to where it is, and one that is full says so with its name."""
        null = opened(Path("/dev/null"))
        self.assertIsInstance(null, Device)
        null.begin(URL, b'"v"', None)
        null.write(b"x")
        self.assertRaises(OSError, null.begin, URL, b"", None)
        null.discard()
        null.finish()
        self.assertFalse(null.leave())
        full = opened(Path("/dev/full"))
        error = self.assertRaises(OSError, full.write, b"x")
        self.assertEqual((error.filename, full.leave()), ("/dev/full", False))
        self.assertEqual(list(full.pieces()), [])
        self.assertIsNone(full.known(URL))
