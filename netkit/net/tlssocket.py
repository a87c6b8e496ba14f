"""A socket with TLS on it, which a transport uses as it would the socket.

OpenSSL reads and writes the descriptor itself, so that bytes are copied once less and no event
passes a second protocol (the memory BIOs of twisted.protocols.tls). Rule: whatever OpenSSL answers
comes out as a socket's answer would: bytes, EAGAIN, the peer's end, or an error.
"""

from contextlib import suppress
from errno import EAGAIN, ECONNRESET, EPROTO
from socket import SHUT_RD, socket
from typing import Any, NoReturn

from OpenSSL import SSL

RECORD = 16384  # bytes: the most that one record carries (RFC 8446 5.1)


class TLSSocket:
    """The server's side of TLS on a connected, non-blocking `sock`.

    `greeted` says whether the handshake is done; nothing is received or sent before.
    `blocked_by_write` says whether it waits for the socket to take bytes rather than to bring some.
    """

    __slots__ = ("_receive", "_send", "_socket", "blocked_by_write", "fileno", "greeted", "tls")

    def __init__(self, sock: socket, context: SSL.Context) -> None:
        self._socket = sock
        self.fileno = sock.fileno
        self.tls = SSL.Connection(context, sock)
        self.tls.set_accept_state()
        self._receive = self.tls.recv
        self._send = self.tls.send
        self.greeted = False
        self.blocked_by_write = False

    def shake_hands(self) -> None:
        """Go on with the handshake; raise OSError where it is not done yet (EAGAIN), or failed."""
        self.blocked_by_write = False
        try:
            self.tls.do_handshake()
        except SSL.WantWriteError as error:
            self.blocked_by_write = True
            _raise(error)
        except SSL.Error as error:
            _raise(error)
        self.greeted = True

    def recv(self, size: int) -> bytes:
        """Return what the peer sent, about `size` bytes at most; b"" after its close_notify.

        Raise OSError: EAGAIN where nothing is there yet. Whole records are read, so that no byte
        stays behind in OpenSSL, where no poll would see it.
        """
        try:
            piece = self._receive(RECORD)
        except SSL.ZeroReturnError:
            return b""
        except SSL.Error as error:
            _raise(error)
        if len(piece) < RECORD or size <= RECORD:
            return piece
        return self._more(piece, size)

    def _more(self, first: bytes, size: int) -> bytes:
        """Return `first` and what else has come; an error is met again by the next `recv`."""
        pieces, received = [first], len(first)
        with suppress(SSL.Error):
            while received < size and received % RECORD == 0:
                pieces.append(self._receive(RECORD))
                received += len(pieces[-1])
        return b"".join(pieces)

    def send(self, data: "bytes | memoryview[int]") -> int:
        """Return how many bytes of `data` are on their way; raise OSError: EAGAIN where none is.

        What OpenSSL could not send of a record has to be given again first, as a queue does.
        """
        if not self.greeted:
            raise BlockingIOError(EAGAIN, "the handshake is not done")
        length = len(data)
        if length <= RECORD:
            try:
                return self._send(data)
            except SSL.Error as error:
                _raise(error)
        view, sent = memoryview(data), 0
        try:
            while sent < length:
                sent += self._send(view[sent : sent + RECORD])
        except SSL.Error as error:
            if not sent:
                _raise(error)
        return sent

    def shutdown(self, how: int) -> None:
        """Say goodbye (close_notify) where our half ends, then shut down the socket."""
        if how != SHUT_RD:
            with suppress(SSL.Error):
                self.tls.shutdown()
        self._socket.shutdown(how)

    def setblocking(self, flag: bool) -> None:  # noqa: FBT001 (as a socket has it)
        """Say whether the socket waits; TLS on it works only where it does not."""
        self._socket.setblocking(flag)

    def setsockopt(self, *options: Any) -> None:  # noqa: ANN401 (as a socket has it)
        """Set an option of the socket."""
        self._socket.setsockopt(*options)

    def getsockopt(self, *options: Any) -> int | bytes:  # noqa: ANN401 (as a socket has it)
        """Return an option of the socket."""
        return self._socket.getsockopt(*options)

    def getsockname(self) -> Any:  # noqa: ANN401 (as a socket has it)
        """Return the socket's own address."""
        return self._socket.getsockname()

    def getpeername(self) -> Any:  # noqa: ANN401 (as a socket has it)
        """Return the peer's address."""
        return self._socket.getpeername()

    def close(self) -> None:
        """Close the socket without another word."""
        self._socket.close()


def _raise(error: SSL.Error) -> NoReturn:
    """Raise what a socket would."""
    match error:
        case SSL.WantReadError() | SSL.WantWriteError():
            raise BlockingIOError(EAGAIN, "not yet") from None
        case SSL.SysCallError():
            raise ConnectionResetError(ECONNRESET, "ended without close_notify") from None
        case _:
            raise OSError(EPROTO, "broke the rules of TLS") from None
