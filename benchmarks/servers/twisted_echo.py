"""Echo on Twisted as it comes, listening on any endpoint: `twisted_echo.py REACTOR ENDPOINT`.

REACTOR is what `twistd -r` takes; with `epoll` the reactor and the transports are Twisted's own.
"""

import sys
from typing import Any

from twisted.application.reactors import installReactor
from twisted.internet.endpoints import serverFromString
from twisted.internet.interfaces import IConsumer, IPushProducer, ITCPTransport
from twisted.internet.protocol import Protocol, ServerFactory


class IStream(ITCPTransport, IConsumer, IPushProducer):
    """A connection, with TLS or without."""


class Echo(Protocol):
    """Sends back what it gets, and reads no more while the peer does not."""

    transport: IStream

    def connectionMade(self) -> None:  # noqa: N802 (Twisted's name)
        """Let the transport pause itself."""
        self.transport.setTcpNoDelay(enabled=True)
        self.transport.registerProducer(self.transport, streaming=True)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Send it back."""
        self.transport.write(data)


class EchoFactory(ServerFactory):
    """Makes one for each connection."""

    protocol = Echo


if __name__ == "__main__":
    reactor: Any = installReactor(sys.argv[1])
    serverFromString(reactor, sys.argv[2]).listen(EchoFactory())
    reactor.run()
