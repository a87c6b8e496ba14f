"""The transport of an accepted TCP connection with TLS on its socket.

It is the plain transport over a `TLSSocket`, with the same promises: producers, half-closes, aborts,
eager writes. Rule: what is written before the handshake is done waits for it, without being asked
for by the poll.
"""

import socket
from sys import maxsize
from typing import Any, Protocol, cast

from OpenSSL import SSL, crypto
from twisted.internet.interfaces import (
    IHandshakeListener,
    INegotiated,
    ISSLTransport,
)
from twisted.internet.main import CONNECTION_LOST
from zope.interface import implementer

from netkit.net.eager import Server
from netkit.net.tlssocket import TLSSocket


class HasContext(Protocol):
    """Says what a handshake begins with."""

    @property
    def context(self) -> SSL.Context:
        """The context of the default certificate, which knows the others."""


@implementer(INegotiated, ISSLTransport)
class SecureServer(Server):
    """A TCP connection that was accepted, with TLS; `source` says what its handshake begins with."""

    _shouldShutdown = True  # by which the TLS socket says goodbye

    def __init__(self, source: HasContext, sock: socket.socket, *accepted: Any) -> None:  # noqa: ANN401
        """Put TLS on `sock`; what else was `accepted` is as for a Server."""
        sock.setblocking(False)  # noqa: FBT003 (as a socket has it)
        self._secured = TLSSocket(sock, source.context)
        self._rests = False
        super().__init__(cast("socket.socket", self._secured), *accepted)  # to Twisted it is one
        self._gathers_until = maxsize

    @property
    def greeted(self) -> bool:
        """Whether the handshake is done."""
        return self._secured.greeted

    @property
    def negotiatedProtocol(self) -> bytes | None:
        """What ALPN agreed on (RFC 7301), or None."""
        return self._secured.tls.get_alpn_proto_negotiated() or None

    def getHandle(self) -> SSL.Connection:  # type: ignore[override]
        """Return OpenSSL's connection, as Twisted's TLS transports do."""
        return self._secured.tls

    def getPeerCertificate(self) -> crypto.X509 | None:
        """Return the client's certificate, where it showed one."""
        return self._secured.tls.get_peer_certificate()

    def doRead(self) -> Any:  # noqa: ANN401 (as Twisted's: None, or how it ended)
        """Read; before that, go on with the handshake."""
        if self._secured.greeted:
            return super().doRead()
        try:
            self._secured.shake_hands()
        except BlockingIOError:
            if self._secured.blocked_by_write:
                super().startWriting()
            return None
        except OSError:
            return CONNECTION_LOST
        return self._greet()

    def _greet(self) -> Any:  # noqa: ANN401 (as above)
        """Do what had to wait for the handshake, and read what has come behind it."""
        if self.unsent:
            super().startWriting()
        elif not self._always_gathers:
            self._gathers_until = 0
        if IHandshakeListener.providedBy(self.protocol):
            self.protocol.handshakeCompleted()
        if self._rests:
            self.stopReading()
            return None
        return super().doRead()

    def stopReading(self) -> None:
        """Read no more, once the handshake is done; where the connection is over, at once."""
        self._rests = True
        if self._secured.greeted or self._aborting or not self.connected:
            super().stopReading()

    def startReading(self) -> None:
        """Read, and go on with the handshake."""
        self._rests = False
        super().startReading()

    def startWriting(self) -> None:
        """Have `doWrite` called; before the handshake there is nothing that it could do."""
        if self._secured.greeted:
            super().startWriting()

    def doWrite(self) -> Any:  # noqa: ANN401 (as Twisted's)
        """Send what is queued; before the handshake is done, go on with that."""
        if self._secured.greeted or (self.disconnecting and not self.unsent):
            return super().doWrite()
        self.stopWriting()
        return self.doRead()
