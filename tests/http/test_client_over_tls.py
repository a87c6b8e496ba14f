"""A pool over TLS: what a clean end is, and what is none."""

from typing import Any, cast

from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.test import iosim
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.asking import Problem
from netkit.http.clientlimits import ClientLimits
from netkit.http.messages import BodyCutError
from netkit.http.pool import Pool
from netkit.net.dial import TlsWay
from netkit.net.tlsclient import TlsTerms
from tests.http.origins import Asking, question
from tests.net.test_dial import NAME, SERVER, TRUSTING, MemoryWay, server

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Answers(Protocol):
    """Gives the same answer every time; the test ends it."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.asked = 0

    def dataReceived(self, data: bytes) -> None:
        self.asked += 1
        cast("Any", self.transport).write(self.answer)


class TlsTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Have a way to a server that is not there yet."""
        self.clock = Clock()
        self.below = MemoryWay()
        self.pool = Pool(ClientLimits(), cast("Any", self.clock))

    def ask(self, terms: TlsTerms = TRUSTING) -> Asking:
        """Ask by TLS."""
        self.way = TlsWay(self.below, NAME, cast("Any", self.clock), terms)
        return Asking(self.pool.ask(self.way, question()))

    def meet(self, answer: bytes) -> Any:
        """Connect to a server that gives `answer`; return it."""
        peer = Answers(answer)
        far: Any = server(SERVER, peer, self.clock)
        near: Any = self.below.made[0]
        self.pump = iosim.connect(
            far,
            iosim.FakeTransport(far, isServer=True),
            near,
            iosim.FakeTransport(near, isServer=False),
        )
        self.below.done[0].callback(near)
        self.turn()
        return peer

    def turn(self) -> None:
        """Let everything arrive that is under way."""
        for _ in range(30):
            self.pump.pump()
            self.clock.advance(0)

    def test_kept(self) -> None:
        """A connection is asked again."""
        first = self.ask()
        peer = self.meet(OK)
        self.assertEqual(first.answer.body, b"hello")
        second = Asking(self.pool.ask(self.way, question(b"POST", body=b"x")))
        self.turn()
        self.assertEqual(second.answer.body, b"hello")
        self.assertEqual((peer.asked, len(self.below.made)), (2, 1))

    def test_clean_end(self) -> None:
        """A body without a length ends with a close_notify."""
        asking = self.ask()
        peer = self.meet(b"HTTP/1.1 200 OK\r\n\r\nhello")
        asking.take_all()
        peer.transport.loseConnection()
        self.turn()
        self.assertTrue(asking.ended)
        self.assertEqual(asking.body, b"hello")
        self.assertEqual(self.pool.counts.connections, 0)

    def test_cut(self) -> None:
        """It does not end with the connection: anybody could have cut that (RFC 9112 9.8)."""
        asking = self.ask()
        peer = self.meet(b"HTTP/1.1 200 OK\r\n\r\nhello")
        asking.take_all()
        peer.transport.transport.loseConnection()
        self.turn()
        self.assertFalse(asking.ended)
        self.assertIsInstance(asking.cuts[0], BodyCutError)
        self.assertEqual(self.pool.counts.connections, 0)

    def test_stranger(self) -> None:
        """A server that cannot prove its name is asked nothing."""
        asking = self.ask(TlsTerms())
        peer = self.meet(OK)
        self.assertIs(asking.error.problem, Problem.TLS_CERTIFICATE_ERROR)
        self.assertTrue(asking.error.untouched)
        self.assertEqual(peer.asked, 0)
        self.assertEqual(self.pool.counts.connections, 0)

    def test_idle_end(self) -> None:
        """A server that closes a connection at rest is dialled anew."""
        self.ask()
        self.meet(OK).transport.loseConnection()
        self.turn()
        self.assertEqual(self.pool.counts.connections, 0)
        self.ask()
        self.assertEqual(len(self.below.made), 2)

    def test_stop(self) -> None:
        """A connection at rest is closed with a close_notify, and not waited for for ever."""
        self.ask()
        self.meet(OK)
        self.pool.stop()
        self.turn()
        self.assertEqual(self.pool.counts.connections, 0)
