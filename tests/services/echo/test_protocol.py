"""Echo with peers of every sort, in memory."""

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.echo.protocol import EchoFactory
from netkit.services.echo.settings import Mode, Settings
from tests.net.transports import PeerTransport

_READ = 64 * 1024


def _connected(mode: Mode = Mode.RAW, clock: Clock | None = None) -> PeerTransport:
    factory = EchoFactory(Settings(mode=mode), clock or Clock())
    return PeerTransport(factory.buildProtocol(None))


class RawEchoTests(SynchronousTestCase):
    def test_echo(self) -> None:
        """Bytes come back as they were sent (the echo server of the tutorials, row 2)."""
        peer = _connected()
        peer.send(b"hello, world\n")
        self.assertEqual(peer.take(), b"hello, world\n")

    def test_every_byte(self) -> None:
        """NUL, escapes and bytes that are no text are bytes like others."""
        peer = _connected()
        peer.send(bytes(range(256)))
        self.assertEqual(peer.take(), bytes(range(256)))

    def test_peer_that_never_reads(self) -> None:
        """It is read from no further once the write buffer is full: that and one read are kept."""
        peer = _connected()
        reads = 0
        while peer.send(b"x" * _READ):
            reads += 1
        self.assertEqual(reads, 2)
        self.assertEqual(peer.waiting, 2 * _READ)

    def test_peer_that_reads_late(self) -> None:
        """It is read from again when it has taken everything, and nothing is lost."""
        peer = _connected()
        while peer.send(b"x" * _READ):
            pass
        self.assertEqual(len(peer.take(_READ)), _READ)
        self.assertFalse(peer.reading)
        self.assertEqual(len(peer.take()), _READ)
        self.assertTrue(peer.send(b"more"))
        self.assertEqual(peer.take(), b"more")

    def test_half_close(self) -> None:
        """What was sent before a FIN comes back before the connection closes."""
        peer = _connected()
        peer.send(b"x" * _READ)
        peer.finish()
        self.assertEqual(len(peer.take(1000)), 1000)
        self.assertFalse(peer.disconnected)
        self.assertEqual(len(peer.take()), _READ - 1000)
        self.assertTrue(peer.disconnected)

    def test_half_close_with_a_full_buffer(self) -> None:
        """A FIN that comes while the reading is paused closes after the last byte as well."""
        peer = _connected()
        while peer.send(b"x" * _READ):
            pass
        peer.finish()
        self.assertEqual(len(peer.take()), 2 * _READ)
        self.assertTrue(peer.disconnected)

    def test_connect_and_leave(self) -> None:
        """A peer that says nothing is gone when it goes."""
        peer = _connected()
        peer.finish()
        self.assertEqual(peer.take(), b"")
        self.assertTrue(peer.disconnected)

    def test_peer_that_vanishes(self) -> None:
        """A connection that is lost with bytes on their way leaves nothing behind."""
        peer = _connected()
        while peer.send(b"x" * _READ):
            pass
        peer.abortConnection()
        self.assertIsNone(peer.producer)

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.tuples(st.binary(max_size=200), st.integers(0, 300)), max_size=20))
    def test_any_order_of_sending_and_taking(self, steps: list[tuple[bytes, int]]) -> None:
        """However sending and taking alternate, the same bytes come back in the same order."""
        peer = _connected()
        for data, most in steps:
            self.assertTrue(peer.send(data))
            peer.take(most)
        peer.take()
        self.assertEqual(peer.taken, b"".join(data for data, _ in steps))


class LineEchoTests(SynchronousTestCase):
    def test_talk(self) -> None:
        """Lines are answered, and quit gets Goodbye. and the end (the tutorials' row 3)."""
        peer = _connected(Mode.LINE)
        peer.send(b"hello\r\n")
        self.assertEqual(peer.take(), b"You said: hello\r\n")
        peer.send(b"quit\r\n")
        self.assertEqual(peer.take(), b"Goodbye.\r\n")
        self.assertTrue(peer.finished)
        peer.finish()
        self.assertTrue(peer.disconnected)

    def test_megabyte_without_newline(self) -> None:
        """It is told so in words, and what it still says is dropped for two seconds at most."""
        clock = Clock()
        peer = _connected(Mode.LINE, clock)
        reads = 0
        while peer.send(b"x" * 1024):
            reads += 1
        self.assertEqual(reads, 5)
        self.assertEqual(peer.take(), b"That line is too long: 4096 bytes are the most.\r\n")
        self.assertTrue(peer.finished)
        for _ in range(1024):
            self.assertTrue(peer.send(b"x" * 1024))
        self.assertEqual(peer.waiting, 0)
        clock.advance(2)
        self.assertTrue(peer.aborted)

    def test_never_a_newline(self) -> None:
        """Silence in the middle of a line keeps that part of a line, and its FIN closes."""
        peer = _connected(Mode.LINE)
        peer.send(b"hello")
        peer.finish()
        self.assertEqual(peer.take(), b"")
        self.assertTrue(peer.disconnected)

    def test_half_close(self) -> None:
        """The answers to what came before a FIN are sent before the close."""
        peer = _connected(Mode.LINE)
        peer.send(b"one\ntwo\n")
        peer.finish()
        self.assertEqual(peer.take(), b"You said: one\r\nYou said: two\r\n")
        self.assertTrue(peer.disconnected)

    def test_fin_after_quit(self) -> None:
        """The peer's own FIN ends the waiting for it."""
        clock = Clock()
        peer = _connected(Mode.LINE, clock)
        peer.send(b"quit\nmore\n")
        self.assertEqual(peer.take(), b"Goodbye.\r\n")
        peer.send(b"more\n")
        peer.finish()
        self.assertTrue(peer.disconnected)
        self.assertEqual(peer.take(), b"")
        self.assertEqual(clock.getDelayedCalls(), [])

    def test_peer_that_never_reads(self) -> None:
        """Short lines grow as they are answered; still it is one read that is kept, no more."""
        peer = _connected(Mode.LINE)
        reads = 0
        while peer.send(b"\n" * _READ):
            reads += 1
        self.assertEqual(reads, 1)
        self.assertEqual(peer.waiting, _READ * len(b"You said: \r\n"))

    def test_quit_of_a_peer_that_never_reads(self) -> None:
        """The close does not wait for a producer, only for the peer."""
        peer = _connected(Mode.LINE)
        peer.send(b"\n" * _READ + b"quit\n")
        self.assertTrue(peer.take().endswith(b"\r\nGoodbye.\r\n"))
        self.assertTrue(peer.finished)
