"""The reactor of netkit: Twisted's on epoll, with connections that send at once.

A *turn* is one round of the loop: what is due, then what epoll reports, then, where that was much,
what was written meanwhile, then the timed calls. What
there is to read from a connection is read without building a logging context for each event: one
context for the life of the loop knows whose turn it is. All other events, and whatever goes wrong,
take Twisted's own path. Rule: importing this installs nothing.
"""

from collections.abc import Callable
from socket import AF_INET, AF_INET6, AF_UNIX, AddressFamily
from time import monotonic
from typing import Any

from twisted.internet import tcp
from twisted.internet.base import BaseConnector
from twisted.internet.epollreactor import EPOLLIN, EPollReactor
from twisted.internet.error import UnsupportedAddressFamily
from twisted.internet.interfaces import (
    Binding,
    IConnector,
    IListeningPort,
    IProtocolFactory,
    IReadDescriptor,
    IWriteDescriptor,
)
from twisted.internet.main import installReactor
from twisted.internet.protocol import ClientFactory
from twisted.python import context, log

from netkit.net.eager import (
    Connector,
    EagerConnection,
    Port,
    Server,
    UNIXConnector,
    UNIXPort,
    UNIXServer,
)

CROWD = 4
"""So many events at once make a turn crowded."""


class _LogContext(dict[str, str]):
    """What Twisted's log is told of the place it is called from: the connection whose turn it is."""

    def __init__(self, reactor: "EagerReactor") -> None:
        super().__init__()
        self._reactor = reactor

    def __missing__(self, key: str) -> str:
        if key != "system":
            raise KeyError(key)
        current = self._reactor.current
        return current.logPrefix() if current else "-"

    def copy(self) -> dict[str, str]:
        return {"system": self["system"]}


class EagerReactor(EPollReactor):
    """Twisted's reactor on epoll, with the connections above for TCP and UNIX streams."""

    turn = 0
    """How many turns have begun."""

    seconds = staticmethod(monotonic)
    """The time of `callLater` and of deadlines: setting the clock does not move it."""

    held: list[EagerConnection] | None = None
    """Whose writes are held until the events of this turn are over; None where none are."""

    current: EagerConnection | None = None
    """The connection that is being read, or written because it was due."""

    def __init__(self) -> None:
        self._due: dict[EagerConnection, None] = {}
        self._newborn: dict[EagerConnection, None] = {}
        super().__init__()

    def read_next_turn(self, connection: EagerConnection) -> None:
        """Call `doRead` of `connection` as the next turn begins, and then have epoll watch it."""
        self._newborn[connection] = None

    def write_next_turn(self, connection: EagerConnection) -> None:
        """Call `doWrite` of `connection` as the next turn begins, without asking epoll."""
        self._due[connection] = None

    def is_read(self, connection: EagerConnection) -> bool:
        """Return whether `doRead` of `connection` is called as there is something to read."""
        return connection in self._newborn or connection.fileno() in self._reads

    def mainLoop(self) -> None:
        """Take turns until told to stop."""
        context.call({log.ILogContext: _LogContext(self)}, super().mainLoop)

    def doPoll(self, timeout: float | None) -> None:
        """Take one turn; wait for events at most `timeout` seconds, or for ever where it is None."""
        self.turn += 1
        if self._due or self._newborn:
            self._read_newborn()
            self._write_due()
            timeout = 0  # it was computed before what has just been called
        elif timeout is None:
            timeout = -1
        events = self._poller.poll(timeout, len(self._selectables))
        if len(events) < CROWD:
            self._take(events)
            return
        held = self.held = []
        self._take(events)
        self.held = None
        for connection in held:
            connection.send_held()

    doIteration = doPoll

    def _take(self, events: list[tuple[int, int]]) -> None:
        """Read and write what epoll has reported."""
        selectables = self._selectables
        for fd, event in events:
            selectable = selectables.get(fd)
            if event != EPOLLIN or not isinstance(selectable, EagerConnection):
                if selectable is not None:
                    log.callWithLogger(selectable, self._doReadOrWrite, selectable, fd, event)
                continue
            self.current = selectable
            try:
                why = selectable.doRead()
            except BaseException as error:  # noqa: BLE001 (all of it is logged, as in Twisted)
                self._fail(selectable, error)
            else:
                if why is not None:
                    self._lose(selectable, why, is_read=True)
        self.current = None

    def _read_newborn(self) -> None:
        """Read what has come with the connections; most of those that are short never meet epoll."""
        for connection in tuple(self._newborn):
            if connection in self._newborn:  # nobody has asked for it to be read no more
                self._call(connection, connection.doRead, is_read=True)
            if connection in self._newborn:
                self.addReader(connection)

    def _write_due(self) -> None:
        due, self._due = self._due, {}
        for connection in due:
            if connection.connected:
                self._call(connection, connection.doWrite, is_read=False)

    def _call(
        self,
        connection: EagerConnection,
        step: Callable[[], BaseException | int | None],
        *,
        is_read: bool,
    ) -> None:
        self.current = connection
        try:
            why = step()
        except BaseException as error:  # noqa: BLE001 (as above)
            self._fail(connection, error)
        else:
            if why is not None:
                self._lose(connection, why, is_read=is_read)

    def _fail(self, connection: EagerConnection, error: BaseException) -> None:
        log.callWithLogger(connection, log.err)
        self._lose(connection, error, is_read=False)

    def _lose(
        self, connection: EagerConnection, why: BaseException | int, *, is_read: bool
    ) -> None:
        try:
            self._disconnectSelectable(connection, why, is_read)
        except KeyboardInterrupt:
            raise
        except BaseException:  # noqa: BLE001 (as above)
            log.callWithLogger(connection, log.err)

    def addReader(self, reader: IReadDescriptor) -> None:
        """Call `doRead` of `reader` as epoll reports it."""
        self._newborn.pop(reader, None)  # type: ignore[call-overload]  # others are not in it
        super().addReader(reader)

    def removeReader(self, reader: IReadDescriptor) -> None:
        """Call `doRead` of `reader` no more."""
        self._newborn.pop(reader, None)  # type: ignore[call-overload]  # others are not in it
        super().removeReader(reader)

    def getReaders(self) -> list[IReadDescriptor]:
        """Return what waits for its `doRead`."""
        return [*super().getReaders(), *self._newborn]

    def removeWriter(self, writer: IWriteDescriptor) -> None:
        """Call `doWrite` of `writer` no more."""
        self._due.pop(writer, None)  # type: ignore[call-overload]  # others are not in it
        super().removeWriter(writer)

    def getWriters(self) -> list[IWriteDescriptor]:
        """Return what waits for its `doWrite`."""
        return [*super().getWriters(), *self._due]

    def removeAll(self) -> list[Any]:
        """Return what waits for its `doRead` or `doWrite`, which is called no more."""
        due, self._due = self._due, {}
        newborn, self._newborn = self._newborn, {}
        return list({*super().removeAll(), *due, *newborn})

    def listenTCP(
        self, port: int, factory: IProtocolFactory, backlog: int = 50, interface: str = ""
    ) -> IListeningPort:
        """See IReactorTCP."""
        return _listening(Port(port, factory, backlog, interface, self))

    def connectTCP(
        self,
        host: str,
        port: int,
        factory: ClientFactory[Any],
        timeout: float = 30.0,
        bindAddress: Binding | tuple[str, int] | None = None,
    ) -> IConnector:
        """See IReactorTCP."""
        return _connecting(Connector(host, port, factory, timeout, bindAddress, self))

    def listenUNIX(
        self,
        address: str | bytes,
        factory: IProtocolFactory,
        backlog: int = 50,
        mode: int = 0o666,
        wantPID: bool = False,  # noqa: FBT001, FBT002 (Twisted's)
    ) -> IListeningPort:
        """See IReactorUNIX."""
        port = UNIXPort(address, factory, backlog, mode, self, wantPID)  # type: ignore[arg-type]  # it takes text too
        return _listening(port)

    def connectUNIX(
        self,
        address: str | bytes,
        factory: ClientFactory[Any],
        timeout: float = 30,
        checkPID: bool = False,  # noqa: FBT001, FBT002 (Twisted's)
    ) -> IConnector:
        """See IReactorUNIX."""
        return _connecting(UNIXConnector(address, factory, timeout, self, checkPID))

    def adoptStreamPort(
        self, fileDescriptor: int, addressFamily: AddressFamily, factory: IProtocolFactory
    ) -> IListeningPort:
        """See IReactorSocket."""
        if addressFamily == AF_UNIX:
            unix = UNIXPort._fromListeningDescriptor  # noqa: SLF001 (listed in netkit.net.eager)
            return _listening(unix(self, fileDescriptor, factory))
        if addressFamily in {AF_INET, AF_INET6}:
            inet = Port._fromListeningDescriptor  # noqa: SLF001 (as above)
            return _listening(inet(self, fileDescriptor, addressFamily, factory))
        raise UnsupportedAddressFamily(addressFamily)

    def adoptStreamConnection(
        self, fileDescriptor: int, addressFamily: AddressFamily, factory: IProtocolFactory
    ) -> EagerConnection | None:
        """See IReactorSocket; None where the factory wants no protocol for it."""
        adopted: EagerConnection | None
        if addressFamily == AF_UNIX:
            unix = UNIXServer._fromConnectedSocket  # noqa: SLF001 (as above)
            adopted = unix(fileDescriptor, factory, self)
        elif addressFamily in {AF_INET, AF_INET6}:
            inet = Server._fromConnectedSocket  # noqa: SLF001 (as above)
            adopted = inet(fileDescriptor, addressFamily, factory, self)
        else:
            raise UnsupportedAddressFamily(addressFamily)
        return adopted


def _listening(port: tcp.Port) -> tcp.Port:
    port.startListening()
    return port


def _connecting(connector: BaseConnector) -> IConnector:
    connector.connect()
    return connector


def install() -> None:
    """Make an EagerReactor the reactor of this process."""
    installReactor(EagerReactor())
