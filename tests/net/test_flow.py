"""One direction over connections of any sort: order, back-pressure, the end."""

from twisted.internet.protocol import Protocol
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.flow import CopiedFlow, half_close
from tests.net.transports import PeerTransport

FULL = b"x" * 100_000  # more than a transport buffers before it pauses its producer


class CopiedFlowTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.source = PeerTransport(Protocol())
        self.target = PeerTransport(Protocol())
        self.ended = 0
        self.flow = CopiedFlow(self.source, self.target, self._end)

    def _end(self) -> None:
        self.ended += 1

    def test_passes_on(self) -> None:
        """What is received is sent, and both are counted."""
        self.flow.start()
        self.flow.pass_on(b"one ")
        self.flow.pass_on(b"two")
        self.assertEqual((self.flow.received, self.flow.waiting), (7, 7))
        self.target.take()
        self.assertEqual(self.target.taken, b"one two")
        self.assertEqual((self.flow.received, self.flow.waiting), (7, 0))

    def test_reads_from_the_start(self) -> None:
        """A source that was paused is read once the flow has started."""
        self.source.pauseProducing()
        self.flow.start()
        self.assertTrue(self.source.reading)

    def test_back_pressure(self) -> None:
        """While the target is full the source is not read; when it has taken all it is again."""
        self.flow.start()
        self.flow.pass_on(FULL)
        self.assertFalse(self.source.reading)
        self.target.take(50_000)
        self.assertFalse(self.source.reading)
        self.target.take()
        self.assertTrue(self.source.reading)

    def test_end(self) -> None:
        """The end is told once, and nothing is passed on after it."""
        self.flow.start()
        self.flow.pass_on(b"all")
        self.flow.end()
        self.flow.end()
        self.flow.pass_on(b"no more")
        self.target.take()
        self.assertEqual((self.ended, self.target.taken), (1, b"all"))

    def test_stop(self) -> None:
        """What a lost target has not taken counts no more, and the end is not told."""
        self.flow.start()
        self.flow.pass_on(b"all")
        self.target.take(2)
        self.target.abortConnection()
        self.flow.stop()
        self.flow.stop()
        self.flow.end()
        self.assertEqual((self.flow.received, self.flow.waiting, self.ended), (2, 0, 0))

    def test_stop_while_full(self) -> None:
        """A source that was paused when its target was lost is read: TLS has a farewell to hear."""
        self.flow.start()
        self.flow.pass_on(FULL)
        self.target.abortConnection()
        self.flow.stop()
        self.assertTrue(self.source.reading)


class HalfCloseTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """The peer gets a FIN after all that was written, and may go on talking."""
        transport = PeerTransport(Protocol())
        transport.write(b"last words")
        half_close(transport)
        self.assertFalse(transport.finished)
        self.assertEqual(transport.take(), b"last words")
        self.assertTrue(transport.finished and transport.reading)
