"""Programs: found, or what to install."""

import os
import shutil
import sys
from pathlib import Path
from unittest import SkipTest

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.machine import Machine
from benchmarks.programs import (
    Compiled,
    Extended,
    FromEnvironment,
    Installed,
    Library,
    MissingError,
    ThisPython,
    Twistd,
    first_number,
    version_of,
)


class ProgramTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Name a machine; nothing of it is there."""
        self.folder = Path(self.mktemp())
        self.machine = Machine(0, 1, self.folder, environment=self.folder / "peers")

    def test_missing_program_names_its_package(self) -> None:
        """The line says what to type."""
        program = Installed("no-such-program", "its-package")
        error = self.assertRaises(MissingError, program.command, self.machine)
        self.assertEqual(str(error), "no no-such-program: apt-get install its-package")
        self.assertIs(version_of(program, self.machine), None)

    def test_program_that_is_there(self) -> None:
        """A program in the search path is given with its path."""
        (path,) = Installed("sh", "dash").command(self.machine)
        self.assertTrue(os.access(path, os.X_OK))

    def test_missing_file_of_a_program_names_its_package(self) -> None:
        """A program that is there is not enough where it needs a module."""
        shell = Installed("sh", "dash")
        found = Extended(shell, Path(__file__), "its-package")
        self.assertEqual(found.command(self.machine), shell.command(self.machine))
        program = Extended(shell, self.folder / "module.so", "its-package")
        error = self.assertRaises(MissingError, program.command, self.machine)
        self.assertEqual(str(error), "no module.so: apt-get install its-package")

    def test_missing_library_names_its_package(self) -> None:
        """The line says what to type, instead of the compiler's last one."""
        if not (shutil.which("gcc") or shutil.which("cc")):
            raise SkipTest("no C compiler")
        program = Compiled("idle", (Library("no/such.h", "its-package", ("no",)),))
        error = self.assertRaises(MissingError, program.command, self.machine)
        self.assertEqual(str(error), "no no/such.h: apt-get install its-package")

    def test_missing_package_of_the_peers(self) -> None:
        """Where pip could not install a peer, its line says so."""
        program = FromEnvironment("uvicorn", "uvicorn", version=())
        error = self.assertRaises(MissingError, program.command, self.machine)
        self.assertEqual(str(error), "no uvicorn in peers: pip failed")

    def test_twistd_stays_in_front_and_leaves_root(self) -> None:
        """Netkit is started as a user would; root names whom it becomes."""
        words = Twistd().command(self.machine)[1:]
        self.assertEqual(words[:2], ("-n", "--pidfile="))
        self.assertEqual(any(word.startswith("--uid=") for word in words), os.geteuid() == 0)

    def test_version_is_what_the_program_says(self) -> None:
        """The first number with a dot in it is the version."""
        python = ThisPython("Python", version=("--version",))
        self.assertEqual(version_of(python, self.machine), ".".join(map(str, sys.version_info[:3])))

    def test_versions_as_programs_write_them(self) -> None:
        """Each has its own way to say it."""
        for text, version in (
            ("nginx version: nginx/1.22.1\n", "1.22.1"),
            ("HAProxy version 2.6.12-1+deb12u4 2026/10/17", "2.6.12"),
            ("Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0", "7.0.15"),
            ("nats-server: v2.15.1", "2.15.1"),
            ("no number", None),
        ):
            self.assertEqual(first_number(text), version)
