"""The way through a proxy."""

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IProtocol
from twisted.internet.protocol import Factory, Protocol
from twisted.trial.unittest import SynchronousTestCase

from netkit.http.asking import AskError
from netkit.http.connectway import ConnectWay, ProxyRefusedError
from tests.http.origins import Asker

LOGIN = ((b"Proxy-Authorization", b"Basic eA=="),)


class Inner(Protocol):
    """What stands on the way."""

    def __init__(self) -> None:
        self.heard = b""

    def dataReceived(self, data: bytes) -> None:
        self.heard += data


class ConnectTests(SynchronousTestCase):
    def setUp(self) -> None:
        """Have a proxy, and a way through it."""
        self.asker = Asker()
        self.proxy = self.asker.origin
        self.way = ConnectWay(self.proxy, "a.example:443", self.asker.pool, LOGIN)
        self.inner = Inner()

    def connect(self) -> Deferred[IProtocol]:
        """Go it."""
        factory: Any = Factory.forProtocol(lambda: self.inner)
        return self.way.connect(factory)

    def test_tunnel(self) -> None:
        """Behind a 2xx there is the server, and what it said already comes first."""
        connecting = self.connect()
        self.assertEqual(
            self.proxy.end.take(),
            b"CONNECT a.example:443 HTTP/1.1\r\nHost: a.example:443\r\n"
            b"Proxy-Authorization: Basic eA==\r\n\r\n",
        )
        self.proxy.end.send(b"HTTP/1.1 200 Connected\r\n\r\nhel")
        self.assertIs(self.successResultOf(connecting), self.inner)
        self.proxy.end.send(b"lo")
        transport: Any = self.inner.transport
        transport.write(b"hey")
        self.assertEqual((self.inner.heard, self.proxy.end.take()), (b"hello", b"hey"))
        transport.loseConnection()
        self.proxy.end.take()
        self.assertTrue(self.proxy.end.finished)

    def test_refused(self) -> None:
        """Anything else is no tunnel, and is told with the proxy's words."""
        for answer in (b"407 Proxy\x1bAuth", b"403 No", b"302 Found"):
            self.setUp()
            connecting = self.connect()
            self.proxy.answer(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 0\r\n\r\n")
            self.failureResultOf(connecting, ProxyRefusedError, AskError)

    def test_words(self) -> None:
        """The words name the proxy and its status."""
        connecting = self.connect()
        self.proxy.answer(b"HTTP/1.1 403 No way\r\nContent-Length: 0\r\n\r\n")
        error = self.failureResultOf(connecting, ProxyRefusedError).value
        self.assertEqual(str(error), "origin:80 opens no tunnel: 403 No way")
        self.assertEqual(error.status, 403)

    def test_lost(self) -> None:
        """A proxy that leaves is told as the client tells it."""
        connecting = self.connect()
        self.proxy.end.finish()
        self.failureResultOf(connecting, AskError)

    def test_cancelled(self) -> None:
        """Who cancels leaves no connection."""
        connecting = self.connect()
        connecting.cancel()
        self.failureResultOf(connecting)
        self.assertTrue(self.proxy.end.aborted)

    def test_equal(self) -> None:
        """Two ways to one server through one proxy are one, and show no password."""
        again = ConnectWay(self.proxy, "a.example:443", self.asker.pool, LOGIN)
        other = ConnectWay(self.proxy, "b.example:443", self.asker.pool, LOGIN)
        self.assertEqual((self.way == again, self.way == other), (True, False))
        self.assertEqual(len({self.way, again, other}), 2)
        self.assertNotIn("eA==", repr(self.way))
        self.assertEqual(str(self.way), "a.example:443 by origin:80")
