"""The loads: what is done to a server, by a program that is not the bottleneck.

A load is a value. Its `run` starts a C program of `load/` on the load's core, and returns what that
counted. The load of HTTP, which is wrk's, stands in `requests`. Loads go to loopback only, and every one of them ends by itself.
"""

import json
import time
from collections.abc import Sequence
from typing import ClassVar, Literal, Protocol

from attrs import frozen

from benchmarks.figures import Counted
from benchmarks.machine import Machine, Place
from benchmarks.processes import (
    Conversation,
    FailedError,
    Process,
    conversation,
    last_line,
    output_of,
)
from benchmarks.programs import OPENSSL, Compiled, Program

ACCEPTING = 10.0  # seconds in which a server must have accepted what connected
SETTLING = 0.5  # seconds between that and the look at its memory


@frozen
class Target:
    """The server that is loaded, for how many seconds, and the machine it runs on."""

    machine: Machine
    place: Place
    process: Process
    seconds: float


class Load(Protocol):
    """Something that can be done to a server, by a program that must be there before it starts."""

    @property
    def program(self) -> Program:
        """The program that does it."""

    def run(self, target: Target) -> Counted:
        """Do it for the target's seconds and return what was counted; errors are counted too."""


@frozen
class Echo:
    """`connections` that send `size` bytes and wait for them.

    They go `through` a CONNECT tunnel, or have `tls`, if so said.
    """

    program: ClassVar[Program] = Compiled("echo", (OPENSSL,))
    connections: int
    size: int
    through: bool = False
    tls: bool = False

    def run(self, target: Target) -> Counted:
        """Count round trips, and the bytes that came back."""
        words = _words(connections=self.connections, size=self.size, tls=int(self.tls))
        tunnel = _words(connect=target.place.origin) if self.through else ()
        return _counted(self, target, (*words, *tunnel))


@frozen
class Connections:
    """`at_once` connections that send `question` and read an answer with `answer` in it to its end."""

    program: ClassVar[Program] = Compiled("connections")
    at_once: int
    question: str
    answer: str

    def run(self, target: Target) -> Counted:
        """Count connections that were answered."""
        words = _words(connections=self.at_once, send=self.question, expect=self.answer)
        return _counted(self, target, words)


@frozen
class Fanout:
    """One publisher, `subscribers`, messages of `size` bytes, at most `window` of them on their way.

    With `distinct`, each subscription has an identifier of its own, where the protocol has any.
    Beside the subscribers there are `stalled` ones, which never read a message.
    """

    program: ClassVar[Program] = Compiled("fanout")
    protocol: Literal["line", "nats", "redis"]
    subscribers: int
    window: int
    size: int = 64
    distinct: bool = False
    stalled: int = 0

    def run(self, target: Target) -> Counted:
        """Count deliveries to those who read."""
        words = _words(
            protocol=self.protocol,
            subscribers=self.subscribers,
            size=self.size,
            window=self.window,
            distinct=int(self.distinct),
            stalled=self.stalled,
        )
        return _counted(self, target, words)


@frozen
class Idle:
    """Connections that say nothing: `few` to warm the server up, then as many as `many`.

    Where there is a `question` (which may have $origin in it), each asks it first, and reads until
    `answer` is in what came, and no further.
    """

    program: ClassVar[Program] = Compiled("idle", (OPENSSL,))
    few: int = 500
    many: int = 5500
    tls: bool = False
    question: str = ""
    answer: str = ""

    def run(self, target: Target) -> Counted:
        """Find how many bytes the server grows by for each connection between few and many."""
        started = time.monotonic()
        words = _words(
            port=target.place.port,
            tls=int(self.tls),
            send=target.place.fill(self.question),
            expect=self.answer,
        )
        command = (*self.program.command(target.machine), *words)
        time.sleep(SETTLING)
        open_before = target.process.descriptors()
        with conversation(command, core=target.machine.load_core) as holder:
            small, large = (
                self._memory(target, holder, count, open_before) for count in (self.few, self.many)
            )
        added = self.many - self.few
        return Counted(
            seconds=time.monotonic() - started, count=added, memory=(large - small) / added
        )

    def _memory(self, target: Target, holder: Conversation, count: int, before: int) -> int:
        if json.loads(holder.ask(str(count)))["errors"]:
            raise FailedError(f"{count} idle connections could not be opened")
        _wait_until_accepted(target.process, before + count)
        time.sleep(SETTLING)
        return target.process.memory()


def counted(output: str) -> Counted:
    """Return the counts in the last line of a load program's output, which is JSON."""
    try:
        return Counted(**json.loads(last_line(output)))
    except (ValueError, TypeError):
        raise FailedError(
            f"the load program's report cannot be read: {last_line(output)}"
        ) from None


def _counted(load: Load, target: Target, words: Sequence[str]) -> Counted:
    command = (
        *load.program.command(target.machine),
        *_words(port=target.place.port, milliseconds=round(target.seconds * 1000)),
        *words,
    )
    return counted(output_of(command, core=target.machine.load_core))


def _words(**settings: str | int) -> tuple[str, ...]:
    return tuple(word for name, value in settings.items() for word in (f"--{name}", str(value)))


def _wait_until_accepted(server: Process, descriptors: int) -> None:
    deadline = time.monotonic() + ACCEPTING
    while (accepted := server.descriptors()) < descriptors:
        if time.monotonic() > deadline:
            raise FailedError(f"{descriptors - accepted} idle connections were not accepted")
        time.sleep(0.02)
