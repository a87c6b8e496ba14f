"""Descriptors as they are found: read and written without waiting, and no flag of theirs changed."""

import fcntl
import os
import pty
import socket
import subprocess
import sys
import termios
from pathlib import Path
from textwrap import dedent

from twisted.trial.unittest import SynchronousTestCase

from netkit.tools.bridging.descriptors import Sort, sink, source

ROOT = Path(__file__).parents[3]


class Shared(SynchronousTestCase):
    """Opens things, and looks whether they are as they were."""

    def keep(self, *filenos: int) -> None:
        """Close them as the test ends, and check their flags."""
        for fileno in filenos:
            flags = fcntl.fcntl(fileno, fcntl.F_GETFL)
            self.addCleanup(os.close, fileno)
            self.addCleanup(self.check, fileno, flags)

    def check(self, fileno: int, flags: int) -> None:
        self.assertEqual(fcntl.fcntl(fileno, fcntl.F_GETFL), flags)

    def pipe(self) -> tuple[int, int]:
        reader, writer = os.pipe()
        self.keep(reader, writer)
        return reader, writer

    def terminal(self) -> tuple[int, int]:
        user, program = pty.openpty()
        settings = termios.tcgetattr(program)
        self.keep(user, program)
        self.addCleanup(lambda: self.assertEqual(termios.tcgetattr(program), settings))
        return user, program

    def sockets(self) -> tuple[int, int]:
        one, other = (each.detach() for each in socket.socketpair())
        self.keep(one, other)
        return one, other

    def file(self, data: bytes = b"") -> int:
        path = Path(self.mktemp())
        path.write_bytes(data)
        fileno = os.open(path, os.O_RDWR)
        self.keep(fileno)
        return fileno


class SourceTests(Shared):
    def test_streams(self) -> None:
        """A pipe and a socket bring what is there, do not wait for more, and have an end."""
        for sort, (reader, writer) in (("pipe", self.pipe()), ("socket", self.sockets())):
            with self.subTest(sort):
                found = source(reader)
                self.addCleanup(found.close)
                self.assertIs(found.sort, Sort.STREAM)
                self.assertRaises(BlockingIOError, found.read, 9)
                os.write(writer, b"data")
                self.assertEqual(found.read(9), b"data")
                self.assertRaises(BlockingIOError, found.read, 9)

    def test_ends(self) -> None:
        """The end of a pipe is b""."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        found = source(reader)
        self.addCleanup(found.close)
        os.close(writer)
        self.assertEqual(found.read(9), b"")

    def test_terminal(self) -> None:
        """A terminal brings a line when it is typed, and does not wait for it."""
        user, program = self.terminal()
        found = source(program)
        self.addCleanup(found.close)
        self.assertIs(found.sort, Sort.TERMINAL)
        self.assertRaises(BlockingIOError, found.read, 9)
        os.write(user, b"line\n")
        self.assertEqual(found.read(9), b"line\n")

    def test_master(self) -> None:
        """The master of a pseudoterminal is itself and not another, which opening it anew would be."""
        user, _ = self.terminal()
        self.assertEqual((source(user).fileno, sink(user).fileno), (user, user))

    def test_file(self) -> None:
        """A file is read from where it stands, and whoever reads on after us goes on there."""
        fileno = self.file(b"0123456789")
        os.read(fileno, 2)
        found = source(fileno)
        self.assertIs(found.sort, Sort.FILE)
        self.assertEqual(found.read(3), b"234")
        self.assertEqual(os.read(fileno, 9), b"56789")
        self.assertEqual(found.read(3), b"")

    def test_nothing(self) -> None:
        """/dev/null is at its end."""
        fileno = os.open(os.devnull, os.O_RDONLY)
        self.keep(fileno)
        self.assertEqual(source(fileno).read(9), b"")


class SinkTests(Shared):
    def test_streams(self) -> None:
        """A pipe, a socket and a terminal take what they have room for, and do not wait for more."""
        _, pipe = self.pipe()
        _, one = self.sockets()
        _, terminal = self.terminal()
        for fileno in (pipe, one, terminal):
            found = sink(fileno)
            self.addCleanup(found.close)
            self.assertFalse(found.waits)
            for _ in range(1000):
                try:
                    self.assertGreater(found.write(b"x" * 65536), 0)
                except BlockingIOError:
                    break
            else:
                self.fail("it took all")

    def test_broken(self) -> None:
        """A pipe that nobody reads says so."""
        reader, writer = os.pipe()
        self.addCleanup(os.close, writer)
        found = sink(writer)
        self.addCleanup(found.close)
        os.close(reader)
        self.assertRaises(BrokenPipeError, found.write, b"data")

    def test_file(self) -> None:
        """A file is written where it stands, behind what others wrote."""
        fileno = self.file()
        os.write(fileno, b"before ")
        sink(fileno).write(b"data")
        os.write(fileno, b" after")
        self.assertEqual(os.pread(fileno, 99, 0), b"before data after")


class PlacesTests(SynchronousTestCase):
    def test_closed(self) -> None:
        """What somebody has closed is at its end, and not to be written; no file gets its number."""
        program = dedent("""
            import os
            from netkit.tools.bridging.descriptors import hold_places, source
            os.closerange(0, 2)
            hold_places()
            assert source().read(9) == b""
            try:
                os.write(1, b"x")
            except OSError as error:
                raise SystemExit(str(error.strerror))
        """)
        ran = subprocess.run(
            [sys.executable, "-c", program], cwd=ROOT, check=False, capture_output=True
        )
        self.assertIn(b"Bad file descriptor", ran.stderr)
