"""A connection, over an in-memory transport."""

from pathlib import Path

from attrs import evolve
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.internet.testing import StringTransport
from twisted.logger import LogLevel
from twisted.trial.unittest import SynchronousTestCase

from netkit.services.finger.directory import User
from netkit.services.finger.protocol import FingerProtocol
from netkit.services.finger.service import Finger
from netkit.services.finger.settings import Settings
from netkit.services.finger.users import Backend
from netkit.services.kind import NoOptions
from tests.services.finger.fakes import MOSHEZ, BrokenUsers, KnownUsers, SlowUsers, Surroundings

SETTINGS = Settings(users=Path("users.toml"))
PEER = IPv4Address("TCP", "192.0.2.1", 4000)


class Connection:
    """One connection to a finger service, seen from the client's side."""

    def __init__(self, backend: Backend, chosen: Settings = SETTINGS) -> None:
        self.surroundings = Surroundings()
        self.log = self.surroundings.log
        self.transport = StringTransport(peerAddress=PEER)
        service = Finger(chosen, backend, self.surroundings.world())
        protocol = service.factory(NoOptions()).buildProtocol(PEER)
        assert isinstance(protocol, FingerProtocol)
        self.protocol: FingerProtocol = protocol
        protocol.makeConnection(self.transport)

    def send(self, data: bytes) -> bytes:
        """Send `data`; return all that has been answered so far."""
        self.protocol.dataReceived(data)
        return bytes(self.transport.value())

    def leave(self) -> None:
        """End the connection, as a transport tells of it."""
        self.protocol.connectionLost(connectionDone)

    @property
    def timers(self) -> int:
        """How many timers run."""
        return len(self.surroundings.clock.getDelayedCalls())


class FingerProtocolTests(SynchronousTestCase):
    def test_moshez(self) -> None:
        """Row 1 of the tutorials: a line from the table of users, and the connection is closed."""
        connection = Connection(KnownUsers())
        lines = connection.send(b"moshez\r\n").split(b"\r\n")
        self.assertIn(b"Happy and well", lines)
        self.assertEqual(b"", lines[-1])
        self.assertTrue(connection.transport.disconnecting)

    def test_unknown(self) -> None:
        """Row 1 of the tutorials: `No such user`, and nothing else."""
        self.assertEqual(b"No such user\r\n", Connection(KnownUsers()).send(b"nobody\n"))

    def test_list(self) -> None:
        """An empty line gets the list."""
        self.assertIn(b"\r\nmoshez  Moshe Z.", Connection(KnownUsers()).send(b"\r\n"))

    def test_forwarding(self) -> None:
        """Forwarding is refused in the words of RFC 1288 3.2.1."""
        answer = Connection(KnownUsers()).send(b"/W moshez@a@b\r\n")
        self.assertEqual(b"Finger forwarding service denied\r\n", answer)

    def test_banner(self) -> None:
        """A banner stands above the answer, whatever that is."""
        connection = Connection(KnownUsers(), evolve(SETTINGS, banner="Welcome\nto us\x1b"))
        self.assertEqual(
            b"Welcome\r\nto us\\x1b\r\nNo such user\r\n", connection.send(b"nobody\r\n")
        )

    @settings(deadline=None, max_examples=60, database=None)
    @given(st.sampled_from([b"moshez\r\n", b"\n", b"x\x1b\xff\n", b"a" * 2000]), st.data())
    def test_any_split(self, data: bytes, cuts: st.DataObject) -> None:
        """However the query is cut, the answer is the same."""
        cut = cuts.draw(st.integers(0, len(data)))
        pieces = Connection(KnownUsers())
        pieces.send(data[:cut])
        self.assertEqual(Connection(KnownUsers()).send(data), pieces.send(data[cut:]))

    def test_more_than_a_query(self) -> None:
        """What comes after the query gets no answer."""
        connection = Connection(KnownUsers())
        once = connection.send(b"nobody\r\nmoshez\r\n")
        self.assertEqual(once, connection.send(b"moshez\r\n" * 1000))
        self.assertEqual(1, len(connection.log.lines()))

    def test_more_while_looking_up(self) -> None:
        """What comes during a look-up is dropped."""
        backend = SlowUsers()
        connection = Connection(backend)
        connection.send(b"moshez\r\n")
        connection.send(b"x" * 2**20)
        backend.asked.callback(MOSHEZ)
        self.assertIn(b"Happy and well", connection.transport.value())

    def test_too_long(self) -> None:
        """A query without end is told so and let go; the log has one line without its bytes."""
        connection = Connection(KnownUsers())
        self.assertEqual(b"Query too long\r\n", connection.send(b"\x1b" * 2**20))
        self.assertTrue(connection.transport.disconnecting)
        self.assertEqual(["192.0.2.1:4000 sent no query in 1024 bytes"], connection.log.lines())

    def test_limit_is_a_setting(self) -> None:
        """The settings say how long a query may be."""
        connection = Connection(KnownUsers(), evolve(SETTINGS, query_bytes=16))
        self.assertEqual(b"Query too long\r\n", connection.send(b"a" * 16))

    def test_answer_limit(self) -> None:
        """An answer has no more bytes than the settings say, and a line more."""
        backend = KnownUsers()
        wordy = User(login="wordy", name="W", plan="blah\n" * 5000)
        backend.directory = evolve(backend.directory, users=(wordy,))
        answer = Connection(backend, evolve(SETTINGS, answer_bytes=1024)).send(b"wordy\r\n")
        self.assertLess(len(answer), 1100)
        self.assertTrue(answer.endswith(b"[the answer is cut here]\r\n"))


class AuditTests(SynchronousTestCase):
    def audited(self, query: bytes) -> str:
        """Return the one line that the log has after `query`."""
        connection = Connection(KnownUsers())
        connection.send(query)
        connection.leave()
        (line,) = connection.log.lines()
        return line.removeprefix("192.0.2.1:4000 asked for ")

    def test_one_line_a_query(self) -> None:
        """The log says who asked for what, and how it ended."""
        self.assertEqual('"moshez": found', self.audited(b"moshez\r\n"))
        self.assertEqual('"": listed', self.audited(b"\r\n"))
        self.assertEqual('"nobody": no such user', self.audited(b"nobody\r\n"))
        self.assertEqual('"/W a@b": forwarding denied', self.audited(b"/W a@b\r\n"))

    def test_printable(self) -> None:
        """What a peer sent is shown without a character that could act on a terminal."""
        self.assertEqual('"\\x1b[2J\\x00\\xff": no such user', self.audited(b"\x1b[2J\x00\xff\n"))

    def test_short(self) -> None:
        """Of a long query the log has the beginning."""
        self.assertLess(len(self.audited(b"a" * 1000 + b"\n")), 110)


class FailingBackendTests(SynchronousTestCase):
    def check(self, connection: Connection) -> None:
        """Check that the peer learns nothing, and the log has the cause."""
        self.assertEqual(b"Internal error in server\r\n", connection.transport.value())
        self.assertTrue(connection.transport.disconnecting)
        (event,) = (e for e in connection.log.events if e["log_level"] is LogLevel.critical)
        self.assertIn("on fire", event["log_failure"].getTraceback())
        self.assertEqual(
            ['192.0.2.1:4000 asked for "moshez": internal error'], connection.log.lines()
        )

    def test_raises(self) -> None:
        """Row 1 of the tutorials: a look-up that raises is an internal error."""
        connection = Connection(BrokenUsers())
        connection.send(b"moshez\r\n")
        self.check(connection)

    def test_fails_later(self) -> None:
        """A look-up that fails after a while is the same."""
        backend = SlowUsers()
        connection = Connection(backend)
        self.assertEqual(b"", connection.send(b"moshez\r\n"))
        backend.asked.errback(RuntimeError("on fire"))
        self.check(connection)

    def test_fails_at_once(self) -> None:
        """A look-up that has failed already is the same."""
        backend = SlowUsers()
        backend.asked = fail(RuntimeError("on fire"))
        connection = Connection(backend)
        connection.send(b"moshez\r\n")
        self.check(connection)


class LeavingTests(SynchronousTestCase):
    def test_connect_and_leave(self) -> None:
        """A client that only connects leaves no timer and no line."""
        connection = Connection(KnownUsers())
        connection.leave()
        self.assertEqual((0, []), (connection.timers, connection.log.events))

    def test_leaves_during_a_look_up(self) -> None:
        """The look-up of a client that has left is cancelled, without a traceback."""
        backend = SlowUsers()
        connection = Connection(backend)
        connection.send(b"moshez\r\n")
        connection.leave()
        self.assertEqual((1, 0), (backend.cancelled, connection.timers))
        self.assertEqual(
            ['192.0.2.1:4000 asked for "moshez": left before the answer'], connection.log.lines()
        )
        self.assertEqual(1, len(connection.log.events))
        self.assertEqual(b"", connection.transport.value())

    def test_backend_that_answers_all_the_same(self) -> None:
        """An answer that comes in spite of being cancelled is written nowhere."""
        backend = SlowUsers()
        backend.asked = Deferred(lambda asked: asked.callback(MOSHEZ))
        connection = Connection(backend)
        connection.send(b"moshez\r\n")
        connection.leave()
        self.assertEqual(b"", connection.transport.value())
        self.assertEqual(1, len(connection.log.events))

    def test_backend_that_fails_when_cancelled(self) -> None:
        """A failure that comes of being cancelled is nobody's business."""
        backend = SlowUsers()
        backend.asked = Deferred(lambda asked: asked.errback(OSError("gone")))
        connection = Connection(backend)
        connection.send(b"moshez\r\n")
        connection.leave()
        self.assertEqual(1, len(connection.log.events))

    def test_leaves_after_the_answer(self) -> None:
        """The end of an answered connection says nothing more, and leaves no timer."""
        connection = Connection(KnownUsers())
        connection.send(b"moshez\r\n")
        connection.leave()
        self.assertEqual((0, 1), (connection.timers, len(connection.log.events)))

    def test_half_close_after_the_query(self) -> None:
        """A client that closes its half after the query gets the answer when it is there."""
        backend = SlowUsers()
        connection = Connection(backend)
        connection.send(b"moshez\r\n")
        IHalfCloseableProtocol(connection.protocol).readConnectionLost()
        self.assertFalse(connection.transport.disconnecting)
        backend.asked.callback(MOSHEZ)
        self.assertIn(b"Happy and well", connection.transport.value())
        self.assertTrue(connection.transport.disconnecting)

    def test_half_close_in_the_middle(self) -> None:
        """A client that closes its half before the query's end is let go without an answer."""
        connection = Connection(KnownUsers())
        connection.send(b"moshez")
        IHalfCloseableProtocol(connection.protocol).readConnectionLost()
        self.assertTrue(connection.transport.disconnecting)
        self.assertEqual((b"", []), (connection.transport.value(), connection.log.events))

    def test_own_half(self) -> None:
        """A transport may say that the writing half is closed."""
        IHalfCloseableProtocol(Connection(KnownUsers()).protocol).writeConnectionLost()


class TimeoutTests(SynchronousTestCase):
    def test_nothing_sent(self) -> None:
        """A client that sends nothing is let go at the deadline, not before."""
        connection = Connection(KnownUsers())
        connection.surroundings.clock.advance(9.9)
        self.assertFalse(connection.transport.disconnected)
        connection.surroundings.clock.advance(0.1)
        self.assertTrue(connection.transport.disconnected)

    def test_one_byte_at_a_time(self) -> None:
        """Bytes that trickle in do not move the deadline."""
        connection = Connection(KnownUsers(), evolve(SETTINGS, timeout=3.0))
        for _ in range(3):
            connection.send(b"a")
            connection.surroundings.clock.advance(1)
        self.assertTrue(connection.transport.disconnected)
        self.assertEqual([], connection.log.events)

    def test_look_up_without_end(self) -> None:
        """A look-up that takes too long is cancelled, and the log says so."""
        backend = SlowUsers()
        connection = Connection(backend)
        connection.send(b"moshez\r\n")
        connection.surroundings.clock.advance(10)
        connection.leave()
        self.assertTrue(connection.transport.disconnected)
        self.assertEqual(1, backend.cancelled)
        self.assertEqual(
            ['192.0.2.1:4000 asked for "moshez": no answer in time'], connection.log.lines()
        )

    def test_answer_that_nobody_takes(self) -> None:
        """A client that never reads its answer is let go at the deadline."""
        connection = Connection(KnownUsers())
        connection.send(b"moshez\r\n")
        self.assertFalse(connection.transport.disconnected)
        connection.surroundings.clock.advance(10)
        self.assertTrue(connection.transport.disconnected)
        self.assertEqual(1, len(connection.log.events))
