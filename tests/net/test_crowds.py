"""In a turn that is crowded with events, what is written goes out when all have been read."""

import socket
from collections.abc import Callable

from netkit.net.reactor import CROWD
from tests.net.turning import TCP, UNIX, HalfCloser, Recorder, Recorders, TurningTestCase, Way


class CrowdTests(TurningTestCase):
    """As many peers as make a crowd, each with a protocol of ours at the other end."""

    way: Way = TCP()

    def setUp(self) -> None:
        super().setUp()
        self.served = Recorders(HalfCloser)
        self.way.listen(self.reactor, self.served)
        self.peers = [self.connect_peer() for _ in range(CROWD)]
        self.turn()  # by now epoll knows all of them
        self.ours = self.served.made

    def connect_peer(self) -> socket.socket:
        peer = self.way.peer()
        self.addCleanup(peer.close)
        before = len(self.served.made)
        self.turn_until(lambda: len(self.served.made) > before)
        peer.setblocking(False)
        return peer

    def crowd(self, *, on_data: Callable[[Recorder], object]) -> None:
        """Let every peer speak, and turn once; each of our protocols does `on_data`."""
        for each in self.ours:
            each.on_data = on_data
        for peer in self.peers:
            peer.send(b"?")
        self.turn()

    def there(self, peer: socket.socket) -> bytes:
        """Return what has arrived at `peer`."""
        try:
            return peer.recv(1 << 20)
        except BlockingIOError:
            return b""

    def test_held(self) -> None:
        """Nothing has arrived while others are still read, and everything when the turn is over."""
        seen: list[bytes] = []

        def answer(ours: Recorder) -> None:
            ours.transport.write(b"answer")
            seen.extend(self.there(peer) for peer in self.peers)

        self.crowd(on_data=answer)
        self.assertEqual({b""}, set(seen))
        self.assertEqual([b"answer"] * CROWD, [self.there(peer) for peer in self.peers])

    def test_unsent(self) -> None:
        """What is held is unsent, and nothing is afterwards."""
        unsent: list[int] = []

        def answer(ours: Recorder) -> None:
            ours.transport.write(b"four")
            unsent.append(ours.transport.unsent)

        self.crowd(on_data=answer)
        self.assertEqual([4] * CROWD, unsent)
        self.assertEqual([0] * CROWD, [each.transport.unsent for each in self.ours])

    def test_several(self) -> None:
        """Several writes of one turn go out together and in their order, to others as well."""

        def answer(ours: Recorder) -> None:
            for data in (b"one ", b"two ", b"three "):
                ours.transport.write(data)
            self.ours[0].transport.write(b"more ")

        self.crowd(on_data=answer)
        mine = b"one two three "
        self.assertEqual(mine + b"more " * CROWD, self.there(self.peers[0]))
        self.assertEqual([mine] * (CROWD - 1), [self.there(peer) for peer in self.peers[1:]])

    def test_close(self) -> None:
        """Who writes and closes has said it."""

        def answer(ours: Recorder) -> None:
            ours.transport.write(b"goodbye")
            ours.transport.loseConnection()

        self.crowd(on_data=answer)
        self.turn()
        self.assertEqual([b"goodbye"] * CROWD, [self.there(peer) for peer in self.peers])
        self.assertEqual([b""] * CROWD, [peer.recv(1) for peer in self.peers])

    def test_half_close(self) -> None:
        """So has who closes one half."""

        def answer(ours: Recorder) -> None:
            ours.transport.write(b"goodbye")
            ours.transport.loseWriteConnection()

        self.crowd(on_data=answer)
        for _ in range(3):
            self.turn()
        self.assertEqual([b"goodbye"] * CROWD, [self.there(peer) for peer in self.peers])
        self.assertEqual([b""] * CROWD, [peer.recv(1) for peer in self.peers])

    def test_abort(self) -> None:
        """What is held as a connection is aborted is dropped, and the others' is not."""

        def answer(ours: Recorder) -> None:
            ours.transport.write(b"never")
            if ours is self.ours[0]:
                ours.transport.abortConnection()

        self.crowd(on_data=answer)
        self.assertEqual([b"never"] * (CROWD - 1), [self.there(peer) for peer in self.peers[1:]])
        self.turn_until(lambda: self.ours[0].lost)
        self.assertEqual(0, self.ours[0].transport.reactor.held or 0)

    def test_raises(self) -> None:
        """What others wrote goes out though one of the crowd has raised."""

        def answer(ours: Recorder) -> None:
            ours.transport.write(b"answer")
            if ours is self.ours[-1]:
                raise ZeroDivisionError

        self.crowd(on_data=answer)
        self.assertEqual([b"answer"] * (CROWD - 1), [self.there(peer) for peer in self.peers[:-1]])
        self.assertEqual(1, len(self.flushLoggedErrors(ZeroDivisionError)))

    def test_no_crowd(self) -> None:
        """Fewer are sent to at once."""
        seen: list[bytes] = []

        def answer(ours: Recorder) -> None:
            ours.transport.write(b"answer")
            seen.append(self.there(self.peers[0]))

        self.ours[0].on_data = answer
        self.peers[0].send(b"?")
        self.turn()
        self.assertEqual([b"answer"], seen)

    def test_much(self) -> None:
        """Of more than the kernel takes at once all arrives."""
        data = bytes(range(256)) * 4096 * 8

        def answer(ours: Recorder) -> None:
            for start in range(0, len(data), 65536):
                ours.transport.write(data[start : start + 65536])

        self.crowd(on_data=answer)
        for peer in self.peers:
            read = self.read_until(peer, lambda read: len(read) >= len(data))
            self.assertEqual(len(data), len(read))
            self.assertTrue(read == data)


class UnixCrowdTests(CrowdTests):
    """The same by UNIX sockets."""

    way = UNIX()
