"""A page made by Python, as a handler on netkit's own HTTP server."""

import sys
from typing import Any

from twisted.logger import Logger

from netkit.http.messages import Handler, Request, Response
from netkit.http.server import HandlerFactory
from netkit.net import reactor as netkit_reactor
from netkit.net.limits import Limits
from netkit.net.listener import Gate

_HEADERS = ((b"Content-Type", b"text/plain"),)


def hello(request: Request) -> Response:
    """Answer any request with hello, made anew each time: it is not said to be repeatable."""
    del request
    return Response(200, _HEADERS, b"hello")


def serve(handler: Handler, port: int) -> None:
    """Serve `handler` on netkit's reactor, which is installed already, until told to stop."""
    from twisted.internet import reactor  # noqa: PLC0415 (installed just now)

    log = Logger()
    limits = Limits(connections_per_address=10_000)
    gate: Any = Gate(HandlerFactory(handler, clock=reactor, log=log), limits, reactor, log)
    reactor.listenTCP(port, gate, backlog=4096, interface="127.0.0.1")
    reactor.run()


if __name__ == "__main__":
    netkit_reactor.install()
    serve(hello, int(sys.argv[1]))
