"""Stock twisted.web: `twisted_site.py hello PORT`, `reverse PORT ORIGIN` or `forward PORT`.

The reactor is the one that Twisted chooses on Linux, epoll's. No access log is kept.
"""

import sys
from typing import Any

from twisted.web.http import HTTPFactory, Request
from twisted.web.proxy import Proxy, ReverseProxyResource
from twisted.web.server import Site

from benchmarks.servers.hello_resource import tree


class QuietSite(Site):
    """A site without an access log."""

    def log(self, request: Request) -> None:
        """Log nothing."""


class QuietForwarding(HTTPFactory):
    """A forward proxy without an access log."""

    protocol = Proxy  # type: ignore[assignment]  # said as the chooser of HTTP/1.1 or 2

    def log(self, request: Request) -> None:
        """Log nothing."""


def factory(kind: str, origin: int) -> HTTPFactory:
    """Return what serves: a page, or what stands on loopback at `origin`, or anything asked for."""
    if kind == "hello":
        return QuietSite(tree())
    if kind == "reverse":
        return QuietSite(ReverseProxyResource("127.0.0.1", origin, b""))
    return QuietForwarding()


if __name__ == "__main__":
    from twisted.internet import reactor

    serving: Any = factory(sys.argv[1], int(sys.argv[-1]))
    reactor.listenTCP(int(sys.argv[2]), serving, backlog=4096, interface="127.0.0.1")
    reactor.run()
