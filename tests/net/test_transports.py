"""The fake peer behaves as a socket's does."""

from twisted.internet.interfaces import IHalfCloseableProtocol, IPushProducer
from twisted.internet.protocol import Protocol
from twisted.internet.testing import AccumulatingProtocol
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import implementer

from tests.net.transports import PeerTransport


@implementer(IPushProducer)
class _Producer:
    paused = False

    def pauseProducing(self) -> None:
        self.paused = True

    def resumeProducing(self) -> None:
        self.paused = False

    def stopProducing(self) -> None:
        self.paused = True


@implementer(IHalfCloseableProtocol)
class _HalfCloseable(AccumulatingProtocol):
    sent = False

    def readConnectionLost(self) -> None:
        assert self.transport is not None
        self.transport.loseConnection()

    def writeConnectionLost(self) -> None:
        self.sent = True


class PeerTransportTests(SynchronousTestCase):
    def test_takes_what_it_is_told_to(self) -> None:
        """Written bytes wait until the peer takes them, as many as it wants."""
        transport = PeerTransport(Protocol())
        transport.write(b"some bytes")
        self.assertEqual(transport.waiting, 10)
        self.assertEqual(transport.take(4), b"some")
        self.assertEqual(transport.waiting, 6)
        self.assertEqual(transport.take(), b" bytes")
        self.assertEqual(transport.taken, b"some bytes")

    def test_pauses_a_producer(self) -> None:
        """A producer is paused while more than 64 KiB wait, until nothing does."""
        transport = PeerTransport(Protocol())
        producer = _Producer()
        transport.registerProducer(producer, streaming=True)
        transport.write(b"x" * 65537)
        self.assertTrue(producer.paused)
        transport.take(65536)
        self.assertTrue(producer.paused)
        transport.take()
        self.assertFalse(producer.paused)

    def test_reads_unless_paused(self) -> None:
        """What the peer sends reaches the protocol, except while reading is paused."""
        protocol = AccumulatingProtocol()
        transport = PeerTransport(protocol)
        self.assertTrue(transport.send(b"one"))
        transport.pauseProducing()
        self.assertFalse(transport.send(b"two"))
        transport.resumeProducing()
        self.assertTrue(transport.send(b"three"))
        self.assertEqual(protocol.data, b"onethree")

    def test_fin_closes_where_half_of_a_connection_means_nothing(self) -> None:
        """A protocol that is not half-closeable loses the connection at a FIN."""
        protocol = AccumulatingProtocol()
        PeerTransport(protocol).finish()
        self.assertTrue(protocol.closed)

    def test_fin_of_a_protocol(self) -> None:
        """A protocol may send a FIN of its own after its last byte, and go on reading."""
        protocol = _HalfCloseable()
        transport = PeerTransport(protocol)
        transport.write(b"last")
        transport.loseWriteConnection()
        self.assertFalse(transport.finished)
        transport.take()
        self.assertTrue(transport.finished)
        self.assertTrue(protocol.sent)
        transport.send(b"more")
        self.assertEqual(protocol.data, b"more")
        transport.finish()
        self.assertTrue(protocol.closed)

    def test_close_waits_for_the_peer(self) -> None:
        """A close comes after the last byte was taken, and an abort at once."""
        protocol = AccumulatingProtocol()
        transport = PeerTransport(protocol)
        transport.write(b"last")
        transport.loseConnection()
        self.assertFalse(protocol.closed)
        transport.take()
        self.assertTrue(protocol.closed)

    def test_abort(self) -> None:
        """An abort does not wait."""
        protocol = AccumulatingProtocol()
        transport = PeerTransport(protocol)
        transport.write(b"last")
        transport.abortConnection()
        self.assertTrue(protocol.closed)
        self.assertEqual(transport.take(), b"")
