"""The input and the output, in memory: what is read and written when, and what waits."""

import errno
import os

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionLost
from twisted.internet.interfaces import IPushProducer
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from netkit.tools.bridging.descriptors import Sort
from tests.tools.bridging.ends import Ends

LOST = Failure(ConnectionLost())


@implementer(IPushProducer)
class Producer:
    """Keeps whether it is paused."""

    paused = False

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False

    def stopProducing(self) -> None:
        pass


class InputTests(SynchronousTestCase):
    def listen(self, ends: Ends) -> list[object]:
        """Return what is told of the input, from now on."""
        told: list[object] = []
        ends.source.listen(told.append, lambda: told.append("end"), told.append)
        ends.source.resumeProducing()
        return told

    def test_read(self) -> None:
        """What is there is given on, and the end is told once."""
        ends = Ends()
        told = self.listen(ends)
        ends.type(b"a", b"b", b"")
        ends.source.connectionLost(LOST)
        self.assertEqual(told, [b"a", b"b", "end"])
        self.assertFalse(ends.reading)

    def test_paused(self) -> None:
        """While it is paused nothing is read; after its end it is not resumed."""
        ends = Ends()
        told = self.listen(ends)
        ends.source.pauseProducing()
        ends.type(b"a", b"")
        self.assertEqual(told, [])
        ends.source.resumeProducing()
        ends.type()
        ends.source.resumeProducing()
        self.assertEqual((told, ends.reading), ([b"a", "end"], False))

    def test_would_wait(self) -> None:
        """A poll that was wrong is no end."""
        ends = Ends()
        told = self.listen(ends)
        ends.source.doRead()
        self.assertEqual((told, ends.reading), ([], True))

    def test_error(self) -> None:
        """What cannot be read is told, and says that it is the input; a terminal has been hung up."""
        ends = Ends()
        told = self.listen(ends)
        ends.type(OSError(errno.EISDIR, "Is a directory"))
        (error,) = told
        assert isinstance(error, OSError)
        self.assertEqual(error.filename, "standard input")
        terminal = Ends(Sort.TERMINAL)
        told = self.listen(terminal)
        terminal.type(OSError(errno.EIO, "Input/output error"))
        self.assertEqual(told, ["end"])

    def test_hung_up(self) -> None:
        """A poll that knows only that the writer is gone is the end."""
        ends = Ends()
        told = self.listen(ends)
        ends.source.connectionLost(LOST)
        self.assertEqual(told, ["end"])


class OutputTests(SynchronousTestCase):
    def drain(self, ends: Ends) -> Deferred[None]:
        return Deferred.fromCoroutine(ends.output.drained())

    def test_at_once(self) -> None:
        """What there is room for is written at once, and nothing waits."""
        ends = Ends()
        ends.output.write(b"data")
        self.assertEqual((bytes(ends.shown), ends.waiting), (b"data", False))
        self.successResultOf(self.drain(ends))

    def test_full(self) -> None:
        """What there is no room for waits, and pauses whoever produces; then both go on."""
        ends, producer = Ends(), Producer()
        ends.output.registerProducer(producer, True)
        ends.room = 2
        ends.output.write(b"data")
        self.assertTrue(ends.waiting and producer.paused)
        drained = self.drain(ends)
        ends.output.write(b" more")
        self.assertNoResult(drained)
        ends.make_room(3)
        self.assertTrue(producer.paused)
        ends.make_room()
        self.successResultOf(drained)
        self.assertEqual((bytes(ends.shown), producer.paused), (b"data more", False))

    def test_registered_late(self) -> None:
        """Who begins to produce while something waits is paused; who has stopped is left alone."""
        ends, producer = Ends(), Producer()
        ends.room = 0
        ends.output.write(b"data")
        ends.output.registerProducer(producer, True)
        self.assertTrue(producer.paused)
        ends.output.unregisterProducer()
        ends.make_room()
        self.assertTrue(producer.paused)

    def test_one_that_waits(self) -> None:
        """A descriptor that would wait is written only after a poll, and so little that it does not."""
        ends = Ends(waits=True, at_once=4)
        ends.output.write(b"0123456789")
        self.assertEqual(bytes(ends.shown), b"")
        ends.output.doWrite()
        self.assertEqual(bytes(ends.shown), b"0123")
        ends.make_room()
        self.assertEqual((bytes(ends.shown), ends.writes), (b"0123456789", [4, 4, 2]))

    def test_broken(self) -> None:
        """Who stops reading is told of once; the rest, and what is written after, is dropped."""
        for at_once in (True, False):
            ends = Ends()
            told: list[OSError] = []
            ends.output.tell(told.append)
            if not at_once:
                ends.room = 0
                ends.output.write(b"data")
                drained = self.drain(ends)
            ends.broken = BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE))
            if at_once:
                ends.output.write(b"data")
                drained = self.drain(ends)
            else:
                ends.output.connectionLost(LOST)
            ends.output.write(b"more")
            self.assertEqual(told, [ends.broken])
            self.failureResultOf(drained, BrokenPipeError)
            self.assertFalse(ends.waiting)

    def test_hung_up(self) -> None:
        """A poll that says that nobody reads is believed even where a write would pass."""
        ends = Ends()
        told: list[OSError] = []
        ends.output.tell(told.append)
        ends.room = 0
        ends.output.write(b"data")
        ends.output.connectionLost(LOST)
        self.assertIsInstance(told[0], BrokenPipeError)

    def test_closed(self) -> None:
        """Both let go of what is theirs."""
        ends = Ends()
        ends.room = 0
        ends.output.write(b"data")
        ends.source.resumeProducing()
        ends.source.close()
        ends.output.close()
        self.assertEqual(
            (ends.closed, ends.waiting, ends.reading), (["input", "output"], False, False)
        )
