"""Echo on Twisted as it comes: its own reactor, its own transports."""

import sys

from twisted.internet import reactor
from twisted.internet.interfaces import IReactorCore, IReactorTCP
from twisted.internet.protocol import Protocol, ServerFactory
from twisted.internet.tcp import Server


class Echo(Protocol):
    """Sends back what it gets, and reads no more while the peer does not."""

    def connectionMade(self) -> None:  # noqa: N802 (Twisted's name)
        """Let the transport pause itself."""
        assert isinstance(self.transport, Server)  # noqa: S101 (TCP has no other)
        self.transport.setTcpNoDelay(enabled=True)
        self.transport.registerProducer(self.transport, streaming=True)

    def dataReceived(self, data: bytes) -> None:  # noqa: N802 (Twisted's name)
        """Send it back."""
        assert self.transport is not None  # noqa: S101 (it is connected)
        self.transport.write(data)


class EchoFactory(ServerFactory):
    """Makes one for each connection."""

    protocol = Echo


if __name__ == "__main__":
    IReactorTCP(reactor).listenTCP(
        int(sys.argv[1]), EchoFactory(), backlog=4096, interface="127.0.0.1"
    )
    IReactorCore(reactor).run()
