"""What is sent waits for its client, is what was announced, and leaves others their turn."""

from collections.abc import AsyncIterator
from itertools import repeat
from typing import Any, cast

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.messages import BodyCutError, Pieces
from netkit.http.outgoing import TURN_BYTES, Outgoing
from tests.http.fakes import NarrowTransport


class Bodies(SynchronousTestCase):
    """Streams on their way to a client."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.transport = NarrowTransport()
        self.resumed = self.made = 0
        self.outgoing = Outgoing(cast("Any", self.transport), self.count)

    def count(self) -> None:
        """Count how often there was room again, and nobody waited for it."""
        self.resumed += 1

    def send(
        self, *pieces: bytes, length: int | None = None, chunked: bool = False
    ) -> Deferred[None]:
        """Send these pieces, counting those that were asked for."""

        async def source() -> AsyncIterator[bytes]:
            for piece in pieces:
                self.made += 1
                yield piece

        body = Pieces(source(), length)
        return Deferred.fromCoroutine(self.outgoing.send(body, chunked=chunked, clock=self.clock))

    def test_as_it_is(self) -> None:
        """A stream of a known length is sent as it is."""
        self.successResultOf(self.send(b"hel", b"", b"lo", length=5))
        self.assertEqual(self.transport.value(), b"hello")
        self.assertEqual(self.outgoing.sent, 5)

    def test_chunked(self) -> None:
        """A stream in chunks has an end, and no empty piece before it is taken for that."""
        self.successResultOf(self.send(b"hel", b"", b"lo", chunked=True))
        self.assertEqual(self.transport.value(), b"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n")
        self.assertEqual(self.outgoing.sent, 5)

    def test_longer_than_announced(self) -> None:
        """No byte beyond the announced length is sent."""
        self.failureResultOf(self.send(b"hello", b"!", length=5), BodyCutError)
        self.assertEqual(self.transport.value(), b"hello")

    def test_shorter_than_announced(self) -> None:
        """A stream that ends early is an error, chunked or not, and has no last chunk."""
        self.failureResultOf(self.send(b"hell", length=5), BodyCutError)
        self.failureResultOf(self.send(b"hell", length=5, chunked=True), BodyCutError)
        self.assertNotIn(b"0\r\n", self.transport.value())

    def test_waits_for_the_client(self) -> None:
        """Nothing more is asked for while the client takes nothing."""
        piece = b"x" * 40_000
        sending = self.send(*repeat(piece, 5))
        self.assertEqual(self.made, 2)
        self.assertEqual(len(self.transport.drain()), 80_000)
        self.assertEqual(self.made, 4)
        self.transport.drain()
        self.successResultOf(sending)
        self.assertEqual((self.made, self.resumed), (5, 0))

    def test_paused_again(self) -> None:
        """Whoever waits for room goes on when there is some, not at every word of it."""
        self.outgoing.pauseProducing()
        waiting = Deferred.fromCoroutine(self.outgoing.room())
        self.assertNoResult(waiting)
        self.outgoing.resumeProducing()
        self.successResultOf(waiting)
        self.outgoing.resumeProducing()
        self.assertEqual(self.resumed, 1)

    def test_cancelled(self) -> None:
        """Sending can be given up while it waits."""
        sending = self.send(b"x" * 70_000, b"y")
        sending.cancel()
        self.failureResultOf(sending, CancelledError)
        self.transport.drain()
        self.assertEqual(self.transport.value(), b"")

    def test_turns(self) -> None:
        """A client that takes everything at once leaves others their turn."""
        self.transport.high_water = 10 * TURN_BYTES
        piece = b"x" * (TURN_BYTES // 2)
        sending = self.send(*repeat(piece, 3))
        self.assertEqual(self.made, 2)
        self.assertNoResult(sending)
        self.clock.advance(0)
        self.successResultOf(sending)
        self.assertEqual(len(self.transport.value()), 3 * len(piece))

    def test_end(self) -> None:
        """The transport has its producer until that ends."""
        self.assertIs(self.transport.producer, self.outgoing)
        self.outgoing.stopProducing()
        self.outgoing.end()
        self.assertIsNone(self.transport.producer)
