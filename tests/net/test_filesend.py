"""Files sent by the kernel: whole, in their place, and as fast as the peer takes them."""

import os
import socket
from functools import partial
from pathlib import Path
from random import Random

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver, StringTransport
from twisted.logger import Logger

from netkit.net.filesend import (
    TURN_BYTES,
    ConnectionGoneError,
    FileTooShortError,
    FileUnreadableError,
    may_send_file,
    send_file,
)
from netkit.net.limits import Limits
from netkit.net.listener import Gate
from netkit.net.proxied import ProxiedTransport
from netkit.net.proxyprotocol import Header
from netkit.net.secure import SecureServer
from netkit.net.tls import Store
from tests.net.authorities import identities, issued
from tests.net.test_eager import EagerTestCase, Pusher
from tests.net.transports import PeerTransport
from tests.net.turning import TCP, UNIX, HalfCloser, Recorder

MUCH = 8 << 20  # bytes, more than a kernel takes at once
CONTENT = Random(1).randbytes(1 << 20) * (MUCH >> 20)


class FileTestCase(EagerTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.path = Path(self.mktemp())
        self.path.write_bytes(CONTENT)
        self.file = self.opened(str(self.path))

    def opened(self, path: str) -> int:
        descriptor = os.open(path, os.O_RDONLY)
        self.addCleanup(os.close, descriptor)
        return descriptor

    def send(self, offset: int = 0, length: int = MUCH) -> Deferred[None]:
        sent = send_file(self.transport, self.file, offset, length)
        self.addCleanup(sent.addErrback, lambda _: None)  # where the end of the test is its end
        return sent

    def stalled(self) -> Deferred[None]:
        """Send the file until the kernel takes no more of it; return what will tell of the end."""
        sent = self.send()
        self.turn_until(lambda: not self.turn_taken())
        self.assertNoResult(sent)
        return sent

    def turn_taken(self) -> int:
        taken = self.transport.taken
        self.reactor.iterate(0.02)
        return self.transport.taken - taken

    def read(self, size: int) -> bytes:
        return self.read_until(self.peer, lambda got: len(got) >= size)


class SendTests(FileTestCase):
    def test_in_its_place(self) -> None:
        """What was written before comes before the file, and what is written after comes after."""
        for data in (b"sent at once ", b"and gathered "):
            self.transport.write(data)
        sent = self.send()
        self.transport.write(b" after")
        self.transport.writeSequence([b" all", b" that"])
        self.turn()
        self.transport.write(b" and later")
        expected = b"sent at once and gathered " + CONTENT + b" after all that and later"
        self.assertTrue(self.read(len(expected)) == expected)
        self.assertIsNone(self.successResultOf(sent))
        self.assertEqual((self.transport.unsent, self.transport.producer), (0, None))

    def test_behind_much(self) -> None:
        """The file waits for what the kernel has not taken."""
        before = self.fill()
        self.transport.write(b"more")
        sent = self.send()
        self.transport.write(b"after")
        expected = before + b"more" + CONTENT + b"after"
        self.assertTrue(self.read(len(expected)) == expected)
        self.successResultOf(sent)

    def test_range(self) -> None:
        """Just the range is sent, and the position of the descriptor is not moved."""
        sent = self.send(1000, 5)
        self.assertEqual(self.read(5), CONTENT[1000:1005])
        self.successResultOf(sent)
        self.assertEqual(os.lseek(self.file, 0, os.SEEK_CUR), 0)

    def test_nothing(self) -> None:
        """An empty range is sent at once, wherever it lies."""
        self.successResultOf(self.send(MUCH * 2, 0))

    def test_eager_again(self) -> None:
        """Once the file is sent, writes are sent at once as ever."""
        self.successResultOf(self.finished(self.send(0, 10)))
        self.assertEqual(self.there(), CONTENT[:10])
        self.turn()
        self.turn()
        self.transport.write(b"at once")
        self.assertEqual(self.there(), b"at once")

    def finished(self, sent: Deferred[None]) -> Deferred[None]:
        self.turn_until(lambda: sent.called)
        return sent

    def test_file_after_file(self) -> None:
        """Who hears that a file is sent may send the next, and what was written between stays there."""
        sent = self.send(0, 10)
        self.transport.write(b"after one")
        then: Deferred[None] = sent.addCallback(lambda _: self.send(10, 20))
        self.transport.write(b" or two ")
        expected = CONTENT[:10] + b"after one or two " + CONTENT[10:30]
        self.assertEqual(self.read(len(expected)), expected)
        self.successResultOf(then)

    def test_turns(self) -> None:
        """In one turn no more is sent than is every connection's due."""
        sent = self.send()
        self.peer.setblocking(False)
        most, got = 0, 0
        while got < MUCH:
            most = max(most, self.turn_taken())
            got += len(self.there())
        self.assertTrue(0 < most <= TURN_BYTES)
        self.successResultOf(sent)

    def test_stalled(self) -> None:
        """While the peer takes nothing, all that is left is unsent; as it takes some, `taken` grows."""
        sent = self.stalled()
        taken, unsent = self.transport.taken, self.transport.unsent
        self.assertEqual(taken + unsent, MUCH)
        self.assertTrue(unsent > 0)
        self.read_until(self.peer, lambda _: self.transport.taken > taken)
        self.assertTrue(self.transport.unsent < unsent)
        self.assertNoResult(sent)

    def test_rests_while_stalled(self) -> None:
        """Nothing is tried while the socket has no room, though something was written after."""
        self.stalled()
        self.transport.write(b"x" * 10)
        self.turn()
        self.assertEqual(self.reactor._due, {})
        self.assertIn(self.transport, self.reactor.getWriters())

    def test_other_producer(self) -> None:
        """Where there is a producer, or another file, this one is not sent."""
        self.send()
        self.assertRaises(RuntimeError, self.send)
        other = self.connect_peer()
        self.addCleanup(other.close)
        self.transport = self.served.made[1].transport
        self.transport.registerProducer(Pusher(), True)
        self.assertRaises(RuntimeError, self.send)
        self.assertEqual(self.transport.unsent, 0)


class SendUNIXTests(SendTests):
    way = UNIX()


class FileTests(FileTestCase):
    def test_too_short(self) -> None:
        """Where the file ends too soon that is told, and the connection is there to be ended."""
        sent = self.send(10, MUCH)
        self.read(MUCH - 10)
        self.turn_until(lambda: sent.called)
        error = self.failureResultOf(sent, FileTooShortError).value
        self.assertEqual(str(error), "the file ends 10 bytes too soon")
        self.assertEqual((self.transport.unsent, self.ours.lost), (0, []))
        self.transport.abortConnection()
        self.turn()
        self.assertEqual(self.ours.lost, [ConnectionAborted])

    def test_shrinks(self) -> None:
        """A file that shrinks meanwhile is one that ends too soon."""
        sent = self.stalled()
        os.truncate(self.path, 1000)
        self.read(self.transport.taken)
        self.turn_until(lambda: sent.called)
        self.failureResultOf(sent, FileTooShortError)

    def test_grows(self) -> None:
        """Of a file that grows meanwhile no more is sent than was asked for."""
        sent = self.stalled()
        with self.path.open("ab") as file:
            file.write(b"more")
        self.transport.loseConnection()
        self.assertTrue(self.read_until(self.peer, lambda _: False) == CONTENT)
        self.successResultOf(sent)

    def test_copied(self) -> None:
        """A file from which the kernel does not send is read piece by piece."""
        content = Path("/proc/self/environ").read_bytes()
        self.file = self.opened("/proc/self/environ")
        sent = self.send(3, len(content) - 3)
        self.assertTrue(self.read(len(content) - 3) == content[3:])
        self.successResultOf(sent)

    def test_copied_too_short(self) -> None:
        """Such a file may end too soon as well."""
        self.file = self.opened("/proc/self/environ")
        sent = self.send()
        self.turn_until(lambda: sent.called)
        self.failureResultOf(sent, FileTooShortError)

    def test_input_error(self) -> None:
        """A file that cannot be read is told apart from a connection that is lost."""
        self.file = self.opened("/proc/self/mem")  # nothing is ever at its beginning
        sent = self.send()
        self.turn_until(lambda: sent.called)
        error = self.failureResultOf(sent, FileUnreadableError).value
        self.assertEqual(str(error), "input/output error")
        self.transport.write(b"still here")
        self.assertEqual(self.read(1), b"still here")

    def test_folder(self) -> None:
        """A folder is no file."""
        self.file = self.opened("/")
        sent = self.send()
        self.turn_until(lambda: sent.called)
        error = self.failureResultOf(sent, FileUnreadableError).value
        self.assertEqual(str(error), "is a directory")


class EndTests(FileTestCase):
    kind = HalfCloser
    ours: HalfCloser

    def test_reset(self) -> None:
        """A peer that resets the connection in the middle ends the sending, and the log is silent."""
        sent = self.stalled()
        self.reset_by_peer()
        self.turn_until(lambda: self.ours.lost)
        self.assertEqual(self.ours.lost, [ConnectionLost])
        self.failureResultOf(sent, ConnectionGoneError)

    def test_reset_before(self) -> None:
        """So does one that has reset it before a byte was sent."""
        sent = self.send()
        self.reset_by_peer()
        self.turn_until(lambda: self.ours.lost)
        self.failureResultOf(sent, ConnectionGoneError)

    def test_half_of_the_peer(self) -> None:
        """A peer that has sent its last gets the file all the same."""
        self.peer.shutdown(socket.SHUT_WR)
        self.turn_until(lambda: self.ours.halves)
        sent = self.send()
        self.assertTrue(self.read(MUCH) == CONTENT)
        self.successResultOf(sent)
        self.assertEqual(self.ours.lost, [])
        self.transport.loseConnection()
        self.turn_until(lambda: self.ours.lost)

    def test_lose(self) -> None:
        """A connection that is closed ends when all has gone, what was written after included."""
        sent = self.send()
        self.transport.write(b"after")
        self.transport.loseConnection()
        self.assertTrue(self.read_until(self.peer, lambda _: False) == CONTENT + b"after")
        self.successResultOf(sent)
        self.turn_until(lambda: self.ours.lost)
        self.assertEqual(self.ours.lost, [ConnectionDone])

    def test_lose_write(self) -> None:
        """Our half of a connection is closed when all has gone, and the other goes on."""
        sent = self.send()
        self.transport.loseWriteConnection()
        self.assertTrue(self.read_until(self.peer, lambda _: False) == CONTENT)
        self.successResultOf(sent)
        self.turn_until(lambda: self.ours.halves)
        self.peer.sendall(b"thanks")
        self.turn_until(lambda: self.ours.data)
        self.assertEqual((self.ours.halves, self.ours.lost), (["write"], []))

    def test_abort(self) -> None:
        """An abort drops what is left; the sending ends when the connection does."""
        sent = self.stalled()
        self.transport.abortConnection()
        self.assertNoResult(sent)
        self.turn()
        self.failureResultOf(sent, ConnectionGoneError)
        self.assertEqual((self.ours.lost, self.transport.unsent), ([ConnectionAborted], 0))

    def test_abort_when_told(self) -> None:
        """Who hears how it went may abort the connection."""
        sent = self.send(MUCH, 1).addErrback(lambda _: self.transport.abortConnection())
        self.turn_until(lambda: sent.called)
        self.turn()
        self.assertEqual(self.ours.lost, [ConnectionAborted])

    def test_cancel(self) -> None:
        """Cancelled, no more of the file is sent, and the connection goes on with what is written."""
        sent = self.stalled()
        taken = self.transport.taken
        sent.cancel()
        self.failureResultOf(sent, CancelledError)
        self.transport.write(b"after")
        self.assertEqual((self.transport.unsent, self.transport.producer), (5, None))
        got = self.read(taken + 5)
        self.assertTrue(got == CONTENT[:taken] + b"after")

    def test_cancel_before(self) -> None:
        """Cancelled before anything was sent, what was written around it is sent all the same."""
        before = self.fill()
        sent = self.send()
        self.transport.write(b"after")
        sent.cancel()
        self.failureResultOf(sent, CancelledError)
        self.assertTrue(self.read(MUCH + 5) == before + b"after")

    def test_cancel_while_closing(self) -> None:
        """Cancelled after a close was asked for, the connection ends."""
        sent = self.stalled()
        self.transport.loseConnection()
        sent.cancel()
        self.failureResultOf(sent, CancelledError)
        self.turn_until(lambda: self.ours.lost)
        self.assertEqual(self.ours.lost, [ConnectionDone])

    def test_over(self) -> None:
        """Nothing is sent on a connection that is lost, or was asked to end in any way."""
        for ended in ("loseConnection", "loseWriteConnection", "abortConnection", "closed"):
            other = self.connect_peer()
            self.addCleanup(other.close)
            ours = self.served.made[-1]
            if ended == "closed":
                ours.transport.abortConnection()
                self.turn_until(partial(bool, ours.lost))
            else:
                getattr(ours.transport, ended)()
            sent = send_file(ours.transport, self.file, 0, 10)
            self.failureResultOf(sent, ConnectionGoneError)
            self.turn()
            self.assertEqual(ours.transport.unsent, 0)


class EndUNIXTests(EndTests):
    way = UNIX()

    def reset_by_peer(self) -> None:
        self.peer.close()


class EndOfEitherTests(FileTestCase):
    kind = Recorder

    def test_closed_by_peer(self) -> None:
        """Where halves mean nothing, the end of the peer's is the end of the sending."""
        sent = self.stalled()
        self.peer.shutdown(socket.SHUT_WR)
        self.turn_until(lambda: self.ours.lost)
        self.assertEqual(self.ours.lost, [ConnectionDone])
        self.failureResultOf(sent, ConnectionGoneError)


class WatchedTests(FileTestCase):
    """A gate with a clock of its own stands between the listening socket and the protocol."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.events = EventLoggingObserver()
        super().setUp()

    def test_let_go(self) -> None:
        """The gate lets go of a peer that takes nothing of a file."""
        log = Logger("test", observer=self.events)
        gate = Gate(self.served, Limits(first_byte_timeout=0, write_timeout=30), self.clock, log)
        way = TCP()
        way.listen(self.reactor, gate)
        peer = way.peer()
        self.addCleanup(peer.close)
        self.turn_until(lambda: len(self.served.made) > 1)
        self.ours = self.served.made[1]
        self.transport = self.ours.transport
        sent = self.stalled()
        self.clock.pump([1] * 29)
        self.turn()
        self.assertNoResult(sent)
        self.clock.pump([1] * 3)
        self.turn()
        self.failureResultOf(sent, ConnectionGoneError)
        self.assertIn("took nothing of", next(iter(self.events))["reason"])


class WhereTests(FileTestCase):
    def test_where(self) -> None:
        """It may be a plain socket of netkit's reactor, also with a PROXY header; no other."""
        self.assertTrue(may_send_file(self.transport))
        proxied = ProxiedTransport(self.transport, Header(None, None))
        self.assertTrue(may_send_file(proxied))
        sent = send_file(proxied, self.file, 0, 10)
        self.assertEqual(self.read(10), CONTENT[:10])
        self.successResultOf(sent)

    def test_elsewhere(self) -> None:
        """Others are refused, and with TLS a file is not sent around it."""
        ours, theirs = socket.socketpair()
        self.addCleanup(theirs.close)
        creator = Store(identities(issued("localhost"))).creator()
        secure = SecureServer(creator, ours, Recorder(), ("", 0), self.port, 0, self.reactor)
        self.addCleanup(ours.close)
        for other in (StringTransport(), PeerTransport(Recorder()), secure):
            self.assertFalse(may_send_file(other))
            self.assertRaises(TypeError, send_file, other, self.file, 0, 10)

    def test_lost(self) -> None:
        """Whoever asks about a connection that is lost gets an answer."""
        self.transport.abortConnection()
        self.turn()
        self.assertIsInstance(may_send_file(self.transport), bool)
