"""netkit's echo on netkit's reactor, without the gate that a listener has: no limits, no deadlines."""

import sys

from twisted.internet.main import installReactor

from netkit.net.reactor import EagerReactor
from netkit.services.echo.protocol import EchoFactory
from netkit.services.echo.settings import Settings

if __name__ == "__main__":
    reactor = EagerReactor()
    installReactor(reactor)
    factory = EchoFactory(Settings(), reactor)
    reactor.listenTCP(int(sys.argv[1]), factory, backlog=4096, interface="127.0.0.1")
    reactor.run()
