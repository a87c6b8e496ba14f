"""The programs that are run: where each is found on this machine, or what to install.

A program gives the beginning of its command line, or raises MissingError with the line that an
operator can act on. Nothing is installed here but the peers' own environment (`environment`).
"""

import grp
import os
import pwd
import re
import shutil
import sys
from pathlib import Path
from typing import Protocol

from attrs import frozen

from benchmarks.machine import LOAD, Machine
from benchmarks.processes import FailedError, output_of

_ADMINISTRATORS = "/usr/local/sbin:/usr/sbin:/sbin"
_UNPRIVILEGED = "nobody"


class MissingError(Exception):
    """A program is not on this machine; the text says what to install."""


class Program(Protocol):
    """Something that can be started. `version`: what to append to be told the version, if at all."""

    @property
    def name(self) -> str:
        """What it is called in the list of versions."""

    @property
    def version(self) -> tuple[str, ...]:
        """The arguments that make it tell its version; none where it has no version of its own."""

    def command(self, machine: Machine) -> tuple[str, ...]:
        """Return the beginning of its command line; raise MissingError where it is not there."""


@frozen
class Library:
    """A C library from one of Debian's packages: a header of it, and the names it is linked by."""

    header: str
    package: str
    links: tuple[str, ...]


OPENSSL = Library("openssl/ssl.h", "libssl-dev", ("ssl", "crypto"))


@frozen
class Installed:
    """A program from one of Debian's packages."""

    name: str
    package: str
    version: tuple[str, ...] = ("-v",)

    def command(self, machine: Machine) -> tuple[str, ...]:
        """Return its path; administrators' folders are looked at too."""
        del machine
        path = shutil.which(self.name, path=f"{os.environ.get('PATH', '')}:{_ADMINISTRATORS}")
        if path is None:
            raise MissingError(f"no {self.name}: apt-get install {self.package}")
        return (path,)


@frozen
class Extended:
    """A program that needs a `file` which comes in a package of its own."""

    program: Installed
    file: Path
    package: str

    @property
    def name(self) -> str:
        """The program's."""
        return self.program.name

    @property
    def version(self) -> tuple[str, ...]:
        """The program's."""
        return self.program.version

    def command(self, machine: Machine) -> tuple[str, ...]:
        """Return the program's path."""
        found = self.program.command(machine)
        if not self.file.exists():
            raise MissingError(f"no {self.file.name}: apt-get install {self.package}")
        return found


@frozen
class FromEnvironment:
    """A program of the peers' own Python environment; `program` is its file there."""

    name: str
    program: str
    version: tuple[str, ...]

    def command(self, machine: Machine) -> tuple[str, ...]:
        """Return its path below the environment."""
        path = machine.environment / "bin" / self.program
        if not os.access(path, os.X_OK):
            raise MissingError(f"no {self.name} in {machine.environment.name}: pip failed")
        return (str(path),)


@frozen
class Compiled:
    """A C program of ours, compiled on the spot into the machine's scratch folder."""

    name: str
    libraries: tuple[Library, ...] = ()
    version: tuple[str, ...] = ()

    def command(self, machine: Machine) -> tuple[str, ...]:
        """Return the path of the compiled program."""
        target = machine.folder / self.name
        if not target.exists():
            _compile(LOAD / f"{self.name}.c", target, self.libraries)
        return (str(target),)


@frozen
class ThisPython:
    """The Python that runs the benchmarks, which is the one netkit is installed for."""

    name: str
    version: tuple[str, ...]

    def command(self, machine: Machine) -> tuple[str, ...]:
        """Return its path."""
        del machine
        return (sys.executable,)


@frozen
class Twistd:
    """twistd in the foreground, as a user would start it; root names the user it becomes."""

    name: str = "Twisted"
    version: tuple[str, ...] = ("--version",)

    def command(self, machine: Machine) -> tuple[str, ...]:
        """Return twistd and its own options."""
        del machine
        path = Path(sys.executable).with_name("twistd")
        if not path.exists():
            raise MissingError("no twistd beside this Python")
        return (str(path), "-n", "--pidfile=", *(_shedding() if os.geteuid() == 0 else ()))


def _shedding() -> tuple[str, str]:
    group = grp.getgrgid(pwd.getpwnam(_UNPRIVILEGED).pw_gid).gr_name
    return (f"--uid={_UNPRIVILEGED}", f"--gid={group}")


def _compile(source: Path, target: Path, libraries: tuple[Library, ...]) -> None:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None:
        raise MissingError("no C compiler: apt-get install gcc libc6-dev")
    for library in libraries:
        _look_for(library, compiler)
    links = [f"-l{link}" for library in libraries for link in library.links]
    output_of((compiler, "-O2", "-std=gnu17", "-Wall", "-o", str(target), str(source), *links))


def _look_for(library: Library, compiler: str) -> None:
    try:
        output_of((compiler, "-E", "-include", library.header, "-x", "c", os.devnull))
    except FailedError:
        raise MissingError(f"no {library.header}: apt-get install {library.package}") from None


def version_of(program: Program, machine: Machine) -> str | None:
    """Return the first number with a dot that the program says about itself, or None."""
    try:
        text = output_of((*program.command(machine), *program.version)) if program.version else ""
    except (MissingError, FailedError):
        return None
    return first_number(text)


def first_number(text: str) -> str | None:
    """Return the first version number in `text`: at least two numbers with dots between them."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return found[0] if found else None
