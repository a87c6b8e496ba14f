"""WebSockets on real connections, plain and with both sorts of TLS; the client is wsproto's."""

import socket
import ssl
from typing import Any

from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress
from twisted.internet.protocol import Factory
from twisted.internet.threads import deferToThread
from twisted.logger import LogEvent
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import TestCase
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, Event

from netkit.http.websocket import WebSockets
from netkit.net.limits import Limits
from netkit.net.listener import Gate
from netkit.net.tls import Store
from tests.http.fakes import recorded
from tests.http.sockets import Echo, frame, opening, taken_over
from tests.listening import listening
from tests.net.authorities import identities, issued

_MEGABYTE = bytes(1024 * 1024)


class _Upgraded(Factory):
    """Begins where a server ends: with a connection whose 101 is sent."""

    noisy = False

    def __init__(self) -> None:
        clock: Any = reactor
        self.events: list[LogEvent] = []
        self.sockets = WebSockets(clock, recorded(self.events))
        self.endpoints: list[Echo] = []

    def buildProtocol(self, addr: IAddress | None) -> Any:
        return taken_over(self.sockets.upgrade(opening(), self._endpoint))

    def _endpoint(self) -> Echo:
        self.endpoints.append(Echo())
        return self.endpoints[-1]


def _secured(raw: socket.socket) -> socket.socket:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(raw)


def _talk(port: int, tls: bool, data: bytes) -> list[Event]:
    """Send `data`, read to the server's FIN, and return what wsproto understands of it."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=10)
    with _secured(raw) if tls else raw as connection:
        connection.sendall(data)
        client = Connection(ConnectionType.CLIENT)
        heard: list[Event] = []
        while piece := connection.recv(65536):
            client.receive_data(piece)
            heard += client.events()
        return heard


class LoopbackTests(TestCase):
    timeout = 30

    def setUp(self) -> None:
        """Prepare what a server with TLS has."""
        self.factory = _Upgraded()
        self.store = Store(identities(issued("test")))

    def _through_gate(self, *, tls: bool) -> int:
        clock: Any = reactor
        creator = self.store.creator(()) if tls else None
        return listening(self, Gate(self.factory, Limits(), clock, recorded([]), tls=creator))

    async def _check(self, port: int, *, tls: bool) -> None:
        """Have messages echoed and a Close answered; then break the rules while talking on."""
        said = b"".join(frame(0x82, b"%d" % number) for number in range(1000))
        heard = await _in_thread(port, tls, said + frame(0x88, b"\x03\xe8bye"))
        whole = [each.data for each in heard if isinstance(each, BytesMessage)]
        self.assertEqual(whole, [b"%d" % number for number in range(1000)])
        self.assertEqual(heard[-1], CloseConnection(1000, ""))
        self.assertEqual(self.factory.endpoints[0].news[-1], (1000, "bye"))
        heard = await _in_thread(port, tls, frame(0x81, b"\xff") + b"x" * 100_000)
        self.assertEqual(heard, [CloseConnection(1007, "a text is not UTF-8")])
        self.assertFalse([each for each in self.factory.events if "log_failure" in each])

    async def test_plain(self) -> None:
        """On TCP: whole messages, an orderly end, and a last word that no reset destroys."""
        await self._check(self._through_gate(tls=False), tls=False)

    async def test_tls(self) -> None:
        """The same with TLS on the socket."""
        await self._check(self._through_gate(tls=True), tls=True)

    async def test_tls_in_memory(self) -> None:
        """The same with Twisted's own TLS."""
        creator = self.store.creator(())
        wrapped: Any = TLSMemoryBIOFactory(creator, isClient=False, wrappedFactory=self.factory)
        await self._check(listening(self, wrapped), tls=True)

    async def test_large(self) -> None:
        """The largest message goes there and back."""
        port = self._through_gate(tls=True)
        heard = await _in_thread(port, True, frame(0x82, _MEGABYTE) + frame(0x88))
        parts = [each.data for each in heard if isinstance(each, BytesMessage)]
        self.assertEqual(b"".join(parts), _MEGABYTE)


def _in_thread(port: int, tls: bool, data: bytes) -> "Deferred[list[Event]]":
    return deferToThread(_talk, port, tls, data)
