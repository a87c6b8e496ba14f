"""A file that lines are added to, whatever becomes of it."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import LogEvent, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.logfile import HELD_BYTES, WRITE_BYTES, WRITE_SECONDS, LogFile
from tests.http.fakes import recorded

FULL = Path("/dev/full")
DESCRIPTORS = Path("/proc/self/fd")
LINE = "x" * 99 + "\n"


def descriptors() -> int:
    """Return how many descriptors are open."""
    return len(list(DESCRIPTORS.iterdir()))


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        """Make a folder for the file."""
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.path = self.folder / "access.log"
        self.clock = Clock()
        self.events: list[LogEvent] = []

    def made(self, path: Path | None = None) -> LogFile:
        """Return a file that is closed by the end of the test."""
        file = LogFile(path or self.path, self.clock, recorded(self.events))
        self.addCleanup(file.stop)
        return file

    def turn(self, seconds: float = WRITE_SECONDS) -> None:
        """Let time pass."""
        self.clock.advance(seconds)

    def told(self) -> list[str]:
        """Return what the daemon's log was told, the file's name left out."""
        return [formatEvent(event).replace(str(self.path), "FILE") for event in self.events]


class Writing(Case):
    def test_together(self) -> None:
        """Lines wait for at most a second, and are written together; nothing is left to time."""
        file = self.made()
        file.start()
        self.assertEqual(self.path.read_text(), "")
        file.add("a\n")
        self.turn(WRITE_SECONDS / 2)
        file.add("b\n")
        self.assertEqual(self.path.read_text(), "")
        self.turn(WRITE_SECONDS / 2)
        self.assertEqual(self.path.read_text(), "a\nb\n")
        self.assertEqual((self.clock.getDelayedCalls(), self.events), ([], []))

    def test_many(self) -> None:
        """Many lines do not wait."""
        file = self.made()
        for _ in range(WRITE_BYTES // len(LINE) + 1):
            file.add(LINE)
        self.assertGreaterEqual(self.path.stat().st_size, WRITE_BYTES)

    def test_stop(self) -> None:
        """The end writes what is there; what comes later still is written, by itself."""
        file = self.made()
        file.add("a\n")
        file.stop()
        self.assertEqual(self.path.read_text(), "a\n")
        file.add("b\n")
        self.assertEqual(self.path.read_text(), "a\nb\n")
        self.assertEqual(self.clock.getDelayedCalls(), [])
        file.start()
        file.add("c\n")
        self.assertEqual(self.path.read_text(), "a\nb\n")

    def test_adds(self) -> None:
        """What stands in the file already stays; the file is nobody else's business."""
        self.path.write_text("old\n")
        file = self.made()
        file.add("new\n")
        file.stop()
        self.assertEqual(self.path.read_text(), "old\nnew\n")
        self.path.unlink()
        before = os.umask(0)
        self.addCleanup(os.umask, before)
        file.start()
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o640)

    def test_descriptors(self) -> None:
        """No descriptor is left behind."""
        before = descriptors()
        file = self.made()
        for _ in range(5):
            file.start()
            file.reopen()
            self.path.unlink()
        file.stop()
        self.assertEqual(descriptors(), before)


class Rotating(Case):
    def test_renamed(self) -> None:
        """A file that is renamed is left with the next write, and another made in its place."""
        file = self.made()
        file.add("a\n")
        self.turn()
        old = self.path.rename(self.folder / "access.log.1")
        file.add("b\n")
        self.turn()
        self.assertEqual((old.read_text(), self.path.read_text()), ("a\n", "b\n"))

    def test_removed_or_exchanged(self) -> None:
        """So is one that is removed, or has another in its place; one that is emptied is kept."""
        file = self.made()
        file.start()
        self.path.unlink()
        file.add("a\n")
        self.turn()
        self.assertEqual(self.path.read_text(), "a\n")
        other = self.folder / "other"
        other.write_text("other\n")
        other.rename(self.path)
        file.add("b\n")
        self.turn()
        self.assertEqual(self.path.read_text(), "other\nb\n")
        os.truncate(self.path, 0)
        file.add("c\n")
        self.turn()
        self.assertEqual(self.path.read_text(), "c\n")

    def test_reopened(self) -> None:
        """On request nothing more goes into a file that was renamed."""
        file = self.made()
        file.start()
        old = self.path.rename(self.folder / "access.log.1")
        file.add("a\n")
        file.reopen()
        self.assertEqual((old.read_text(), self.path.read_text()), ("", "a\n"))

    @settings(deadline=None, max_examples=40)
    @given(st.lists(st.sampled_from(["add", "burst", "rename", "turn", "reopen", "stop"])))
    def test_under_load(self, steps: list[str]) -> None:
        """However often it is rotated, each line is in one of the files, in order."""
        folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, folder)
        path = folder / "log"
        file = self.made(path)
        file.start()
        count = 0
        for number, step in enumerate([*steps, "stop"]):
            if step == "rename" and path.exists():
                path.rename(folder / f"log.{number:03}")
            elif step in {"add", "burst"}:
                more = 1 if step == "add" else WRITE_BYTES // 50
                for each in range(count, count + more):
                    file.add(f"{each:>99}\n")
                count += more
            elif step == "turn":
                self.turn()
            elif step == "reopen":
                file.reopen()
            elif step == "stop":
                file.stop()
        files = [*sorted(folder.glob("log.*")), *folder.glob("log")]
        found = [int(line) for each in files for line in each.read_text().splitlines()]
        self.assertEqual(found, list(range(count)))
        self.assertEqual(self.events, [])


class Troubled(Case):
    def test_folder_gone(self) -> None:
        """Lines are held while the folder is gone; that is told once, and once that it is over."""
        file = self.made()
        file.start()
        shutil.rmtree(self.folder)
        for _ in range(3):
            file.add("a\n")
            self.turn()
        self.assertEqual(
            self.told(),
            [
                f"FILE cannot be written by user {os.geteuid()}: no such file or directory; lines are"
                f" held, at most {HELD_BYTES} bytes, and then dropped, until it can"
            ],
        )
        self.folder.mkdir()
        self.turn()
        self.assertEqual(self.path.read_text(), "a\n" * 3)
        self.assertEqual(self.told()[1:], ["FILE is written again; lines dropped: 0"])

    def test_bounded(self) -> None:
        """More than the limit is not held: further lines are dropped and counted."""
        self.path.mkdir()
        file = self.made()
        for _ in range(HELD_BYTES // len(LINE) + 7):
            file.add(LINE)
        self.turn()
        self.path.rmdir()
        self.turn()
        size = self.path.stat().st_size
        self.assertEqual(size, HELD_BYTES // len(LINE) * len(LINE))
        self.assertIn("is a directory", self.told()[0])
        self.assertEqual(self.told()[1:], ["FILE is written again; lines dropped: 7"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_end_in_trouble(self) -> None:
        """What cannot be written by the end is dropped, and counted."""
        self.path.mkdir()
        file = self.made()
        file.add("a\n")
        file.stop()
        self.assertEqual(self.told()[1:], ["FILE is closed; lines dropped: 1"])
        file.add("b\n")
        self.assertEqual(len(self.events), 2)

    def test_full(self) -> None:
        """A disk that is full costs lines and nothing else."""
        self.path.symlink_to(FULL)
        file = self.made()
        file.start()
        for _ in range(3):
            file.add(LINE)
            self.turn()
        self.assertEqual(len(self.events), 1)
        self.assertIn("no space left on device", self.told()[0])
        self.path.unlink()
        self.turn()
        self.assertEqual(self.path.read_text(), LINE * 3)

    def test_closed_behind_its_back(self) -> None:
        """A descriptor that is bad is let go of, and the line goes to a new one."""
        file = self.made()
        file.start()
        (ours,) = (each for each in DESCRIPTORS.iterdir() if each.resolve() == self.path.resolve())
        os.close(int(ours.name))
        file.add("a\n")
        self.turn()
        self.assertIn("bad file descriptor", self.told()[0])
        self.turn()
        self.assertEqual(self.path.read_text(), "a\n")

    def test_broken_log(self) -> None:
        """A socket or folder in the file's place raises nothing either, at any time."""
        for path in (self.folder, Path("/proc/version"), self.folder / ("n" * 300)):
            file = self.made(path)
            file.start()
            file.add("a\n")
            file.write()
            file.reopen()


class Piping(Case):
    def setUp(self) -> None:
        """Make a pipe in the file's place."""
        super().setUp()
        os.mkfifo(self.path)
        self.readers: set[int] = set()
        self.addCleanup(self.leave_all)

    def reader(self) -> int:
        """Return the other end of the pipe."""
        descriptor = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK)
        self.readers.add(descriptor)
        return descriptor

    def leave_all(self) -> None:
        """Let every reader leave."""
        for each in tuple(self.readers):
            self.leave(each)

    def leave(self, descriptor: int) -> None:
        """Let a reader leave."""
        self.readers.remove(descriptor)
        os.close(descriptor)

    def drained(self, descriptor: int) -> bytes:
        """Read what there is."""
        taken = b""
        try:
            while piece := os.read(descriptor, 65536):
                taken += piece
        except BlockingIOError:
            pass
        return taken

    def test_nobody_reads(self) -> None:
        """A pipe that nobody reads is waited for by nobody."""
        file = self.made()
        file.start()
        file.add("a\n")
        self.turn()
        self.assertIn("nobody reads the pipe", self.told()[0])
        reader = self.reader()
        self.turn()
        self.assertEqual(self.drained(reader), b"a\n")

    def test_read_slowly(self) -> None:
        """What a slow reader does not take is held, within the limit, and loses nothing before."""
        file = self.made()
        reader = self.reader()
        taken = b""
        for number in range(HELD_BYTES // 2 // 100):
            file.add(f"{number:>99}\n")
        self.assertEqual(self.events, [])
        while piece := self.drained(reader):
            taken += piece
            self.turn()
        self.assertEqual([int(line) for line in taken.split()], list(range(HELD_BYTES // 2 // 100)))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_reader_leaves(self) -> None:
        """A reader that leaves in the middle of a line gets no half of it when it is back."""
        file = self.made()
        reader = self.reader()
        for number in range(2000):
            file.add(f"{number:>99}\n")
        self.assertNotEqual(self.drained(reader)[-1:], b"\n")
        self.leave(reader)
        self.turn()
        self.assertIn("broken pipe", self.told()[0])
        again = self.reader()
        taken = b""
        for _ in range(10):
            self.turn()
            taken += self.drained(again)
        self.assertTrue(all(len(line) == 99 for line in taken.decode().splitlines()))
        self.assertEqual(int(taken.decode().splitlines()[-1]), 1999)
        self.assertEqual(self.told()[1:], ["FILE is written again; lines dropped: 1"])
