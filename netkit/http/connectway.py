"""The way to a server through an HTTP proxy: a tunnel, opened by CONNECT (RFC 9110 9.3.6).

Rule: what comes out of it is a connection like any other, so that TLS stands on it and the server
proves who it is to us, not to the proxy.
"""

from http import HTTPStatus
from typing import cast

from attrs import field, frozen
from twisted.internet.defer import Deferred
from twisted.internet.error import NoProtocol
from twisted.internet.interfaces import IAddress, IProtocol, IProtocolFactory

from netkit.document.values import printable
from netkit.http.asking import Answer, Asks, Handover, Question
from netkit.http.framing import request_opening
from netkit.http.messages import Headers
from netkit.net.dial import Way
from netkit.net.failures import NoConnectionError


class ProxyRefusedError(NoConnectionError):
    """The proxy answered with `status` and opened no tunnel."""

    def __init__(self, words: str, status: int) -> None:
        super().__init__(words)
        self.status = status


@frozen(cache_hash=True)
class ConnectWay:
    """The way to `authority`, a host and a port, by the proxy that `asks` asks at the end of `proxy`.

    `headers` tell the proxy who asks. Fails with AskError where the proxy cannot be asked.
    """

    proxy: Way
    authority: str
    asks: Asks = field(eq=id, repr=False)
    headers: Headers = field(default=(), repr=False)

    def connect(self, factory: IProtocolFactory) -> Deferred[IProtocol]:
        """See `dial.Way`."""
        target = self.authority.encode("ascii")
        opening = request_opening(b"CONNECT", target, ((b"Host", target), *self.headers))
        asking = self.asks.ask(self.proxy, Question(method=b"CONNECT", opening=opening))
        return asking.addCallback(self._opened, factory)

    def _opened(self, answer: Answer, factory: IProtocolFactory) -> IProtocol:
        head = answer.head
        tunnel = answer.body
        if not isinstance(tunnel, Handover) or head.status == HTTPStatus.SWITCHING_PROTOCOLS:
            answer.close()
            said = f"{head.status} {printable(head.reason.decode('latin-1'))}".rstrip()
            raise ProxyRefusedError(f"{self.proxy} opens no tunnel: {said}", head.status)
        protocol = factory.buildProtocol(cast("IAddress", None))
        if protocol is None:
            answer.close()
            raise NoProtocol
        tunnel.hand_over(protocol)
        return protocol

    def __str__(self) -> str:
        return f"{self.authority} by {self.proxy}"
