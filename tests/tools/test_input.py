"""What a descriptor has to read comes as it is asked for."""

import os
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import TestCase

from netkit.tools.input import pieces

SELF = Path(__file__).read_bytes()


class PipeTests(TestCase):
    timeout = 10

    def setUp(self) -> None:
        """Make a pipe."""
        self.reader, self.writer = os.pipe()
        self.addCleanup(os.close, self.reader)
        self.reactor: Any = reactor

    def read(self, descriptor: int) -> AsyncGenerator[bytes]:
        """Return what comes from a descriptor."""
        return pieces(descriptor, self.reactor)

    async def test_as_it_comes(self) -> None:
        """Pieces are there as they are written, and the end when the writer has gone."""
        came = self.read(self.reader)
        for each in (b"one", b"two"):
            self.reactor.callLater(0, os.write, self.writer, each)
            self.assertEqual(await anext(came), each)
        self.reactor.callLater(0, os.close, self.writer)
        with self.assertRaises(StopAsyncIteration):
            await anext(came)

    async def test_cancelled(self) -> None:
        """Who is cancelled leaves nothing with the reactor."""
        before = set(self.reactor.getReaders())
        waiting = Deferred.fromCoroutine(anext(self.read(self.reader)))
        self.assertEqual(len(set(self.reactor.getReaders()) - before), 1)
        waiting.cancel()
        with self.assertRaises(CancelledError):
            await waiting
        self.assertEqual(set(self.reactor.getReaders()), before)
        os.close(self.writer)

    async def test_no_pipe(self) -> None:
        """A file, and what has nothing in it, can be read as well."""
        os.close(self.writer)
        for name, expected in ((__file__, SELF), (os.devnull, b"")):
            descriptor = os.open(name, os.O_RDONLY)
            try:
                found = b"".join([piece async for piece in self.read(descriptor)])
            finally:
                os.close(descriptor)
            self.assertEqual(found, expected)
