"""The line protocol with clients of every sort, in memory."""

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.interfaces import INegotiated, IProtocol
from zope.interface import alsoProvides

from netkit.services.pubsub.protocol import LineClient
from netkit.services.pubsub.settings import Options, Settings
from tests.net.transports import PeerTransport
from tests.services.pubsub.clients import PubSubTestCase

_BUFFER = 64 * 1024


class SecureTransport(PeerTransport):
    """A connection with TLS, whose handshake is not done yet."""

    def __init__(self, protocol: IProtocol) -> None:
        alsoProvides(self, INegotiated)
        super().__init__(protocol)


class EveryoneTests(PubSubTestCase):
    def test_everyone_sees_every_line(self) -> None:
        """Every client sees every line of any client behind its source (the tutorials' row 4)."""
        one, two = self.connect(1), self.connect(2)
        one.send(b"hello\r\n")
        two.send(b"hi\n")
        expected = b"<192.0.2.1:1> hello\n<192.0.2.1:2> hi\n"
        self.assertEqual((one.take(), two.take()), (expected, expected))

    def test_late_comer(self) -> None:
        """Who comes later sees what is said from then on."""
        one = self.connect(1)
        one.send(b"early\n")
        two = self.connect(2)
        one.send(b"late\n")
        self.assertEqual(two.take(), b"<192.0.2.1:1> late\n")

    def test_handshake(self) -> None:
        """Who comes by TLS joins when the handshake is done: before, nothing is kept for it."""
        protocol = self.listener.buildProtocol(IPv4Address("TCP", "192.0.2.1", 2))
        assert isinstance(protocol, LineClient)
        secure = SecureTransport(protocol)
        one = self.connect(1)
        one.send(b"early\n")
        self.assertEqual(secure.take(), b"")
        protocol.handshakeCompleted()
        one.send(b"late\n")
        self.assertEqual(secure.take(), b"<192.0.2.1:1> late\n")

    def test_one_write(self) -> None:
        """All lines of one read go to every client as one and the same piece of bytes."""
        one, two = self.connect(1), self.connect(2)
        one.send(b"a\nb\nc\nd")
        self.assertEqual(len(one._tempDataBuffer), 1)
        self.assertIs(one._tempDataBuffer[0], two._tempDataBuffer[0])
        self.assertEqual(one.take().count(b"\n"), 3)

    def test_any_split(self) -> None:
        """A line that comes byte by byte is one line."""
        one, two = self.connect(1), self.connect(2)
        for byte in b"hello\r\n":
            one.send(bytes((byte,)))
        self.assertEqual(two.take(), b"<192.0.2.1:1> hello\n")

    def test_sources(self) -> None:
        """IPv6 peers stand in brackets; peers at UNIX sockets are told apart by a number."""
        peers = (
            IPv6Address("TCP", "2001:db8::1", 7),
            UNIXAddress(None),
            UNIXAddress("/run/client"),
        )
        everyone = [self.connect(peer) for peer in peers]
        for peer in everyone:
            peer.send(b"x\n")
        self.assertEqual(everyone[0].take(), b"<[2001:db8::1]:7> x\n<unix:2> x\n<unix:3> x\n")

    def test_two_listeners(self) -> None:
        """The clients of all listeners of a service see each other, each with its own source."""
        one = self.connect(UNIXAddress(None))
        self.listener = self.service.factory(Options())
        two = self.connect(UNIXAddress(None))
        one.send(b"1\n")
        two.send(b"2\n")
        self.assertEqual(one.take(), b"<unix:1> 1\n<unix:2> 2\n")
        self.assertEqual(two.taken, b"")
        self.assertEqual(two.take(), one.taken)

    def test_joining_and_leaving_are_logged(self) -> None:
        """The log says who joined and who left, and how many there are."""
        one = self.connect(1)
        self.connect(2)
        one.finish()
        self.assertEqual(
            self.logged(),
            [
                "info: 192.0.2.1:1 joined; clients: 1",
                "info: 192.0.2.1:2 joined; clients: 2",
                "info: 192.0.2.1:1 left; clients: 1",
            ],
        )


class RubbishTests(PubSubTestCase):
    def test_controls(self) -> None:
        """NUL, escape sequences and bytes that are no UTF-8 reach nobody's terminal raw."""
        one, two = self.connect(1), self.connect(2)
        one.send(b"\x00\x1b]0;owned\x07\xff\xc2\x9b\n")
        self.assertEqual(two.take(), rb"<192.0.2.1:1> \x00\x1b]0;owned\x07\xff\x9b" + b"\n")

    def test_false_source(self) -> None:
        """A lone CR does not let a line begin anew with the source of another."""
        one, two = self.connect(1), self.connect(2)
        one.send(b"x\r<192.0.2.1:2> I owe you\n")
        self.assertEqual(two.take(), rb"<192.0.2.1:1> x\r<192.0.2.1:2> I owe you" + b"\n")

    def test_megabyte_without_newline(self) -> None:
        """It is told so, let go within two seconds, and nobody else hears of it."""
        one, two = self.connect(1), self.connect(2)
        sent = 0
        while one.send(b"x" * 1024):
            sent += 1
        self.assertEqual(sent, 5)
        self.assertEqual(one.take(), b"line too long: 4096 bytes are the most\n")
        for _ in range(1024):
            one.send(b"x" * 1023 + b"\n")
        two.send(b"still here\n")
        self.assertEqual((one.take(), two.take()), (b"", b"<192.0.2.1:2> still here\n"))
        self.clock.advance(2)
        self.assertTrue(one.aborted)
        self.assertEqual(
            self.logged()[-2:],
            [
                "warn: 192.0.2.1:1 is let go: its line is longer than 4096 bytes",
                "info: 192.0.2.1:1 left; clients: 1",
            ],
        )

    def test_lines_before_one_that_is_too_long(self) -> None:
        """They are published; what comes after it is not."""
        self.serve(Settings(line_bytes=4))
        one, two = self.connect(1), self.connect(2)
        one.send(b"1234\n12345\n6\n")
        one.protocol.dataReceived(b"7\n")
        self.assertEqual(two.take(), b"<192.0.2.1:1> 1234\n")
        self.assertEqual(one.take(), b"<192.0.2.1:1> 1234\nline too long: 4 bytes are the most\n")

    def test_never_a_newline(self) -> None:
        """Half a line is nobody's business, even as its client leaves."""
        one, two = self.connect(1), self.connect(2)
        one.send(b"half a li")
        one.finish()
        one.take()
        self.assertTrue(one.disconnected)
        self.assertEqual(two.take(), b"")

    def test_connect_and_leave(self) -> None:
        """A client that says nothing leaves nothing behind."""
        for _ in range(1001):
            peer = self.connect(1)
            peer.finish()
            peer.take()
        self.assertNotIn("refused", "".join(self.logged()))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_connection_that_breaks(self) -> None:
        """A client whose connection is lost has left."""
        one, two = self.connect(1), self.connect(2)
        one.abortConnection()
        two.send(b"x\n")
        self.assertEqual(one.waiting, 0)
        self.assertEqual(self.logged()[-1], "info: 192.0.2.1:1 left; clients: 1")

    def test_half_close(self) -> None:
        """Who has sent its FIN gets what was said until then, its own line included, and the end."""
        one, two = self.connect(1), self.connect(2)
        one.send(b"last words\n")
        one.finish()
        two.send(b"too late\n")
        self.assertFalse(one.disconnected)
        self.assertEqual(one.take(), b"<192.0.2.1:1> last words\n")
        self.assertTrue(one.disconnected)
        self.assertEqual(two.take(), b"<192.0.2.1:1> last words\n<192.0.2.1:2> too late\n")


class LimitTests(PubSubTestCase):
    def test_one_client_too_many(self) -> None:
        """It is told so in a line and closed; it hears nothing and nobody hears it."""
        self.serve(Settings(clients=2))
        one, two, three = (self.connect(port) for port in (1, 2, 3))
        one.send(b"x\n")
        self.assertEqual(three.take(), b"too many clients: 2 are connected; try again later\n")
        self.assertTrue(three.finished)
        three.send(b"let me in\n")
        three.finish()
        self.assertTrue(three.disconnected)
        self.assertEqual(two.take(), b"<192.0.2.1:1> x\n")
        self.assertEqual(self.logged()[-1], "warn: 192.0.2.1:3 is refused: 2 clients are the most")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_refused_client_that_stays(self) -> None:
        """Who does not go when it is refused is let go after two seconds."""
        self.serve(Settings(clients=1))
        self.connect(1)
        two = self.connect(2)
        two.take()
        self.clock.advance(2)
        self.assertTrue(two.aborted)

    def test_room_again(self) -> None:
        """When one has left there is room for another."""
        self.serve(Settings(clients=1))
        self.connect(1).finish()
        two = self.connect(2)
        two.send(b"x\n")
        self.assertEqual(two.take(), b"<192.0.2.1:2> x\n")

    def test_client_that_never_reads(self) -> None:
        """It is let go at `pending_bytes`, named in the log, and the others lose nothing."""
        self.serve(Settings(pending_bytes=100_000))
        stalled, one, two = self.connect(1), self.connect(2), self.connect(3)
        line = b"x" * 1000
        count = 0
        while not stalled.aborted:
            one.send(line + b"\n")
            one.take()
            two.take()
            count += 1
            self.assertLess(count, 1000)
        self.assertEqual(two.taken, (b"<192.0.2.1:2> " + line + b"\n") * count)
        self.assertEqual(one.taken, two.taken)
        self.assertLess(count * 1015, _BUFFER + 100_000 + 3 * 1015)
        self.assertEqual(
            self.logged()[-2],
            "warn: 192.0.2.1:1 is let go: it is slow, 100485 bytes wait behind its full "
            "write buffer, the oldest for 0.0 s; subjects: lines",
        )

    def test_client_that_stays_behind(self) -> None:
        """It is let go after `pending_seconds`, however little waits."""
        self.serve(Settings(pending_seconds=10))
        stalled, one = self.connect(1), self.connect(2)
        for _ in range(70):
            one.send(b"x" * 1000 + b"\n")
            one.take()
        self.clock.advance(9)
        self.assertFalse(stalled.aborted)
        self.clock.advance(1)
        self.assertTrue(stalled.aborted)
        one.send(b"y\n")
        self.assertEqual(one.take(), b"<192.0.2.1:2> y\n")
        self.assertIn("the oldest for 10.0 s", self.logged()[-2])

    def test_client_that_only_talks(self) -> None:
        """Who takes nothing of what it says is read from no further: it costs the others nothing."""
        talker, one = self.connect(1), self.connect(2)
        reads = 0
        while talker.send((b"x" * 999 + b"\n") * 60):
            one.take()
            reads += 1
        self.assertEqual(reads, 2)
        self.clock.advance(10)
        self.assertTrue(talker.aborted)
        self.assertFalse(one.aborted)

    def test_fast_talker_that_listens(self) -> None:
        """Who says more than it takes at the moment is slowed down, and loses nothing."""
        talker = self.connect(1)
        heard = 0
        said = 0
        for _ in range(100):
            while talker.send(b"x" * 999 + b"\n"):
                said += 1
            heard += talker.take().count(b"\n")
        self.assertEqual(heard, said)
        self.assertFalse(talker.aborted)

    def test_slow_by_its_own_line(self) -> None:
        """A client that is let go for what its own read brings is let go once."""
        self.serve(Settings(pending_bytes=10, line_bytes=10))
        one, two = self.connect(1), self.connect(2)
        two.send(b"\n" * 5000)
        two.take()
        one.protocol.dataReceived(b"123\n" + b"x" * 11)
        self.assertTrue(one.aborted)
        self.assertEqual(sum("1 is let go" in line for line in self.logged()), 1)


class StopTests(PubSubTestCase):
    def test_stop(self) -> None:
        """A service that stops lets its clients go, once what was said has reached them."""
        self.service.startService()
        one, two = self.connect(1), self.connect(2)
        one.send(b"x\n")
        self.service.stopService()
        self.assertEqual((one.take(), two.take()), (b"<192.0.2.1:1> x\n",) * 2)
        self.assertTrue(one.disconnected and two.disconnected)
        self.assertFalse(self.service.running)
        self.assertEqual(self.clock.getDelayedCalls(), [])
