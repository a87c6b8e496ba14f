"""The standard output, as pipes and files."""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from netkit.tools.getting.output import PIPE_BYTES, Output

MUCH = bytes(range(256)) * (2 * PIPE_BYTES // 256)


class PipeTests(TestCase):
    timeout = 20

    def setUp(self) -> None:
        """Have a pipe."""
        self.end, self.descriptor = os.pipe()
        os.set_blocking(self.end, False)
        self.addCleanup(self.close)
        self.output = Output(reactor, self.descriptor)
        self.addCleanup(self.output.close)

    def close(self) -> None:
        """Close what is open."""
        for descriptor in (self.end, self.descriptor):
            if descriptor >= 0:
                os.close(descriptor)

    def writing(self, data: bytes = MUCH) -> Deferred[None]:
        """Write."""
        return Deferred.fromCoroutine(self.output.write(data))

    async def test_slow_reader(self) -> None:
        """Who reads slowly gets all of it, and holds nobody up."""
        writing = self.writing()
        self.assertFalse(writing.called)
        clock: Any = reactor
        got = b""
        while len(got) < len(MUCH):
            with contextlib.suppress(BlockingIOError):
                got += os.read(self.end, PIPE_BYTES)
            await deferLater(clock, 0)
        await writing
        self.assertEqual((got, self.output.size), (MUCH, len(MUCH)))

    async def test_nobody_reads(self) -> None:
        """Where nobody reads any more it is told, at once or while waiting."""
        writing = self.writing()
        os.close(self.end)
        self.end = -1
        await self.assertFailure(writing, BrokenPipeError)
        await self.assertFailure(self.writing(b"x"), BrokenPipeError)

    async def test_interrupted(self) -> None:
        """Who waits for a reader can be interrupted."""
        writing = self.writing()
        writing.cancel()
        await self.assertFailure(writing, CancelledError)

    def test_others(self) -> None:
        """Who shares the pipe finds it as it was."""
        flags = fcntl.fcntl(self.descriptor, fcntl.F_GETFL)
        self.assertFalse(flags & os.O_NONBLOCK)
        self.output.close()
        self.assertEqual(os.write(self.descriptor, b"x"), 1)


class KindTests(TestCase):
    def test_file(self) -> None:
        """A file takes all at once."""
        path = Path(self.mktemp())
        with path.open("wb") as file:
            output = Output(reactor, file.fileno())
            self.assertEqual((output.is_file, output.is_terminal), (True, False))
            self.successResultOf(Deferred.fromCoroutine(output.write(MUCH)))
            output.close()
        self.assertEqual(path.read_bytes(), MUCH)

    def test_full(self) -> None:
        """A device that is full is told."""
        with Path("/dev/full").open("wb") as file:
            output = Output(reactor, file.fileno())
            self.failureResultOf(Deferred.fromCoroutine(output.write(b"x")), OSError)
            output.close()

    async def test_terminal(self) -> None:
        """A terminal is known as one."""
        far, near = os.openpty()
        output = Output(reactor, near)
        self.assertTrue(output.is_terminal)
        await output.write(b"x")
        self.assertEqual(os.read(far, 9), b"x")
        output.close()
        os.close(near)
        os.close(far)
