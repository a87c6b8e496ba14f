"""Many peers at once, who say what they have to say as the kernel takes it, and may never read."""

import resource
import select
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from time import monotonic

from tests.attacks.host import SELF, dial
from tests.running import PATIENCE

_WHILE = 0.2  # seconds
_GONE = select.POLLRDHUP | select.POLLHUP | select.POLLERR


class Crowd:
    """The connections of those who attack; where it `reads` not, it takes as little as it can."""

    def __init__(self, *, reads: bool) -> None:
        self._reads = reads
        self._events = select.POLLRDHUP | (select.POLLIN if reads else 0)
        self._poll = select.poll()
        self._sockets: dict[int, socket.socket] = {}
        self._unsaid: dict[int, memoryview[int]] = {}

    def __len__(self) -> int:
        """Return how many are connected as far as they know."""
        return len(self._sockets)

    def come(self, port: int, says: bytes = b"", source: str = SELF, count: int = 1) -> None:
        """Connect `count` peers to `port`; what they say is sent by `stay` where it does not fit."""
        for _ in range(count):
            self.join(dial(port, source, takes_little=not self._reads), says)

    def join(self, connection: socket.socket, says: bytes = b"") -> None:
        """Take in one who is connected already."""
        connection.setblocking(False)
        fd = connection.fileno()
        self._sockets[fd] = connection
        self._unsaid[fd] = memoryview(says)
        self._say(fd)

    def stay(self, until: int = 0) -> None:
        """Return once at most `until` are left that netkit has not let go of."""
        end = monotonic() + PATIENCE
        while len(self) > until:
            self._look(end - monotonic())
            if monotonic() > end:
                raise AssertionError(f"{len(self)} have not been let go of")

    def dawdle(self, says: bytes = b"", sips: int = 0) -> None:
        """Return once all are let go of, who say this and read so many bytes a few times a second."""
        end = monotonic() + PATIENCE
        while self._sockets:
            for connection in self._sockets.values():
                with suppress(
                    OSError
                ):  # of those that have been let go of, or have nothing to read
                    connection.send(says)
                    connection.recv(sips)
            self._look(_WHILE)
            if monotonic() > end:
                raise AssertionError(f"{len(self)} have not been let go of")

    def finish(self) -> None:
        """Let everyone send a FIN."""
        for connection in self._sockets.values():
            with suppress(OSError):  # of those that have been let go of
                connection.shutdown(socket.SHUT_WR)

    def leave(self) -> None:
        """Let everyone be gone."""
        for fd in tuple(self._sockets):
            self._forget(fd)

    def _look(self, seconds: float) -> None:
        """Do what can be done, having waited so long at most."""
        for fd, event in self._poll.poll(max(0.0, seconds) * 1000):
            if event & _GONE:
                self._forget(fd)
            elif event & select.POLLIN:
                self._sockets[fd].recv(65536)
            else:
                self._say(fd)

    def _say(self, fd: int) -> None:
        try:
            while self._unsaid[fd]:
                sent = self._sockets[fd].send(self._unsaid[fd][:65536])
                self._unsaid[fd] = self._unsaid[fd][sent:]
        except (BlockingIOError, ssl.SSLWantWriteError):
            self._poll.register(fd, self._events | select.POLLOUT)
        except OSError:  # it is let go of, as the poll will tell
            self._poll.register(fd, self._events)
        else:
            self._poll.register(fd, self._events)

    def _forget(self, fd: int) -> None:
        self._poll.unregister(fd)
        del self._unsaid[fd]
        self._sockets.pop(fd).close()


@contextmanager
def crowd(*, reads: bool = False) -> Iterator[Crowd]:
    """Return a crowd that has gone by the end of the block; it may be as large as is allowed."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    people = Crowd(reads=reads)
    try:
        yield people
    finally:
        people.leave()
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
