"""Processes: started on one core, waited for, looked at in /proc, and stopped by their id.

Every process that is started here ends with the `with` block it was started in, together with
what it started itself. Anything that goes wrong is a FailedError with one line.
"""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from pathlib import Path

from attrs import frozen

START = 20.0  # seconds until a server listens
STOP = 5.0  # seconds until a server that was told to has ended
LONGEST = 300.0  # seconds of any other program

_TICKS = os.sysconf("SC_CLK_TCK")


class FailedError(Exception):
    """A program did not do what it was started for; the text is its last line about it."""


@frozen
class Process:
    """A running server, as /proc shows it: it and every process that it started."""

    pid: int

    def processor_seconds(self) -> float:
        """Return the processor time used so far, that of children which ended included."""
        return sum(ticks(_read(pid, "stat")) for pid in self._family()) / _TICKS

    def memory(self) -> int:
        """Return the bytes of memory used: private pages, and a fair share of shared ones (PSS)."""
        return sum(proportional(_read(pid, "smaps_rollup")) for pid in self._family())

    def descriptors(self) -> int:
        """Return how many files and sockets are open."""
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in self._family())  # noqa: PTH208 (names only)

    def _family(self) -> list[int]:
        found = [self.pid]
        for pid in found:
            for task in Path(f"/proc/{pid}/task").glob("*/children"):
                with suppress(FileNotFoundError, ProcessLookupError):
                    found.extend(int(child) for child in task.read_text().split())
        return found


def ticks(stat: str) -> int:
    """Return the clock ticks of processor time in a line of /proc/PID/stat (proc(5): 14 to 17)."""
    fields = stat.rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15])


def proportional(rollup: str) -> int:
    """Return the bytes of the line `Pss:` in a text of /proc/PID/smaps_rollup."""
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0


def _read(pid: int, name: str) -> str:
    try:
        return Path(f"/proc/{pid}/{name}").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ") " + "0 " * 20  # it ended meanwhile; its parent has its time


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """Let what is started in this block run on `core` alone."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def listening(
    command: Sequence[str], port: int, *, core: int, folder: Path, environment: Mapping[str, str]
) -> Iterator[Process]:
    """Run a server from `folder` on `core`, and enter the block once it listens on `port`."""
    log = folder / "log"
    with log.open("wb") as stream, on_core(core), _one_line():
        server = subprocess.Popen(  # noqa: S603 (a list, and no shell)
            command,
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=stream,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait_until_listening(server, port, log)
        yield Process(server.pid)
    finally:
        _stop(server)


@contextmanager
def conversation(command: Sequence[str], *, core: int) -> Iterator["Conversation"]:
    """Run a program on `core` with which the block exchanges lines; it ends when its stdin does."""
    with (
        on_core(core),
        subprocess.Popen(  # noqa: S603 (a list, and no shell)
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as program,
    ):
        try:
            yield Conversation(program)
        finally:
            program.kill()


class Conversation:
    """A program that answers a line with a line."""

    def __init__(self, program: "subprocess.Popen[str]") -> None:
        assert program.stdin is not None  # noqa: S101 (both are pipes)
        assert program.stdout is not None  # noqa: S101
        self._to, self._from = program.stdin, program.stdout

    def ask(self, line: str) -> str:
        """Return the program's answer to `line`; its own time limit ends the wait for it."""
        try:
            self._to.write(f"{line}\n")
            self._to.flush()
        except BrokenPipeError:
            raise FailedError("the load program ended early") from None
        answer = self._from.readline()
        if not answer:
            raise FailedError("the load program ended early")
        return answer


def output_of(command: Sequence[str], *, core: int | None = None) -> str:
    """Return what a program wrote; raise FailedError where it fails or takes too long."""
    try:
        with on_core(core) if core is not None else nullcontext(), _one_line():
            done = subprocess.run(  # noqa: S603 (a list, and no shell)
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=LONGEST,
                check=False,
                text=True,
            )
    except subprocess.TimeoutExpired:
        raise FailedError(f"took longer than {LONGEST:.0f} s") from None
    if done.returncode != 0:
        raise FailedError(last_line(done.stdout) or f"exit code {done.returncode}")
    return done.stdout


def last_line(text: str) -> str:
    """Return the last line of `text` that says anything, or nothing."""
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


@contextmanager
def _one_line() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FailedError(f"cannot be run: {(error.strerror or str(error)).lower()}") from None


def _wait_until_listening(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + START
    while not _listens(port):
        if server.poll() is not None or time.monotonic() > deadline:
            said = last_line(log.read_text(errors="replace"))
            raise FailedError(f"did not start: {said or 'it said nothing'}")
        time.sleep(0.02)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _stop(server: "subprocess.Popen[bytes]") -> None:
    """End the server's process group, which is its own, and nothing else."""
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
    try:
        server.wait(STOP)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
