"""What a peer has taken, as the kernel knows it: slow readers are told from those who take nothing."""

import contextlib  # a name `suppress` in a module of tests means something to trial
import socket
from itertools import groupby
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import EventLoggingObserver, StringTransport
from twisted.logger import Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from twisted.trial.unittest import SynchronousTestCase

from netkit.net.limits import Limits
from netkit.net.listener import Gate
from netkit.net.progress import acknowledged, outstanding, progress, round_trip
from netkit.net.proxied import ProxiedTransport
from netkit.net.proxyprotocol import Header
from netkit.net.tunnel import Reason, TunnelLimits, Tunnels
from tests.net.test_eager import EagerTestCase
from tests.net.transports import PeerTransport
from tests.net.tunnelled import LoopbackTests, until
from tests.net.turning import TCP, UNIX, Recorder, Recorders, TurningTestCase

LIMITS = Limits(first_byte_timeout=0, idle_timeout=60, write_timeout=30)
SECOND = 1000  # bytes that a slow peer reads in a second
FILL = 1 << 20  # bytes, more than the kernel takes where SO_SNDBUF is set


def slow_peer(way: TCP | UNIX) -> socket.socket:
    """Return a connected socket that takes in little more than its owner reads."""
    peer = socket.socket(way.family)
    if way.family == socket.AF_INET:
        peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_MAXSEG, 536)
    peer.connect(way.address)
    peer.setblocking(False)
    return peer


class RoundTripTests(EagerTestCase):
    def test_socket(self) -> None:
        """A connection that has been begun has a time, which is short here."""
        seconds = round_trip(self.transport)
        assert seconds is not None
        self.assertTrue(0 <= seconds < 1)

    def test_no_socket(self) -> None:
        """What is no TCP has none."""
        self.assertIsNone(round_trip(object()))


class AcknowledgedTests(EagerTestCase):
    def test_all(self) -> None:
        """What the peer's kernel has is acknowledged, though it was never unsent; nothing is left."""
        before = acknowledged(self.transport)
        self.transport.write(b"x" * 1000)
        self.turn_until(lambda: acknowledged(self.transport) == before + 1000)
        self.assertEqual((outstanding(self.transport), self.transport.taken), (0, 0))

    def test_sum(self) -> None:
        """What is written is acknowledged, or outstanding, or unsent."""
        before = acknowledged(self.transport)
        data = self.fill()
        self.turn()
        there = acknowledged(self.transport) - before
        waiting = outstanding(self.transport)
        self.assertTrue(there > 0)
        self.assertTrue(waiting > 0)
        self.assertEqual(there + waiting + self.transport.unsent, len(data))

    def test_layers(self) -> None:
        """Whatever stands on the socket's transport, it is that one which is asked about."""
        self.fill()
        proxied = ProxiedTransport(self.transport, Header())
        secure: Any = TLSMemoryBIOProtocol.__new__(TLSMemoryBIOProtocol)
        secure.transport = proxied
        for layer in (proxied, secure):
            self.assertEqual(acknowledged(layer), acknowledged(self.transport))
            self.assertEqual(outstanding(layer), outstanding(self.transport))

    def test_lost(self) -> None:
        """Of a connection that is lost nothing is outstanding, and asking is no error."""
        self.fill()
        self.transport.abortConnection()
        self.turn()
        self.assertIsInstance(acknowledged(self.transport), int)
        self.assertEqual(outstanding(self.transport), 0)


class AcknowledgedUNIXTests(EagerTestCase):
    way = UNIX()

    def test_slow(self) -> None:
        """As the peer reads the number grows, while the socket is too full to take more."""
        self.fill()
        self.turn()
        before, taken = acknowledged(self.transport), self.transport.taken
        self.assertTrue(outstanding(self.transport) > 0)
        got = 0
        while acknowledged(self.transport) <= before:
            got += len(self.peer.recv(10_000))
            self.turn()
            self.assertTrue(got < 100_000)
        self.assertEqual(self.transport.taken, taken)


class NoSocketTests(TurningTestCase):
    def test_no_socket(self) -> None:
        """Of a transport without a socket it is known what it says itself, if it says anything."""
        self.assertEqual((acknowledged(StringTransport()), outstanding(StringTransport())), (0, 0))
        transport = PeerTransport(Recorder())
        transport.write(b"x" * 1000)
        before = acknowledged(transport)
        transport.take(300)
        self.assertEqual(acknowledged(transport), before + 300)

    def test_beside(self) -> None:
        """What a connection sends beside its queue is unsent to the client's gate as well."""
        way, served = TCP(), Recorders()
        way.listen(self.reactor, served)
        with way.peer():
            self.turn_until(lambda: served.made)
            transport = served.made[0].transport
            transport.beside = 5
            self.assertEqual(progress(ProxiedTransport(transport, Header())).unsent, 5)
            transport.beside = 0


class SlowTestCase(TurningTestCase):
    """A gate whose clock the test turns, and a peer that reads as much as it is told to."""

    way: TCP | UNIX = TCP()
    kind: type[Recorder] = Recorder

    def setUp(self) -> None:
        super().setUp()
        self.clock = Clock()
        self.events = EventLoggingObserver()
        self.served = Recorders(self.kind)
        log = Logger("test", observer=self.events)
        gate = Gate(self.served, LIMITS, self.clock, log)
        self.way.listen(self.reactor, gate)
        self.peer = slow_peer(self.way)
        self.addCleanup(self.peer.close)
        self.turn_until(lambda: self.served.made)
        self.ours = self.served.made[0]
        self.transport = self.ours.transport
        self.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, FILL)

    def fill(self) -> None:
        """Write until something waits that the kernel does not take."""
        while not self.transport.unsent:
            self.transport.write(bytes(FILL))
        self.turn()

    def second(self, reads: int) -> int:
        """Let a second pass in which the peer reads so much; return what the kernel has taken."""
        with contextlib.suppress(BlockingIOError, ConnectionResetError):
            self.peer.recv(reads)
        self.turn()
        self.clock.advance(1)
        self.turn()
        return self.transport.taken

    def reasons(self) -> list[str]:
        return [event["reason"] for event in self.events]


class SlowTests(SlowTestCase):
    def test_slow_reader(self) -> None:
        """Who reads slowly stays, however long the kernel, full as it is, takes no byte for it.

        By what the kernel takes it had to go.
        """
        self.fill()
        self.second(SECOND)
        kernel = [self.second(SECOND) for _ in range(100)]
        self.assertEqual(self.reasons(), [])
        longest = max(len(list(same)) for _, same in groupby(kernel))
        self.assertTrue(longest > LIMITS.write_timeout, longest)

    def test_stops_reading(self) -> None:
        """Who reads no more goes when its time is up, counted from its last byte."""
        self.fill()
        for _ in range(40):
            self.second(SECOND)
        for _ in range(29):
            self.second(0)
        self.assertEqual(self.reasons(), [])
        for _ in range(3):
            self.second(0)
        (reason,) = self.reasons()
        self.assertRegex(reason, "^took nothing of [0-9]+ bytes for 30 s$")

    def test_rest_in_the_kernel(self) -> None:
        """Who still reads what the kernel has of the answer is not idle; it is when it has all."""
        answer = 100 * SECOND
        self.transport.write(bytes(answer))
        self.turn()
        self.assertEqual(self.transport.unsent, 0)
        for _ in range(95):
            self.second(SECOND)
        self.assertEqual(self.reasons(), [])
        self.peer.recv(answer)
        self.turn()
        self.peer.recv(answer)
        for _ in range(65):
            self.second(answer)
        self.assertEqual(self.reasons(), ["said nothing for 60 s"])

    def test_rest_is_never_read(self) -> None:
        """Who reads nothing of what the kernel has goes too."""
        self.transport.write(bytes(100 * SECOND))
        self.turn()
        self.assertEqual(self.transport.unsent, 0)
        for _ in range(89):
            self.second(0)
        self.assertEqual(self.reasons(), [])
        for _ in range(5):
            self.second(0)
        (reason,) = self.reasons()
        self.assertRegex(reason, "^took nothing of [0-9]+ bytes for 30 s$")


class SlowUNIXTests(SlowTestCase):
    way = UNIX()

    def test_slow_reader(self) -> None:
        """By a UNIX socket as well, who reads slowly stays and who stops goes."""
        self.transport.write(bytes(FILL))
        self.turn()
        for _ in range(100):
            self.second(SECOND * 5)
        self.assertEqual(self.reasons(), [])
        for _ in range(32):
            self.second(0)
        self.assertRegex(self.reasons()[0], "^took nothing of [0-9]+ bytes for 30 s$")


class Watched:
    """A socket that counts how often it is asked anything."""

    def __init__(self) -> None:
        self.asked = 0

    def fileno(self) -> int:
        self.asked += 1
        return -1

    def getsockopt(self, *options: int) -> bytes:
        self.asked += 1
        return bytes(128)


class Transport(StringTransport):
    """A transport in memory that looks as if it had a socket."""

    dataBuffer = b""
    offset = 0
    _tempDataLen = 0

    def __init__(self) -> None:
        super().__init__()
        self.socket = Watched()


class CheapTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.gate = Gate(Factory.forProtocol(Protocol), LIMITS, self.clock, Logger("test"))
        connection = self.gate.buildProtocol(IPv4Address("TCP", "192.0.2.1", 1))
        assert connection is not None
        self.transport = Transport()
        self.socket = self.transport.socket
        connection.makeConnection(self.transport)

    def test_nothing_waits(self) -> None:
        """While nothing waits the kernel is not asked at all."""
        self.clock.pump([1] * 50)
        self.assertEqual(self.socket.asked, 0)

    def test_something_waits(self) -> None:
        """While something waits it is asked a few times a second, and no longer."""
        self.transport.dataBuffer = b"x"
        self.clock.pump([1] * 10)
        self.transport.dataBuffer = b""
        self.clock.pump([1] * 10)
        self.assertTrue(0 < self.socket.asked <= 3 * 11, self.socket.asked)


class StockTests(LoopbackTests):
    def test_any_reactor(self) -> None:
        """The connections of every reactor know what was acknowledged."""

        async def test(reactor: Any) -> None:
            line = await self.lay(reactor)
            transport = line.far_ear.transport
            before = acknowledged(transport)
            transport.write(b"x" * 1000)
            await until(reactor, lambda: acknowledged(transport) == before + 1000)
            self.assertEqual(outstanding(transport), 0)

        self.go(test)

    def test_slow_tunnel(self) -> None:
        """A tunnel stays whose side reads slowly, though its kernel takes nothing meanwhile."""

        async def test(reactor: Any) -> None:
            clock = Clock()
            line = await self.lay(reactor)
            tunnel = line.join(Tunnels(TunnelLimits(write_timeout=60), clock))
            far = line.far.transport
            far.pauseProducing()
            far.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
            line.far_ear.transport.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
            line.near.transport.write(bytes(8 * FILL))
            await until(reactor, lambda: tunnel.near.flow.waiting)
            for _ in range(7):  # without a turn of the reactor, so that nothing is written
                far.socket.recv(20_000)
                clock.pump([1] * 10)
            self.assertIsNone(tunnel._reason)
            clock.pump([1] * 62)
            self.assertEqual((await tunnel.finished).reason, Reason.STALLED)

        self.go(test)


globals().update(StockTests.makeTestCaseClasses())
del StockTests  # which has no reactor
