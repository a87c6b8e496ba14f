"""A real netkit in a process of its own, for the few tests that need one."""

import os
import re
import selectors
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent
from time import monotonic

ROOT = Path(__file__).parent.parent
TWISTD = Path(sys.executable).with_name("twistd")
AS_NOBODY = ("--uid=65534", "--gid=65534") if os.geteuid() == 0 else ()
PATIENCE = 30.0  # seconds, for a machine that is busy with something else
LOG_BYTES = 1024 * 1024  # what a process can print, before a test reads on, without waiting for it

_LISTENS = re.compile(r"(\S+) listens on (\S+).*?(?: \(port (\d+)\))?$")


class Running:
    """A netkit that has started: its process, what it has printed, and its ports by service."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        self.process = process
        self.lines: list[str] = []
        self.ports: dict[str, list[int]] = {}
        self._rest = b""

    @property
    def pid(self) -> int:
        """The process's id."""
        return self.process.pid

    def wait_for(self, wanted: str) -> str:
        """Return the first line, printed already or soon, in which `wanted` is found."""
        seen = 0
        for _ in self._reads():
            for line in self.lines[seen:]:
                if re.search(wanted, line):
                    return line
            seen = len(self.lines)
        raise AssertionError(f"{wanted!r} is not in:\n" + "\n".join(self.lines))

    def wait_until(self, done: Callable[[], bool]) -> None:
        """Read what it prints until `done` says that this is enough."""
        for _ in self._reads():
            if done():
                return
        raise AssertionError("it is not enough:\n" + "\n".join(self.lines))

    def _reads(self) -> Iterator[None]:
        """Read what is there, again and again, until the process is silent for good."""
        yield
        assert self.process.stdout is not None
        until = monotonic() + PATIENCE
        with selectors.DefaultSelector() as selector:
            selector.register(self.process.stdout, selectors.EVENT_READ)
            while selector.select(until - monotonic()):
                data = os.read(self.process.stdout.fileno(), 65536)
                *whole, self._rest = (self._rest + data).split(b"\n")
                for line in whole:
                    self._note(line.decode())
                yield
                if not data:
                    return

    def _note(self, line: str) -> None:
        self.lines.append(line)
        match = _LISTENS.search(line)
        if match and match[3]:
            self.ports.setdefault(match[1], []).append(int(match[3]))

    def stop(self) -> int:
        """End the process as an operator does; return its exit code, all its output in `lines`."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        for _ in self._reads():
            pass
        return self.process.wait(PATIENCE)


@contextmanager
def netkit(
    config: str,
    folder: str,
    twistd: Sequence[str] = (*AS_NOBODY, "-n", "--pidfile="),
    until: str = r"\[netkit#info\] serves",
    within: Sequence[str] = (),
) -> Iterator[Running]:
    """Start `twistd … netkit` on a configuration's text, written below `folder`; stop it at the end.

    `within` is a command that becomes the one behind it, as `prlimit` does.
    """
    path = Path(folder).absolute()
    path.mkdir(exist_ok=True)
    path.chmod(0o755)
    file = path / "netkit.toml"
    file.write_text(dedent(config))
    command = [*within, str(TWISTD), *twistd, "netkit", "--config", str(file)]
    with start(command) as running:
        running.wait_for(until)
        yield running


@contextmanager
def start(command: Sequence[str]) -> Iterator[Running]:
    """Start `command` from the project's root, and end it with the block."""
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        pipesize=LOG_BYTES,
    )
    running = Running(process)
    try:
        yield running
    finally:
        running.stop()
        if process.stdout is not None:
            process.stdout.close()


def run(
    command: Sequence[str], path: str = str(ROOT), cwd: str = str(ROOT)
) -> "subprocess.CompletedProcess[str]":
    """Run `command` to its end, with `path` as PYTHONPATH, and return what it printed."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=4 * PATIENCE,
        check=False,
    )
