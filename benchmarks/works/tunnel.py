"""Tunnels: echoes through a program that passes bytes on, and what a gigabyte of them costs it.

HAProxy forwards TCP to one fixed origin, and so does netkit. squid is asked for a tunnel by CONNECT.
"""

from benchmarks.figures import BYTES_PER_SECOND, PER_SECOND, PROCESSOR
from benchmarks.load import Echo
from benchmarks.peers import EPOLL_ECHO, HAPROXY_TUNNEL, SQUID, netkit
from benchmarks.work import Row, Side, Work

BULK = Echo(connections=10, size=64 * 1024)
SMALL = Echo(connections=100, size=64)

TUNNEL = netkit("""\
[limits]
connections_per_address = 10000
[service.tunnel]
listen = "tcp:$port:interface=127.0.0.1"
to = "tcp:127.0.0.1:$origin"
""")


def _peers(load: Echo) -> tuple[Side, ...]:
    through = Echo(load.connections, load.size, through=True)
    return (Side(HAPROXY_TUNNEL, load, EPOLL_ECHO), Side(SQUID, through, EPOLL_ECHO))


WORKS = (
    Work(
        name="tunnel, 10 x 64 KiB",
        rows=(
            Row(BYTES_PER_SECOND, goal=">= 1.5"),
            Row(PROCESSOR, goal="<= 0.65", name="its processor time"),
        ),
        netkit=Side(TUNNEL, BULK, EPOLL_ECHO),
        peers=_peers(BULK),
    ),
    Work(
        name="tunnel, 100 x 64 B",
        rows=(Row(PER_SECOND, goal=">= 0.7"),),
        netkit=Side(TUNNEL, SMALL, EPOLL_ECHO),
        peers=_peers(SMALL),
    ),
)
