"""Stream connections that send at once: for TCP and UNIX, accepted and made.

The first write of a turn of the reactor is sent at once where nothing is queued. What follows in
the same turn is gathered, and is due as the next turn begins: forty answers to the forty lines of
one read are two sends, not forty, and neither asks epoll. Only what the kernel does not take waits
for epoll. In a turn that is crowded with events writes are held until all have been read: sends right
behind each other wake their receivers once, and to wake one costs more than all else about a send. A connection with nothing to send closes as the next turn begins, without an empty send
and without asking epoll.

Rule: no callback runs inside a write but a producer's `pauseProducing`, as in Twisted, and none
inside `loseConnection`; an error of a write comes as the next turn begins. All that is not said
here is Twisted's.

What is private to Twisted (26.10) and used here or in `netkit.net.reactor`:

    FileDescriptor  _isSendBufferFull _maybePauseProducer _tempDataBuffer _tempDataLen
                    _writeDisconnected _writeDisconnecting
    Connection      _aborting _dataReceived _shouldShutdown
    _SendmsgMixin   itself, _writeSomeDataBase
    Port, Server    _fromListeningDescriptor, _fromConnectedSocket
    Port            _logger, with the fields `address` and `acceptError` of its events
    Connector       _makeTransport
    EPollReactor    _disconnectSelectable _doReadOrWrite _poller _reads _selectables
"""

import sys
from collections.abc import Iterable
from errno import EAGAIN, ENOBUFS
from socket import IPPROTO_TCP, TCP_NODELAY, socket
from typing import Any

from twisted.internet import tcp, unix
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.interfaces import (
    IOpenSSLContextFactory,
    IProducer,
    IProtocol,
    IReactorFDSet,
)
from twisted.internet.main import CONNECTION_DONE, CONNECTION_LOST
from twisted.logger import ILogObserver, LogEvent, Logger
from twisted.protocols.tls import TLSMemoryBIOProtocol
from zope.interface import Attribute, provider

BACKLOG = 511
"""How many connections wait to be accepted where nobody asked for another number."""

_ASKED_BY_NOBODY = 50  # Twisted's default, which its endpoints pass on as if somebody had asked
_TRY_LATER = (EAGAIN, ENOBUFS)
_FOR_EVER = sys.maxsize


class IReactorTurns(IReactorFDSet):
    """A reactor that lends its connections a turn."""

    turn: int = Attribute("How many turns have begun.")
    held: "list[EagerConnection] | None" = Attribute(
        "Whose writes are held until the events of this turn are over; None where none are."
    )

    def read_next_turn(connection: "EagerConnection") -> None:  # noqa: N805 (as below)
        """Call `doRead` of `connection` as the next turn begins, before epoll is asked for it."""

    def write_next_turn(connection: "EagerConnection") -> None:  # noqa: N805 (an interface has no self)
        """Call `doWrite` of `connection` as the next turn begins, without asking epoll."""

    def is_read(connection: "EagerConnection") -> bool:  # noqa: N805 (as above)
        """Return whether `doRead` of `connection` is called as there is something to read."""


class EagerConnection(tcp.Connection):
    """What the four sorts of connection have in common.

    Beside what Twisted's connections offer there are, for whoever looks at them from outside, say
    once a second: `unsent`, `taken` and `heard`. A peer is stalled while `unsent` is not 0 and
    `taken` does not grow.
    """

    heard = False
    """Whether the peer has sent anything; whoever looks may set it back."""

    taken = 0
    """How many bytes the kernel has taken of those that were unsent at some time."""

    beside = 0
    """How many bytes wait beside the queue; whoever has them counts them."""

    reactor: IReactorTurns
    _shouldShutdown = False  # a close says as much, and nobody else holds the descriptor
    _gathers_until = 0  # the last turn in which no write is sent at once
    _always_gathers = False
    _broken = False  # whether a write met an error that nobody has been told of

    @property
    def unsent(self) -> int:
        """How many bytes have been written that the kernel has not taken."""
        return len(self.dataBuffer) - self.offset + self._tempDataLen + self.beside

    @property
    def takes_no_more(self) -> bool:
        """Whether the connection is over, or was asked to end at least our half of it."""
        return bool(
            not self.connected
            or self.disconnecting
            or self._aborting
            or self._writeDisconnecting
            or self._writeDisconnected
        )

    def close_queue(self) -> None:
        """Draw a line under what has been written: `send_queue` sends that and nothing after it."""
        if self._tempDataLen:
            rest = self.dataBuffer[self.offset :]
            self.dataBuffer, self.offset = b"".join((rest, *self._tempDataBuffer)), 0
            self._tempDataBuffer, self._tempDataLen = [], 0

    def send_queue(self) -> BaseException | int | None:
        """Send what is above the line, as `doWrite` does; return how the connection ended, if so."""
        if self._broken:
            return CONNECTION_LOST
        if not self.dataBuffer:
            return None
        sent = self.writeSomeData(memoryview(self.dataBuffer)[self.offset :])
        if not isinstance(sent, int) or sent < 0:
            return sent
        self.offset += sent
        if self.offset == len(self.dataBuffer):
            self.dataBuffer, self.offset = b"", 0
        return None

    def gather_writes(self) -> None:
        """Send no write at once from now on.

        For a layer above that may take back what it wrote in the same turn, as TLS does: it says
        farewell, and then aborts. Were that farewell sent, what was cut off would look complete.
        """
        self._always_gathers = True
        self._gathers_until = _FOR_EVER

    def write(self, data: bytes) -> None:
        """Send `data` at once where that may be, or queue it."""
        # Whoever gathers or waits says so by one number, since this runs for every message.
        reactor = self.reactor
        turn = reactor.turn
        if (
            self._gathers_until >= turn
            or not self.connected
            or type(data) is not bytes
            or (self.producer is not None and len(data) > self.bufferSize)
        ):
            self._gather(data)
            return
        self._gathers_until = turn
        held = reactor.held
        if held is None:
            self._send(data)
        else:
            self._tempDataBuffer.append(data)
            self._tempDataLen += len(data)
            held.append(self)

    def send_held(self) -> None:
        """Send what has been held, if there is a connection still that it can be sent on."""
        if self.dataBuffer or not self._tempDataLen or self._aborting or not self.connected:
            return
        pieces = self._tempDataBuffer
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        self._tempDataLen = 0
        self._send(data)

    def _send(self, data: bytes) -> None:
        """Send `data`; what the kernel does not take waits for epoll."""
        try:
            sent = self.socket.send(data)
        except OSError as error:
            sent = 0
            self._broken = error.errno not in _TRY_LATER
        if sent != len(data):
            self.dataBuffer, self.offset = data, sent
            self._maybePauseProducer()
            self.startWriting()

    def _gather(self, data: bytes) -> None:
        if (
            self._tempDataLen
            and self.connected
            and self.producer is None
            and not self.TLS
            and type(data) is bytes
        ):
            self._tempDataBuffer.append(data)  # as Twisted would, only that a doWrite is on its way
            self._tempDataLen += len(data)
        else:
            super().write(data)

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """Write the pieces of `iovec` as one."""
        pieces = tuple(iovec)
        if self._gathers_until >= self.reactor.turn or set(map(type, pieces)) != {bytes}:
            super().writeSequence(pieces)
        else:
            self.write(b"".join(pieces))

    def startWriting(self) -> None:
        """Have `doWrite` called: in the next turn for what was gathered, else when epoll says so."""
        if self.connected:
            self._gathers_until = _FOR_EVER
        if self._broken or (self._tempDataLen and not self.dataBuffer):
            self.reactor.write_next_turn(self)
        else:
            super().startWriting()

    def doWrite(self) -> BaseException | int | None:  # type: ignore[override]  # its bases disagree
        """Send what is queued; then resume the producer, close or half-close, as was asked for."""
        if self._broken:
            return self._hear_out()
        self._gathers_until = _FOR_EVER
        why: BaseException | int | None = super().doWrite()
        if why is CONNECTION_LOST:
            return self._hear_out()
        if why is None and self.connected:
            if self.dataBuffer:
                super().startWriting()
            elif not self._must_gather():
                self._gathers_until = self.reactor.turn
        return why

    def _hear_out(self) -> ConnectionLost:
        """Pass on what the peer said before it left, if anybody listens; return that it has left.

        A server that refuses a long request says why and leaves: that is no loss without a word.
        """
        self._broken = True
        if self.reactor.is_read(self):
            self.doRead()
        return CONNECTION_LOST

    def _must_gather(self) -> bool:
        pulls = self.producer is not None and not self.streamingProducer
        return bool(self._tempDataLen or self._always_gathers or self._writeDisconnected or pulls)

    def writeSomeData(self, data: "bytes | memoryview[int]") -> int | ConnectionLost:
        """Return how many bytes of `data` the kernel took, or how the connection ended."""
        if not data:
            return 0
        try:
            sent = self.socket.send(data)
        except OSError as error:
            return 0 if error.errno in _TRY_LATER else CONNECTION_LOST
        self.taken += sent
        return sent

    def doRead(self) -> ConnectionLost | ConnectionDone | None:  # type: ignore[override]  # its bases disagree
        """Pass on what there is to read, at most `bufferSize` bytes, or return how it ended."""
        try:
            data = self.socket.recv(self.bufferSize)
        except OSError as error:
            return None if error.errno == EAGAIN else CONNECTION_LOST
        if not data:
            return self._ended()
        self.heard = True
        self.protocol.dataReceived(data)
        return None

    def _dataReceived(  # type: ignore[override]  # of old it was never lost here
        self, data: bytes | None
    ) -> ConnectionLost | ConnectionDone | None:
        """Do what `doRead` does with `data`; UNIX connections have a `doRead` of Twisted's."""
        if not data:
            return self._ended()
        self.heard = True
        self.protocol.dataReceived(data)
        return None

    def _ended(self) -> ConnectionLost | ConnectionDone:
        # The write that failed was told the error, and the read is told that all is well.
        return CONNECTION_LOST if self._broken else CONNECTION_DONE

    def _isSendBufferFull(self) -> bool:
        return self.unsent > self.bufferSize

    def registerProducer(self, producer: IProducer, streaming: bool) -> None:  # noqa: FBT001
        """Ask `producer` for more whenever all is sent, or pause it while too much is not."""
        if not streaming:
            # It is asked for more by doWrite, and for the first time once this turn's writes are sent.
            if self._gathers_until == self.reactor.turn:
                self.reactor.write_next_turn(self)
            self._gathers_until = _FOR_EVER
        super().registerProducer(producer, streaming)

    def startTLS(self, ctx: IOpenSSLContextFactory, normal: bool = True) -> None:  # noqa: FBT001, FBT002
        """Begin TLS on this connection."""
        self.gather_writes()
        super().startTLS(ctx, normal)

    def loseConnection(self) -> None:
        """Close once everything is sent, in the next turn at the earliest."""
        if self.reactor.held is not None and not self._always_gathers:
            self.send_held()
        if self.TLS or self.unsent or self.disconnecting or not self.connected:
            super().loseConnection()
        else:
            self.disconnecting = 1
            self.stopReading()
            self.reactor.write_next_turn(self)

    def abortConnection(self) -> None:
        """Drop what is unsent and reset the connection, in the next turn."""
        self.gather_writes()
        super().abortConnection()


class Server(tcp.Server, EagerConnection):
    """A TCP connection that was accepted."""

    def __init__(  # noqa: PLR0913, PLR0917 (Twisted's)
        self,
        sock: socket,
        protocol: IProtocol,
        client: tuple[Any, ...],
        server: tcp.Port | None,
        sessionno: int,
        reactor: IReactorFDSet,
    ) -> None:
        # Python finds these sooner in the instance than in one of its classes.
        self._gathers_until = 0
        self.bufferSize = self.bufferSize
        self.heard = False
        if isinstance(protocol, TLSMemoryBIOProtocol):
            self.gather_writes()
        if server is None:
            sock.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        super().__init__(sock, protocol, client, server, sessionno, reactor)  # type: ignore[arg-type]  # an adopted one has no port

    def startReading(self) -> None:
        """Have `doRead` called; at first without asking epoll, since most peers speak at once."""
        if self.connected:
            super().startReading()
        else:
            self.reactor.read_next_turn(self)


class Client(tcp.Client, EagerConnection):
    """A TCP connection that was made."""

    def createInternetSocket(self) -> socket:
        """Return a socket that does not hold small writes back."""
        unconnected: socket = super().createInternetSocket()
        unconnected.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)
        return unconnected


class UNIXConnection(unix._SendmsgMixin, EagerConnection):  # noqa: SLF001 (listed above)
    """What both sorts of UNIX connection have in common."""

    _writeSomeDataBase = EagerConnection

    def sendFileDescriptor(self, fileno: int) -> None:
        """Send a duplicate of `fileno` along with bytes that have yet to be written.

        From then on all writes are gathered.
        """
        self.gather_writes()
        super().sendFileDescriptor(fileno)


class UNIXServer(UNIXConnection, unix.Server):  # type: ignore[misc]  # see above for its base
    """A UNIX connection that was accepted."""


class UNIXClient(UNIXConnection, unix.Client):  # type: ignore[misc]  # as above
    """A UNIX connection that was made."""


class Port(tcp.Port):
    """A TCP port that listens; its factory may say by `transport` what accepted sockets become."""

    transport = Server

    def startListening(self) -> None:
        """Bind and listen; on Linux what is accepted inherits that small writes are not held back."""
        self.backlog = _deep(self.backlog)
        self.transport = getattr(self.factory, "transport", None) or Server
        self._logger = _log_of(self)
        super().startListening()
        self.socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1)


class UNIXPort(unix.Port):
    """A UNIX socket that listens."""

    transport = UNIXServer

    def startListening(self) -> None:
        """Bind and listen."""
        self.backlog = _deep(self.backlog)
        self._logger = _log_of(self)
        super().startListening()


def _log_of(port: tcp.Port) -> Logger:
    """Return the log of `port` about connections that it could not accept.

    Twisted writes up to three lines for each, which a flood would fill a disk with. A factory that
    has `not_accepted` is called with the name of the error instead, and may count.
    """
    tell = getattr(port.factory, "not_accepted", None)
    if tell is None:
        return port._logger  # noqa: SLF001 (listed above)

    @provider(ILogObserver)
    def observe(event: LogEvent) -> None:
        if "address" in event:  # it was accepted in the place of a spare descriptor, and closed
            tell("EMFILE")
        elif "acceptError" in event:
            tell(event["acceptError"])

    return Logger(namespace=port._logger.namespace, observer=observe)  # noqa: SLF001 (as above)


def _deep(backlog: int) -> int:
    return BACKLOG if backlog == _ASKED_BY_NOBODY else backlog


class Connector(tcp.Connector):
    """Makes a TCP connection."""

    def _makeTransport(self) -> Client:
        return Client(self.host, self.port, self.bindAddress, self, self.reactor)


class UNIXConnector(unix.Connector):
    """Makes a UNIX connection."""

    def _makeTransport(self) -> UNIXClient:  # type: ignore[override]  # its base's base means TCP
        return UNIXClient(self.address, self, self.reactor, self.checkPID)
