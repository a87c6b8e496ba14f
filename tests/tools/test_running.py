"""How a command runs and ends: as a process, since it takes the reactor for itself."""

import os
import signal
import sys
from textwrap import dedent, indent

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.protocol import ProcessProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import TestCase

from tests.tools.commanded import ROOT, Ran

_PROGRAM = """
import asyncio, errno, os, sys
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from netkit.http.asking import AskError, Problem
from netkit.net.failures import UnresolvedError
from netkit.tools.outcome import Exit, TroubleError
from netkit.tools.running import run

async def work(here):
{work}

sys.exit(run(work))
"""


class _Program(ProcessProtocol):
    """Runs a program; `says` fires at its first line."""

    def __init__(self) -> None:
        self.out = self.errors = b""
        self.says: Deferred[None] = Deferred()
        self.ended: Deferred[int | None] = Deferred()

    def outReceived(self, data: bytes) -> None:
        self.out += data
        if not self.says.called:
            self.says.callback(None)

    def errReceived(self, data: bytes) -> None:
        self.errors += data

    def processEnded(self, reason: Failure) -> None:
        if not self.says.called:
            self.says.errback(AssertionError(self.errors.decode()))
        self.ended.callback(getattr(reason.value, "exitCode", None))


def begun(work: str, **environment: str) -> _Program:
    """Start a process in which `work` is the work of a command."""
    program = _Program()
    source = _PROGRAM.format(work=indent(dedent(work), "    "))
    reactor.spawnProcess(
        program,
        sys.executable,
        [sys.executable, "-W", "error", "-c", source],
        env={**os.environ, "PYTHONPATH": ROOT, **environment},
    )
    return program


async def ran(work: str, **environment: str) -> Ran:
    """Return what comes of `work`."""
    program = begun(work, **environment)
    program.says.addErrback(lambda _: None)
    status = await program.ended
    assert status is not None
    return Ran(status, program.out.decode(), program.errors.decode())


class EndTests(TestCase):
    """How it ends."""

    async def test_outcome(self) -> None:
        """The exit status is what came of the work, at once or later."""
        self.assertEqual(await ran("return Exit.DONE"), Ran(0, "", ""))
        later = "await deferLater(here.reactor, 0.01)\nreturn Exit.NO"
        self.assertEqual(await ran(later), Ran(1, "", ""))

    async def test_trouble(self) -> None:
        """What is in the way is one line, with nothing in it that a terminal could act on."""
        for work, said in (
            ("raise TroubleError('no \\x1b way')", "no \\x1b way"),
            ("raise UnresolvedError('x: no address is known')", "x: no address is known"),
            ("raise AskError(Problem.DNS_ERROR, 'cut off')", "cut off"),
            ("open('/nowhere/at/all')", "/nowhere/at/all: no such file or directory"),
            ("raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))", "no space left on device"),
        ):
            with self.subTest(work):
                self.assertEqual(await ran(work), Ran(2, "", f"netkit: {said}\n"))

    async def test_mistake(self) -> None:
        """A mistake of ours is one line too, and all there is to know where that is asked for."""
        came = await ran("{}['x']")
        self.assertEqual((came.status, came.errors.count("\n")), (2, 1))
        self.assertIn("this is a mistake in netkit, please report it: KeyError: 'x'", came.errors)
        came = await ran("{}['x']", NETKIT_DEBUG="1")
        self.assertIn("Traceback", came.errors)

    async def test_nobody_reads(self) -> None:
        """Where nobody reads the output any more, the end is quiet."""
        work = """
            reads, writes = os.pipe()
            os.close(reads)
            os.dup2(writes, 1)
            sys.stdout.write("x" * 100_000)
            sys.stdout.flush()
            """
        self.assertEqual(await ran(work), Ran(141, "", ""))

    async def test_interrupted(self) -> None:
        """Ctrl-C takes the work back, which clears away, and the exit status says so."""
        for number in (signal.SIGINT, signal.SIGTERM):
            program = begun("""
                print("ready", flush=True)
                try:
                    await Deferred()
                finally:
                    print("cleared away", flush=True)
                """)
            await program.says
            program.transport.signalProcess(number)  # type: ignore[union-attr]
            self.assertEqual(await program.ended, 128 + number)
            self.assertEqual((program.out, program.errors), (b"ready\ncleared away\n", b""))

    async def test_insisted(self) -> None:
        """A second Ctrl-C ends what does not clear away."""
        program = begun("""
            print("ready", flush=True)
            try:
                await Deferred()
            finally:
                print("clearing", flush=True)
                await Deferred()
            """)
        await program.says
        program.says = Deferred()
        program.transport.signalProcess(signal.SIGINT)  # type: ignore[union-attr]
        await program.says
        program.transport.signalProcess(signal.SIGINT)  # type: ignore[union-attr]
        self.assertEqual(await program.ended, 130)
