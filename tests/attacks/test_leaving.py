"""Clients that leave in the middle, never read, or send for ever, through a proxy."""

from attrs import evolve
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.limits import DEFAULTS
from netkit.http.pool import Counts
from tests.attacks.relayed import GET, Relayed

PIECE = b"a" * 65536
READ_AHEAD = 4 * len(PIECE)
LARGE = evolve(DEFAULTS, body_bytes=2**30)
BEGUN = b"HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n"
POST = b"POST / HTTP/1.1\r\nHost: h\r\n"
SIZED = POST + b"Content-Length: 67108864\r\n\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
CHUNK = b"10000\r\n%b\r\n" % PIECE
EXPECTING = POST + b"Content-Length: 5\r\nExpect: 100-continue\r\n\r\n"
SMALL = b"HTTP/1.1 413 No\r\nContent-Length: 0\r\n\r\n"


class LeavingTests(SynchronousTestCase):
    def assert_given_up(self, relayed: Relayed) -> None:
        """Assert that the connection to the origin was aborted, and that is all."""
        self.assertTrue(relayed.origin.end.aborted)
        self.assertEqual(Counts(0, 0, 0), relayed.pool.counts)
        self.assertEqual([], relayed.failures)

    def leave(self, relayed: Relayed) -> None:
        """Let the client reset its connection; assert that the origin hears of it."""
        relayed.client.connectionLost(Failure(ConnectionLost()))
        self.assert_given_up(relayed)

    def test_before_the_answer(self) -> None:
        """A client that leaves while it waits ends what was asked for it."""
        for said in (GET, POST + b"Content-Length: 5\r\n\r\nhello", EXPECTING):
            relayed = Relayed()
            relayed.ask(said)
            self.leave(relayed)

    def test_in_a_download(self) -> None:
        """A client that leaves in the middle of an answer ends that, however it leaves."""
        for reason in (ConnectionLost(), ConnectionDone()):
            for takes in (0, 1000, 2**30):
                relayed = Relayed()
                relayed.ask()
                relayed.origin.end.send(BEGUN)
                relayed.origin.end.send(PIECE)
                relayed.client.take(takes)
                relayed.client.connectionLost(Failure(reason))
                self.assert_given_up(relayed)

    def test_in_an_upload(self) -> None:
        """The origin of a client that leaves in the middle of a body sees no end of that body."""
        for head, piece in ((SIZED, PIECE), (CHUNKED, CHUNK), (CHUNKED, CHUNK[:100])):
            relayed = Relayed(LARGE)
            relayed.ask(head)
            relayed.ask(piece)
            self.leave(relayed)
            self.assertNotIn(b"\r\n0\r\n", relayed.origin.end.taken)

    def test_in_an_upload_by_a_fin(self) -> None:
        """So it is where the client says its last too early, and waits for an answer."""
        for head, piece in ((SIZED, PIECE), (CHUNKED, CHUNK), (CHUNKED, CHUNK[:100])):
            relayed = Relayed(LARGE)
            relayed.ask(head)
            relayed.ask(piece)
            relayed.client.finish()
            self.assert_given_up(relayed)
            self.assertNotIn(b"\r\n0\r\n", relayed.origin.end.taken)
            self.assertNotIn(200, [each.status for each in relayed.answered])

    def test_readers_of_nothing(self) -> None:
        """Ten clients that take nothing of a GiB cost what has been read ahead, and that is little."""
        relayed = Relayed()
        for _ in range(10):
            relayed.come()
            relayed.ask()
            relayed.origin.end.send(BEGUN)
        for end in relayed.origin.ends:
            read = sum(len(PIECE) for _ in range(100) if end.send(PIECE))
            self.assertLessEqual(read, READ_AHEAD)
        self.assertEqual(10, relayed.pool.counts.connections)

    def test_readers_of_little(self) -> None:
        """Who takes a little gets a little more, and no more than that is held for it."""
        relayed = Relayed()
        relayed.ask()
        relayed.origin.end.send(BEGUN)
        read = taken = 0
        for _ in range(2000):
            read += len(PIECE) * relayed.origin.end.send(PIECE)
            taken += len(relayed.client.take(4096))
            relayed.clock.advance(0)
            self.assertLessEqual(read - taken, READ_AHEAD)
        self.assertGreater(taken, 2**22)

    def test_upload(self) -> None:
        """A body of 64 MiB goes on as fast as the origin takes it, and little of it is kept."""
        relayed = Relayed(LARGE)
        relayed.ask(SIZED)
        head = len(relayed.origin.end.taken)
        sent = taken = 0
        for _ in range(2**26 // 50_000):
            while sent < 2**26 and relayed.client.send(PIECE):
                sent += len(PIECE)
                self.assertLessEqual(sent - taken, READ_AHEAD)
            taken += len(relayed.origin.end.take(100_000))
            relayed.clock.advance(0)
        self.assertEqual(2**26, len(relayed.origin.end.taken) - head)
        relayed.origin.end.send(SMALL.replace(b"413 No", b"200 OK"))
        self.assertEqual([200], [each.status for each in relayed.answered])
        self.assertEqual(1, relayed.pool.counts.idle)

    def test_upload_to_nobody(self) -> None:
        """Of a body that the origin does not take little is read, and its time is bounded."""
        for head, piece in ((SIZED, PIECE), (CHUNKED, CHUNK)):
            relayed = Relayed(LARGE, write_timeout=10.0)
            relayed.client.send(head)
            read = sum(relayed.client.send(piece) for _ in range(100))
            self.assertLessEqual(read, 4)
            relayed.wait(13)
            self.assert_given_up(relayed)
            self.assertEqual([504], [each.status for each in relayed.answered])

    def test_answer_in_an_upload(self) -> None:
        """An answer before the end of the body reaches the client; the origin is not asked again."""
        for head, piece in ((SIZED, PIECE), (CHUNKED, CHUNK)):
            relayed = Relayed(LARGE)
            relayed.ask(head)
            relayed.ask(piece)
            relayed.origin.end.send(SMALL)
            self.assertEqual([413], [each.status for each in relayed.answered])
            self.assert_given_up(relayed)
