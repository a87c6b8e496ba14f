"""A pool of connections: which one is asked, which is made, and when a question goes out again."""

from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.asking import Problem
from netkit.http.clientlimits import ClientLimits
from netkit.http.pool import Counts, Pool
from netkit.net.failures import UnresolvedError
from tests.http.origins import Asker, Asking, Origin, question, reset
from tests.http.test_channel import Pieces

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Kept(SynchronousTestCase):
    """Connections that are asked again."""

    def rested(self, count: int = 1, **limits: Any) -> Asker:
        """Return a pool with so many connections that have been used."""
        asker = Asker(**limits)
        askings = [asker.ask() for _ in range(count)]
        for end in asker.origin.ends:
            end.take()
            end.send(OK)
        self.assertEqual([asking.answer.body for asking in askings], [b"hello"] * count)
        return asker

    def test_last_first(self) -> None:
        """The connection that was used last is used first."""
        asker = self.rested(3)
        asker.ask()
        self.assertEqual([bool(end.take()) for end in asker.origin.ends], [False, False, True])
        asker.ask()
        self.assertEqual([bool(end.take()) for end in asker.origin.ends], [False, True, False])
        self.assertEqual(asker.pool.counts, Counts(connections=3, idle=1, waiting=0))

    def test_other_way(self) -> None:
        """A connection is used for its own server only."""
        asker = self.rested()
        other = Origin()
        asker.pool.ask(other, question())
        self.assertEqual(len(other.ends), 1)

    def test_idle_limits(self) -> None:
        """Of connections that rest only so many are kept, to one server and in all."""
        asker = self.rested(3, idle=2)
        self.assertEqual(asker.pool.counts.idle, 2)
        asker = self.rested(3, idle_in_all=2)
        self.assertEqual(asker.pool.counts.idle, 2)
        self.assertTrue(asker.origin.ends[0].disconnecting)
        self.assertEqual(self.rested(idle=0).pool.counts.idle, 0)

    def test_idle_timeout(self) -> None:
        """A connection rests for some time only."""
        asker = self.rested(idle_timeout=10)
        asker.wait(8)
        self.assertFalse(asker.origin.end.disconnecting)
        asker.wait(4)
        self.assertTrue(asker.origin.end.disconnecting)
        asker.origin.end.take()
        self.assertEqual(asker.pool.counts, Counts(connections=0, idle=0, waiting=0))
        self.assertEqual(asker.clock.getDelayedCalls(), [])

    def test_requests(self) -> None:
        """A connection is asked so often only."""
        asker = self.rested(requests=2)
        asker.ask()
        asker.origin.answer(OK)
        self.assertEqual(asker.pool.counts.idle, 0)
        self.assertTrue(asker.origin.end.disconnecting)

    def test_left(self) -> None:
        """A connection that its server ends while it rests is forgotten."""
        for end in (
            reset,
            lambda end: end.finish(),
            lambda end: end.connectionLost(Failure(ConnectionDone())),
        ):
            asker = self.rested()
            end(asker.origin.end)
            self.assertEqual(asker.pool.counts.idle, 0)
            asking = asker.ask()
            self.assertEqual(len(asker.origin.ends), 2)
            asker.origin.answer(OK)
            self.assertEqual(asking.answer.body, b"hello")

    def test_asked_by_the_answer(self) -> None:
        """Whoever hears an answer may ask again, on the same connection."""
        asker = Asker()
        more: list[Asking] = []
        asker.ask().deferred.addCallback(lambda _: more.append(asker.ask()))
        asker.origin.answer(OK)
        asker.origin.answer(OK)
        self.assertEqual(more[0].answer.body, b"hello")
        self.assertEqual(len(asker.origin.ends), 1)

    def test_again(self) -> None:
        """A repeatable question whose kept connection is lost in silence goes out again, once."""
        asker = self.rested()
        asking = asker.ask(b"PUT", body=b"x")
        asker.origin.end.take()
        reset(asker.origin.end)
        self.assertEqual(len(asker.origin.ends), 2)
        self.assertTrue(asker.origin.end.take().endswith(b"\r\n\r\nx"))
        asker.origin.end.send(OK)
        self.assertEqual(asking.answer.body, b"hello")
        asking = asker.ask()
        reset(asker.origin.end)
        reset(asker.origin.end)
        self.assertEqual(len(asker.origin.ends), 3)
        self.assertIs(asking.error.problem, Problem.CONNECTION_TERMINATED)
        self.assertFalse(asking.error.untouched)

    def test_not_again(self) -> None:
        """No other goes out again: nobody knows what the server did."""
        for method, body in ((b"POST", b"x"), (b"PUT", Pieces(b"x", length=1)), (b"LOCK", b"")):
            asker = self.rested()
            asking = asker.ask(method, body=body)
            reset(asker.origin.end)
            self.assertIs(asking.error.problem, Problem.CONNECTION_TERMINATED)
            self.assertFalse(asking.error.untouched)
            self.assertEqual(len(asker.origin.ends), 1)

    def test_not_again_behind_bytes(self) -> None:
        """Nor one that the server has begun to answer, or that was asked on a new connection."""
        asker = self.rested()
        asking = asker.ask()
        asker.origin.answer(b"HTTP/1.1")
        reset(asker.origin.end)
        self.assertFalse(asking.error.untouched)
        asking = asker.ask()
        reset(asker.origin.end)
        self.assertFalse(asking.error.untouched)
        self.assertEqual(len(asker.origin.ends), 2)

    def test_taken_back_again(self) -> None:
        """A question that goes out again can be taken back."""
        asker = self.rested()
        asking = asker.ask()
        reset(asker.origin.end)
        asking.deferred.cancel()
        self.assertTrue(asker.origin.end.aborted)
        self.assertIsInstance(asking.errors[0], CancelledError)


class Connecting(SynchronousTestCase):
    """Connections that are made."""

    def test_failure(self) -> None:
        """The server has seen nothing of a question for which there was no connection."""
        asker = Asker(Origin(error=UnresolvedError("x: no such host")))
        asking = asker.ask()
        self.assertIs(asking.error.problem, Problem.DNS_ERROR)
        self.assertTrue(asking.error.untouched)
        self.assertEqual(str(asking.error), "x: no such host")
        self.assertEqual(asker.pool.counts.connections, 0)
        self.assertEqual(asker.clock.getDelayedCalls(), [])

    def test_bug(self) -> None:
        """An error that is none of the network's stays what it is."""
        asking = Asker(Origin(error=KeyError("x"))).ask()
        self.assertIsInstance(asking.errors[0], KeyError)

    def test_taken_back(self) -> None:
        """A question that is taken back ends the attempt."""
        asker = Asker(Origin(slow=True))
        asker.ask().deferred.cancel()
        self.assertEqual(asker.origin.cancelled, 1)
        self.assertEqual(asker.pool.counts.connections, 0)

    def test_lost_at_once(self) -> None:
        """A connection that is lost before it is asked has shown its server nothing."""
        origin = Origin(slow=True)
        asker = Asker(origin)
        asking = asker.ask()
        connecting, factory = origin.attempts.pop()
        protocol = origin._meet(factory)
        reset(origin.end)
        connecting.callback(protocol)
        self.assertTrue(asking.error.untouched)
        self.assertEqual(asker.pool.counts.connections, 0)

    def test_lost_and_failed(self) -> None:
        """A connection that is lost before its way has led anywhere counts once."""
        origin = Origin(slow=True)
        asker = Asker(origin)
        asking = asker.ask()
        origin._meet(origin.attempts[0][1])
        reset(origin.end)
        self.assertEqual(asker.pool.counts.connections, 1)
        origin.refuse(UnresolvedError("no handshake"))
        self.assertTrue(asking.error.untouched)
        self.assertEqual(asker.pool.counts.connections, 0)


class Waiting(SynchronousTestCase):
    """Questions for which there is no connection."""

    def test_turn(self) -> None:
        """They are asked in their order, as connections become free or go."""
        asker = Asker(connections=1)
        askings = [asker.ask(target=b"/%d" % number) for number in range(3)]
        self.assertEqual(asker.pool.counts, Counts(connections=1, idle=0, waiting=2))
        self.assertIn(b"/0", asker.origin.end.take())
        asker.origin.end.send(OK)
        self.assertIn(b"/1", asker.origin.end.take())
        askings[1].deferred.cancel()
        self.assertEqual(len(asker.origin.ends), 2)
        self.assertIn(b"/2", asker.origin.end.take())
        asker.origin.end.send(OK)
        self.assertEqual(askings[2].answer.body, b"hello")

    def test_limit(self) -> None:
        """Only so many wait."""
        asker = Asker(connections=1, waiting=1)
        askings = [asker.ask() for _ in range(3)]
        self.assertIs(askings[2].error.problem, Problem.CONNECTION_LIMIT_REACHED)
        self.assertTrue(askings[2].error.untouched)
        self.assertEqual(askings[1].errors, [])

    def test_timeout(self) -> None:
        """None waits for long."""
        asker = Asker(connections=1, waiting_timeout=5)
        asker.ask()
        asking = asker.ask()
        asker.wait(4)
        self.assertEqual(asking.errors, [])
        asker.wait(2)
        self.assertIs(asking.error.problem, Problem.CONNECTION_LIMIT_REACHED)
        self.assertEqual(asker.pool.counts.waiting, 0)

    def test_taken_back(self) -> None:
        """One that is taken back waits no longer."""
        asker = Asker(connections=1)
        asker.ask()
        asker.ask().deferred.cancel()
        self.assertEqual(asker.pool.counts.waiting, 0)

    def test_refused(self) -> None:
        """Each is tried where there is no connection for those before it."""
        asker = Asker(Origin(slow=True), connections=1)
        askings = [asker.ask(), asker.ask()]
        asker.origin.refuse(UnresolvedError("x"))
        self.assertIs(askings[0].error.problem, Problem.DNS_ERROR)
        asker.origin.accept()
        asker.origin.answer(OK)
        self.assertEqual(askings[1].answer.body, b"hello")


class Ending(SynchronousTestCase):
    def test_stop(self) -> None:
        """What rests is closed; what goes on goes on, and is not kept."""
        asker = Asker()
        askings = [asker.ask(), asker.ask()]
        asker.origin.answer(OK)
        asker.pool.stop()
        self.assertTrue(asker.origin.end.disconnecting)
        asker.origin.ends[0].take()
        asker.origin.ends[0].send(OK)
        self.assertEqual(askings[0].answer.body, b"hello")
        self.assertTrue(asker.origin.ends[0].disconnecting)
        asking = asker.ask()
        asker.origin.answer(OK)
        self.assertEqual(asking.answer.body, b"hello")

    def test_abort(self) -> None:
        """Everything ends, wherever it waits, and nothing begins again."""
        asker = Asker(connections=2)
        first = asker.ask()
        asker.origin.answer(OK)
        asker.origin.slow = True
        askings = [asker.ask() for _ in range(3)]
        asker.pool.abort()
        self.assertEqual(first.answer.body, b"hello")
        for asking in (*askings, asker.ask()):
            self.assertEqual(len(asking.errors), 1)
        self.assertEqual(asker.origin.cancelled, 1)
        self.assertTrue(asker.origin.end.aborted)
        self.assertEqual(asker.pool.counts, Counts(connections=0, idle=0, waiting=0))
        self.assertEqual(asker.clock.getDelayedCalls(), [])

    def test_many_servers(self) -> None:
        """Nothing is kept of servers without a connection."""
        asker = Asker()
        for _ in range(10):
            origin = Origin()
            waiting: Deferred[Any] = asker.pool.ask(origin, question())
            waiting.addErrback(lambda _: None)
            reset(origin.end)
        self.assertEqual(asker.pool._servers, {})

    def test_defaults(self) -> None:
        """A pool with the default limits is idle, and costs no timer."""
        asker = Asker()
        self.assertEqual(Pool(ClientLimits(), asker.clock).counts, Counts(0, 0, 0))
        self.assertEqual(asker.clock.getDelayedCalls(), [])
