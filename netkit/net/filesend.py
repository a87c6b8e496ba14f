"""Part of a file sent on a plain connection of netkit's reactor, without a visit to Python.

The kernel copies from the file to the socket (sendfile(2)) whenever the socket has room, at most
`TURN_BYTES` in one turn of the reactor, so that everybody else gets theirs. No byte of the file is
kept here: what waits for the peer is what the socket's own buffer holds.

As in `splice.py` the connection keeps all that is its own, and only its `doWrite` is replaced for
the time. Rule: what was written before goes first, what is written meanwhile goes after, and the
bytes of the file that have still to go count as `unsent`, so that whoever watches the connection
sees whether its peer takes any.
"""

import errno
import os
import socket
from types import NoneType
from typing import TypeGuard

from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IPullProducer
from twisted.internet.main import CONNECTION_LOST
from zope.interface import implementer

from netkit.net.eager import EagerConnection
from netkit.net.proxied import ProxiedTransport

TURN_BYTES = 1024 * 1024
"""The most that one connection sends of its file in one turn of the reactor."""
COPIED_BYTES = 64 * 1024
"""The most that is read at once of a file from which the kernel does not send."""

_FULL = {errno.EAGAIN, errno.ENOBUFS}
_UNABLE = {errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP}
_NETWORK = {
    errno.EHOSTDOWN,
    errno.EHOSTUNREACH,
    errno.ENETDOWN,
    errno.ENETRESET,
    errno.ENETUNREACH,
    errno.ENOTCONN,
}


class UnsentError(Exception):
    """The file has not been sent as far as was asked; what has been sent is gone."""


class FileTooShortError(UnsentError):
    """The file ends before the range does."""


class FileUnreadableError(UnsentError):
    """The system cannot read the file; the text has its words."""


class ConnectionGoneError(UnsentError):
    """The connection takes nothing more, or was lost on the way."""


def may_send_file(transport: object) -> bool:
    """Return whether `send_file` works on `transport`; else read the file and write the pieces."""
    return hasattr(os, "sendfile") and _is_plain(_under(transport))


def send_file(transport: object, file: int, offset: int, length: int) -> Deferred[None]:
    """Send `length` bytes of the descriptor `file` from `offset` on; `may_send_file` said yes.

    The Deferred fires once the kernel has all of them, or fails with an UnsentError: where that is
    no ConnectionGoneError the connection stands, and the peer has got too little. Cancelling it
    stops the sending. `file` stays open until then, has no position that matters, and is not closed.
    Meanwhile the connection has a producer. Raise TypeError for a transport that may not.
    """
    plain = _under(transport)
    if not _is_plain(plain):
        raise TypeError(f"{type(plain).__name__} sends no file")
    if not length:
        return succeed(None)
    sending = FileSending(plain, file, offset, length)
    sending.start()
    return sending.finished


def _under(transport: object) -> object:
    return transport.original if isinstance(transport, ProxiedTransport) else transport


def _is_plain(transport: object) -> TypeGuard[EagerConnection]:
    if not isinstance(transport, EagerConnection) or transport.TLS:
        return False
    return type(getattr(transport, "socket", None)) in {socket.socket, NoneType}  # None: it is lost


@implementer(IPullProducer)
class FileSending:
    """One range of a file on its way; see `send_file`."""

    __slots__ = ("_copies", "_file", "_left", "_offset", "_transport", "_turn", "finished")

    def __init__(self, transport: EagerConnection, file: int, offset: int, length: int) -> None:
        self.finished: Deferred[None] = Deferred(lambda _: self._release())
        self._transport = transport
        self._file = file
        self._offset = offset
        self._left = length
        self._copies = False
        self._turn = 0  # the last in which something was sent

    def start(self) -> None:
        """Begin as the next turn does."""
        transport = self._transport
        if transport.takes_no_more:
            self.finished.errback(ConnectionGoneError("the connection takes nothing more"))
            return
        transport.registerProducer(self, streaming=False)
        transport.close_queue()
        transport.beside = self._left
        vars(transport)["doWrite"] = self._write

    def resumeProducing(self) -> None:
        """Have `doWrite` called; who registers a pull producer asks it once."""
        self._transport.reactor.write_next_turn(self._transport)

    def stopProducing(self) -> None:
        """End: the connection is lost."""
        self._end(ConnectionGoneError(f"the connection was lost with {self._left} bytes to go"))

    def _write(self) -> BaseException | int | None:
        """Send what the socket has room for; in the place of the connection's doWrite."""
        lost = self._transport.send_queue()
        if not (lost or self._transport.dataBuffer or self._turn == self._transport.reactor.turn):
            self._turn = self._transport.reactor.turn
            try:
                self._took(self._send())
            except OSError as error:
                lost = self._not_sent(error)
        if not self.finished.called and not lost:
            self._transport.reactor.addWriter(self._transport)
        return lost

    def _send(self) -> int:
        size = min(self._left, TURN_BYTES)
        if not self._copies:
            return os.sendfile(self._transport.socket.fileno(), self._file, self._offset, size)
        piece = os.pread(self._file, min(size, COPIED_BYTES), self._offset)
        return self._transport.socket.send(piece) if piece else 0

    def _took(self, sent: int) -> None:
        self._offset += sent
        self._left -= sent
        self._transport.beside = self._left
        self._transport.taken += sent
        if not self._left:
            self._end()
        elif not sent:
            self._end(FileTooShortError(f"the file ends {self._left} bytes too soon"))

    def _not_sent(self, error: OSError) -> Exception | None:
        """Return how the connection ended, if it is that which `error` is about."""
        if error.errno in _FULL:
            return None
        if isinstance(error, ConnectionError | TimeoutError) or error.errno in _NETWORK:
            return CONNECTION_LOST
        if error.errno in _UNABLE and not self._copies:
            self._copies = True  # from the next turn on
        else:
            self._end(FileUnreadableError(str(error.strerror).lower()))
        return None

    def _end(self, error: UnsentError | None = None) -> None:
        self._release()
        if error is None:
            self.finished.callback(None)
        else:
            self.finished.errback(error)

    def _release(self) -> None:
        """Give the connection back; what else it has to do it does in the next turn."""
        transport = self._transport
        transport.beside = 0
        if vars(transport).get("doWrite") == self._write:
            del vars(transport)["doWrite"]
        transport.unregisterProducer()
        if transport.connected:
            transport.reactor.write_next_turn(transport)
