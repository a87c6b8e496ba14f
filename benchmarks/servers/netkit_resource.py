"""A resource of twisted.web on netkit's own HTTP server, through its adapter."""

import sys

from twisted.logger import Logger

from benchmarks.servers.hello_resource import tree
from benchmarks.servers.netkit_hello import serve
from netkit.http.resources import resource_handler
from netkit.net import reactor as netkit_reactor

if __name__ == "__main__":
    netkit_reactor.install()
    from twisted.internet import reactor

    serve(resource_handler(tree(), clock=reactor, log=Logger()), int(sys.argv[1]))
