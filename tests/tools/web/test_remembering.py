"""The file in which pages are remembered."""

import os
import sys
from fcntl import LOCK_EX, flock
from pathlib import Path
from subprocess import PIPE, Popen
from textwrap import dedent

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.replacing import replace
from netkit.tools.outcome import TroubleError
from netkit.tools.web.remembering import MOST_ASIDE, PATIENCE, Memory, default_file
from netkit.tools.web.validators import MOST_BYTES, Version
from tests.running import PATIENCE as FOR_A_PROCESS
from tests.running import ROOT
from tests.tools.web.webs import at_once

PAGE = Version(None, b"", "0" * 64, "http://a.example/", 1.0, 2.0)


class MemoryTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Remember below a folder that is not there yet."""
        self.folder = Path(self.mktemp())
        self.file = self.folder / "sub" / "check.json"
        self.clock = Clock()
        self.told: list[str] = []
        self.memory = self.at(self.file)

    def recall(self) -> dict[str, Version]:
        """Return what is remembered."""
        return at_once(self.memory.recall())

    def keep(self, **pages: Version) -> None:
        """Remember pages."""
        at_once(self.memory.keep(pages, {}))

    def at(self, file: Path, *, own: bool = True) -> Memory:
        """Return the memory that another file is."""
        return Memory(file, self.clock, self.told.append, own=own)

    def names(self) -> list[str]:
        """Return the names of all files."""
        return sorted(each.name for each in self.file.parent.iterdir())

    def test_kept(self) -> None:
        """What is kept is recalled; nobody else can read it, and nothing else is left over."""
        self.assertEqual(self.recall(), {})
        self.assertEqual(self.names(), ["check.json.lock"])
        self.keep(a=PAGE)
        self.assertEqual(self.recall(), {"a": PAGE})
        self.assertEqual(self.names(), ["check.json", "check.json.lock"])
        for name in self.names():
            self.assertEqual((self.file.parent / name).stat().st_mode & 0o777, 0o600)
        self.assertEqual(self.file.parent.stat().st_mode & 0o777, 0o700)
        self.assertEqual(self.told, [])

    def test_beside(self) -> None:
        """What is kept stands beside what was; of one page what was looked at last counts."""
        later = evolve(PAGE, digest="1" * 64, looked=3.0)
        self.keep(a=PAGE, b=later)
        self.keep(a=later, b=PAGE, c=PAGE)
        self.assertEqual(self.recall(), {"a": later, "b": later, "c": PAGE})

    def test_clock_set_back(self) -> None:
        """What was seen by a clock that was set back counts, unless another process has been there."""
        self.keep(a=PAGE)
        recalled = self.recall()
        earlier = evolve(PAGE, digest="1" * 64, looked=1.0)
        at_once(self.memory.keep({"a": earlier}, recalled))
        self.assertEqual(self.recall(), {"a": earlier})
        at_once(self.memory.keep({"a": PAGE}, recalled))
        at_once(self.memory.keep({"a": earlier}, {"a": earlier}))
        self.assertEqual(self.recall(), {"a": PAGE})

    def test_rubbish(self) -> None:
        """A file that netkit did not write is put aside, with one line, and nothing of it is lost."""
        self.recall()
        for number, name in enumerate(("check.json.broken", "check.json.broken.1")):
            content = b"\x00\xffrubbish %d" % number
            self.file.write_bytes(content)
            self.assertEqual(self.recall(), {})
            self.assertEqual((self.file.parent / name).read_bytes(), content)
            self.assertFalse(self.file.exists())
            [line] = self.told
            self.assertEqual(
                line,
                f"{self.file} is nothing that netkit wrote: it is no JSON; "
                f"it is now {self.file.absolute().parent / name}",
            )
            self.told.clear()
        self.keep(a=PAGE)
        self.assertEqual(self.recall(), {"a": PAGE})

    def test_of_others(self) -> None:
        """A file of the user's choice that netkit did not write is left alone, and so is its folder."""
        folder = Path(self.mktemp())
        folder.mkdir()
        file = folder / "passwd"
        file.write_bytes(b"root:x:0:0")
        memory = self.at(file, own=False)
        for touching in (memory.recall, lambda: memory.keep({"a": PAGE}, {})):
            with self.assertRaisesRegex(TroubleError, "it is left alone, name another file"):
                at_once(touching())
        self.assertEqual([each.name for each in folder.iterdir()], ["passwd"])
        self.assertEqual(file.read_bytes(), b"root:x:0:0")

    def test_empty(self) -> None:
        """An empty file remembers nothing, and is as good as none."""
        file = Path(self.mktemp())
        file.touch()
        memory = self.at(file, own=False)
        self.assertEqual(at_once(memory.recall()), {})
        at_once(memory.keep({"a": PAGE}, {}))
        self.assertEqual(at_once(memory.recall()), {"a": PAGE})

    def test_rubbish_meanwhile(self) -> None:
        """A file that turns to rubbish between two looks is put aside as well."""
        self.recall()
        self.file.write_bytes(b"rubbish")
        self.keep(a=PAGE)
        self.assertEqual(self.recall(), {"a": PAGE})
        self.assertEqual(len(self.told), 1)

    def test_much_rubbish(self) -> None:
        """A file of any size is rubbish in bounded memory, and files aside are so many."""
        self.recall()
        with self.file.open("wb") as file:
            file.truncate(1000 * MOST_BYTES)
        self.assertEqual(self.recall(), {})
        self.file.write_bytes(b"rubbish")
        for number in range(1, MOST_ASIDE):
            (self.file.parent / f"check.json.broken.{number}").touch()
        self.assertRaises(TroubleError, self.recall)
        self.assertEqual(self.file.read_bytes(), b"rubbish")

    def test_newer(self) -> None:
        """What a newer netkit wrote is left alone."""
        self.recall()
        self.file.write_bytes(b'{"format": 2}')
        self.assertRaises(TroubleError, self.recall)
        self.assertRaises(TroubleError, self.keep, a=PAGE)
        self.assertEqual(self.file.read_bytes(), b'{"format": 2}')

    def test_a_link(self) -> None:
        """A link to the file stays one."""
        real = self.folder / "real.json"
        self.file.parent.mkdir(parents=True)
        self.file.symlink_to("../real.json")
        self.keep(a=PAGE)
        self.assertTrue(self.file.is_symlink())
        self.assertEqual(at_once(self.at(real).recall()), {"a": PAGE})

    def test_no_place(self) -> None:
        """Where no file can be, that is an error that names the place, before anything is asked."""
        self.folder.write_bytes(b"")
        error = self.assertRaises(OSError, self.recall)
        self.assertIn(str(self.folder), str(error.filename))
        wrong = Path(self.mktemp())
        wrong.mkdir()
        for each in (wrong, Path("/dev/full")):
            error = self.assertRaises(OSError, at_once, self.at(each).recall())
            self.assertEqual(error.filename, os.path.realpath(each))
            self.assertFalse(Path(f"{each}.lock").exists())

    def test_kept_by_another(self) -> None:
        """Who has the file keeps others waiting, and not for ever; who is cancelled waits no longer."""
        self.recall()
        lock = os.open(f"{self.file}.lock", os.O_RDWR)
        flock(lock, LOCK_EX)
        waiting = [Deferred.fromCoroutine(self.memory.keep({"a": PAGE}, {})) for _ in range(2)]
        self.clock.pump([0.5] * int(2 * PATIENCE - 1))
        for each in waiting:
            self.assertNoResult(each)
        waiting[0].cancel()
        self.failureResultOf(waiting[0])
        self.clock.pump([0.5, 0.5])
        words = str(self.failureResultOf(waiting[1], TroubleError).value)
        self.assertEqual(words, f"{self.file} is kept by another process for 10 s")
        third = Deferred.fromCoroutine(self.memory.keep({"a": PAGE}, {}))
        self.clock.pump([0.5])
        os.close(lock)
        self.clock.pump([0.5])
        self.successResultOf(third)
        self.assertEqual(self.recall(), {"a": PAGE})

    def test_not_replaced(self) -> None:
        """Where the new file cannot take its place nothing of it stays."""
        self.file.mkdir(parents=True)
        self.assertRaises(OSError, replace, self.file, b"text")
        self.assertEqual(self.names(), ["check.json"])


class ProcessTests(SynchronousTestCase):
    def test_many_at_once(self) -> None:
        """Of what many processes find out at the same time nothing is lost."""
        file = Path(self.mktemp()).absolute()
        program = dedent("""
            import sys
            from pathlib import Path
            from twisted.internet.defer import Deferred
            from twisted.internet.task import react
            from netkit.tools.web.remembering import Memory
            from netkit.tools.web.validators import Version

            async def main(reactor):
                memory = Memory(Path(sys.argv[1]), reactor, print)
                for number in range(10):
                    page = Version(None, b"", "0" * 64, "", 1.0, 2.0)
                    await memory.keep({f"{sys.argv[2]} {number}": page}, {})

            react(lambda reactor: Deferred.fromCoroutine(main(reactor)))
        """)
        command = [sys.executable, "-c", program, str(file)]
        running = [Popen([*command, str(each)], cwd=ROOT, stderr=PIPE) for each in range(4)]
        for each in running:
            _, errors = each.communicate(timeout=FOR_A_PROCESS)
            self.assertEqual((each.returncode, errors), (0, b""))
        found = at_once(Memory(file, Clock(), self.fail).recall())
        self.assertEqual(len(found), 40)


class DefaultFileTests(SynchronousTestCase):
    def test_xdg(self) -> None:
        """The file is where the environment has such files; a relative path is no place."""
        self.assertEqual(default_file({"XDG_STATE_HOME": "/x"}), Path("/x/netkit/check.json"))
        home = Path.home() / ".local/state/netkit/check.json"
        for environment in ({}, {"XDG_STATE_HOME": ""}, {"XDG_STATE_HOME": "x"}):
            self.assertEqual(default_file(environment), home)
