"""Tests of connections that send at once."""

import os
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Any

from twisted.internet.error import ConnectionAborted, ConnectionDone, ConnectionLost
from twisted.internet.interfaces import IFileDescriptorReceiver, IPullProducer, IPushProducer
from twisted.internet.main import CONNECTION_LOST
from twisted.protocols.tls import TLSMemoryBIOFactory
from zope.interface import implementer

from netkit.net.eager import BACKLOG, Server
from netkit.net.tls import Store
from tests.net.authorities import identities, issued
from tests.net.turning import TCP, UNIX, HalfCloser, Recorder, Recorders, TurningTestCase, Way

MUCH = 8 << 20  # bytes, more than a kernel takes at once


class EagerTestCase(TurningTestCase):
    """One connection that was accepted: `ours` is its protocol, `peer` a socket at the other end."""

    way: Way = TCP()
    kind: type[Recorder] = Recorder

    def setUp(self) -> None:
        super().setUp()
        self.served = Recorders(self.kind)
        self.port = self.way.listen(self.reactor, self.served)
        self.peer = self.connect_peer()
        self.ours = self.served.made[0]
        self.transport = self.ours.transport

    def connect_peer(self) -> socket.socket:
        peer = self.way.peer()
        self.addCleanup(peer.close)
        before = len(self.served.made)
        self.turn_until(lambda: len(self.served.made) > before)
        return peer

    def there(self) -> bytes:
        """Return what has arrived at the peer, without a turn of ours."""
        self.peer.setblocking(False)
        try:
            return self.peer.recv(1 << 20)
        except BlockingIOError:
            return b""

    def reset_by_peer(self) -> None:
        self.peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.peer.close()

    def fill(self) -> bytes:
        """Write more than the kernel takes; return it."""
        data = os.urandom(1 << 16) * (MUCH >> 16)
        self.transport.write(data)
        return data


class WriteTests(EagerTestCase):
    def test_first_of_a_turn(self) -> None:
        """The first write of a turn arrives before the turn is over."""
        self.transport.write(b"at once")
        self.assertEqual(self.there(), b"at once")
        self.assertEqual(self.transport.unsent, 0)

    def test_rest_of_a_turn(self) -> None:
        """What follows in the same turn is gathered, and sent as the next one begins."""
        for data in (b"one ", b"two ", b"three"):
            self.transport.write(data)
        self.assertEqual(self.there(), b"one ")
        self.assertEqual(self.transport.unsent, len(b"two three"))
        self.turn()
        self.assertEqual(self.there(), b"two three")
        self.assertEqual(self.transport.unsent, 0)

    def test_every_turn(self) -> None:
        """Each turn has a first write, also after one in which there were more."""
        for _ in range(3):
            self.turn()
            self.transport.write(b"a")
            self.transport.write(b"b")
            self.assertEqual(self.there(), b"a")
            self.turn()
            self.assertEqual(self.there(), b"b")

    def test_overtaking(self) -> None:
        """What is gathered is not overtaken by a write of another's turn to write."""
        other = self.connect_peer()
        self.addCleanup(other.close)
        first, second = self.served.made
        producer = Puller(lambda: second.transport.write(b" last"))
        first.transport.registerProducer(producer, False)
        first.transport.write(b"anything")
        second.transport.write(b"first")
        second.transport.write(b" middle")
        producer.left = 1
        self.turn()
        got = self.read_until(other, lambda data: data.endswith(b" last"))
        self.assertEqual(got, b"first middle last")

    def test_sequence(self) -> None:
        """A sequence is sent at once as one, and gathered like any other write."""
        self.transport.writeSequence(each for each in [b"a", b"b", b"c"])
        self.assertEqual(self.there(), b"abc")
        self.transport.writeSequence([b"d", b"e"])
        self.transport.writeSequence([])
        self.assertEqual(self.there(), b"")
        self.turn()
        self.assertEqual(self.there(), b"de")

    def test_nothing(self) -> None:
        """To write nothing does nothing."""
        self.transport.write(b"")
        self.transport.write(b"")
        self.turn()
        self.assertEqual((self.there(), self.ours.lost), (b"", []))

    def test_not_bytes(self) -> None:
        """What is not bytes raises TypeError and goes nowhere, first of a turn or not."""
        for wrong in ("text", bytearray(b"x"), memoryview(b"x"), None):
            untyped: Any = wrong
            for _ in range(2):
                self.assertRaises(TypeError, self.transport.write, untyped)
                self.assertRaises(TypeError, self.transport.writeSequence, [b"x", untyped])
            self.transport.write(b".")
            self.assertRaises(TypeError, self.transport.write, untyped)
            self.turn()
        self.assertEqual(self.there(), b"....")

    def test_much(self) -> None:
        """What the kernel does not take at once goes later, in order, and is counted."""
        data = self.fill()
        unsent = self.transport.unsent
        self.assertTrue(0 < unsent < len(data))
        self.transport.write(b"and")
        self.turn()
        self.transport.write(b" more")
        expected = data + b"and more"
        got = self.read_until(self.peer, lambda got: len(got) == len(expected))
        self.assertTrue(got == expected)
        self.assertEqual(self.transport.unsent, 0)
        self.assertEqual(self.transport.taken, unsent + len(b"and more"))

    def test_stalled(self) -> None:
        """A peer that reads nothing is seen by `unsent` and `taken`, and so is one that reads."""
        self.fill()
        self.turn_until(lambda: not self.turn_taken())
        taken, unsent = self.transport.taken, self.transport.unsent
        self.turn()
        self.assertEqual((self.transport.taken, self.transport.unsent), (taken, unsent))
        self.read_until(self.peer, lambda _: self.transport.taken > taken)
        self.assertEqual(self.transport.unsent, unsent - (self.transport.taken - taken))

    def turn_taken(self) -> int:
        taken = self.transport.taken
        self.reactor.iterate(0.02)
        return self.transport.taken - taken

    def test_from_any_callback(self) -> None:
        """An answer of each read is there before the next turn."""
        self.ours.on_data = lambda ours: ours.transport.write(b"answer")
        for _ in range(3):
            self.peer.sendall(b"question")
            self.turn_until(lambda: self.ours.data)
            self.ours.data = b""
            self.assertEqual(self.there(), b"answer")

    def test_heard(self) -> None:
        """Whether the peer has sent anything is known, and can be set back."""
        self.assertFalse(self.transport.heard)
        self.peer.sendall(b"x")
        self.turn_until(lambda: self.ours.data)
        self.assertTrue(self.transport.heard)
        self.transport.heard = False
        self.turn()
        self.assertFalse(self.transport.heard)


class WriteUNIXTests(WriteTests):
    way = UNIX()


class ErrorTests(EagerTestCase):
    def test_write_that_fails(self) -> None:
        """The error of a write ends the connection in the next turn, not within the write."""
        self.reset_by_peer()
        self.transport.write(b"x")
        self.transport.write(b"y")
        self.assertEqual(self.ours.lost, [])
        self.turn()
        self.assertEqual(self.ours.lost, [ConnectionLost])

    def test_read_after_it(self) -> None:
        """Once a write has failed, the end of the bytes is not taken for a clean end."""
        self.reset_by_peer()
        self.transport.write(b"x")
        self.assertIs(self.transport.doRead(), CONNECTION_LOST)

    def test_last_words(self) -> None:
        """What the peer said before it left is heard, though a write that failed came before."""
        self.peer.sendall(b"no")
        self.reset_by_peer()
        self.transport.write(b"x")
        self.turn()
        self.assertEqual((self.ours.data, self.ours.lost), (b"no", [ConnectionLost]))

    def test_last_words_of_a_queue(self) -> None:
        """So it is where the write that failed is of what was queued."""
        self.fill()
        self.peer.sendall(b"no")
        self.reset_by_peer()
        self.reactor.write_next_turn(self.transport)
        self.turn()
        self.assertEqual((self.ours.data, self.ours.lost), (b"no", [ConnectionLost]))

    def test_last_words_unheard(self) -> None:
        """Nobody hears them who has paused the connection."""
        self.transport.pauseProducing()
        self.peer.sendall(b"no")
        self.reset_by_peer()
        self.transport.write(b"x")
        self.turn()
        self.assertEqual((self.ours.data, self.ours.lost), (b"", [ConnectionLost]))

    def test_abort_at_last_words(self) -> None:
        """Who aborts at the last words hears once that the connection is lost."""
        self.ours.on_data = lambda _: self.transport.abortConnection()
        self.peer.sendall(b"no")
        self.reset_by_peer()
        self.transport.write(b"x")
        self.turn()
        self.turn()
        self.assertEqual((self.ours.data, len(self.ours.lost)), (b"no", 1))

    def test_loss_asked_for(self) -> None:
        """A write that failed is told to the protocol even if it has asked for the end since."""
        self.reset_by_peer()
        self.transport.write(b"x")
        self.transport.loseConnection()
        self.assertEqual(self.ours.lost, [])
        self.turn()
        self.assertEqual(self.ours.lost, [ConnectionLost])

    def test_write_in_connection_lost(self) -> None:
        """Whoever writes when the connection is lost, or later, is not heard."""

        def write_anyhow(ours: Recorder) -> None:
            ours.transport.write(b"x")
            ours.transport.writeSequence([b"y"])
            ours.transport.loseConnection()
            ours.transport.abortConnection()

        self.ours.on_lost = write_anyhow
        self.peer.close()
        self.turn_until(lambda: self.ours.lost)
        self.transport.write(b"z")
        self.turn()
        self.assertEqual(self.ours.lost, [ConnectionDone])
        self.assertEqual(self.transport.unsent, 0)

    def test_write_of_producer_that_is_stopped(self) -> None:
        """A producer that writes when it is stopped by the loss is not heard."""
        producer = Pusher()
        producer.on_stop = lambda: self.transport.write(b"x")
        self.transport.registerProducer(producer, True)
        self.peer.close()
        self.turn_until(lambda: self.ours.lost)
        self.assertEqual((producer.told, self.ours.lost), (["stop"], [ConnectionDone]))


class ErrorUNIXTests(ErrorTests):
    way = UNIX()

    def reset_by_peer(self) -> None:
        self.peer.close()


class EndTests(EagerTestCase):
    def test_lose(self) -> None:
        """A connection with nothing to send ends in the next turn, not within the call."""
        self.transport.loseConnection()
        self.transport.loseConnection()
        self.assertEqual((self.ours.lost, self.transport.connected), ([], 1))
        self.turn()
        self.assertEqual(self.ours.lost, [ConnectionDone])
        self.assertEqual(self.read_until(self.peer, bool), b"")

    def test_timed_calls_first(self) -> None:
        """What was asked for at the same time by callLater comes before, as with Twisted's."""
        order: list[str] = []
        self.ours.on_lost = lambda _: order.append("lost")
        self.transport.loseConnection()
        self.reactor.callLater(0, order.append, "called")
        self.turn()
        self.assertEqual(order, ["called", "lost"])

    def test_no_reading_after_it(self) -> None:
        """What the peer sends after the end was asked for is not read."""
        self.transport.loseConnection()
        self.peer.sendall(b"x")
        self.turn()
        self.assertEqual((self.ours.data, len(self.ours.lost)), (b"", 1))

    def test_writes_before_the_end(self) -> None:
        """What is written in the turn in which the end was asked for is sent, as with Twisted's."""
        self.transport.write(b"a")
        self.transport.loseConnection()
        self.transport.write(b"b")
        self.assertEqual(self.read_until(self.peer, lambda data: False), b"ab")
        self.transport.write(b"c")

    def test_lose_with_much_unsent(self) -> None:
        """Everything is sent before the end."""
        data = self.fill()
        self.transport.loseConnection()
        self.turn()
        self.assertEqual(self.ours.lost, [])
        self.assertTrue(self.read_until(self.peer, lambda _: False) == data)
        self.turn_until(lambda: self.ours.lost)
        self.assertEqual(self.ours.lost, [ConnectionDone])

    def test_abort(self) -> None:
        """What is unsent is dropped, and nothing is sent once that is asked for."""
        self.transport.write(b"a")
        self.transport.write(b"b")
        self.transport.abortConnection()
        self.transport.write(b"c")
        self.assertEqual(self.ours.lost, [])
        self.turn()
        self.assertEqual(self.ours.lost, [ConnectionAborted])
        self.assertEqual(self.there(), b"a")

    def test_abort_first_of_turn(self) -> None:
        """After an abort not even the first write of a turn is sent."""
        self.transport.abortConnection()
        self.transport.write(b"x")
        self.turn()
        self.peer.setblocking(False)
        self.assertRaises(ConnectionResetError, self.peer.recv, 1)

    def test_abort_after_lose(self) -> None:
        """An abort overrides an end that was asked for, and is told once."""
        self.transport.loseConnection()
        self.transport.abortConnection()
        self.turn()
        self.turn()
        self.assertEqual(self.ours.lost, [ConnectionAborted])


class EndUNIXTests(EndTests):
    way = UNIX()

    def test_abort_first_of_turn(self) -> None:
        """After an abort not even the first write of a turn is sent."""
        self.transport.abortConnection()
        self.transport.write(b"x")
        self.turn()
        self.assertEqual(self.there(), b"")


class HalfCloseTests(EagerTestCase):
    kind = HalfCloser
    ours: HalfCloser

    def test_much_unsent(self) -> None:
        """Our half is closed once everything is sent; the other half goes on."""
        data = self.fill()
        self.transport.loseWriteConnection()
        self.assertTrue(self.read_until(self.peer, lambda _: False) == data)
        self.turn_until(lambda: self.ours.halves)
        self.assertEqual((self.ours.halves, self.ours.lost), (["write"], []))
        self.peer.sendall(b"still here")
        self.turn_until(lambda: self.ours.data)

    def test_gathered(self) -> None:
        """What was gathered is sent before our half is closed."""
        for data in (b"a", b"b", b"c"):
            self.transport.write(data)
        self.transport.loseWriteConnection()
        self.assertEqual(self.read_until(self.peer, lambda _: False), b"abc")

    def test_writes_after_it(self) -> None:
        """What is written once our half is closed is dropped, and no error."""
        self.transport.loseWriteConnection()
        self.turn_until(lambda: self.ours.halves)
        for _ in range(3):
            self.transport.write(b"x")
            self.transport.writeSequence([b"y"])
            self.turn()
        self.assertEqual((self.ours.lost, self.transport.unsent), ([], 0))

    def test_lose_after_it(self) -> None:
        """The end of a half-closed connection comes in the next turn, not within the call."""
        self.transport.loseWriteConnection()
        self.turn_until(lambda: self.ours.halves)
        self.transport.loseConnection()
        self.assertEqual(self.ours.lost, [])
        self.turn()
        self.assertEqual(self.ours.lost, [ConnectionDone])

    def test_half_of_the_peer(self) -> None:
        """A peer that closes its half gets its answer all the same."""
        self.peer.sendall(b"question")
        self.peer.shutdown(socket.SHUT_WR)
        self.turn_until(lambda: self.ours.halves)
        self.transport.write(b"answer")
        self.assertEqual(self.there(), b"answer")
        self.transport.loseConnection()
        self.turn()
        self.assertEqual((self.ours.data, self.ours.lost), (b"question", [ConnectionDone]))


class HalfCloseUNIXTests(HalfCloseTests):
    way = UNIX()


@implementer(IPushProducer)
class Pusher:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.on_stop: Callable[[], object] = lambda: None

    def pauseProducing(self) -> None:
        self.told.append("pause")

    def resumeProducing(self) -> None:
        self.told.append("resume")

    def stopProducing(self) -> None:
        self.told.append("stop")
        self.on_stop()


@implementer(IPullProducer)
class Puller:
    """Does `produce()` whenever it is asked for more, as long as something is `left`."""

    def __init__(self, produce: Callable[[], object], left: int = 0) -> None:
        self.produce = produce
        self.left = left
        self.asked = 0

    def resumeProducing(self) -> None:
        self.asked += 1
        if self.left:
            self.left -= 1
            self.produce()

    def stopProducing(self) -> None:
        self.left = 0


class ProducerTests(EagerTestCase):
    def test_paused_at_the_limit(self) -> None:
        """A streaming producer is paused while more than `bufferSize` is unsent, and resumed."""
        producer = Pusher()
        self.transport.registerProducer(producer, True)
        data = self.fill()
        self.assertEqual(producer.told, ["pause"])
        self.read_until(self.peer, lambda got: len(got) == len(data))
        self.turn_until(lambda: producer.told == ["pause", "resume"])
        self.transport.write(b"x")
        self.turn()
        self.assertEqual(producer.told, ["pause", "resume"])

    def test_exactly_the_limit(self) -> None:
        """`bufferSize` bytes do not pause it, in one write or gathered; one byte more does."""
        size = self.transport.bufferSize = 500
        producer = Pusher()
        self.transport.registerProducer(producer, True)
        self.transport.write(b"x" * size)
        self.transport.write(b"x" * size)
        self.assertEqual(producer.told, [])
        self.transport.write(b"x")
        self.assertEqual(producer.told, ["pause"])
        self.turn()
        self.assertEqual(producer.told, ["pause", "resume"])
        self.turn()
        self.transport.write(b"x" * (size + 1))
        self.assertEqual(producer.told, ["pause", "resume", "pause"])

    def test_pull(self) -> None:
        """A producer that waits to be asked is asked again each time all is sent, by the reactor."""
        inside: list[bool] = []

        def produce() -> None:
            inside.append(True)
            self.transport.write(b"piece ")
            self.assertEqual(producer.asked, len(inside))

        producer = Puller(produce, left=5)
        self.transport.registerProducer(producer, False)
        self.assertEqual(producer.asked, 1)
        got = self.read_until(self.peer, lambda data: data == b"piece " * 5)
        self.assertEqual(got, b"piece " * 5)
        self.turn()
        self.assertEqual(producer.asked, 6)
        self.transport.unregisterProducer()
        self.transport.loseConnection()
        self.turn_until(lambda: self.ours.lost)

    def test_pull_after_a_write(self) -> None:
        """It is asked once what was written just before is sent, though that was at once."""
        producer = Puller(lambda: None)
        self.transport.write(b"before")
        self.transport.registerProducer(producer, False)
        self.assertEqual(producer.asked, 1)
        self.turn()
        self.assertEqual(producer.asked, 2)

    def test_pull_much(self) -> None:
        """It is not asked for more than the kernel takes."""
        piece = os.urandom(1 << 20)
        producer = Puller(lambda: self.transport.write(piece), left=12)
        self.transport.registerProducer(producer, False)
        for _ in range(50):
            self.turn()
        self.assertTrue(producer.left)
        self.assertTrue(self.transport.unsent <= len(piece))
        got = self.read_until(self.peer, lambda data: len(data) == 12 * len(piece))
        self.assertTrue(got == piece * 12)

    def test_eager_again(self) -> None:
        """Without its producer the connection sends at once again."""
        self.transport.registerProducer(Puller(lambda: None), False)
        self.transport.unregisterProducer()
        self.transport.write(b"gathered")
        self.turn()
        self.there()
        self.turn()
        self.transport.write(b"at once")
        self.assertEqual(self.there(), b"at once")


class ProducerUNIXTests(ProducerTests):
    way = UNIX()


class ClientTests(EagerTestCase):
    def test_made_connection(self) -> None:
        """A connection we made sends at once, from `connectionMade` on."""
        there: list[int] = []

        def greet(made: Recorder) -> None:
            made.transport.write(b"hello")
            there.append(made.transport.unsent)

        clients = Recorders()
        clients.on_new = lambda recorder: setattr(recorder, "on_made", greet)
        self.way.connect(self.reactor, clients)
        self.turn_until(lambda: len(self.served.made) == 2 and self.served.made[1].data)
        self.assertEqual((self.served.made[1].data, there), (b"hello", [0]))
        clients.made[0].transport.loseConnection()
        self.turn_until(lambda: self.served.made[1].lost and clients.made[0].lost)

    def test_echo(self) -> None:
        """Two connections of ours, one at each end, pass on what they are given in order."""
        clients = Recorders()
        self.way.connect(self.reactor, clients)
        self.turn_until(lambda: clients.made and len(self.served.made) == 2)
        client, server = clients.made[0], self.served.made[1]
        server.on_data = lambda server: server.transport.write(server.data[-1 << 16 :])
        pieces = [os.urandom(997) for _ in range(200)]
        for piece in pieces:
            client.transport.write(piece)
        self.turn_until(lambda: len(server.data) == 200 * 997)
        self.assertTrue(server.data == b"".join(pieces))


class ClientUNIXTests(ClientTests):
    way = UNIX()


@implementer(IFileDescriptorReceiver)
class Receiver(Recorder):
    """Keeps the descriptors it gets, and how many bytes came before each."""

    def __init__(self) -> None:
        super().__init__()
        self.descriptors: list[tuple[int, int]] = []

    def fileDescriptorReceived(self, descriptor: int) -> None:
        self.descriptors.append((descriptor, len(self.data)))


class DescriptorTests(EagerTestCase):
    way = UNIX()
    kind = Receiver

    def test_sent_with_bytes(self) -> None:
        """A descriptor goes with the bytes that are written after it, and all bytes arrive."""
        clients = Recorders(Receiver)
        self.way.connect(self.reactor, clients)
        self.turn_until(lambda: clients.made and len(self.served.made) == 2)
        client, server = clients.made[0], self.served.made[1]
        assert isinstance(server, Receiver)
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        self.addCleanup(os.close, writer)
        client.transport.write(b"one")
        self.turn()
        client.transport.sendFileDescriptor(reader)  # type: ignore[attr-defined]  # UNIX only
        client.transport.write(b"two")
        self.assertEqual(client.transport.unsent, 3)
        self.turn_until(lambda: server.data == b"onetwo")
        [(descriptor, before)] = server.descriptors
        self.addCleanup(os.close, descriptor)
        self.assertEqual(before, 3)
        os.write(writer, b"through")
        self.assertEqual(os.read(descriptor, 99), b"through")

    def test_without_bytes(self) -> None:
        """A descriptor for which no bytes are written ends the connection, as with Twisted's."""
        self.transport.sendFileDescriptor(0)  # type: ignore[attr-defined]  # UNIX only
        self.turn_until(lambda: self.ours.lost)
        self.assertEqual([lost.__name__ for lost in self.ours.lost], ["FileDescriptorOverrun"])


class TLSTests(EagerTestCase):
    """TLS of Twisted's on our connections; the client is Python's own."""

    def setUp(self) -> None:
        super().setUp()
        self.creator: Any = Store(identities(issued("localhost"))).creator()

    def greet(self, plain: socket.socket) -> ssl.SSLSocket:
        """Return `plain` with TLS on it, once the handshake is done."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        secured = context.wrap_socket(
            plain, do_handshake_on_connect=False, suppress_ragged_eofs=False
        )
        self.addCleanup(secured.close)
        secured.setblocking(False)
        self.turn_until(lambda: _done(secured.do_handshake))
        return secured

    def read(self, secured: ssl.SSLSocket, size: int) -> bytes:
        """Return the next `size` bytes, or fewer if that is the end."""
        read: list[bytes] = []

        def enough() -> bool:
            while _done(lambda: read.append(secured.recv(1 << 16))):
                if not read[-1] or sum(map(len, read)) >= size:
                    return True
            return False

        self.turn_until(enough)
        return b"".join(read)

    def serve(self) -> tuple[Recorder, ssl.SSLSocket]:
        """Serve one connection with TLS from its beginning; return both ends."""
        served = Recorders()
        self.way.listen(
            self.reactor, TLSMemoryBIOFactory(self.creator, False, served, self.reactor)
        )
        plain = self.way.peer()
        self.addCleanup(plain.close)
        secured = self.greet(plain)
        return served.made[0], secured

    def test_started_on_the_connection(self) -> None:
        """What was plain stays plain, what follows has TLS, and the end is a proper one."""
        data = os.urandom(300_000)  # more than Twisted gathers itself
        self.transport.write(b"plain")
        self.transport.startTLS(self.creator)
        self.assertEqual(self.there(), b"plain")
        secured = self.greet(self.peer)
        secured.send(b"question")
        self.turn_until(lambda: self.ours.data)
        self.transport.write(data)
        self.assertTrue(self.read(secured, len(data)) == data)
        self.transport.loseConnection()
        self.assertEqual(self.read(secured, 1), b"")
        secured.close()
        self.turn_until(lambda: self.ours.lost)
        self.assertEqual(self.ours.data, b"question")

    def test_producers(self) -> None:
        """A producer registered before TLS was started is paused and resumed after, too."""
        producer = Pusher()
        self.transport.registerProducer(producer, True)
        self.transport.startTLS(self.creator)
        secured = self.greet(self.peer)
        producer.told.clear()
        self.transport.write(bytes(MUCH))
        self.assertIn("pause", producer.told)
        self.read(secured, MUCH)
        self.turn_until(lambda: producer.told[-1] == "resume")

    def test_abort(self) -> None:
        """An abort never looks like a proper end, though Twisted's TLS says farewell before it."""
        ours, secured = self.serve()
        ours.transport.write(b"half of it")
        self.assertEqual(self.read(secured, 10), b"half of it")
        self.turn()
        ours.transport.abortConnection()
        self.turn()
        self.assertRaises(OSError, secured.recv, 1)
        self.assertEqual(len(ours.lost), 1)

    def test_lose(self) -> None:
        """An end that was asked for is a proper one, after everything has been sent."""
        ours, secured = self.serve()
        data = os.urandom(1 << 20)
        ours.transport.write(data)
        ours.transport.loseConnection()
        self.assertTrue(self.read(secured, len(data)) == data)
        self.assertEqual(self.read(secured, 1), b"")


def _done(step: Callable[[], object]) -> bool:
    try:
        step()
    except ssl.SSLWantReadError:
        return False
    return True


class OptionsTests(EagerTestCase):
    def no_delay(self, transport: Any) -> bool:
        return bool(transport.getTcpNoDelay())

    def test_no_delay(self) -> None:
        """Small writes are held back on no TCP connection: accepted, made or adopted."""
        clients, adopted = Recorders(), Recorders()
        self.way.connect(self.reactor, clients)
        self.turn_until(lambda: clients.made)
        with socket.create_connection(self.way.address) as plain:
            self.reactor.adoptStreamConnection(plain.fileno(), socket.AF_INET, adopted)
        everyone = [self.ours, clients.made[0], adopted.made[0]]
        self.assertEqual([self.no_delay(each.transport) for each in everyone], [True] * 3)
        self.assertIsInstance(adopted.made[0].transport, Server)

    def test_adopted_port(self) -> None:
        """A port that was bound elsewhere gives connections of the same sort."""
        with socket.create_server(("127.0.0.1", 0)) as bound:
            bound.setblocking(False)
            factory = Recorders()
            self.reactor.adoptStreamPort(bound.fileno(), socket.AF_INET, factory)
            with socket.create_connection(bound.getsockname()):
                self.turn_until(lambda: factory.made)
        self.assertIsInstance(factory.made[0].transport, Server)
        self.assertTrue(self.no_delay(factory.made[0].transport))

    def test_backlog(self) -> None:
        """As many wait as nobody asked for; whoever asks is heard."""
        few: Any = self.reactor.listenTCP(0, Recorders(), backlog=7, interface="127.0.0.1")
        self.assertEqual([_backlog(self.port.socket), _backlog(few.socket)], [BACKLOG, 7])

    def test_unix_backlog(self) -> None:
        """It is the same for UNIX sockets, those bound elsewhere too."""
        by_name = UNIX().listen(self.reactor, Recorders())
        self.assertEqual(by_name.backlog, BACKLOG)
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(f"\0netkit-{os.getpid()}")
            port: Any = self.reactor.adoptStreamPort(bound.fileno(), socket.AF_UNIX, Recorders())
        self.assertEqual(port.backlog, BACKLOG)


def _backlog(listening: socket.socket) -> int:
    """Return the length of the queue from what Linux says of a listening socket (tcp(7))."""
    information = listening.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104)
    return int(struct.unpack_from("I", information, 28)[0])
