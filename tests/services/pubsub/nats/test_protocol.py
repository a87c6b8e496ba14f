"""NATS clients of every sort, in memory."""

import json

from netkit.services.pubsub.settings import Nats, Settings
from tests.services.pubsub.clients import CONNECT, NatsTestCase


class WelcomeTests(NatsTestCase):
    def test_info(self) -> None:
        """The first line says who we are, what we can do, and who the client is."""
        peer = self.connect(7)
        line = peer.take()
        self.assertTrue(line.startswith(b"INFO {") and line.endswith(b"}\r\n"))
        info = json.loads(line[5:])
        self.assertRegex(info["server_id"], "^N[0-9A-F]{30}$")
        self.assertRegex(info["version"], r"^2\.\d+\.\d+$")
        self.assertEqual((info["host"], info["port"]), ("192.0.2.254", 4222))
        self.assertEqual((info["client_id"], info["client_ip"]), (1, "192.0.2.1"))
        self.assertEqual((info["headers"], info["proto"]), (True, 1))
        self.assertEqual(info["max_payload"], 1_048_576)

    def test_flush(self) -> None:
        """After CONNECT and PING the next line is PONG, or +OK and PONG."""
        self.assertEqual(self.client(1, b"PING\r\n").take(), b"PONG\r\n")
        self.assertEqual(self.client(2, b"PING\r\n", b"CONNECT {}\r\n").take(), b"+OK\r\nPONG\r\n")

    def test_too_many(self) -> None:
        """Who is one too many is told so and let go; when one has left there is room."""
        self.serve(Settings(clients=1))
        one = self.client(1)
        two = self.connect(2)
        self.assertTrue(two.take().endswith(b"-ERR 'maximum connections exceeded'\r\n"))
        self.assertTrue(two.finished)
        two.finish()
        one.finish()
        one.take()
        self.assertEqual(self.client(3, b"PING\r\n").take(), b"PONG\r\n")


class MessagesTests(NatsTestCase):
    def test_one_write(self) -> None:
        """All that one read brings a client is one piece, shared with who gets the same."""
        one, two, three = self.client(1), self.client(2), self.client(3)
        for peer in (two, three):
            peer.send(b"SUB a 1\r\nSUB b 2\r\n")
        one.send(b"PUB a 1\r\nx\r\nPUB b 1\r\ny\r\nPUB a 1\r\nz\r\n")
        (piece,) = two._tempDataBuffer
        self.assertIs(piece, three._tempDataBuffer[0])
        self.assertEqual(two.take(), b"MSG a 1 1\r\nx\r\nMSG b 2 1\r\ny\r\nMSG a 1 1\r\nz\r\n")

    def test_lines(self) -> None:
        """Line clients and NATS clients hear each other on the subject of the lines."""
        nats, line = self.client(1, b"SUB lines 1\r\n"), self.line_client(2)
        line.send(b"hello\r\n")
        nats.send(b"PUB lines 5\r\nhi\nho\r\nPUB other 1\r\nx\r\n")
        self.assertEqual(line.take(), b"<192.0.2.1:2> hello\n<192.0.2.1:1> hi\n<192.0.2.1:1> ho\n")
        self.assertEqual(nats.take(), b"MSG lines 1 5\r\nhello\r\nMSG lines 1 5\r\nhi\nho\r\n")

    def test_byte_by_byte(self) -> None:
        """What comes byte by byte is the same."""
        peer = self.client(1)
        for byte in b"SUB a 1\r\nPUB a 2\r\nab\r\n":
            peer.send(bytes((byte,)))
        self.assertEqual(peer.take(), b"MSG a 1 2\r\nab\r\n")


class LeavingTests(NatsTestCase):
    def test_half_a_message(self) -> None:
        """Who dies between control line and payload leaves nothing behind; nobody hears of it."""
        one, two = self.client(1, b"SUB a 1\r\nPUB a 5\r\nab"), self.client(2, b"SUB a 1\r\n")
        one.abortConnection()
        two.send(b"PING\r\n")
        self.assertEqual(two.take(), b"PONG\r\n")
        self.assertEqual(self.service.figures().subscriptions, 1)
        two.abortConnection()
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_fin(self) -> None:
        """Who has sent its FIN gets what was for it until then, and the end."""
        one = self.client(1, b"SUB a 1\r\nPUB a 1\r\nx\r\n")
        one.finish()
        self.assertEqual(one.take(), b"MSG a 1 1\r\nx\r\n")
        self.assertTrue(one.disconnected)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_violation(self) -> None:
        """Who breaks the protocol is told why; then nothing is read, and it is let go in time."""
        one = self.client(1, b"SUB a 1\r\nRUBBISH\r\nPUB a 1\r\nx\r\n")
        self.assertEqual(one.take(), b"-ERR 'Unknown Protocol Operation'\r\n")
        self.assertTrue(one.finished)
        one.send(b"PUB a 1\r\nx\r\n")
        self.clock.advance(2)
        self.assertTrue(one.aborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_violation_of_one_that_never_reads(self) -> None:
        """Who does not even take why it is let go is let go all the same."""
        one = self.client(1, b"RUBBISH\r\n")
        self.clock.pump([1.0] * 10)
        self.assertTrue(one.aborted)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class LimitTests(NatsTestCase):
    def test_control_line(self) -> None:
        """A control line may have 4,096 bytes and not one more."""
        subject = b"a" * (4096 - len(b"SUB  1"))
        one, two = self.client(1, b"SUB %b 1\r\nPING\r\n" % subject), self.client(2)
        self.assertEqual(one.take(), b"PONG\r\n")
        two.send(b"SUB %ba 1\r\nPING\r\n" % subject)
        self.assertEqual(two.take(), b"-ERR 'maximum control line exceeded'\r\n")

    def test_payload(self) -> None:
        """A message too long is refused before it has come."""
        self.serve(Settings(nats=Nats(max_payload=10)))
        one, two = self.client(1, b"PUB a 10\r\n0123456789\r\nPING\r\n"), self.client(2)
        self.assertEqual(one.take(), b"PONG\r\n")
        two.send(b"PUB a 11\r\n")
        self.assertEqual(two.take(), b"-ERR 'Maximum Payload Violation'\r\n")

    def test_lengths_that_lie(self) -> None:
        """A length that is none, or too short for what follows, ends the connection."""
        for number, words in enumerate((b"-1", b"99999999999999999999", b"1x", b"")):
            peer = self.client(number, b"PUB a %b\r\n" % words)
            with self.subTest(words):
                self.assertIn(b"-ERR '", peer.take())
        liar = self.client(9, b"PUB a 2\r\nabc\r\n")
        self.assertEqual(liar.take(), b"-ERR 'Unknown Protocol Operation'\r\n")

    def test_subscriptions(self) -> None:
        """A client has so many subscriptions and not one more, however many it asks for."""
        peer = self.client(1)
        sent = b"".join(b"SUB a.%d %d\r\n" % (number, number) for number in range(10_001))
        peer.send(sent + b"PING\r\n")
        self.assertEqual(peer.take(), b"-ERR 'maximum subscriptions exceeded'\r\n")
        self.assertEqual(self.service.figures().subscriptions, 0)


class PingTests(NatsTestCase):
    def test_stale(self) -> None:
        """Who does not answer two PINGs is let go at the time of the third."""
        peer = self.client(1)
        self.clock.pump([1.0] * 239)
        self.assertEqual(peer.take(), b"")
        self.clock.pump([1.0] * 120)
        self.assertEqual(peer.take(), b"PING\r\n")
        self.clock.pump([1.0] * 121)
        self.assertEqual(peer.take(), b"PING\r\n-ERR 'Stale Connection'\r\n")
        self.assertIn("info: 192.0.2.1:1 is let go: Stale Connection", self.logged())

    def test_answered(self) -> None:
        """Who answers stays for ever."""
        peer = self.client(1)
        for _ in range(20):
            self.clock.pump([1.0] * 60)
            if peer.take():
                peer.send(b"PONG\r\n")
        self.assertFalse(peer.aborted or peer.finished)

    def test_one_look(self) -> None:
        """A thousand clients have one delayed call together, and none when they are gone."""
        peers = [self.client(number) for number in range(1000)]
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        for peer in peers:
            peer.abortConnection()
        self.assertEqual(self.clock.getDelayedCalls(), [])


class SlowTests(NatsTestCase):
    def test_named(self) -> None:
        """One that never reads is let go at its limit; the others lose nothing."""
        self.serve(Settings(pending_bytes=100_000))
        stalled, talker = self.client(1, b"SUB a 1\r\n"), self.client(2)
        other = self.client(3, b"SUB a 1\r\n")
        payload = b"x" * 1000
        count = 0
        while not stalled.aborted:
            talker.send(b"PUB a 1000\r\n%b\r\n" % payload)
            other.take()
            count += 1
            self.assertLess(count, 1000)
        self.assertEqual(other.taken.count(payload), count)
        self.assertEqual(self.service.figures().slow_consumers, 1)


class FiguresTests(NatsTestCase):
    def test_figures(self) -> None:
        """The figures say who is there and what has gone round."""
        one = self.client(1, b"SUB a 1\r\nSUB b 2\r\nPUB a 3\r\nabc\r\n")
        self.client(2, CONNECT).abortConnection()
        figures = self.service.figures()
        self.assertEqual((figures.connections, figures.total_connections), (1, 2))
        self.assertEqual((figures.subscriptions, figures.in_messages), (2, 1))
        self.assertEqual((figures.in_bytes, figures.out_messages, figures.out_bytes), (3, 1, 3))
        one.abortConnection()
