"""One direction of a tunnel between two plain sockets of Linux, whose bytes stay in the kernel.

Large reads go from socket to socket through a pipe (splice(2)), small ones by recv and send.

Both transports keep all that is theirs: the socket, their place in the reactor, how they close,
half-close and abort, and whom they tell. Only what they do when they can read or write is
replaced: `doRead` and `doWrite` of the instance, as Twisted itself replaces them while a socket
connects and once it is aborted. So a socket has one descriptor, one owner and one end, and any
reactor will do. Rule: the source is read only while nothing waits for the target.
"""

import errno
import os
import socket
from collections.abc import Callable
from typing import TypeGuard

from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.internet.tcp import Connection

from netkit.net.pipes import PIPE_BYTES, Pipe, Pipes
from netkit.net.progress import acknowledged, progress

BULK = 16 * 1024
"""Bytes in one read from which the next is spliced."""
COPIED_READ = 64 * 1024

_FLAGS = getattr(os, "SPLICE_F_MOVE", 0) | getattr(os, "SPLICE_F_NONBLOCK", 0)
_FULL = {errno.EAGAIN, errno.ENOBUFS}
_UNABLE = {errno.EINVAL, errno.ENOSYS, errno.EPERM}


def can_splice(transport: object) -> TypeGuard[Connection]:
    """Return whether `transport` is one of Twisted's on a plain socket, and this is Linux.

    The handle of one with TLS is its TLS connection.
    """
    if not hasattr(os, "splice") or not isinstance(transport, Connection):
        return False
    return bool(transport.connected) and type(transport.getHandle()) is socket.socket


def _restore(transport: Connection, name: str, replaced: Callable[[], object]) -> None:
    """Have the method `name` be Twisted's own again; where Twisted replaced it as well it stays."""
    if vars(transport).get(name) == replaced:
        del vars(transport)[name]


class SplicedFlow:
    """A flow between two transports that `can_splice`.

    What had been written to the target before goes first; nobody else may write to it after.
    """

    __slots__ = (
        "_blocked",
        "_bulk",
        "_ended",
        "_flush",
        "_held",
        "_over",
        "_pipe",
        "_pipes",
        "_queue",
        "_receive",
        "_rest",
        "_send",
        "_source",
        "_stopped",
        "_target",
        "received",
    )

    def __init__(
        self, source: Connection, target: Connection, pipes: Pipes, ended: Callable[[], None]
    ) -> None:
        self.received = 0
        self._source = source
        self._target = target
        self._pipes = pipes
        self._ended = ended
        self._receive = source.getHandle().recv
        self._send = target.getHandle().send
        self._queue = progress(target)
        self._flush: Callable[[], Exception | int | None] = target.doWrite
        self._bulk = False
        self._held = 0  # bytes, in the pipe if there is one, else in the rest
        self._pipe: Pipe | None = None
        self._rest = b""
        self._blocked = False
        self._over = False
        self._stopped = False

    @property
    def waiting(self) -> int:
        """See Flow."""
        return 0 if self._stopped else self._held + self._queue.unsent

    @property
    def acknowledged(self) -> int:
        """See Flow."""
        return acknowledged(self._target)

    def start(self) -> None:
        """See Flow."""
        # Stopped and started, lest a reactor remember the methods that are replaced.
        self._source.stopReading()
        self._target.stopWriting()
        vars(self._source)["doRead"] = self._read
        vars(self._target)["doWrite"] = self._write
        if self._queue.unsent:
            self._block()
        else:
            self._source.startReading()

    def pass_on(self, data: bytes) -> None:
        """See Flow; what is read later waits until the target has sent `data`."""
        if not self._over:
            self.received += len(data)
            self._target.write(data)
            if self._queue.unsent:
                self._block()

    def end(self) -> None:
        """See Flow."""
        if not self._over:
            self._release()
            if not self._blocked:
                self._ended()

    def stop(self) -> None:
        """See Flow."""
        self._release()
        self.received -= self.waiting
        self._stopped = True
        if self._pipe is not None:
            self._pipes.discard(self._pipe)
            self._pipe = None

    def _release(self) -> None:
        self._over = True
        if self._source.connected:
            self._source.stopReading()
        _restore(self._source, "doRead", self._read)
        if not self._target.connected:
            _restore(self._target, "doWrite", self._write)

    def _read(self) -> Exception | None:
        """Pass on what the source has; in the place of its doRead."""
        if self._bulk:
            pipe = self._pipes.take()
            if pipe is not None:
                return self._splice(pipe)
        try:
            data = self._receive(COPIED_READ)
        except BlockingIOError:
            return None
        except OSError:
            return CONNECTION_LOST
        size = len(data)
        if not size:
            return CONNECTION_DONE
        self._bulk = size >= BULK
        try:
            sent = self._send(data)
        except OSError as error:
            if self._is_lost(error):
                return None
            sent = 0
        self.received += size
        if sent < size:
            self._rest = data[sent:]
            self._hold(size - sent)
        return None

    def _splice(self, pipe: Pipe) -> Exception | None:
        try:
            size = os.splice(self._source.fileno(), pipe.writer, PIPE_BYTES, flags=_FLAGS)
        except OSError as error:
            self._pipes.give_back(pipe)
            return self._not_spliced(error)
        if not size:
            self._pipes.give_back(pipe)
            return CONNECTION_DONE
        self._bulk = size >= BULK
        try:
            sent = os.splice(pipe.reader, self._target.fileno(), size, flags=_FLAGS)
        except OSError as error:
            if self._is_lost(error):
                self._pipes.discard(pipe)
                return None
            sent = 0
        self.received += size
        if sent < size:
            self._pipe = pipe
            self._hold(size - sent)
        else:
            self._pipes.give_back(pipe)
        return None

    def _not_spliced(self, error: OSError) -> Exception | None:
        if error.errno in _UNABLE:
            self._pipes.give_up()
            return None
        return None if error.errno == errno.EAGAIN else CONNECTION_LOST

    def _is_lost(self, error: OSError) -> bool:
        """Return whether the target is lost, which it hears in the next turn.

        It is not read any more: the send has taken the error away from the socket, which would look
        like one whose peer had said its last.
        """
        if error.errno in _FULL:
            return False
        self._target.abortConnection()
        return True

    def _hold(self, size: int) -> None:
        self._held = size
        self._block()

    def _block(self) -> None:
        self._blocked = True
        self._source.stopReading()
        self._target.startWriting()

    def _write(self) -> Exception | int | None:
        """Give the target what waits for it; in the place of its doWrite.

        Once nothing of ours is left, Twisted's own goes on: it sends what it has queued, and
        half-closes or closes where it was asked to.
        """
        if self._held:
            try:
                self._send_held()
            except OSError as error:
                return None if error.errno in _FULL else CONNECTION_LOST
            if self._held:
                return None
        lost = self._flush()
        if self._blocked and not lost and not self._queue.unsent:
            self._unblock()
        return lost

    def _send_held(self) -> None:
        if self._pipe is None:
            sent = self._send(self._rest)
            self._rest = self._rest[sent:]
        else:
            sent = os.splice(self._pipe.reader, self._target.fileno(), self._held, flags=_FLAGS)
        self._held -= sent
        if self._pipe is not None and not self._held:
            self._pipes.give_back(self._pipe)
            self._pipe = None

    def _unblock(self) -> None:
        self._blocked = False
        if self._over:
            self._ended()
        else:
            self._source.startReading()
