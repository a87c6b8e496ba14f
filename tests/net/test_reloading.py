"""Tests of a store that follows its files."""

import os
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import SkipTest

from cryptography import x509
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.logger import LogEvent, Logger, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.pemfiles import Signature, signature
from netkit.net.reloading import LONGEST_UNREST, PATIENCE, Attention, Watch
from netkit.net.tls import Source, Store, Terms
from tests.net.authorities import DAY, NOW, authority, issued
from tests.net.handshakes import client, met, server, shake

NOBODY = 65534

OLD, NEW, OTHER = issued("a.example"), issued("a.example", days=60), issued("b.example")


def marks(content: int) -> Signature:
    """Return the signature of one file with some content."""
    return (("file", (content,)),)


def logger(events: list[LogEvent]) -> Logger:
    """Return a logger that adds to `events`."""
    observer: Any = events.append
    return Logger("netkit.tls", observer=observer)


class AttentionTests(SynchronousTestCase):
    """When a row of looks asks for the files to be read."""

    def calls(self, *contents: int) -> list[bool]:
        """Return the answers to looks that saw `contents`, where 0 is in use and reading is noted."""
        attention = Attention(marks(0), marks(0))
        answers = []
        for content in contents:
            answers.append(attention.calls(marks(content)))
            if answers[-1]:
                attention.judge(marks(content))
        return answers

    def test_nothing_new(self) -> None:
        """Files that do not change are not read."""
        self.assertEqual(self.calls(0, 0, 0), [False] * 3)

    def test_rest(self) -> None:
        """Files that changed are read once, when a second look sees the same."""
        self.assertEqual(self.calls(1, 1, 1, 1), [False, True, False, False])
        self.assertEqual(self.calls(1, 2, 3, 3), [False, False, False, True])

    def test_back_again(self) -> None:
        """Files that are as they were need not be read."""
        self.assertEqual(self.calls(1, 0, 0), [False] * 3)

    def test_no_rest(self) -> None:
        """Files that change at every look are read all the same, after a while."""
        answers = self.calls(*range(1, 2 * LONGEST_UNREST + 1))
        expected = [False] * (LONGEST_UNREST - 1) + [True]
        self.assertEqual(answers, expected * 2)

    @given(st.lists(st.integers(0, 2), max_size=40), st.integers(0, 2))
    @settings(deadline=None, max_examples=100)
    def test_the_last_is_always_read(self, contents: list[int], last: int) -> None:
        """Whatever came before: once files rest, what was read last is what they hold."""
        attention = Attention(marks(0), marks(0))
        for content in [*contents, last, last]:
            if attention.calls(marks(content)):
                attention.judge(marks(content))
        self.assertEqual(attention.judged, marks(last))


class WatchTestCase(SynchronousTestCase):
    """A folder with one certificate, a store of it, and a watch that runs on a clock of the test's."""

    def setUp(self) -> None:
        """Start to watch."""
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        self.write("a.pem", OLD.pem)
        self.now = NOW
        self.watch(self.folder)

    def watch(self, *paths: Path) -> None:
        """Make a store of `paths`, and watch them."""
        source = Source(paths)
        seen = signature(source.paths)
        self.store = Store(source.read(NOW).found.identities)
        self.clock = Clock()
        self.events: list[LogEvent] = []
        log = logger(self.events)
        self.watching = Watch(
            "tls.main", source, self.store, seen, clock=self.clock, wall=lambda: self.now, log=log
        )
        self.watching.startService()
        self.addCleanup(self.stop, self.watching)

    def stop(self, watching: Watch) -> None:
        """Stop `watching`, and see that it leaves nothing on the clock."""
        watching.stopService()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def write(self, name: str, data: bytes) -> Path:
        """Write a file of the folder in place, with a time of its own: a test is quicker than the disk's clock."""
        path = self.folder / name
        path.write_bytes(data)
        self.ticks = getattr(self, "ticks", 0) + 1
        os.utime(path, ns=(self.ticks, self.ticks))
        return path

    def turn(self, looks: int = 2) -> None:
        """Let so many looks pass; two are enough for files that rest."""
        self.clock.pump([1.0] * looks)

    def said(self) -> list[str]:
        """Return the lines of the log since this was last asked, with their levels."""
        events, self.events[:] = list(self.events), []
        return [f"{each['log_level'].name}: {formatEvent(each)}" for each in events]

    def names(self) -> list[str]:
        """Return the names in the store."""
        return [name for each in self.store.identities.members for name in each.names]

    def certificate(self) -> x509.Certificate:
        """Return what a client is shown now."""
        asking = client(b"a.example")
        shake(asking, server(self.store))
        return met(asking)[0]


class ChangeTests(WatchTestCase):
    """Files that change for the better."""

    def uses(self, expected: x509.Certificate, change: Callable[[], object]) -> None:
        """Check that `change` brings `expected` into use, by one line."""
        change()
        self.turn(1)
        self.assertEqual(self.said(), [])
        self.turn(1)
        self.assertEqual(self.certificate(), expected)
        expires = f"{expected.not_valid_after_utc:%Y-%m-%d %H:%M} UTC"
        self.assertEqual(
            self.said(),
            [f"info: tls.main has new certificates, for a.example; the first expires on {expires}"],
        )
        self.turn(10)
        self.assertEqual(self.said(), [])

    def test_nothing_changes(self) -> None:
        """Where nothing changes nothing is read or said."""
        context = self.store.creator().context
        self.turn(100)
        self.assertEqual(self.said(), [])
        self.assertIs(self.store.creator().context, context)

    def test_written_over(self) -> None:
        """A file that is written over is used."""
        self.uses(NEW.certificate, lambda: self.write("a.pem", NEW.pem))

    def test_renamed_over(self) -> None:
        """A file that another is renamed to is used, though size and time be the same."""
        path = self.folder / "a.pem"
        status = path.stat()

        def rename() -> None:
            new = self.write(".new", NEW.pem)
            os.utime(new, ns=(status.st_atime_ns, status.st_mtime_ns))
            new.rename(path)

        self.uses(NEW.certificate, rename)

    def test_link_turned(self) -> None:
        """A link that is turned to another file, as certbot turns those of live/, is followed."""
        archive = Path(self.mktemp())
        archive.mkdir()
        live = Path(self.mktemp())
        live.mkdir()
        for number, pair in enumerate((OLD, NEW)):
            (archive / f"cert{number}.pem").write_bytes(pair.certificate_pem)
            (archive / f"key{number}.pem").write_bytes(pair.key_pem)

        def turn_to(number: int) -> None:
            for name in ("cert", "key"):
                link = live / f"{name}.pem"
                link.unlink(missing_ok=True)
                link.symlink_to(archive.absolute() / f"{name}{number}.pem")

        turn_to(0)
        self.watch(live / "cert.pem", live / "key.pem")
        self.assertEqual(self.certificate(), OLD.certificate)
        self.uses(NEW.certificate, lambda: turn_to(1))

    def test_folder_link_turned(self) -> None:
        """A folder that is a link may be turned as a whole, as Kubernetes does."""
        other = Path(self.mktemp())
        other.mkdir()
        (other / "a.pem").write_bytes(NEW.pem)
        link = Path(self.mktemp())
        link.symlink_to(self.folder.absolute())
        self.watch(link)

        def turn() -> None:
            link.unlink()
            link.symlink_to(other.absolute())

        self.uses(NEW.certificate, turn)

    def test_folder_gains_and_loses(self) -> None:
        """A file more in the folder is a name more, and a file less a name less."""
        self.write("b.pem", OTHER.pem)
        self.turn()
        self.assertEqual(self.names(), ["a.example", "b.example"])
        (self.folder / "b.pem").unlink()
        self.turn()
        self.assertEqual(self.names(), ["a.example"])

    def test_the_same_again(self) -> None:
        """A file that is touched, or something beside the certificates, is no news."""
        context = self.store.creator().context
        self.write("a.pem", OLD.pem)
        self.write("README", b"words")
        self.turn(4)
        self.assertEqual(self.said(), [])
        self.assertIs(self.store.creator().context, context)

    def test_hidden(self) -> None:
        """Hidden files, as editors and certbot leave them, are not looked at."""
        seen = signature([self.folder])
        self.write(".a.pem.swp", NEW.pem)
        self.assertEqual(signature([self.folder]), seen)

    def test_handshake_under_way(self) -> None:
        """A handshake that began before ends with the old certificate."""
        answering = server(self.store)
        self.write("a.pem", NEW.pem)
        self.turn()
        asking = client(b"a.example")
        shake(asking, answering)
        self.assertEqual(met(asking), [OLD.certificate])
        self.assertEqual(self.certificate(), NEW.certificate)

    def test_many_names(self) -> None:
        """A line of the log names the first few."""
        names = [f"{number}.example" for number in range(9)]
        self.write("a.pem", issued(*names).pem)
        self.turn()
        (line,) = self.said()
        self.assertIn(f"for {', '.join(names[:5])} and 4 more; the first", line)

    def test_once_a_second(self) -> None:
        """However the clock turns, files are looked at once a second at most."""
        self.write("a.pem", NEW.pem)
        self.clock.pump([0.01] * 199)
        self.assertEqual(self.certificate(), OLD.certificate)
        self.clock.advance(0.02)
        self.assertEqual(self.certificate(), NEW.certificate)

    def test_stopped(self) -> None:
        """A watch that was stopped looks no more."""
        self.watching.stopService()
        self.write("a.pem", NEW.pem)
        self.turn()
        self.assertEqual(self.certificate(), OLD.certificate)


class AuthorityTests(WatchTestCase):
    """The authorities of clients follow their file, too."""

    def setUp(self) -> None:
        """Ask clients for certificates of one authority."""
        super().setUp()
        self.watching.stopService()
        self.first, self.second = authority("First"), authority("Second")
        ca = self.write(".clients.pem", self.first.certificate_pem)
        source = Source((self.folder,), ca)
        seen = signature(source.paths)
        terms = Terms(authorities=source.read(NOW).authorities.certificates)
        self.store = Store(self.store.identities, terms)
        self.watching = Watch(
            "tls.main",
            source,
            self.store,
            seen,
            clock=self.clock,
            wall=lambda: NOW,
            log=logger(self.events),
        )
        self.watching.startService()
        self.addCleanup(self.stop, self.watching)

    def trusted(self) -> tuple[x509.Certificate, ...]:
        """Return who may issue clients' certificates now."""
        return self.store.terms.authorities

    def test_exchanged(self) -> None:
        """Another authority is trusted in the place of the first."""
        self.write(".clients.pem", self.second.certificate_pem)
        self.turn()
        self.assertEqual(self.trusted(), (self.second.certificate,))
        self.assertEqual(len(self.said()), 1)

    def test_faults(self) -> None:
        """With a bad file, or none, clients are verified as before: the door does not open."""
        path = self.folder / ".clients.pem"
        for data in (b"", OLD.certificate_pem, self.second.certificate_pem[:-9]):
            self.write(path.name, data)
            self.turn()
            self.assertEqual(self.trusted(), (self.first.certificate,))
            self.assertEqual(len(self.said()), 1)
        path.unlink()
        self.turn()
        self.assertEqual(self.trusted(), (self.first.certificate,))
        self.assertEqual(len(self.said()), 1)


class RequestTests(WatchTestCase):
    """Reading when somebody asks for it."""

    def test_at_once(self) -> None:
        """On request the files are read at once, and not again when they are next looked at."""
        self.write("a.pem", NEW.pem)
        self.assertEqual(self.watching.reload(), ())
        self.assertEqual(self.certificate(), NEW.certificate)
        self.assertEqual(len(self.said()), 1)
        self.turn(10)
        self.assertEqual(self.said(), [])

    def test_always_said(self) -> None:
        """A request is answered by a line though nothing is new, and by the same faults again."""
        self.watching.reload()
        self.assertEqual(len(self.said()), 1)
        path = self.write("a.pem", b"")
        for _ in range(2):
            (fault,) = self.watching.reload()
            self.assertEqual(fault.file, str(path))
            self.assertEqual(len(self.said()), 1)


class FaultTests(WatchTestCase):
    """Files that change for the worse."""

    def stays(self, *whys: str) -> None:
        """Check that the old certificate stays, with a line of the log for each of `whys`, once."""
        self.turn(1)
        self.assertEqual(self.said(), [])
        self.turn(1)
        lines = self.said()
        self.assertEqual(len(lines), len(whys), lines)
        for line, why in zip(lines, whys, strict=True):
            self.assertTrue(line.startswith("warn: tls.main keeps its certificates: "), line)
            self.assertIn(why, line)
        self.turn(3 * PATIENCE)
        self.assertEqual(self.said(), [])
        self.assertEqual(self.certificate(), OLD.certificate)

    def mended(self) -> None:
        """Check that a good file is used after all that."""
        self.write("a.pem", NEW.pem)
        self.turn()
        self.assertEqual(self.certificate(), NEW.certificate)
        self.assertEqual(len(self.said()), 1)

    def test_half_written(self) -> None:
        """Half a file is not used, and the whole one is."""
        self.write("a.pem", NEW.pem[:-40])
        self.stays("a.pem is cut off")
        self.mended()

    def test_being_written(self) -> None:
        """A file that grows from look to look is read when it is whole, without a word before."""
        for parts in range(1, LONGEST_UNREST - 1):
            self.write("a.pem", NEW.pem[: 50 * parts])
            self.turn(1)
        self.assertEqual(self.said(), [])
        self.mended()

    def test_mismatched(self) -> None:
        """A certificate with the key of another is not used."""
        self.write("a.pem", NEW.certificate_pem + OTHER.key_pem)
        self.stays("holds a key that fits no certificate", "without its key; add the key")
        self.mended()

    def test_expired(self) -> None:
        """A certificate that has expired is not used, by the time of day."""
        self.write("a.pem", issued("a.example", days=3).pem)
        self.now = NOW + 4 * DAY
        self.stays("that expired on")
        self.mended()

    def test_not_yet_valid(self) -> None:
        """A certificate of tomorrow is used tomorrow, though its file does not change."""
        self.write("a.pem", issued("a.example", since=-1).pem)
        self.stays("is not valid before")
        self.now += timedelta(days=2)
        self.turn(PATIENCE)
        self.assertNotEqual(self.certificate(), OLD.certificate)
        self.assertEqual(len(self.said()), 1)

    def test_gone(self) -> None:
        """A folder that is emptied, or taken away, leaves the store as it is."""
        (self.folder / "a.pem").unlink()
        self.stays("holds no certificate with its key")
        self.folder.rmdir()
        self.stays("does not exist")
        self.folder.mkdir()
        self.mended()

    def test_one_bad_of_two(self) -> None:
        """What is read is used as a whole or not at all."""
        self.write("a.pem", NEW.pem)
        self.write("b.pem", b"nothing")
        self.stays("b.pem is not PEM")

    def test_told_again(self) -> None:
        """Files that are changed into something else that is wrong are told of again."""
        self.write("a.pem", NEW.pem[:-40])
        self.stays("is cut off")
        self.write("a.pem", NEW.pem[:-41])
        self.stays("is cut off")

    def test_as_before_again(self) -> None:
        """Files that are as before after a fault are said to be in use."""
        self.write("a.pem", b"")
        self.stays("is not PEM")
        self.write("a.pem", OLD.pem)
        self.turn()
        self.assertEqual(len(self.said()), 1)

    def test_larger_than_any(self) -> None:
        """A file that nobody would read is not read."""
        self.write("a.pem", NEW.pem.ljust(2_000_000))
        self.stays("is larger than")


class PrivilegeTests(WatchTestCase):
    """Files that the process could read once, and cannot read any more."""

    def be_nobody(self) -> None:
        """Give up root for the rest of the test."""
        if os.geteuid() != 0:
            raise SkipTest("needs root")
        self.folder.parent.chmod(0o755)
        self.addCleanup(os.seteuid, 0)
        os.seteuid(NOBODY)
        if not os.access(self.folder.parent, os.X_OK, effective_ids=True):
            raise SkipTest("the tests run in a folder that only root may enter")

    def as_root(self, act: Callable[[], object]) -> None:
        """Do what only root can."""
        os.seteuid(0)
        act()
        os.seteuid(NOBODY)

    def test_a_key_of_root(self) -> None:
        """A renewed key that only root may read is one line, and the old one stays."""
        (self.folder / "a.pem").chmod(0o600)
        self.watching.stopService()
        self.watch(self.folder)
        self.be_nobody()
        self.turn(10)
        self.assertEqual(self.said(), [])
        self.as_root(lambda: self.write("a.pem", NEW.pem))
        self.as_root(lambda: self.write("b.pem", OTHER.pem).chmod(0o600))
        self.turn(3 * PATIENCE)
        files = ", ".join(str(self.folder / name) for name in ("a.pem", "b.pem"))
        self.assertEqual(
            self.said(),
            [
                f"warn: tls.main keeps its certificates: {files} cannot be read by user {NOBODY},"
                " which netkit is by now; let that user read it, or start netkit anew as root"
            ],
        )
        self.assertEqual(self.certificate(), OLD.certificate)

    def test_let_in(self) -> None:
        """A change of mode alone is enough for a second try."""
        (self.folder / "a.pem").chmod(0o600)
        self.watching.stopService()
        self.watch(self.folder)
        self.be_nobody()
        self.as_root(lambda: self.write("a.pem", NEW.pem))
        self.turn()
        self.assertEqual(len(self.said()), 1)
        self.as_root(lambda: (self.folder / "a.pem").chmod(0o644))
        self.turn()
        self.assertEqual(self.certificate(), NEW.certificate)

    def test_a_folder_of_root(self) -> None:
        """What is out of sight since root was shed has not changed for that."""
        self.folder.chmod(0o700)
        self.watching.stopService()
        source = Source((self.folder,))
        seen = signature(source.paths)
        self.be_nobody()
        log = logger(self.events)
        watching = Watch(
            "tls.main", source, self.store, seen, clock=self.clock, wall=lambda: NOW, log=log
        )
        watching.startService()
        self.addCleanup(watching.stopService)
        self.turn(10)
        self.assertEqual(self.said(), [])
        self.assertEqual(len(watching.reload()), 1)
        self.assertIn("cannot be read by user", self.said()[0])

    def test_changed_before_it_started(self) -> None:
        """A change between the first reading and the start is seen."""
        self.watching.stopService()
        self.write("a.pem", NEW.pem)
        self.watching.startService()
        self.turn()
        self.assertEqual(self.certificate(), NEW.certificate)
